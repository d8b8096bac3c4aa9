"""The seven scales. Each turns an outcome into points, and knows its best and its worst.

`best` and `worst` bound `points`; `worst` is None for a deduction without a cap. Every scale is monotone: a further
occurrence, kind or count never raises the points. That is checked when a scale is read, so that the interval
arithmetic in `scorecards` may rely on it. Source: design.md, "Rubrics are data"; shapes: contracts.md.
"""

from functools import cached_property
from typing import Annotated, Literal, Self, TypeVar

from pydantic import Field, model_validator

from callgrade.domain.conditions import FactConditions
from callgrade.domain.frozen import Frozen, Id, LocalText
from callgrade.domain.numbers import Exact, Points, exact
from callgrade.domain.outcomes import Answer, Count, Kinds, Level, Occurrences, Outcome, Score

Natural = Annotated[int, Field(ge=0)]
PositivePoints = Annotated[Points, Field(ge=0)]
_Wanted = TypeVar("_Wanted", bound=Frozen)


class WrongOutcomeError(ValueError):
    """The outcome is of another kind than the scale asks for, or out of its range."""


def _expect(outcome: Outcome, wanted: type[_Wanted]) -> _Wanted:
    if not isinstance(outcome, wanted):
        given, needed = next(iter(type(outcome).model_fields)), next(iter(wanted.model_fields))
        raise WrongOutcomeError(f"this scale takes {{{needed!r}: …}}, not {{{given!r}: …}}")
    return outcome


class AnswerScale(Frozen):
    """Yes or no. Points may be negative: `{"yes": 0, "no": -2}`."""

    kind: Literal["answer"]
    yes: Points
    no: Points

    @cached_property
    def best(self) -> Exact:
        return exact(max(self.yes, self.no))

    @cached_property
    def worst(self) -> Exact:
        return exact(min(self.yes, self.no))

    def points(self, outcome: Outcome) -> Exact:
        return exact(self.yes if _expect(outcome, Answer).answer == "yes" else self.no)


class Anchor(Frozen):
    """One level of a `levels` scale: an id that judges answer with, and what it takes to earn it."""

    id: Id
    points: Points
    title: LocalText = LocalText()


class LevelsScale(Frozen):
    """Anchored levels, each with its points."""

    kind: Literal["levels"]
    levels: Annotated[tuple[Anchor, ...], Field(min_length=2)]

    @cached_property
    def _points_by_id(self) -> dict[str, Exact]:
        return {level.id: exact(level.points) for level in self.levels}

    @cached_property
    def best(self) -> Exact:
        return max(self._points_by_id.values())

    @cached_property
    def worst(self) -> Exact:
        return min(self._points_by_id.values())

    def points(self, outcome: Outcome) -> Exact:
        level = _expect(outcome, Level).level
        if level not in self._points_by_id:
            raise WrongOutcomeError(f"no level {level!r}; the levels are {', '.join(self._points_by_id)}")
        return self._points_by_id[level]


class LikertScale(Frozen):
    """Whole numbers from `min` to `max`, each worth `points_per`."""

    kind: Literal["likert"]
    min: int = 1
    max: int = 5
    points_per: PositivePoints = Field(default=1, validate_default=True)

    @model_validator(mode="after")
    def _min_below_max(self) -> Self:
        if self.min >= self.max:
            raise ValueError(f"min {self.min} must lie below max {self.max}")
        return self

    @cached_property
    def best(self) -> Exact:
        return self.max * exact(self.points_per)

    @cached_property
    def worst(self) -> Exact:
        return self.min * exact(self.points_per)

    def points(self, outcome: Outcome) -> Exact:
        score = exact(_expect(outcome, Score).score)
        if not isinstance(score, int) or not self.min <= score <= self.max:
            raise WrongOutcomeError(f"score must be a whole number from {self.min} to {self.max}, not {score}")
        return score * exact(self.points_per)


class DeductScale(Frozen):
    """`points` off per occurrence beyond the `free` ones; an aggravated occurrence costs `aggravated` times as much.

    Plain occurrences use up the free allowance first: what is serious is forgiven last. `cap` is the most that can
    be lost. Points are zero or negative. Where the call's facts meet `aggravated_when`, every occurrence is
    aggravated, whatever the judge says. `unit` says what one occurrence is, where it is not simply once (次).
    """

    kind: Literal["deduct"]
    points_: PositivePoints = Field(alias="points")
    free: Natural = 0
    cap: PositivePoints | None = None
    aggravated: Annotated[Points, Field(ge=1)] = Field(default=1, validate_default=True)
    aggravated_when: FactConditions = Field(default_factory=dict)
    unit: LocalText | None = None

    @model_validator(mode="after")
    def _aggravation_costs_more(self) -> Self:
        if self.aggravated_when and self.aggravated == 1:
            raise ValueError("`aggravated_when:` needs `aggravated:` to say how many times as much it costs")
        return self

    @cached_property
    def best(self) -> Exact:
        return 0

    @cached_property
    def worst(self) -> Exact | None:
        if self.points_ == 0:
            return 0
        return None if self.cap is None else -exact(self.cap)

    def points(self, outcome: Outcome) -> Exact:
        found = _expect(outcome, Occurrences)
        plain = found.occurrences - found.aggravated
        charged_plain = max(0, plain - self.free)
        charged_aggravated = max(0, found.aggravated - max(0, self.free - plain))
        loss = exact(self.points_) * (charged_plain + charged_aggravated * exact(self.aggravated))
        return -loss if self.cap is None else -min(loss, exact(self.cap))


