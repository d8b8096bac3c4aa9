"""Versions of rubrics and prompts as they may be used at run time, and the releases that name them together."""

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from callgrade.db.types import Json, Moment, new_id, now


class RubricVersion(SQLModel, table=True):
    """`content` is the resolved rubric, lists and named errors included. Never changed once published."""

    __tablename__ = "rubric_version"

    id: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    status: str
    content: dict[str, Any] = Field(sa_type=Json)
    digest: str
    origin: str
    """`shipped`, or `desk`: published here, which the gate's row tells more of."""
    created_at: datetime = Field(default_factory=now, sa_type=Moment)


class PromptVersion(SQLModel, table=True):
    __tablename__ = "prompt_version"

    id: str = Field(primary_key=True)
    version: str = Field(primary_key=True)
    status: str
    content: str
    digest: str
    origin: str
    created_at: datetime = Field(default_factory=now, sa_type=Moment)


class Release(SQLModel, table=True):
    """Rubric, prompt, model, parameters, recogniser and redaction together. Append-only, active from a moment."""

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str | None = Field(default=None, foreign_key="client.id", index=True)
    """None: for every client that has none of its own."""
    team: str | None = None
    rubric_id: str
    rubric_version: str
    rubric_digest: str
    prompt: dict[str, Any] | None = Field(default=None, sa_type=Json)
    model: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    recogniser: str | None = None
    redaction: str | None = None
    active_from: datetime = Field(default_factory=now, sa_type=Moment)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    created_by: str
