"""Where one criterion stands: what it is worth, or what it may still be worth."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from pydantic import JsonValue

from callgrade.domain.conditions import holds
from callgrade.domain.errors import JudgementError
from callgrade.domain.intervals import Unbounded
from callgrade.domain.judgements import Judgement
from callgrade.domain.numbers import Exact
from callgrade.domain.outcomes import Occurrences
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scales import CountsAs, DeductScale, Effect, ViolationScale, WrongOutcomeError

INFINITE = float("inf")


class Standing(NamedTuple):
    """One criterion's points, as far as they are known.

    `low` and `high` bound the points while it applies; `optional` says that it may still turn out not to apply,
    `absent` that it certainly does not and is left out. `fewest` and `most` bound how often a fault was found
    (violations and deductions; others have 0 and 0), `grave_fewest` and `grave_most` how many of these are
    aggravated violations.
    """

    criterion: Criterion
    state: Literal["known", "unknown", "absent"]
    low: Exact | Unbounded
    high: Exact
    optional: bool = False
    fewest: int = 0
    most: float = 0
    grave_fewest: int = 0
    grave_most: float = 0

    def with_effect(self, effect: Effect) -> tuple[int, float]:
        """The fewest and the most violations with this effect."""
        scale = self.criterion.scale
        fewest, most = 0, 0.0
        if isinstance(scale, ViolationScale):
            if scale.effect == effect:
                plain = self.most if self.most == INFINITE else self.most - self.grave_most
                fewest, most = fewest + self.fewest - self.grave_fewest, most + plain
            if scale.aggravated is not None and scale.aggravated.effect == effect:
                fewest, most = fewest + self.grave_fewest, most + self.grave_most
        return fewest, most

    @property
    def clean(self) -> bool | None:
        """Whether it certainly lost nothing; None while that is open."""
        if self.state == "absent":
            return True
        counts = isinstance(self.criterion.scale, ViolationScale)
        if self.high < self.criterion.scale.best or (counts and self.fewest > 0):
            return False
        return True if self.low == self.criterion.scale.best and not (counts and self.most) else None


def standings(
    rubric: Rubric, judgements: Mapping[str, Judgement], facts: Mapping[str, JsonValue]
) -> dict[str, Standing]:
    """The standing of every criterion, in file order, with occurrences that count as another's added to it."""
    own = {c.id: _standing(c, judgements.get(c.id), facts) for c in rubric.criteria}
    sources: dict[str, list[str]] = {}
    for criterion in rubric.criteria:
        for target in dict.fromkeys(_targets(criterion)):
            sources.setdefault(target, []).append(criterion.id)
    if not sources:
        return own
    return {id_: _with_others(id_, own, sources) if id_ in sources else own[id_] for id_ in own}


def _targets(criterion: Criterion) -> tuple[str, ...]:
    return criterion.scale.counts_as if isinstance(criterion.scale, ViolationScale) else ()


def _standing(criterion: Criterion, judgement: Judgement | None, facts: Mapping[str, JsonValue]) -> Standing:
    applies = holds(criterion.when, facts)
    if applies is False:
        return _left_out(criterion)
    may_be_left_out = criterion.not_applicable == "rescale"
    if judgement is None or judgement.status in ("cannot_assess", "failed") or applies is None:
        return _unknown(criterion, optional=may_be_left_out or applies is None)
    if judgement.status == "not_applicable":
        return _not_applicable(criterion)
    return _known(criterion, judgement, facts)


def _left_out(criterion: Criterion) -> Standing:
    return Standing(criterion, "absent", 0, 0)


def _not_applicable(criterion: Criterion) -> Standing:
    if criterion.not_applicable == "forbidden":
        raise JudgementError(criterion.id, "not_applicable is not allowed for this criterion")
    if criterion.not_applicable == "full":
        best = criterion.scale.best
        return Standing(criterion, "known", best, best)
    return _left_out(criterion)


def _unknown(criterion: Criterion, *, optional: bool) -> Standing:
    scale = criterion.scale
    counted = isinstance(scale, ViolationScale | DeductScale)
    low = -INFINITE if scale.worst is None else scale.worst
    grave = INFINITE if isinstance(scale, ViolationScale) and scale.aggravated else 0
    return Standing(criterion, "unknown", low, scale.best, optional, 0, INFINITE if counted else 0, 0, grave)


def _known(criterion: Criterion, judgement: Judgement, facts: Mapping[str, JsonValue]) -> Standing:
    scale, outcome = criterion.scale, judgement.outcome
    if outcome is None:
        raise JudgementError(criterion.id, "is judged and has no outcome")
    try:
        points = scale.points(outcome)
    except WrongOutcomeError as error:
        raise JudgementError(criterion.id, str(error)) from None
    if isinstance(scale, ViolationScale):
        plain, grave = scale.violations(outcome)
        return Standing(criterion, "known", points, points, False, plain + grave, plain + grave, grave, grave)
    if not isinstance(outcome, Occurrences):
        return Standing(criterion, "known", points, points)
    found, low, high = outcome.occurrences, points, points
    if isinstance(scale, DeductScale) and scale.aggravated_when:
        serious = holds(scale.aggravated_when, facts)
        low = scale.points(outcome.model_copy(update={"aggravated": found}))
        low, high = (low if serious is not False else points), (low if serious else points)
    return Standing(criterion, "known" if low == high else "unknown", low, high, fewest=found, most=found)


def _with_others(id_: str, own: dict[str, Standing], sources: dict[str, list[str]]) -> Standing:
    """This criterion's standing with the occurrences of those that count as it (no cycles: `Rubric` sees to it)."""
    base = own[id_]
    counted = CountsAs(counts_as=id_)
    others = [_with_others(source, own, sources).with_effect(counted) for source in sources.get(id_, ())]
    fewest = sum(fewest for fewest, _ in others)
    most = sum(most for _, most in others)
    if not most:
        return base
    low, high = base.low, base.high
    scale = base.criterion.scale
    if isinstance(scale, DeductScale):
        high = min(high, scale.points(Occurrences(occurrences=base.fewest + fewest)))
        low = min(low, _points_of(scale, base.most + most))
    settled = fewest == most and base.state != "unknown"
    return base._replace(
        state="known" if settled else "unknown",
        low=low,
        high=high,
        fewest=base.fewest + fewest,
        most=base.most + most,
    )


def _points_of(scale: DeductScale, occurrences: float) -> Exact | Unbounded:
    if occurrences == INFINITE:
        return -INFINITE if scale.worst is None else scale.worst
    return scale.points(Occurrences(occurrences=int(occurrences)))
