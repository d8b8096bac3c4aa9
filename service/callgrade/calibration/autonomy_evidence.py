"""What reviewed calls, or a run on the holdout, show of how often a judge misses among what would go through unread."""

import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
from sqlmodel import Session

from callgrade.calibration.autonomy_repository import Checked
from callgrade.calibration.compared import Compared, alike
from callgrade.calibration.confidence import Others, measured
from callgrade.calibration.thresholds import Sure
from callgrade.db.tables import CalibrationRun
from callgrade.domain.autonomy import (
    CALL_LEVEL,
    Evidence,
    Key,
    found_none,
    goes_through,
    is_miss,
    keys_of,
    rating,
    violations,
)
from callgrade.domain.calibration import CalibrationReport, CriterionReport, categories_of, rating_of
from callgrade.domain.errors import ConflictError, InputError
from callgrade.domain.judgements import EXCLUDED, Judgement
from callgrade.domain.options import options
from callgrade.domain.reviews import Decision, is_red_line, standing
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scales import ViolationScale
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.registry import rubric_of_digest
from callgrade.reviews.confidence import with_confidence
from callgrade.stats import risk

SMALLEST_SPREAD = 0.2
"""Of differences, as a share of the scale's width: nobody agrees better than that for long."""


class Item(NamedTuple):
    """One reviewed call. `missed` is None where it would not have gone through, or nobody could tell. `apart`: what the
    person says less what was proposed, as a share of the scale's width; None where that is no number."""

    missed: bool | None
    apart: float | None
    probability: float


class Reviewed(NamedTuple):
    """`Checked`, read: by which keys it was made, and the decision that stands for each criterion."""

    rubric: Rubric
    card: Scorecard
    keys: dict[str, Key]
    said: dict[str, Decision]
    probability: float
    at: datetime


def read(session: Session, checked: Iterable[Checked]) -> Iterator[Reviewed]:
    for call in checked:
        rubric = rubric_of_digest(session, call.rubric_digest)
        card = Scorecard.model_validate_json(call.scorecard)
        keys = keys_of(rubric, card.provenance)
        yield Reviewed(rubric, card, keys, standing(call.decisions), call.probability, call.at)


def items(key: Key, reviewed: Iterable[Reviewed], sure: Sure | None = None) -> Iterator[Item]:
    """What reviewed calls tell of one key; calls that something else made are left out. `sure`: what goes through."""
    for call in reviewed:
        if call.keys.get(key.criterion_id) != key:
            continue
        if key.criterion_id == CALL_LEVEL:
            yield Item(_any_missed(call.rubric, call.card, call.said), None, call.probability)
        elif (decision := call.said.get(key.criterion_id)) is not None:
            yield _item(call, call.rubric.by_id[key.criterion_id], decision, sure)


def of_items(
    found: Iterable[Item], *, level: float, look: int = 1, looks: int = 1, threshold: float | None = None
) -> Evidence:
    """The evidence of reviewed calls, weighted by how likely each was to be drawn."""
    counted = [item for item in found if item.missed is not None]
    misses, n = risk.weighted(
        np.array([bool(item.missed) for item in counted], float),
        np.array([item.probability for item in counted], float),
    )
    reviewed, missed = len(counted), sum(bool(item.missed) for item in counted)
    told: dict[str, Any] = {"level": level, "look": look, "looks": looks, "threshold": threshold}
    return figures("production", reviewed, missed, misses, n, **told)


def figures(
    source: str,
    reviewed: int,
    missed: int,
    misses: float,
    n: float,
    *,
    level: float,
    look: int = 1,
    looks: int = 1,
    threshold: float | None = None,
) -> Evidence:
    """`misses` of `n` are what the counts are worth. The confidence of each look is such that all of them together
    mislead with no more than 5 %."""
    confidence = risk.level_at_look(look, looks=looks)
    needed: int | None = None
    if not n or misses / n <= level:
        wanted = risk.reviews_needed(level, misses=math.ceil(misses - 1e-9), level=confidence)
        needed = max(0, wanted - math.floor(n + 1e-9))
    return Evidence.model_validate(
        {
            "source": source,
            "reviewed": reviewed,
            "misses": missed,
            "effective": round(n, 3),
            "level": level,
            "confidence": confidence,
            "look": look,
            "looks": looks,
            "threshold": threshold,
            "bound": risk.upper_bound(misses, n, level=confidence) if n else 1.0,
            "needed": needed,
        }
    )


