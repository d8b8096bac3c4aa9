"""What people decide about proposals, and what is published of it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from callgrade.db.types import Json, Moment, Points, new_id, now


class Review(SQLModel, table=True):
    """One person's task to look at one proposal. Without a reviewer it is in the pool.

    `slot` 0 is the review that is published; from 1 on they are second, independent ones. What queues filter and sort
    by is copied here, so that one index answers.
    """

    __table_args__ = (
        UniqueConstraint("evaluation_id", "attempt", "slot"),
        Index("review_of_reviewer", "client_id", "reviewer_id", "state", "due_at", "id"),
        Index("review_by_team", "client_id", "team", "state", "due_at", "id"),
        Index("review_by_state", "client_id", "state", "due_at", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    evaluation_id: str = Field(foreign_key="evaluation.id")
    attempt: int
    """Of the scorecard that is looked at."""
    slot: int = 0
    why: str
    """sample unusual red_line low_confidence flagged watched_agent topic complaint double picked corrected audit
    second_opinion"""
    blind: bool = False
    reviewer_id: str | None = Field(default=None, foreign_key="app_user.id")
    claimed_by: str | None = Field(default=None, foreign_key="app_user.id")
    claimed_until: datetime | None = Field(default=None, sa_type=Moment)
    state: str = "open"
    """open submitted withdrawn awaiting (the words were corrected, and what is to be reviewed is to come)"""
    due_at: datetime = Field(sa_type=Moment)
    rubric_id: str
    agent_id: str | None = None
    team: str | None = None
    called_at: datetime = Field(sa_type=Moment)
    total: Decimal | None = Field(default=None, sa_type=Points)
    """What the reviewer made of it, once submitted; never the proposal's, which a blind queue must not tell."""
    sampled_id: str | None = Field(default=None, foreign_key="sampled_call.id")
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    submitted_at: datetime | None = Field(default=None, sa_type=Moment)


class ReviewDecision(SQLModel, table=True):
    """Append-only: `domain.reviews.Decision`. The primary key is what refuses a stale save."""

    __tablename__ = "review_decision"

    review_id: str = Field(foreign_key="review.id", primary_key=True)
    criterion_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    kind: str
    outcome: dict[str, Any] | None = Field(default=None, sa_type=Json)
    reason: str = Field(default="", sa_type=Text)
    evidence: list[Any] = Field(default_factory=list, sa_type=Json)
    decided_by: str = Field(foreign_key="app_user.id")
    decided_at: datetime = Field(default_factory=now, sa_type=Moment)


class ReviewDraft(SQLModel, table=True):
    """What somebody has half typed. Gone once it is decided, and with its call."""

    __tablename__ = "review_draft"
    __table_args__ = (Index("draft_of_user", "user_id", "review_id"),)

    review_id: str = Field(foreign_key="review.id", primary_key=True)
    criterion_id: str = Field(primary_key=True)
    user_id: str = Field(foreign_key="app_user.id", primary_key=True)
    content: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    updated_at: datetime = Field(default_factory=now, sa_type=Moment)


class PublishedScorecard(SQLModel, table=True):
    """Append-only: what stands after a review (revision 1) and after each appeal, as callgrade.scorecard/1."""

    __tablename__ = "published_scorecard"

    evaluation_id: str = Field(foreign_key="evaluation.id", primary_key=True)
    revision: int = Field(primary_key=True)
    content: str = Field(sa_type=Text)
    review_id: str | None = Field(default=None, foreign_key="review.id")
    appeal_id: str | None = Field(default=None)
    published_by: str
    """An actor: `user:<id>`, or `system` for what is published unread."""
    published_at: datetime = Field(default_factory=now, sa_type=Moment)


class Acknowledgement(SQLModel, table=True):
    """An agent has seen a published scorecard."""

    evaluation_id: str = Field(foreign_key="evaluation.id", primary_key=True)
    revision: int = Field(primary_key=True)
    user_id: str = Field(foreign_key="app_user.id", primary_key=True)
    at: datetime = Field(default_factory=now, sa_type=Moment)


class Appeal(SQLModel, table=True):
    """An agent contests one criterion of a published scorecard: once for each revision of it."""

    __table_args__ = (
        UniqueConstraint("evaluation_id", "revision", "criterion_id"),
        Index("appeal_by_state", "client_id", "state", "decide_by", "id"),
        Index("appeal_of_agent", "client_id", "agent_id", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    evaluation_id: str = Field(foreign_key="evaluation.id")
    revision: int
    criterion_id: str
    agent_id: str | None = None
    team: str | None = None
    filed_by: str = Field(foreign_key="app_user.id")
    filed_at: datetime = Field(default_factory=now, sa_type=Moment)
    file_by: datetime = Field(sa_type=Moment)
    """The window it was filed within."""
    reason: str = Field(sa_type=Text)
    at_ms: int | None = None
    """The moment in the call that the agent points to."""
    wanted: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """`{"outcome": …}` as the agent would have it; null there is "not applicable"."""
    state: str = "open"
    """open upheld accepted changed withdrawn"""
    decide_by: datetime | None = Field(default=None, sa_type=Moment)
    decided_by: str | None = Field(default=None, foreign_key="app_user.id")
    decided_at: datetime | None = Field(default=None, sa_type=Moment)
    decision: str | None = Field(default=None, sa_type=Text)
    """The decider's words."""
    given: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """What was decided, in the same form; None where the score stands."""


class Finding(SQLModel, table=True):
    """A named error or a violation of the newest published scorecard, with what reports group by."""

    __table_args__ = (
        Index("finding_by_time", "client_id", "kind", "called_at"),
        Index("finding_by_agent", "client_id", "agent_id", "called_at"),
    )

    evaluation_id: str = Field(foreign_key="evaluation.id", primary_key=True)
    kind: str = Field(primary_key=True)
    """error violation"""
    name: str = Field(primary_key=True)
    """The error's number in the taxonomy, or the violation's criterion."""
    client_id: str
    number: int = 1
    agent_id: str | None = None
    team: str | None = None
    called_at: datetime = Field(sa_type=Moment)


class UnreadDecision(SQLModel, table=True):
    """Append-only: what became of a proposal that might have been published unread, once for each attempt."""

    __tablename__ = "unread_decision"
    __table_args__ = (Index("unread_by_time", "client_id", "rubric_id", "at"),)

    evaluation_id: str = Field(foreign_key="evaluation.id", primary_key=True)
    attempt: int = Field(primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    rubric_id: str
    outcome: str
    """published audited kept"""
    stopped_by: str | None = None
    """Of what was kept for people: the criterion, or the reason that a plan always looks at such calls."""
    probability: float | None = None
    """Of being audited, 0..1, for all that passed; None where it did not pass."""
    states: list[Any] = Field(default_factory=list, sa_type=Json)
    """Ids of the autonomy that it rests on."""
    at: datetime = Field(default_factory=now, sa_type=Moment)
