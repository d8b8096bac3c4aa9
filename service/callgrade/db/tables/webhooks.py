"""Where a client wants to be told, and what it was told."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
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


class Delivery(SQLModel, table=True):
    """One event for one webhook: at least once, with an id that repeats when it is sent again."""

    __table_args__ = (
        Index("delivery_of_webhook", "webhook_id", "id"),
        Index("delivery_due", "status", "next_at"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    webhook_id: str = Field(foreign_key="webhook.id")
    client_id: str = Field(foreign_key="client.id")
    event_id: str
    event: str
    payload: dict[str, Any] = Field(sa_type=Json)
    status: str = "waiting"
    """waiting delivered given_up"""
    attempts: int = 0
    answered: int | None = None
    """The last HTTP status, or null where nobody answered."""
    next_at: datetime | None = Field(default=None, sa_type=Moment)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    delivered_at: datetime | None = Field(default=None, sa_type=Moment)