def of_run(run: CalibrationRun, criterion: Criterion, *, level: float, look: int = 1, looks: int = 1) -> Evidence:
    """The evidence of a run on the holdout, from its report: no call is read once more. Who says that a criterion does
    not apply where others rate it has missed.

    Raises ConflictError for a run that is not done or not on the holdout, InputError where it says nothing of it.
    """
    found = proving(run, criterion)
    assert found.confusion is not None
    passing = _passing_categories(criterion)
    matrix, places = np.array(found.confusion.matrix), found.confusion.categories
    columns = [place for place, category in enumerate(places) if category in passing]
    right = sum(int(matrix[place, place]) for place in columns)
    reviewed = int(matrix[:, columns].sum()) + found.applicability
    missed = reviewed - right
    return figures("holdout", reviewed, missed, missed, reviewed, level=level, look=look, looks=looks)


def of_sure(
    found: Iterable[Compared],
    rubric: Rubric,
    criterion: Criterion,
    others: Others,
    sure: Sure,
    *,
    level: float,
    look: int = 1,
    looks: int = 1,
) -> Evidence:
    """The same call by call, of the proposals that are sure enough alone. Check the run by `proving`."""
    passing, reviewed, missed = _passing_categories(criterion), 0, 0
    for item in found:
        said, truth = item.proposed, item.truth
        if said is None or truth is None or truth.status not in ("judged", "not_applicable"):
            continue
        if said.rating is not None and said.rating not in passing:
            continue
        confidence = sure.confidence.of(measured(item, rubric, others))
        if confidence is not None and confidence >= sure.threshold:
            reviewed += 1
            missed += not alike(said, truth)
    told: dict[str, Any] = {"level": level, "look": look, "looks": looks, "threshold": sure.threshold}
    return figures("holdout", reviewed, missed, missed, reviewed, **told)


def proving(run: CalibrationRun, criterion: Criterion) -> CriterionReport:
    """What a run says of a criterion, where it can prove anything at all. Raises ConflictError, InputError."""
    if run.status != "done" or run.report is None or run.split != "holdout":
        raise ConflictError("only a finished run on the holdout can prove anything: nobody tuned the judge by that")
    report = CalibrationReport.model_validate(run.report)
    if report.synthetic:
        raise ConflictError("made-up calls prove nothing about yours: use reviewed calls, or a golden set of your own")
    found = report.by_id.get(criterion.id)
    if found is None or found.confusion is None:
        raise InputError(f"the run says nothing of {criterion.id}")
    if found.raters is not None and found.raters.kind != "person":
        raise ConflictError("what this run was held against was not said by people")
    return found


def spread_of(found: Iterable[Item]) -> tuple[float, float]:
    """(mean, standard deviation) of the differences while all is well: what drift is held against."""
    apart = [item.apart for item in found if item.apart is not None]
    if len(apart) < 2:
        return 0.0, SMALLEST_SPREAD
    return float(np.mean(apart)), max(SMALLEST_SPREAD, float(np.std(apart, ddof=1)))


def _item(call: Reviewed, criterion: Criterion, decision: Decision, sure: Sure | None) -> Item:
    card, threshold = call.card, None
    if sure is not None:
        card, threshold = with_confidence(card, {criterion.id: sure.confidence}, call.rubric), sure.threshold
    proposed = next(one for one in card.judgements if one.criterion_id == criterion.id)
    through = goes_through(criterion, proposed, threshold=threshold)
    missed = is_miss(criterion, proposed, decision) if through else None
    said = proposed.outcome if decision.kind == "approve" else decision.outcome
    mine, theirs = rating(criterion, proposed.outcome), rating(criterion, said)
    categories = categories_of(criterion)
    width = max(categories) - min(categories)
    told = proposed.status in ("judged", "not_applicable") and decision.kind in ("approve", "override")
    apart = (theirs - mine) / width if told and mine is not None and theirs is not None and width else None
    return Item(missed, apart, call.probability)


def _any_missed(rubric: Rubric, card: Scorecard, said: dict[str, Decision]) -> bool | None:
    """Of a call in which no violation was found: whether a person found one."""
    ours = {one.id for one in violations(rubric)}
    told: list[bool | None] = []
    for proposed in card.judgements:
        if proposed.criterion_id not in ours or proposed.reason == EXCLUDED:
            continue
        criterion = rubric.by_id[proposed.criterion_id]
        if not found_none(criterion, proposed):
            return None
        decision = said.get(criterion.id)
        told.append(None if decision is None else is_miss(criterion, proposed, decision))
    if True in told:
        return True
    return None if None in told or not told else False


def _passing_categories(criterion: Criterion) -> set[float]:
    """The ratings that are no red line."""
    if isinstance(criterion.scale, ViolationScale):
        return {0.0}
    found = set(categories_of(criterion))
    for outcome in options(criterion):
        stands = rating_of(criterion, outcome)
        if outcome is None or stands is None:
            continue
        judged = Judgement(criterion_id=criterion.id, status="judged", outcome=outcome, method="llm")
        if is_red_line(judged, criterion):
            found.discard(stands)
    return found
