"""What people said of golden calls, what judges made of them, and how far a judge is let go by itself."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from callgrade.db.types import Json, Moment, new_id, now


class GoldenSet(SQLModel, table=True):
    """Calls to hold a judge against. The shipped one has no client and is readable by every client; another state of
    it is another row, so that what was run on one stays comparable with itself."""

    __tablename__ = "golden_set"
    __table_args__ = (UniqueConstraint("client_id", "name"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    """Of the shipped one, the first 32 hexadecimal digits of its digest."""
    client_id: str | None = Field(default=None, foreign_key="client.id")
    name: str
    """An id of domain.frozen: `shipped`, `sales-2026`."""
    title: str
    synthetic: bool = False
    digest: str | None = None
    """Of the shipped one. A client's own grows."""
    seed: str = ""
    """Places new groups of agents and customers on a split."""
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    retired_at: datetime | None = Field(default=None, sa_type=Moment)


class GoldenCall(SQLModel, table=True):
    """One call of a set: `domain.golden.GoldenCall`. Made from a call of the client's own, it goes with that call: a
    tombstone without words and names stays, with what was judged of it as figures."""

    __tablename__ = "golden_call"
    __table_args__ = (
        UniqueConstraint("set_id", "name"),
        Index("golden_call_by_split", "set_id", "split", "name"),
        Index("golden_call_of_call", "call_id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    set_id: str = Field(foreign_key="golden_set.id")
    client_id: str | None = Field(default=None, foreign_key="client.id")
    name: str
    """Its id within the set."""
    call_id: str | None = Field(default=None, foreign_key="call.id")
    evaluation_id: str | None = Field(default=None, foreign_key="evaluation.id")
    """Whose reviews its labels come from."""
    split: str
    synthetic: bool
    written_by: str
    """Who made it up, or where it comes from."""
    agent: str | None = None
    customer: str | None = None
    about: list[Any] = Field(default_factory=list, sa_type=Json)
    content: str = Field(sa_type=Text)
    """callgrade.transcript/1; empty once it is erased."""
    added_by: str
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    erased_at: datetime | None = Field(default=None, sa_type=Moment)


class GoldenLabel(SQLModel, table=True):
    """Append-only: `domain.golden.Label`. Of two by the same rater the newer one counts."""

    __tablename__ = "golden_label"
    __table_args__ = (UniqueConstraint("golden_call_id", "digest"), Index("golden_label_of_review", "review_id"))

    id: str = Field(default_factory=new_id, primary_key=True)
    golden_call_id: str = Field(foreign_key="golden_call.id")
    client_id: str | None = Field(default=None, foreign_key="client.id")
    digest: str
    """Of what was said by whom: the same label taken in again is the same row."""
    rubric_id: str
    rubric_version: str
    rater: str
    rater_kind: str
    """person model"""
    kind: str = "rating"
    """rating adjudicated"""
    blind: bool
    at: datetime | None = Field(default=None, sa_type=Moment)
    """When it was given, where that is known."""
    judgements: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    rest: dict[str, Any] | None = Field(default=None, sa_type=Json)
    quotes: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    note: str = Field(default="", sa_type=Text)
    review_id: str | None = Field(default=None, foreign_key="review.id")
    created_at: datetime = Field(default_factory=now, sa_type=Moment)


class HoldoutReading(SQLModel, table=True):
    """Append-only: somebody looked at what must stay unknown. Every look wears it out."""

    __tablename__ = "holdout_reading"
    __table_args__ = (Index("holdout_reading_of_set", "set_id", "client_id", "rubric_id", "at"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    set_id: str = Field(foreign_key="golden_set.id")
    rubric_id: str
    rubric_version: str
    by: str
    """An actor: `user:<id>`, `key:<id>`, `system`."""
    at: datetime = Field(default_factory=now, sa_type=Moment)
    why: str = Field(sa_type=Text)
    run_id: str | None = Field(default=None, foreign_key="calibration_run.id")


class CalibrationRun(SQLModel, table=True):
    """One judge over one split of one set: rubric version × prompt version × model."""

    __tablename__ = "calibration_run"
    __table_args__ = (
        Index("calibration_run_newest", "client_id", "id"),
        Index("calibration_run_of_rubric", "client_id", "rubric_id", "id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    set_id: str = Field(foreign_key="golden_set.id")
    split: str
    rubric_id: str
    rubric_version: str
    rubric_digest: str
    prompt_id: str | None = None
    prompt_version: str | None = None
    prompt_digest: str | None = None
    """None where no model is asked."""
    model_asked: str | None = None
    model_reported: str | None = None
    """What the provider says answered; several are joined by commas."""
    recogniser: str | None = None
    redaction: str | None = None
    samples: int = 1
    """How often each call is judged (k)."""
    parameters: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    status: str = "queued"
    """queued running done failed cancelled"""
    items: int = 0
    """How many calibration items there will be."""
    error: dict[str, Any] | None = Field(default=None, sa_type=Json)
    begun_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    cost: float | None = None
    """In the unit of the settings' prices; None where no price is known."""
    usage: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    report: dict[str, Any] | None = Field(default=None, sa_type=Json)
    """Figures, ids and places. No words of a call: those stand in the items, which an erasure finds."""
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_type=Moment)


class CalibrationItem(SQLModel, table=True):
    """Append-only: what the judge made of one golden call, one of k times."""

    __tablename__ = "calibration_item"
    __table_args__ = (Index("calibration_item_of_call", "golden_call_id"),)

    run_id: str = Field(foreign_key="calibration_run.id", primary_key=True)
    golden_call_id: str = Field(foreign_key="golden_call.id", primary_key=True)
    sample: int = Field(primary_key=True)
    """From 0."""
    scorecard: str | None = Field(default=None, sa_type=Text)
    """callgrade.scorecard/1; None where nothing came of it."""
    error: dict[str, Any] | None = Field(default=None, sa_type=Json)
    usage: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """Requests, tokens, cost, milliseconds."""
    model_reported: str | None = None
    created_at: datetime = Field(default_factory=now, sa_type=Moment)


class BlindLook(SQLModel, table=True):
    """Somebody who wants to grade some calls of a run by themselves before they see what the judge made of any."""

    __tablename__ = "blind_look"

    run_id: str = Field(foreign_key="calibration_run.id", primary_key=True)
    user_id: str = Field(foreign_key="app_user.id", primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    golden_call_ids: list[Any] = Field(default_factory=list, sa_type=Json)
    """The calls, in the order in which they are graded."""
    grades: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """By golden call: outcomes as contracts.md has judgements. What was graded stays; no words of a call."""
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    committed_at: datetime | None = Field(default=None, sa_type=Moment)
    """When the last of them was graded: from then on the judge's verdicts are shown."""


STANDS = text("ended_at IS NULL")


class Autonomy(SQLModel, table=True):
    """How far a judge may go by itself on one criterion. It holds for exactly what was measured: the key's digests and
    names, where an empty one means that there is none. A state that ends keeps its row; one stands at a time."""

    __table_args__ = (
        Index(
            "autonomy_standing",
            *("client_id", "rubric_id", "criterion_id", "criterion_digest", "prompt_digest"),
            *("model_reported", "recogniser"),
            unique=True,
            sqlite_where=STANDS,
            postgresql_where=STANDS,
        ),
        Index("autonomy_history", "client_id", "rubric_id", "criterion_id", "since"),
    )

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    rubric_id: str
    criterion_id: str
    criterion_digest: str
    prompt_digest: str = ""
    model_reported: str = ""
    recogniser: str = ""
    state: str
    """human_only assisted automatic"""
    threshold: float | None = None
    """Confidence, 0..1, from which on it goes through unread; of automatic ones alone."""
    reason: str = Field(sa_type=Text)
    evidence: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """The figures that it rests on, and the fitted confidence."""
    run_id: str | None = Field(default=None, foreign_key="calibration_run.id")
    set_by: str
    since: datetime = Field(default_factory=now, sa_type=Moment)
    ended_at: datetime | None = Field(default=None, sa_type=Moment)
    ended_because: str | None = Field(default=None, sa_type=Text)


class Gate(SQLModel, table=True):
    """Append-only: whether a version of a rubric or prompt may be published, and who said so."""

    __table_args__ = (Index("gate_of_version", "kind", "subject", "version", "id"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str | None = Field(default=None, foreign_key="client.id")
    kind: str
    """rubric prompt"""
    subject: str
    """The rubric's or prompt's id."""
    version: str
    digest: str
    run_id: str | None = Field(default=None, foreign_key="calibration_run.id")
    outcome: str
    """passed stopped insufficient_data overridden"""
    by: str
    reason: str = Field(default="", sa_type=Text)
    details: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    at: datetime = Field(default_factory=now, sa_type=Moment)
