"""Who is asking."""

from pydantic import Field

from callgrade.access.permissions import ROLES, Scope
from callgrade.domain.frozen import Frozen


class Principal(Frozen):
    """Somebody who was let in, and the client they act for. Everything they reach belongs to that client."""

    client_id: str
    actor: str = Field(pattern=r"^(system|(key|user):[A-Za-z0-9_-]{1,64})$")
    """`key:<id>`, `user:<id>`, or `system`: callgrade itself, or its operator at the command line."""
    scopes: frozenset[Scope]
    role: str


def system(client_id: str) -> Principal:
    """callgrade at its own work for a client: retention, sweeping, the command line."""
    return Principal(client_id=client_id, actor="system", scopes=ROLES["admin"], role="admin")
