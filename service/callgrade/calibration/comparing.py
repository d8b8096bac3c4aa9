"""Two runs on the same items: is it better, is it worse, and where did it change its mind?"""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field, JsonValue
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calibration import golden, run_repository
from callgrade.calibration.compared import Compared, alike, compare
from callgrade.calibration.fidelity import place
from callgrade.calibration.figures import clustered, figure, kappa_sums
from callgrade.calibration.reporting import HOLDOUT, outcome, spent
from callgrade.calibration.run_reports import cards_of, splits_of
from callgrade.db.tables import CalibrationRun
from callgrade.domain.calibration import Figure, Spent, categories_of
from callgrade.domain.errors import ConflictError
from callgrade.domain.frozen import Frozen, Id, LocalText
from callgrade.domain.golden import GoldenCall, Label
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.stats.pairs import agreement_difference, mcnemar

Change = Literal["better", "worse", "same", "unknown"]


class Flip(Frozen):
    """A call whose verdict changed. `now_right` None: nobody knows what is right, or neither is. Outcomes as
    contracts.md has judgements, without reasons; no words of a call."""

    call: str
    criterion_id: Id
    before: dict[str, JsonValue]
    after: dict[str, JsonValue]
    truth: dict[str, JsonValue] | None = None
    now_right: bool | None = None
    turn: int | None = None
    start_ms: int | None = None


class CriterionChange(Frozen):
    """B less A, on calls that have a rating of both runs and of what is right. `kappa`: the paired difference, agents
    drawn; `accuracy`: of exact hits; `p`: McNemar's, exact and two-sided, of as many gained as lost."""

    criterion_id: Id
    title: LocalText
    change: Change
    compared: int
    kappa_a: Figure = Figure()
    kappa_b: Figure = Figure()
    kappa: Figure = Figure()
    accuracy: Figure = Figure()
    gained: int = 0
    """Wrong in A, right in B."""
    lost: int = 0
    p: float | None = None
    flips: int = 0
    """Calls on which the two runs differ, whatever is right."""


class RunComparison(Frozen):
    """`flips` is empty for the holdout; their number stands with each criterion all the same."""

    schema_: Literal["callgrade.calibration-comparison/1"] = Field("callgrade.calibration-comparison/1", alias="schema")
    a: str
    b: str
    split: str
    rubric_a: str
    rubric_b: str
    calls: int
    criteria: tuple[CriterionChange, ...]
    flips: tuple[Flip, ...] = ()
    only_a: tuple[Id, ...] = ()
    only_b: tuple[Id, ...] = ()
    """Criteria that one of the rubrics alone has, or that changed their scale."""
    spent_a: Spent = Spent()
    spent_b: Spent = Spent()


class Side(NamedTuple):
    """One run as it is compared."""

    rubric: Rubric
    items: dict[str, list[Compared]]


def compare_runs(
    session: Session, principal: Principal, a: str, b: str, rubric_a: Rubric, rubric_b: Rubric
) -> RunComparison:
    """Runs over the same split of the same set; the calls that both judged. `rubric_a` and `rubric_b` are those that
    the runs were made with. Raises ConflictError for runs that cannot be compared, or over the holdout, whose labels
    are read by a gate alone."""
    principal.reach("calibrations:read")
    first, second = (run_repository.find(session, principal, id_) for id_ in (a, b))
    if (first.set_id, first.split) != (second.set_id, second.split):
        raise ConflictError("the runs are over different calls: compare runs over one split of one golden set")
    if first.split == HOLDOUT:
        raise ConflictError("runs over the holdout are compared at a gate alone, which reads it on record")
    splits = splits_of(first.split)
    calls = [one.call for one in golden.calls(session, principal, first.set_id, splits)]
    labels = golden.labels(session, principal, first.set_id, first.rubric_id, splits)
    return comparison(session, (first, second), (rubric_a, rubric_b), calls, labels)


