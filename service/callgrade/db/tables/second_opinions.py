"""The second opinion without a model: what was trained, and what it said of proposals."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from callgrade.db.types import Json, Moment, new_id, now

STANDS = text("ended_at IS NULL")


class SecondOpinion(SQLModel, table=True):
    """One trained scorer of one criterion. One stands at a time; a new one ends it, and its row stays."""

    __tablename__ = "second_opinion"
    __table_args__ = (
        Index(
            "second_opinion_standing",
            *("client_id", "rubric_id", "criterion_id"),
            unique=True,
            sqlite_where=STANDS,
            postgresql_where=STANDS,
        ),
        Index("second_opinion_history", "client_id", "rubric_id", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    rubric_id: str
    criterion_id: str
    criterion_digest: str
    gate: str
    """on insufficient_data below: only what is on is ever asked"""
    about: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """`domain.second_opinion.Opinion`: what it was trained on, how it did, why it is on or off."""
    content: bytes = Field(default=b"", sa_type=LargeBinary)
    """The trained file, which says `about` too; empty where nothing was trained."""
    trained_by: str
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)


class SecondLook(SQLModel, table=True):
    """Append-only: a proposal was shown to the second opinion, once for each attempt. It holds no words."""

    __tablename__ = "second_look"

    evaluation_id: str = Field(foreign_key="evaluation.id", primary_key=True)
    attempt: int = Field(primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    opinions: list[Any] = Field(default_factory=list, sa_type=Json)
    """Ids of those that were asked."""
    differs: list[Any] = Field(default_factory=list, sa_type=Json)
    """`domain.second_opinion.Difference`: where one firmly says otherwise."""
    at: datetime = Field(default_factory=now, sa_type=Moment)
