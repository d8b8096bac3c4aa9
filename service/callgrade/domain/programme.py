"""What a standard says around its form: how calls are drawn, reported, contested and mended.

Declared with the rubric and validated, so that sampling, appeals and reports read it from there. No points follow
from any of it.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from callgrade.domain.conditions import FactConditions
from callgrade.domain.frozen import Frozen, Id, LocalText
from callgrade.domain.numbers import Points

Unit = Literal["day", "week", "month", "quarter", "half-year", "year", "project"]
Share = Annotated[Points, Field(gt=0, le=1)]
Whole = Annotated[int, Field(ge=1)]


class Period(Frozen):
    """What scores are gathered over. A month may begin on another day: `first_day` 21 is the 21st to the 20th."""

    unit: Unit
    first_day: Annotated[int, Field(ge=1, le=28)] = 1

    @model_validator(mode="after")
    def _only_months_begin_late(self) -> Self:
        if self.first_day != 1 and self.unit != "month":
            raise ValueError("`first_day:` goes with `unit: month`")
        return self


class Sampling(Frozen):
    """How many are drawn, at least. `who` and `calls` say of which agents and which calls, by their facts.

    `per_agent` and `in_all` are numbers in each of `every` (where the source leaves a choice, several), `share` is
    0..1 of all, `confidence` 0..1 for a sample size worked out per project. `instead` says which calls make up the
    number when there are too few. `repeats: mean`: an agent drawn several times gets the mean.
    """

    title: LocalText = LocalText()
    of: Literal["calls", "work_orders", "handovers"] = "calls"
    who: FactConditions = Field(default_factory=dict)
    calls: FactConditions = Field(default_factory=dict)
    per_agent: Whole | None = None
    in_all: Whole | None = None
    share: Share | None = None
    confidence: Share | None = None
    every: tuple[Unit, ...] = ()
    instead: FactConditions = Field(default_factory=dict)
    repeats: Literal["mean"] | None = None

    @model_validator(mode="after")
    def _says_how_many(self) -> Self:
        if all(number is None for number in (self.per_agent, self.in_all, self.share, self.confidence)):
            raise ValueError("say how many: per_agent, in_all, share or confidence")
        return self


class Within(Frozen):
    """Days until a deadline; 0 is the same day."""

    days: Annotated[int, Field(ge=0)]


class Appeals(Frozen):
    """An agent contests a score within `file_within` of its report; it is looked at again within `decide_within`."""

    file_within: Within
    decide_within: Within | None = None
    late: Literal["refused", "accepted"] = "refused"


class Report(Frozen):
    """What is reported how often. `shows` names figures."""

    title: LocalText
    every: Unit
    shows: tuple[str, ...] = ()


class Target(Frozen):
    """A figure that a standard sets and that no call is scored by."""

    title: LocalText
    fact: str
    at_least: Points | None = None
    at_most: Points | None = None
    every: Unit | None = None

    @model_validator(mode="after")
    def _says_how_much(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("say how much: at_least or at_most")
        return self


class Mending(Frozen):
    """Violations of `severity` can be mended `by` something within a deadline; else they become `becomes`."""

    severity: Id
    by: str
    within: Within | Literal["period"]
    becomes: Id


class Consequence(Frozen):
    """What follows for an agent: after failing, below a line, or again and again."""

    on: Literal["failed", "below_line", "repeated"]
    title: LocalText


class Programme(Frozen):
    """Everything a standard says around its form. Empty parts are parts the source does not speak of."""

    period: Period | None = None
    sampling: tuple[Sampling, ...] = ()
    appeals: Appeals | None = None
    reports: tuple[Report, ...] = ()
    targets: tuple[Target, ...] = ()
    mending: Mending | None = None
    consequences: tuple[Consequence, ...] = ()
    keeps: tuple[LocalText, ...] = ()
    """What has to be kept, as evidence."""
    modes: tuple[LocalText, ...] = ()
    """How calls are looked at, beside recordings."""
