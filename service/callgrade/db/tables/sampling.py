"""Which calls people look at, and how likely each was to be drawn."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from callgrade.db.types import Json, Moment, new_id, now


class SamplingPlan(SQLModel, table=True):
    """How calls are drawn. A changed plan is a new row that names the one it follows: what was drawn keeps its plan."""

    __tablename__ = "sampling_plan"

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id", index=True)
    name: str
    rubric_id: str
    spec: dict[str, Any] = Field(sa_type=Json)
    follows: str | None = Field(default=None, foreign_key="sampling_plan.id")
    created_by: str
    created_at: datetime = Field(default_factory=now, sa_type=Moment)
    retired_at: datetime | None = Field(default=None, sa_type=Moment)
    looked_until: datetime = Field(default_factory=now, sa_type=Moment)
    """Up to when what came in was looked through for what is always reviewed."""


class SamplingRun(SQLModel, table=True):
    """One drawing: the same seed over the same population draws the same calls."""

    __tablename__ = "sampling_run"
    __table_args__ = (UniqueConstraint("plan_id", "since", "number"),)

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    plan_id: str = Field(foreign_key="sampling_plan.id")
    since: datetime = Field(sa_type=Moment)
    until: datetime = Field(sa_type=Moment)
    number: int = 1
    """Of the drawings within this period."""
    seed: str
    population: int
    drawn: int
    summary: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    """Per stratum: how many there were, were wanted, were drawn, and what stood in for what."""
    drawn_by: str
    drawn_at: datetime = Field(default_factory=now, sa_type=Moment)


class SampledCall(SQLModel, table=True):
    """A call that was drawn. `probability` is that of being drawn at all, in 0..1, for later estimates to weigh by;
    1 for what is always taken; None for what was picked for a reason and stands for nothing else."""

    __tablename__ = "sampled_call"
    __table_args__ = (UniqueConstraint("run_id", "evaluation_id"), Index("sampled_of_call", "call_id"))

    id: str = Field(default_factory=new_id, primary_key=True)
    client_id: str = Field(foreign_key="client.id")
    run_id: str = Field(foreign_key="sampling_run.id")
    call_id: str = Field(foreign_key="call.id")
    evaluation_id: str = Field(foreign_key="evaluation.id")
    stratum: str
    why: str
    probability: float | None = None
    instead: bool = False
    """Stands in for one of a kind of which there were too few."""
