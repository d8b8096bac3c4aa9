"""Outcomes that a rule or a speech fact can give, against the outcomes that the scale knows."""

from collections.abc import Iterator
from typing import NamedTuple

from callgrade.catalog.draft import Draft
from callgrade.catalog.faults import Path_, Problem
from callgrade.domain.outcomes import Count, Kinds, Level, Occurrences, Outcome, Score
from callgrade.domain.rubrics import Criterion
from callgrade.domain.scales import (
    AnswerScale,
    BonusScale,
    DeductScale,
    LevelsScale,
    LikertScale,
    Scale,
    TiersScale,
    ViolationScale,
    WrongOutcomeError,
)

Counting = DeductScale | ViolationScale | TiersScale


class Given(NamedTuple):
    """One outcome a judge may give, and where the file says so. None stands for a number that is counted."""

    at: Path_
    outcome: Outcome | None


def reach_problems(draft: Draft) -> Iterator[Problem]:
    for at, criterion in draft.criteria:
        given = [Given((*at, *g.at), g.outcome) for g in _given(criterion)]
        if not given:
            continue
        wrong = list(_wrong(given, criterion.scale))
        yield from wrong
        if not wrong:
            yield from _unreached(at, criterion, [g.outcome for g in given])
            yield from _constant(at, criterion, [g.outcome for g in given])


def _given(criterion: Criterion) -> list[Given]:
    if criterion.rule is not None:
        rule = criterion.rule
        given = [Given(("rule", "found"), None if rule.found == "count" else rule.found)]
        if rule.missing != "not_applicable":
            given.append(Given(("rule", "missing"), None if rule.missing == "count" else rule.missing))
        return given
    if criterion.speech is not None:
        return [Given(("speech", "bands", i, "outcome"), b.outcome) for i, b in enumerate(criterion.speech.bands)]
    return []


def _wrong(given: list[Given], scale: Scale) -> Iterator[Problem]:
    takes = f"write {_takes(scale)}"
    for at, outcome in given:
        if outcome is None:
            if not isinstance(scale, Counting):
                message = f"the scale {scale.kind} takes no count"
                yield Problem(at=at, message=message, suggestion=f"{takes} for both found and missing")
            continue
        try:
            scale.points(outcome)
        except WrongOutcomeError as error:
            yield Problem(at=at, message=str(error), suggestion=takes)


def _takes(scale: Scale) -> str:
    match scale:
        case AnswerScale() | BonusScale():
            return "{answer: yes} or {answer: no}"
        case LevelsScale():
            return "{level: " + " | ".join(level.id for level in scale.levels) + "}"
        case LikertScale():
            return f"{{score: {scale.min}…{scale.max}}}"
        case TiersScale():
            return "{kinds: N} or count" if scale.by == "kinds" else "{count: N} or count"
        case _:
            return "{occurrences: N} or count"


def _unreached(at: Path_, criterion: Criterion, outcomes: list[Outcome | None]) -> Iterator[Problem]:
    scale = criterion.scale
    mend = "add a band or a rule that gives it, let a person or a model judge, or remove it"
    if isinstance(scale, LevelsScale):
        reached = {outcome.level for outcome in outcomes if isinstance(outcome, Level)}
        for i, level in enumerate(scale.levels):
            if level.id not in reached:
                place = (*at, "scale", "levels", i)
                yield Problem(at=place, message=f"no outcome reaches the level {level.id!r}", suggestion=mend)
    elif isinstance(scale, LikertScale):
        scores = {outcome.score for outcome in outcomes if isinstance(outcome, Score)}
        missed = [n for n in range(scale.min, min(scale.max, scale.min + 100) + 1) if n not in scores]
        if missed:
            message = f"no outcome reaches {', '.join(str(n) for n in missed[:10])}"
            yield Problem(at=(*at, "scale"), message=message, suggestion=mend, severity="warning")
    elif isinstance(scale, TiersScale):
        yield from _unreached_steps(at, criterion, scale, outcomes)


def _unreached_steps(
    at: Path_, criterion: Criterion, scale: TiersScale, outcomes: list[Outcome | None]
) -> Iterator[Problem]:
    counted = None in outcomes
    known = {o.count if isinstance(o, Count) else o.kinds for o in outcomes if isinstance(o, Count | Kinds)}
    if counted and (criterion.rule is None or criterion.rule.count != "once"):
        return
    reachable = known | ({0, 1} if counted else set())
    lowest = 0
    for i, step in enumerate(scale.steps):
        top = step.up_to
        if not any(n >= lowest and (top is None or n <= top) for n in reachable):
            yield Problem(
                at=(*at, "scale", "steps", i),
                message=f"no outcome reaches the step {'from ' + str(lowest) if top is None else 'up to ' + str(top)}",
                suggestion="count turns, matches or kinds, or remove the step",
            )
        lowest = lowest if top is None else top + 1


def _constant(at: Path_, criterion: Criterion, outcomes: list[Outcome | None]) -> Iterator[Problem]:
    whole = criterion.rule is None or criterion.rule.missing != "not_applicable"
    if whole and None not in outcomes and len({criterion.scale.points(o) for o in outcomes if o is not None}) == 1:
        if isinstance(criterion.scale, ViolationScale) and len(set(outcomes)) > 1:
            return
        message = "every outcome of this criterion is worth the same"
        yield Problem(at=at, message=message, suggestion="give it different outcomes", severity="warning")


def costs(criterion: Criterion, outcome: Outcome) -> bool:
    """Whether an outcome loses points or accuses."""
    if isinstance(criterion.scale, ViolationScale):
        return isinstance(outcome, Occurrences) and outcome.occurrences > 0
    try:
        return criterion.scale.points(outcome) < criterion.scale.best
    except WrongOutcomeError:
        return False
