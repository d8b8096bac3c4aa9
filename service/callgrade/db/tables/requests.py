"""What keeps a repeated request from being done twice, and many hosts below one rate."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from callgrade.db.types import Json, Moment, now


class IdempotentRequest(SQLModel, table=True):
    """The answer to a request with an Idempotency-Key. While the first one is still at work `status` is null, and
    `answer` holds what it noted of itself."""

    __tablename__ = "idempotent_request"

    client_id: str = Field(foreign_key="client.id", primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: str
    """SHA-256 of method, path and body."""
    status: int | None = None
    answer: dict[str, Any] | None = Field(default=None, sa_type=Json)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)


class RateSecond(SQLModel, table=True):
    """How much of one second's allowance has been handed out to hosts."""

    __tablename__ = "rate_second"

    name: str = Field(primary_key=True)
    second: int = Field(primary_key=True, sa_type=BigInteger)
    requests: int = 0
    tokens: int = 0
