"""What the pages keep beside reviews: drafts of rubrics, outlines of sound, and alerts."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from callgrade.db.types import Json, Moment, new_id, now


class Draft(SQLModel, table=True):
    """A rubric or prompt that somebody is writing. `version` counts its saves, so that a stale one is refused."""

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id", index=True)
    kind: str
    """rubric prompt"""
    subject: str
    """The id of the rubric or prompt."""
    based_on: str | None = None
    text: str = Field(sa_type=Text)
    version: int = 1
    written_by: str = Field(foreign_key="app_user.id")
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    updated_at: datetime = Field(default_factory=now, sa_type=Moment)
    closed_at: datetime | None = Field(default=None, sa_type=Moment)


class Outline(SQLModel, table=True):
    """The peaks of a recording, for its waveform: `{"duration_ms": …, "channels": [[0..1, …], …]}`."""

    call_id: str = Field(foreign_key="call.id", primary_key=True)
    content: dict[str, Any] = Field(sa_type=Json)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)


class AlertRule(SQLModel, table=True):
    """When somebody wants to be told, and how."""

    __tablename__ = "alert_rule"

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id", index=True)
    name: str
    kind: str
    """red_line agent_week queue_age autonomy_ended"""
    spec: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    email: list[Any] = Field(default_factory=list, sa_type=Json)
    webhook: bool = False
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    disabled_at: datetime | None = Field(default=None, sa_type=Moment)
    looked_until: datetime | None = Field(default=None, sa_type=Moment)
    """Up to when was looked for what it asks for; None: not yet."""


class Alert(SQLModel, table=True):
    """Something that a rule found. `subject` is what it found it of, so that it is told once."""

    __table_args__ = (
        UniqueConstraint("rule_id", "subject"),
        Index("alert_newest", "client_id", "id"),
        Index("alert_due", "next_at", "rule_id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    rule_id: str = Field(foreign_key="alert_rule.id")
    subject: str
    data: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """Ids and figures, nothing that was said."""
    team: str | None = None
    """Whose leads it is for, beside those who reach all."""
    evaluation_id: str | None = Field(default=None, foreign_key="evaluation.id")
    """Where it tells of a scorecard: not to be seen by who is still to judge that blind."""
    raised_at: datetime = Field(default_factory=now, sa_type=Moment)
    email: list[Any] = Field(default_factory=list, sa_type=Json)
    """The addresses that are still to be told."""
    next_at: datetime | None = Field(default=None, sa_type=Moment)
    """When the next attempt at a mail may begin; None: there is none to be sent, or no longer."""
    sent_at: datetime | None = Field(default=None, sa_type=Moment)
    attempts: int = 0
    seen_by: str | None = Field(default=None, foreign_key="app_user.id")
