"""Calls, their recordings and the versions of their transcripts."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from callgrade.db.types import Json, Moment, new_id, now


class Call(SQLModel, table=True):
    """`call_id` is the client's own id, `id` the server's. `team` is the agent's team of that day."""

    __table_args__ = (
        UniqueConstraint("client_id", "call_id"),
        Index("call_newest", "client_id", "id"),
        Index("call_by_agent", "client_id", "agent_id", "id"),
        Index("call_by_team", "client_id", "team", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    call_id: str
    channel: str
    language: str
    started_at: datetime | None = Field(default=None, sa_type=Moment)
    agent_id: str | None = None
    team: str | None = None
    queue: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    erased_at: datetime | None = Field(default=None, sa_type=Moment)
    erased_because: str | None = None
    """After an erasure the row stays as a tombstone: ids, moments, the reason, and nothing that was said."""


class Recording(SQLModel, table=True):
    """The sound of a call: in the blob store under its SHA-256, counted by these rows."""

    id: str = Field(default_factory=new_id, primary_key=True)
    call_id: str = Field(foreign_key="call.id", unique=True)
    client_id: str = Field(foreign_key="client.id")
    sha256: str = Field(index=True)
    size: int = Field(sa_type=BigInteger)
    """Bytes."""
    media_type: str
    file_name: str
    agent_channel: str
    started_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    agent: str | None = None
    customer: str | None = None
    """The two parties by name or number, as the recording rules ask; erased with the call."""
    created_at: datetime = Field(default_factory=now, sa_type=Moment)


class AwaitedRecording(SQLModel, table=True):
    """A recording that is still where its client keeps it. The row goes, and the URL with it, as soon as the recording
    is there, is given up, is wanted by nobody any more, or its call is erased."""

    __tablename__ = "awaited_recording"

    id: str = Field(default_factory=new_id, primary_key=True)
    call_id: str = Field(foreign_key="call.id", unique=True)
    client_id: str = Field(foreign_key="client.id")
    url: str = Field(sa_type=Text)
    """May carry a signature: it goes into no log, no error and no answer."""
    tries: int = 0
    """How often it could not be fetched so far."""
    priority: int = 0
    file_name: str
    agent_channel: str
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    customer: str | None = None
    """What will be on record of the recording, beside what the call's own row says."""
    created_at: datetime = Field(default_factory=now, sa_type=Moment)


class TranscriptVersion(SQLModel, table=True):
    """Append-only: a correction is the next version. `content` is callgrade.transcript/1."""

    __tablename__ = "transcript_version"

    call_id: str = Field(foreign_key="call.id", primary_key=True)
    version: int = Field(primary_key=True)
    origin: str
    """`client`, `recogniser`, or the id of the user who corrected it."""
    digest: str
    content: str = Field(sa_type=Text)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
