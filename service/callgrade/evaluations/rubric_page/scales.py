"""Scales and outcomes in words."""

from collections.abc import Iterator
from typing import assert_never

from callgrade.domain.frozen import LocalText
from callgrade.domain.judgements import Judgement
from callgrade.domain.outcomes import Outcome
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scales import (
    AnswerScale,
    BonusScale,
    CountsAs,
    DeductScale,
    Effect,
    LevelsScale,
    LikertScale,
    Scale,
    TiersScale,
    ViolationScale,
)
from callgrade.evaluations.rubric_page.outline import Line
from callgrade.evaluations.rubric_page.say import Say, plain
from callgrade.evaluations.words import effect_in_words, outcome_in_words


def scale_line(scale: Scale, rubric: Rubric, say: Say) -> Line:
    """`每次扣 10 分，至多扣 50 分`, with a line below for every level. Every number of the scale is in it."""
    below: Iterator[str] = iter(())
    match scale:
        case AnswerScale():
            text = say("scale.answer", yes=plain(scale.yes), no=plain(scale.no))
        case LevelsScale():
            text = say("scale.levels", points=" / ".join(plain(level.points) for level in scale.levels))
            below = _levels(scale, say)
        case LikertScale():
            text = say("scale.likert", min=plain(scale.min), max=plain(scale.max), points=plain(scale.points_per))
        case DeductScale():
            text = say.listed(_deduct(scale, say), "form.comma")
            below = _always_aggravated(scale, say)
        case TiersScale():
            text = _tiers_by(scale, say)
            below = iter([say.listed(_tiers(scale, say), "form.comma")])
        case BonusScale():
            text = say("scale.bonus", points=plain(scale.points_))
            below = _bonus_needs(scale, rubric, say)
        case ViolationScale():
            severity, effect = _severity(scale.severity, say), _effect(scale.effect, rubric, say)
            text = say("scale.violation", severity=severity, effect=effect)
            below = _violation(scale, rubric, say)
        case _:
            assert_never(scale)
    return Line("scale", say("form.scale"), text, tuple(below))


def outcome_words(outcome: Outcome, criterion: Criterion, say: Say) -> str:
    """An outcome and, where the scale gives it points, what it is worth: `1 处（−3 分）`."""
    judged = Judgement(criterion_id=criterion.id, status="judged", outcome=outcome, method="human")
    text = outcome_in_words(judged, criterion, say.language)
    if isinstance(criterion.scale, ViolationScale):
        return text
    try:
        return say.both(text, say.points(criterion.scale.points(outcome)))
    except ValueError:  # an outcome that the scale does not take: `rubric lint` says so
        return text


def _unit(unit: LocalText | None, say: Say) -> str:
    return say.text(unit, say("scale.once"))


def _levels(scale: LevelsScale, say: Say) -> Iterator[str]:
    for level in scale.levels:
        title = say.both(say.text(level.title, level.id), level.id)
        yield say("scale.level", points=plain(level.points), title=title)


def _deduct(scale: DeductScale, say: Say) -> Iterator[str]:
    unit = _unit(scale.unit, say)
    if scale.points_:
        yield say("scale.deduct", unit=unit, points=plain(scale.points_))
    else:
        yield say("scale.deduct_nothing", unit=unit)
    if scale.free:
        yield say("scale.free", number=scale.free)
    if scale.aggravated != 1:
        yield say("scale.aggravated", times=plain(scale.aggravated))
    if scale.cap is not None:
        yield say("scale.cap", points=plain(scale.cap))


def _always_aggravated(scale: DeductScale, say: Say) -> Iterator[str]:
    if scale.aggravated_when:
        yield say("scale.aggravated_when", conditions=say.conditions(scale.aggravated_when))


def _tiers_by(scale: TiersScale, say: Say) -> str:
    ends = {"best": plain(scale.best), "worst": plain(scale.worst)}
    if scale.by == "count":
        return say("scale.tiers.count", unit=_unit(scale.unit, say), **ends)
    if scale.unit is None:
        return say("scale.tiers.kinds", **ends)
    return say("scale.tiers.kinds_of", unit=say.text(scale.unit), **ends)


def _tiers(scale: TiersScale, say: Say) -> Iterator[str]:
    first = 0
    for step in scale.steps:
        if step.up_to is None:
            numbers = say("scale.and_more", number=first)
        else:
            numbers = str(first) if step.up_to == first else f"{first}–{step.up_to}"
            first = step.up_to + 1
        yield say("scale.step", range=numbers, points=plain(step.points))
    if scale.cap is not None:
        if scale.steps[-1].up_to is not None:
            yield say("scale.step", range=say("scale.and_more", number=first), points=plain(scale.cap))
        else:
            yield say("scale.cap", points=plain(-scale.cap))


def _bonus_needs(scale: BonusScale, rubric: Rubric, say: Say) -> Iterator[str]:
    if scale.requires_clean:
        titles = [say.text(rubric.by_id[id_].title, id_) for id_ in scale.requires_clean]
        yield say("scale.requires_clean", titles=say.quoted(titles))


def _violation(scale: ViolationScale, rubric: Rubric, say: Say) -> Iterator[str]:
    if scale.at_least > 1:
        yield say("scale.violation_at_least", number=scale.at_least, unit=_unit(scale.unit, say))
    elif scale.unit is not None:
        yield say("scale.violation_each", unit=_unit(scale.unit, say))
    if scale.aggravated is not None:
        severity, effect = _severity(scale.aggravated.severity, say), _effect(scale.aggravated.effect, rubric, say)
        yield say("scale.violation_aggravated", severity=severity, effect=effect)


def _severity(severity: str, say: Say) -> str:
    return say.known(f"severity.{severity}", severity)


def _effect(effect: Effect, rubric: Rubric, say: Say) -> str:
    raw = f"counts_as: {effect.counts_as}" if isinstance(effect, CountsAs) else effect
    return effect_in_words(raw, rubric.by_id, say.language)
