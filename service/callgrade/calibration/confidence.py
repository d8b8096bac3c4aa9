"""Confidences that mean what they say: fitted on dev, never on the holdout; checked on the holdout.

By criterion. Of too few labels, or where nothing was measured, none is made up: the answer is a reason.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calibration import golden, run_repository
from callgrade.calibration.compared import Compared, compare
from callgrade.calibration.golden_repository import StoredCall
from callgrade.calibration.run_reports import cards_of, splits_of
from callgrade.domain.confidence import FEATURES, Feature, Features, agreement_of_rules, features_of, raw, rules_beside
from callgrade.domain.errors import ConflictError
from callgrade.domain.golden import Label
from callgrade.domain.judgements import Judgement
from callgrade.domain.rubrics import Rubric
from callgrade.reviews.confidence import Bin, Checked, Confidence
from callgrade.stats import reliability
from callgrade.stats.results import Why

FEWEST = 100
"""Labelled calls, for any fit."""
FOR_STEPS = 300
"""From here on isotonic steps; below, Platt's two numbers."""


NOTHING: Mapping[str, Mapping[str, Judgement]] = {}


class Example(NamedTuple):
    features: Features
    right: bool


Others = Mapping[str, Mapping[str, Judgement]]
"""Call → criterion → what was proposed of it."""


def examples(found: Iterable[Compared], rubric: Rubric | None = None, others: Others = NOTHING) -> list[Example]:
    """Proposals of which it is known whether they are right. Where a call was judged k times, the share of the samples
    that say what the first one says is its repeat agreement. `others` are held beside it where rules look for the same.
    """
    made = []
    for item in found:
        if item.proposed is None or item.truth is None or item.proposed.rating is None or item.truth.rating is None:
            continue
        made.append(Example(measured(item, rubric, others), item.proposed.rating == item.truth.rating))
    return made


def measured(item: Compared, rubric: Rubric | None = None, others: Others = NOTHING) -> Features:
    """Of what was proposed; nothing where nothing was."""
    if item.proposed is None:
        return Features()
    judgement, beside = item.proposed.judgement, others.get(item.call, {})
    agrees = None if rubric is None else agreement_of_rules(rubric, judgement, beside)
    features = features_of(judgement, rules=agrees)
    if features.repeat is None and len(item.samples) > 1:
        same = sum(one.rating == item.proposed.rating for one in item.samples)
        features = features.model_copy(update={"repeat": same / len(item.samples)})
    return features


def fit(found: Sequence[Example], *, fitted_on: str, rules: str = "") -> Confidence | Why:
    """By what was measured of every call; a reason where that is nothing, where labels are too few, or all alike.
    `rules`: the digest of those that the examples were held beside."""
    counts = Counter(name for one in found for name in one.features.measured)
    uses = tuple(name for name in FEATURES if found and counts[name] == len(found))
    if not uses:
        return Why.NO_ITEMS
    if len(found) < FEWEST:
        return Why.TOO_FEW
    values, right = _pairs(found, uses)
    make = reliability.fit_isotonic if len(found) >= FOR_STEPS else reliability.fit_platt
    fitted = make(values, right)
    if isinstance(fitted, Why):
        return fitted
    return Confidence(uses=uses, calibrator=fitted.as_dict(), fitted_on=fitted_on, n=len(found), rules=rules)


def check(fitted: Confidence, found: Sequence[Example]) -> Confidence:
    """The same, with how it does on calls that it was not fitted on."""
    pairs = [(fitted.of(one.features), one.right) for one in found]
    said = [(p, float(hit)) for p, hit in pairs if p is not None]
    if not said:
        return fitted
    p, hit = [one for one, _ in said], [one for _, one in said]
    brier, ece = reliability.brier(p, hit).value, reliability.ece(p, hit).value
    share = sum(hit) / len(hit)
    bins = tuple(
        Bin(one.n, one.confidence, one.right, one.interval.low, one.interval.high) for one in reliability.bins(p, hit)
    )
    assert brier is not None
    assert ece is not None
    return fitted.model_copy(
        update={"checked": Checked(n=len(said), brier=brier, base=share * (1 - share), ece=ece, bins=bins)}
    )


def examples_of_run(
    session: Session, principal: Principal, run_id: str, rubric: Rubric, criterion_id: str
) -> list[Example]:
    """Of a run on dev (or train). Raises ConflictError for the holdout: nothing is fitted by that."""
    principal.reach("calibrations:read")
    run = run_repository.find(session, principal, run_id)
    if "holdout" in run.split:
        raise ConflictError("nothing is fitted on the holdout: name a run on dev")
    splits = splits_of(run.split)
    calls = golden.calls(session, principal, run.set_id, splits)
    labels = golden.labels(session, principal, run.set_id, rubric.id, splits)
    return examples_of(session, run.id, rubric, criterion_id, calls, labels)


def examples_of(
    session: Session,
    run_id: str,
    rubric: Rubric,
    criterion_id: str,
    calls: Sequence[StoredCall],
    labels: Sequence[Label],
) -> list[Example]:
    """Of a run over these calls."""
    found, others = held_beside(session, run_id, rubric, criterion_id, calls, labels)
    return examples(found, rubric, others)


def held_beside(
    session: Session,
    run_id: str,
    rubric: Rubric,
    criterion_id: str,
    calls: Sequence[StoredCall],
    labels: Sequence[Label],
) -> tuple[list[Compared], Others]:
    """What a run over these calls said of a criterion, and what it said of the rules that look for the same."""
    cards = cards_of(run_repository.items(session, run_id))
    compared = compare(rubric, [one.call for one in calls], cards, labels)
    others: dict[str, dict[str, Judgement]] = {}
    for one in rules_beside(rubric, rubric.by_id[criterion_id]):
        for item in compared.by_criterion[one.id]:
            if item.proposed is not None:
                others.setdefault(item.call, {})[one.id] = item.proposed.judgement
    return compared.by_criterion[criterion_id], others


def _pairs(found: Sequence[Example], uses: tuple[Feature, ...]) -> tuple[list[float], list[float]]:
    values = [raw(one.features, uses) for one in found]
    return [value for value in values if value is not None], [float(one.right) for one in found]
