"""Who is asking."""

from pydantic import Field

from callgrade.access.permissions import ROLES, Reach, Role, Scope, reach_of
from callgrade.domain.frozen import Frozen


class Principal(Frozen):
    """Somebody who was let in, and the client they act for. Everything they reach belongs to that client."""

    client_id: str
    actor: str = Field(pattern=r"^(system|(key|user):[A-Za-z0-9_-]{1,64})$")
    """`key:<id>`, `user:<id>`, or `system`: callgrade itself, or its operator at the command line."""
    scopes: frozenset[Scope]
    role: Role
    user_id: str | None = None
    """Of a person; None for keys and callgrade itself."""
    agent_id: str | None = None
    """The agent that a person is: a reviewer may take calls too, and does not review those."""
    teams: frozenset[str] = frozenset()
    """Which a lead leads, or a reviewer reviews for; a reviewer without any reviews for all."""
    name: str | None = None
    """What pages call a person; never logged, never in the record."""
    language: str | None = None
    """A person's own choice."""

    def reach(self, scope: Scope) -> Reach:
        """Whose rows they may do this to. Raises ForbiddenError where they may not do it at all."""
        return reach_of(self, scope)


def system(client_id: str) -> Principal:
    """callgrade at its own work for a client: retention, sweeping, the command line."""
    return Principal(client_id=client_id, actor="system", scopes=ROLES["admin"], role="admin")