class Step(Frozen):
    """Counts up to and including `up_to` earn `points`; without `up_to` it is the last step."""

    up_to: Natural | None = None
    points: Points


class TiersScale(Frozen):
    """Points by the number of occurrences (`by: count`) or of different kinds (`by: kinds`).

    Beyond the last step the points are `cap`, or the last step's where there is no cap. No step may fall below it.
    """

    kind: Literal["tiers"]
    by: Literal["count", "kinds"]
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    cap: Points | None = None
    unit: LocalText | None = None

    @model_validator(mode="after")
    def _steps_descend(self) -> Self:
        for earlier, later in zip(self.steps, self.steps[1:], strict=False):
            if earlier.up_to is None or (later.up_to is not None and later.up_to <= earlier.up_to):
                raise ValueError("steps must have rising up_to, only the last may lack it")
            if later.points > earlier.points:
                raise ValueError("steps must not earn more for a higher count")
        if self.cap is not None and self.cap > self.steps[-1].points:
            raise ValueError(f"cap {self.cap} lies above the last step's points {self.steps[-1].points}")
        return self

    @cached_property
    def best(self) -> Exact:
        return exact(self.steps[0].points)

    @cached_property
    def worst(self) -> Exact:
        last = self.steps[-1]
        return exact(last.points if self.cap is None or last.up_to is None else self.cap)

    def points(self, outcome: Outcome) -> Exact:
        number = _expect(outcome, Count).count if self.by == "count" else _expect(outcome, Kinds).kinds
        for step in self.steps:
            if step.up_to is None or number <= step.up_to:
                return exact(step.points)
        return self.worst


class BonusScale(Frozen):
    """Points on top, when the answer is yes and every criterion in `requires_clean` lost nothing."""

    kind: Literal["bonus"]
    points_: PositivePoints = Field(alias="points")
    requires_clean: tuple[Id, ...] = ()

    @cached_property
    def best(self) -> Exact:
        return exact(self.points_)

    @cached_property
    def worst(self) -> Exact:
        return 0

    def points(self, outcome: Outcome) -> Exact:
        return self.best if _expect(outcome, Answer).answer == "yes" else 0


class CountsAs(Frozen):
    """Each occurrence counts as one of another criterion (a violation or a deduction)."""

    counts_as: Id


Effect = Literal["zero_section", "zero_call", "fail_call", "flag"] | CountsAs


class Aggravation(Frozen):
    """What an aggravated violation is: another severity, with its own effect."""

    severity: Id
    effect: Effect


class ViolationScale(Frozen):
    """Something that must not happen. It has an effect instead of points.

    From `at_least` occurrences on it is one violation, and fewer are none; at 1, every occurrence is one. Aggravated
    occurrences are another violation, where `aggravated` says which (level 2 becomes level 1 when it is not mended).
    """

    kind: Literal["violation"]
    severity: Id
    effect: Effect
    at_least: Annotated[int, Field(ge=1)] = 1
    aggravated: Aggravation | None = None
    unit: LocalText | None = None

    @model_validator(mode="after")
    def _counts_or_grades(self) -> Self:
        if self.aggravated is not None and self.at_least > 1:
            raise ValueError("`aggravated:` tells occurrences apart, and `at_least:` makes one violation of several")
        return self

    def violations(self, outcome: Outcome) -> tuple[int, int]:
        """How many violations the occurrences make: (plain ones, aggravated ones)."""
        found = _expect(outcome, Occurrences)
        if self.at_least > 1:
            return int(found.occurrences >= self.at_least), 0
        grave = found.aggravated if self.aggravated is not None else 0
        return found.occurrences - grave, grave

    @cached_property
    def counts_as(self) -> tuple[str, ...]:
        """The criteria that occurrences of this one count as."""
        effects = [self.effect, *([self.aggravated.effect] if self.aggravated else [])]
        return tuple(effect.counts_as for effect in effects if isinstance(effect, CountsAs))

    @cached_property
    def best(self) -> Exact:
        return 0

    @cached_property
    def worst(self) -> Exact:
        return 0

    def points(self, outcome: Outcome) -> Exact:
        _expect(outcome, Occurrences)
        return 0


Scale = Annotated[
    AnswerScale | LevelsScale | LikertScale | DeductScale | TiersScale | BonusScale | ViolationScale,
    Field(discriminator="kind"),
]

OUTCOME_OF: dict[str, type[Frozen]] = {
    "answer": Answer,
    "levels": Level,
    "likert": Score,
    "deduct": Occurrences,
    "bonus": Answer,
    "violation": Occurrences,
}
"""The outcome each kind of scale takes; `tiers` depends on `by`."""


def outcome_type(scale: Scale) -> type[Frozen]:
    if isinstance(scale, TiersScale):
        return Count if scale.by == "count" else Kinds
    return OUTCOME_OF[scale.kind]
