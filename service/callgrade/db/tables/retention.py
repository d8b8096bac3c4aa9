"""How long a client's calls are kept."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from callgrade.db.types import Moment, new_id, now


class RetentionRule(SQLModel, table=True):
    """Append-only: a client's newest rule counts. Days of None: for good."""

    __tablename__ = "retention_rule"
    __table_args__ = (Index("retention_rule_newest", "client_id", "id"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    recordings_days: int | None = None
    transcripts_days: int | None = None
    scorecards_days: int | None = None
    reason: str
    """Why so long and no longer: it stands on the tombstone of what is deleted."""
    set_by: str
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
