"""Who owns calls, and who may do what with them."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from callgrade.db.types import Json, Moment, new_id, now


class Client(SQLModel, table=True):
    """An organisation or integration. It owns calls, keys, users and webhooks."""

    id: str = Field(default_factory=new_id, primary_key=True)
    name: str = Field(unique=True)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)


class ApiKey(SQLModel, table=True):
    """`cg_<id>_<secret>`; only the secret's hash is kept."""

    __tablename__ = "api_key"

    id: str = Field(primary_key=True)
    client_id: str = Field(foreign_key="client.id", index=True)
    name: str
    secret_hash: str
    scopes: list[Any] = Field(sa_type=Json)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    expires_at: datetime | None = Field(default=None, sa_type=Moment)
    last_used_at: datetime | None = Field(default=None, sa_type=Moment)
    revoked_at: datetime | None = Field(default=None, sa_type=Moment)