def comparison(
    session: Session,
    runs: tuple[CalibrationRun, CalibrationRun],
    rubrics: tuple[Rubric, Rubric],
    calls: Sequence[GoldenCall],
    labels: Iterable[Label],
) -> RunComparison:
    """For whoever has the calls and labels already: a gate that has read the holdout gets the figures, and no flips."""
    known = list(labels)
    stored = [run_repository.items(session, run.id) for run in runs]
    cards = [cards_of(items) for items in stored]
    both = {name for name, _ in cards[0]} & {name for name, _ in cards[1]}
    shared = [call for call in calls if call.id in both]
    sides = [
        Side(rubric, compare(rubric, shared, some, known).by_criterion)
        for rubric, some in zip(rubrics, cards, strict=True)
    ]
    names = [c.id for c in rubrics[1].criteria if _same_scale(rubrics[0].by_id.get(c.id), c)]
    flips = [flip for id_ in names for flip in flips_of(id_, *sides)]
    return RunComparison(
        a=runs[0].id,
        b=runs[1].id,
        split=runs[0].split,
        rubric_a=rubrics[0].reference,
        rubric_b=rubrics[1].reference,
        calls=len(shared),
        criteria=tuple(change_of(rubrics[1].by_id[id_], *sides) for id_ in names),
        flips=() if runs[0].split == HOLDOUT else tuple(flips),
        only_a=tuple(c.id for c in rubrics[0].criteria if c.id not in names),
        only_b=tuple(c.id for c in rubrics[1].criteria if c.id not in names),
        spent_a=spent([item.usage for item in stored[0]]),
        spent_b=spent([item.usage for item in stored[1]]),
    )


def change_of(criterion: Criterion, a: Side, b: Side) -> CriterionChange:
    """Paired: only calls that have a rating of both runs and of what is right."""
    pairs = list(zip(a.items[criterion.id], b.items[criterion.id], strict=True))
    rated = [(one, other) for one, other in pairs if one.rated and other.rated]
    flips = sum(_flipped(one, other) for one, other in pairs)
    told = {"criterion_id": criterion.id, "title": criterion.title, "flips": flips}
    if not rated:
        return CriterionChange(**told, change="unknown", compared=0)
    agents = [one.agent for one, _ in rated]
    truth = [other.truth.rating for _, other in rated if other.truth]
    said = [[side.proposed.rating for side in column if side.proposed] for column in zip(*rated, strict=True)]
    sums = [kappa_sums(criterion, truth, column, agents) for column in said]
    right = [np.array([x == y for x, y in zip(truth, column, strict=True)]) for column in said]
    exact = mcnemar(*right)
    apart = clustered(lambda groups: agreement_difference(sums[0], sums[1], groups=groups), agents)
    return CriterionChange(
        **told,
        change=_change(apart, exact.p, exact.gained - exact.lost),
        compared=len(rated),
        kappa_a=figure(sums[0].statistic()),
        kappa_b=figure(sums[1].statistic()),
        kappa=apart,
        accuracy=figure(exact.difference),
        gained=exact.gained,
        lost=exact.lost,
        p=exact.p,
    )


def flips_of(criterion_id: str, a: Side, b: Side) -> list[Flip]:
    """Calls on which the runs differ, those that were right and are wrong first."""
    found = []
    for one, other in zip(a.items[criterion_id], b.items[criterion_id], strict=True):
        before, after, truth = one.proposed, other.proposed, other.truth
        if before is None or after is None or alike(before, after):
            continue
        turn, start_ms = place(other if after.fault else one)
        told = [alike(side, truth) for side in (before, after)] if truth else [False, False]
        found.append(
            Flip(
                call=one.call,
                criterion_id=criterion_id,
                before=outcome(before),
                after=outcome(after),
                truth=None if truth is None else outcome(truth),
                now_right=told[1] if any(told) else None,
                turn=turn,
                start_ms=start_ms,
            )
        )
    return sorted(found, key=lambda flip: (flip.now_right is not False, flip.call))


def _flipped(one: Compared, other: Compared) -> bool:
    return one.proposed is not None and other.proposed is not None and not alike(one.proposed, other.proposed)


def _change(apart: Figure, p: float | None, more: int) -> Change:
    """By the exact test, or by the interval of kappa; "same" says no more than that no difference was shown."""
    if p is not None and p < 0.05:
        return "better" if more > 0 else "worse"
    if apart.low is not None and apart.low > 0:
        return "better"
    return "worse" if apart.high is not None and apart.high < 0 else "same"


def _same_scale(before: Criterion | None, after: Criterion) -> bool:
    if before is None or before.scale.kind != after.scale.kind:
        return False
    return categories_of(before) == categories_of(after)
