"""Many calls handed in at once."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from callgrade.db.types import Json, Moment, new_id, now


class Batch(SQLModel, table=True):
    """`total` is known when everything has come in; until then the batch is `receiving`."""

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id", index=True)
    rubric_id: str
    rubric_version: str
    """Of the lines that no release of another version is in use for."""
    releases: dict[str, str | None] | None = Field(default=None, sa_type=Json)
    """The releases in use when it began to come in, by team; under "" that of all other teams. None for a batch of
    before they were noted."""
    status: str
    """receiving running done cancelled incomplete"""
    receiver: str | None = None
    """The executor whose process takes, or took, it in."""
    total: int = 0
    faulty: int = 0
    """Lines that were no transcript; each has a BatchFault."""
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)


KEPT = text("blob <> ''")


class BatchChunk(SQLModel, table=True):
    """A run of lines, kept as one blob until it is worked off. Lines count from 1."""

    __tablename__ = "batch_chunk"
    # of those whose lines are still kept alone: there are few of them
    __table_args__ = (Index("chunk_kept", "batch_id", "number", sqlite_where=KEPT, postgresql_where=KEPT),)

    batch_id: str = Field(foreign_key="batch.id", primary_key=True)
    number: int = Field(primary_key=True)
    first_line: int
    lines: int
    blob: str
    """Empty once it was worked off or given up: lines may hold words, and URLs that open recordings."""
    status: str = "queued"
    """queued done cancelled"""
    parked: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How many of its lines wait for a model that is down, as their worker last said."""


class BatchFault(SQLModel, table=True):
    """A line that could not be read, with the reason."""

    __tablename__ = "batch_fault"

    batch_id: str = Field(foreign_key="batch.id", primary_key=True)
    line: int = Field(primary_key=True)
    error: dict[str, Any] = Field(sa_type=Json)
