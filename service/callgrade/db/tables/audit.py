"""What was done by whom, and the seals that make a change to it show."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

from callgrade.db.types import Json, Moment, now

Counting = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only in an INTEGER column


class AuditEvent(SQLModel, table=True):
    """Append-only. `subject` and `facts` hold ids and digests, never words that were said: they outlive an erasure."""

    __tablename__ = "audit_event"
    __table_args__ = (Index("audit_event_unsealed", "client_id", "id"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=Counting)
    client_id: str = Field(foreign_key="client.id")
    at: datetime = Field(default_factory=now, sa_type=Moment)
    actor: str
    action: str
    subject: str
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=Json)


class AuditSeal(SQLModel, table=True):
    """Seals the events (first_event, last_event) of a client: `hash` covers them and the seal before."""

    __tablename__ = "audit_seal"
    __table_args__ = (UniqueConstraint("client_id", "number"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=Counting)
    client_id: str = Field(foreign_key="client.id")
    number: int
    first_event: int = Field(sa_type=Counting)
    last_event: int = Field(sa_type=Counting)
    events: int
    previous: str
    hash: str
    sealed_at: datetime = Field(default_factory=now, sa_type=Moment)
