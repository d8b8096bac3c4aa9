"""Where a client wants to be told, and what it was told."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callgrade.db.types import Json, Moment, new_id, now


class Webhook(SQLModel, table=True):
    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id", index=True)
    url: str
    secret: str
    """Signs what is sent (Standard Webhooks); shown once, when it is made."""
    events: list[Any] = Field(sa_type=Json)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    disabled_at: datetime | None = Field(default=None, sa_type=Moment)


WAITING = text("status = 'waiting'")


class Delivery(SQLModel, table=True):
    """One event for one webhook: at least once, with an id that repeats when it is sent again."""

    __table_args__ = (
        Index("delivery_of_webhook", "webhook_id", "created_at", "id"),
        # of those that wait alone: there are few of them, and every one that was delivered costs nothing any more
        Index("delivery_due", "webhook_id", "next_at", sqlite_where=WAITING, postgresql_where=WAITING),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    webhook_id: str = Field(foreign_key="webhook.id")
    client_id: str = Field(foreign_key="client.id")
    call_id: str | None = Field(default=None, foreign_key="call.id", index=True)
    """The call that it is about, so that an erasure finds it; null where it is about none."""
    event_id: str
    event: str
    payload: dict[str, Any] = Field(sa_type=Json)
    status: str = "waiting"
    """waiting delivered given_up"""
    attempts: int = 0
    answered: int | None = None
    """The last HTTP status, or null where nobody answered."""
    next_at: datetime | None = Field(default_factory=now, sa_type=Moment)
    """When the next attempt is due; while one is under way, when it counts as dead. Null once it is over."""
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    delivered_at: datetime | None = Field(default=None, sa_type=Moment)
