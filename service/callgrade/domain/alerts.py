"""What somebody wants to be told of, one kind of rule each. Source: issue 5, item 7.

All of them may be narrowed to teams; a rule without teams is about all of them.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from callgrade.domain.frozen import Frozen

Kind = Literal["red_line", "agent_week", "queue_age", "autonomy_ended"]


class RedLine(Frozen):
    """A violation, or a critical criterion not at its best: as it is proposed, or only once it is published."""

    kind: Literal["red_line"] = "red_line"
    rubric: str | None = None
    teams: tuple[str, ...] = ()
    published_only: bool = False


class AgentWeek(Frozen):
    """An agent's week far from their own past ones, each rubric apart. Looked at once, `after_days` behind its end,
    when most of it has been published. `confidence` is that of the interval that it must lie outside of, `least` the
    points that it must be off at least. Weeks with fewer than `calls` published scores are left out."""

    kind: Literal["agent_week"] = "agent_week"
    rubric: str | None = None
    teams: tuple[str, ...] = ()
    confidence: Annotated[float, Field(ge=0.5, lt=1)] = 0.99
    least: Annotated[float, Field(ge=0, le=1000)] = 3.0
    calls: Annotated[int, Field(ge=5, le=1000)] = 5
    weeks: Annotated[int, Field(ge=4, le=52)] = 12
    after_days: Annotated[int, Field(ge=0, le=28)] = 3


class QueueAge(Frozen):
    """The oldest open review waits for more than `hours`, or more than `open` are open. Told once a day."""

    kind: Literal["queue_age"] = "queue_age"
    teams: tuple[str, ...] = ()
    hours: Annotated[float, Field(gt=0, le=10_000)] | None = None
    open: Annotated[int, Field(ge=1, le=10_000_000)] | None = None

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if self.hours is None and self.open is None:
            raise ValueError("say how old the oldest may be, or how many may be open")
        return self


class AutonomyEnded(Frozen):
    """What went by itself, or was agreed with together, is people's again by itself: a miss that its bound does not
    bear, drift, or another model, prompt, criterion or recogniser. Each state once. `teams`: whose leads are told; it
    is about the calls of all."""

    kind: Literal["autonomy_ended"] = "autonomy_ended"
    rubric: str | None = None
    teams: tuple[str, ...] = ()


Spec = Annotated[RedLine | AgentWeek | QueueAge | AutonomyEnded, Field(discriminator="kind")]
SPEC: TypeAdapter[Spec] = TypeAdapter(Spec)
