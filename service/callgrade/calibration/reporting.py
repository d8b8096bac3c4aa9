"""What a run found, as a report: items and labels in, figures out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from pydantic import JsonValue

from callgrade.calibration import figures
from callgrade.calibration.compared import Cards, Compared, Comparison, Said, alike, compare
from callgrade.calibration.fidelity import fidelity, place
from callgrade.calibration.verdicts import verdict
from callgrade.db.types import now
from callgrade.domain.calibration import (
    CalibrationReport,
    CriterionReport,
    Disagreement,
    Figure,
    JudgeUnderTest,
    Spent,
    VerdictLine,
    categories_of,
    category_names,
)
from callgrade.domain.frozen import LocalText
from callgrade.domain.golden import GoldenCall, Label
from callgrade.domain.judgements import AWAITING_HUMAN, NO_MODEL
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.stats.intervals import bootstrap_mean

HOLDOUT = "holdout"
NOBODY = (NO_MODEL, AWAITING_HUMAN, "no judge answered")
_PENDING = VerdictLine(kind="unlabelled", reason=LocalText(), action=LocalText())


class Subject(NamedTuple):
    """What the report is about. `items_wanted`: calls × samples; `usage`: one an item that came out."""

    run: str
    set_id: str
    set_name: str
    set_title: str
    synthetic: bool
    split: str
    judge: JudgeUnderTest
    samples: int
    items_wanted: int
    failed_items: int = 0
    usage: Sequence[Mapping[str, Any]] = ()


def make_report(
    subject: Subject, rubric: Rubric, calls: Sequence[GoldenCall], cards: Cards, labels: Iterable[Label]
) -> CalibrationReport:
    """Pure: the same items and labels give the same figures. `calls` are those of the split; `cards` by call and
    sample. Of the holdout no disagreement is listed."""
    compared = compare(rubric, calls, cards, labels)
    found = [criterion_report(criterion, compared, subject.samples) for criterion in rubric.criteria]
    listed = () if HOLDOUT in subject.split else disagreements(rubric, compared)
    return CalibrationReport(
        run=subject.run,
        made_at=now(),
        set_id=subject.set_id,
        set_name=subject.set_name,
        set_title=subject.set_title,
        synthetic=subject.synthetic,
        split=subject.split,
        judge=subject.judge,
        samples=subject.samples,
        calls=len(calls),
        items=len(cards),
        items_wanted=subject.items_wanted,
        failed_items=subject.failed_items,
        other_versions=compared.other_versions,
        criteria=tuple(found),
        disagreements=tuple(listed),
        spent=spent(subject.usage),
    )


def criterion_report(criterion: Criterion, compared: Comparison, samples: int) -> CriterionReport:
    """Everything about one criterion, its verdict first."""
    items = compared.by_criterion[criterion.id]
    rated = [item for item in items if item.rated]
    truth = [item.truth.rating for item in rated if item.truth]
    said = [item.proposed.rating for item in rated if item.proposed]
    agents = [item.agent for item in rated]
    known = [item for item in items if item.truth is not None and item.truth.rating is not None]
    found = CriterionReport(
        criterion_id=criterion.id,
        title=criterion.title,
        judge=criterion.judge,
        scale=criterion.scale.kind,
        categories=categories_of(criterion),
        category_names=category_names(criterion),
        verdict=_PENDING,
        calls=len(items),
        compared=len(rated),
        agents=len(set(agents)),
        truth=dict(Counter(item.source for item in items if item.source)),
        contested=sum(item.contested for item in items),
        raters=figures.between_raters(criterion, rated or known, compared.kinds),
        model=figures.agreement(criterion, truth, said, agents) if rated else None,
        with_raters=figures.with_raters(criterion, rated),
        beside_raters=figures.beside_raters(criterion, rated),
        prevalence=_prevalence(known),
        bias=figures.bias(truth, said, agents) if rated else Figure(),
        confusion=figures.table(criterion, items) if rated else None,
        **_without_rating(items),
        evidence=fidelity(items),
        repeatability=figures.repeatability(criterion, items, samples),
    )
    # what it comes to is told from the calls that were compared, and before there are any from all that are labelled
    base = rated or known
    ratings = Counter(item.truth.rating for item in base if item.truth)
    faults = sum(bool(item.truth and item.truth.fault) for item in base)
    commonest = max(ratings.values()) / len(base) if base else None
    return found.model_copy(update={"verdict": verdict(found, labelled=len(base), commonest=commonest, faults=faults)})


def disagreements(rubric: Rubric, compared: Comparison) -> list[Disagreement]:
    """Those that matter most first: a fault missed or invented, then by distance, then in the order of the form."""
    found: list[tuple[bool, float, Disagreement]] = []
    for criterion in rubric.criteria:
        width = categories_of(criterion)[-1] - categories_of(criterion)[0]
        for item in compared.by_criterion[criterion.id]:
            truth, said = item.truth, item.proposed
            if truth is None or said is None or alike(truth, said) or not (item.rated or _applies_to_one(item)):
                continue
            far = abs((said.rating or 0) - (truth.rating or 0)) / width if item.rated else 1.0
            flips = bool(truth.fault) != bool(said.fault)
            found.append((flips, far, _disagreement(criterion, item, truth, said, far)))
    return [one for *_, one in sorted(found, key=lambda entry: (not entry[0], -entry[1]))]


def outcome(said: Said) -> dict[str, JsonValue]:
    """As contracts.md has judgements, without what anybody wrote."""
    judgement = said.judgement
    if judgement.outcome is None:
        return {"status": judgement.status}
    return judgement.outcome.model_dump(mode="json")


def spent(usage: Sequence[Mapping[str, Any]]) -> Spent:
    """Sums over items; milliseconds of those that a model was really asked for, or of all where none was."""
    totals = {name: sum(int(one.get(name, 0)) for one in usage) for name in _COUNTED}
    costs = [one.get("cost") for one in usage if one.get("requests")]
    known = [float(cost) for cost in costs if cost is not None]
    asked = [one for one in usage if one.get("requests")]
    times = [float(one["ms"]) for one in (asked or usage) if one.get("ms") is not None]
    middle, late = np.quantile(times, [0.5, 0.95]) if times else (None, None)
    return Spent(
        **totals,
        cost=sum(known) if known and len(known) == len(costs) else None,
        median_ms=None if middle is None else round(float(middle), 1),
        p95_ms=None if late is None else round(float(late), 1),
    )


_COUNTED = ("requests", "cache_hits", "prompt_tokens", "cached_tokens", "completion_tokens")


def _without_rating(items: Sequence[Compared]) -> dict[str, Any]:
    """How often there was no rating, and why."""
    nobody = sum(_not_judged(item.proposed) for item in items)
    status = Counter(item.proposed.status for item in items if item.proposed)
    return {
        "abstained": figures.share(status["cannot_assess"] - nobody, len(items) - nobody),
        "applicability": sum(_applies_to_one(item) for item in items),
        "failed": status["failed"],
        "not_judged": nobody,
    }


def _disagreement(criterion: Criterion, item: Compared, truth: Said, said: Said, far: float) -> Disagreement:
    turn, start_ms = place(item)
    return Disagreement(
        call=item.call,
        criterion_id=criterion.id,
        proposed=outcome(said),
        truth=outcome(truth),
        raters={name: outcome(one) for name, one in sorted(item.raters.items())},
        distance=round(far, 4),
        turn=turn,
        start_ms=start_ms,
        confidence=said.judgement.confidence,
    )


def _prevalence(known: Sequence[Compared]) -> Figure:
    faults = [item.truth.fault for item in known if item.truth]
    if None in faults:
        top = max((item.truth.rating or 0 for item in known if item.truth), default=0)
        faults = [item.truth.rating == top for item in known if item.truth]
    values = np.array([float(bool(fault)) for fault in faults])
    if not len(values):
        return figures.share(0, 0)
    agents = [item.agent for item in known]
    found = figures.clustered(lambda groups: bootstrap_mean(values, groups=groups), agents)
    # no draw differs where all are alike: the interval of a share stands in
    return found if found.low is not None else figures.share(int(values.sum()), len(values))


def _not_judged(said: Said | None) -> bool:
    return said is None or (said.status == "cannot_assess" and said.judgement.reason in NOBODY)


def _applies_to_one(item: Compared) -> bool:
    """Whether one side rates what does not apply according to the other."""
    sides = {said.status for said in (item.truth, item.proposed) if said}
    return sides == {"judged", "not_applicable"}
