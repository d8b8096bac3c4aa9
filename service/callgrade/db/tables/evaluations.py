"""One grading of one call by one rubric, and the scorecard it proposes."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from callgrade.db.types import Json, Moment, Points, new_id, now

FIGURED = "status IN ('proposed', 'in_review', 'published')"
"""What means are made of. As text, and not with parameters: only then does SQLite know the index by it, and no list,
which would have to be sorted, is answered by it."""


class Evaluation(SQLModel, table=True):
    """`dedupe` makes a repeated submission find this row instead of making another: see evaluations.repository.

    What lists filter by (agent, team, total, passed) is copied here from the call and the scorecard, so that one
    index answers each question.
    """

    __table_args__ = (
        UniqueConstraint("client_id", "dedupe"),
        Index("evaluation_newest", "client_id", "id"),
        Index("evaluation_by_agent", "client_id", "agent_id", "called_at", "id"),
        Index("evaluation_by_team", "client_id", "team", "status", "called_at", "id"),
        Index("evaluation_of_team", "client_id", "team", "called_at", "id"),
        Index("evaluation_by_moment", "client_id", "called_at", "id"),
        Index("evaluation_by_status", "client_id", "status", "id"),
        Index("evaluation_of_call", "call_id"),
        Index("evaluation_of_batch", "batch_id", "line"),
        # how far a batch is, and whether any of it is under way, without a look at the table
        Index("evaluation_in_batch", "batch_id", "status"),
        Index("evaluation_open", "status", "updated_at"),
        # sums over a span are read off this alone, without a look at the table
        Index(
            "evaluation_figures",
            "client_id",
            "rubric_id",
            "status",
            "called_at",
            "yields_to",
            "agent_id",
            "team",
            "total",
            "passed",
            "proposed",
            "proposed_passed",
            sqlite_where=text(FIGURED),
            postgresql_where=text(FIGURED),
        ),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    call_id: str = Field(foreign_key="call.id")
    dedupe: str
    rubric_id: str
    rubric_version: str
    rubric_digest: str
    release_id: str | None = Field(default=None, foreign_key="release.id")
    batch_id: str | None = Field(default=None, foreign_key="batch.id")
    line: int | None = None
    status: str
    """queued transcribing judging parked proposed in_review published failed cancelled"""
    priority: int = 0
    attempt: int = 1
    error: dict[str, Any] | None = Field(default=None, sa_type=Json)
    agent_id: str | None = None
    team: str | None = None
    called_at: datetime = Field(sa_type=Moment)
    """When the call began, or came in."""
    total: Decimal | None = Field(default=None, sa_type=Points)
    low: Decimal | None = Field(default=None, sa_type=Points)
    high: Decimal | None = Field(default=None, sa_type=Points)
    passed: bool | None = None
    proposed: Decimal | None = Field(default=None, sa_type=Points)
    """The total as the machine proposed it; `total` is the published one once there is one. What people changed of few
    calls puts right the mean of what was proposed of all."""
    proposed_passed: bool | None = None
    yields_to: str | None = None
    """The evaluation of the same call that counts in place of this one, since its words were corrected; None of what
    stands. Always the one that stands, so that one step leads there."""
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    updated_at: datetime = Field(default_factory=now, sa_type=Moment)
    finished_at: datetime | None = Field(default=None, sa_type=Moment)


class StoredScorecard(SQLModel, table=True):
    """Append-only: the scorecard of one attempt. `content` is callgrade.scorecard/1."""

    __tablename__ = "scorecard"

    evaluation_id: str = Field(foreign_key="evaluation.id", primary_key=True)
    attempt: int = Field(primary_key=True)
    content: str = Field(sa_type=Text)
    created_at: datetime = Field(default_factory=now, sa_type=Moment)


class EvaluationFlag(SQLModel, table=True):
    """A flag of the current scorecard, with what it is filtered by."""

    __tablename__ = "evaluation_flag"
    __table_args__ = (
        Index("flag_by_total", "client_id", "flag", "total", "evaluation_id"),
        # the newest first within a range of totals, without a look at the table
        Index("flag_newest", "client_id", "flag", "evaluation_id", "total"),
    )

    evaluation_id: str = Field(foreign_key="evaluation.id", primary_key=True)
    flag: str = Field(primary_key=True)
    client_id: str
    total: Decimal | None = Field(default=None, sa_type=Points)
