"""Statistics of a comparison as figures of a report."""

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from callgrade.calibration.compared import Compared
from callgrade.domain.calibration import (
    Agreement,
    ClassFigures,
    ConfusionTable,
    Figure,
    RaterKinds,
    Raters,
    Repeatability,
    categories_of,
    is_ordered,
)
from callgrade.domain.golden import RaterKind
from callgrade.domain.rubrics import Criterion
from callgrade.stats import coefficients
from callgrade.stats.confusion import confusion
from callgrade.stats.intervals import DRAWS, FEWEST_GROUPS, around, bootstrap, bootstrap_mean, draw, grouped, wilson
from callgrade.stats.pairs import agreement_difference, recovered_difference
from callgrade.stats.ratings import Array, Ratings
from callgrade.stats.results import Statistic, Why
from callgrade.stats.sums import Sums
from callgrade.stats.weights import WeightName

Column = Sequence[float | None]


def figure(found: Statistic) -> Figure:
    ends = found.interval
    why = None if found.why is None else found.why.value
    return Figure(value=found.value, low=ends and ends.low, high=ends and ends.high, n=found.n, why=why)


def share(count: int, n: int, why: Why = Why.NO_ITEMS) -> Figure:
    """With its Wilson interval."""
    if n == 0:
        return Figure(why=why.value)
    ends = wilson(count, n)
    return Figure(value=count / n, low=ends.low, high=ends.high, n=n)


def clustered(make: Callable[[list[str] | None], Statistic], agents: Sequence[str]) -> Figure:
    """Agents are drawn, whose calls resemble each other. Where they are too few for it calls are drawn, and `why` says
    so: that interval is rather too narrow."""
    if len(set(agents)) >= FEWEST_GROUPS:
        return figure(make(list(agents)))
    found = figure(make(None))
    return found.model_copy(update={"why": Why.TOO_FEW_GROUPS.value}) if found.low is not None else found


def agreement(criterion: Criterion, truth: Column, said: Column, agents: Sequence[str]) -> Agreement:
    """Of the judge with what is right."""
    ratings = _ratings(criterion, {"truth": truth, "said": said}, agents)
    return Agreement(coefficient="cohen_kappa", **_coefficients(criterion, ratings, coefficients.cohen))


def kappa_sums(criterion: Criterion, truth: Column, said: Column, agents: Sequence[str]) -> Sums:
    """What `agreement` makes its kappa of, for differences between two judges."""
    return coefficients.cohen(_ratings(criterion, {"truth": truth, "said": said}, agents), _weights(criterion))


def between_raters(criterion: Criterion, items: Sequence[Compared], kinds: dict[str, RaterKind]) -> Raters | None:
    """None where no two of them rated the same call blind."""
    if not _rated_twice(items):
        return None
    columns = _by_rater(items)
    ratings = _ratings(criterion, columns, [item.agent for item in items])
    found = _coefficients(criterion, ratings, _kappa_of(columns))
    told: set[RaterKind] = {kinds[name] for name in columns}
    kind: RaterKinds = "mixed" if len(told) > 1 else next(iter(told))
    coefficient: Literal["cohen_kappa", "fleiss_kappa"] = "cohen_kappa" if len(columns) == 2 else "fleiss_kappa"
    return Raters(coefficient=coefficient, names=tuple(columns), kind=kind, **found)


def beside_raters(criterion: Criterion, items: Sequence[Compared]) -> Figure:
    """The judge's kappa with what is right, less that of the blind raters with each other; undefined where no two of
    them rated one call."""
    twice = _rated_twice(items)
    agents = [item.agent for item in twice]
    columns = _by_rater(twice)
    raters = _kappa_of(columns)(_ratings(criterion, columns, agents), _weights(criterion))
    truth = [item.truth.rating if item.truth else None for item in twice]
    said = [item.proposed.rating if item.proposed else None for item in twice]
    return beside(raters, kappa_sums(criterion, truth, said, agents), agents)


def beside(raters: Sums, judge: Sums, agents: Sequence[str], *, draws: int = DRAWS) -> Figure:
    """`judge` less `raters`, over the same calls in the same order and drawn together: how well people agree is an
    estimate on these calls too, and what is hard for them is hard for a judge. Verdicts and gates both go by it.

    Where a side never disagreed no draw of it would either, and its exact bound takes the place of draws.
    """

    def make(groups: list[str] | None) -> Statistic:
        if raters.disagrees and judge.disagrees:
            found = agreement_difference(raters, judge, groups=groups, draws=draws)
            if found.why is not Why.NO_SPREAD:
                return found
        return recovered_difference(*(bootstrap(one, groups=groups, draws=draws) for one in (raters, judge)))

    return clustered(make, agents)


def with_raters(criterion: Criterion, items: Sequence[Compared]) -> Figure:
    """The judge against each blind rater in turn: the mean of the kappas, weighted as `agreement` is. Like beside like:
    what was adjudicated is nearer to everybody than two raters are to each other."""
    agents = [item.agent for item in items]
    said: Column = [item.proposed.rating if item.proposed else None for item in items]
    sums = [kappa_sums(criterion, column, said, agents) for column in _by_rater(items).values()]
    found = [one.statistic() for one in sums]
    undefined = next((one for one in found if one.value is None), None)
    if not found or undefined is not None:
        return Figure(why=Why.NO_PAIRS.value) if undefined is None else figure(undefined)
    stacked = np.column_stack([one.per_item for one in sums])
    ends = np.cumsum([0, *(one.per_item.shape[1] for one in sums)])

    def mean(total: Array) -> Array:
        each = [one.values(total[..., ends[at] : ends[at + 1]]) for at, one in enumerate(sums)]
        return np.asarray(np.mean(each, axis=0), np.float64)

    def make(groups: list[str] | None) -> Statistic:
        units = stacked if groups is None else grouped(stacked, groups)
        known = Statistic(float(mean(stacked.sum(axis=0))), n=min(one.n for one in found))
        return known if len(units) < 2 else around(known, draw(units, mean), len(units))

    return clustered(make, agents)


def repeatability(criterion: Criterion, items: Sequence[Compared], samples: int) -> Repeatability | None:
    """None for a single sample."""
    if samples < 2:
        return None
    columns: dict[str, Column] = {
        str(at): [item.samples[at].rating if at < len(item.samples) else None for item in items]
        for at in range(samples)
    }
    ratings = _ratings(criterion, columns, [item.agent for item in items])
    weights = _weights(criterion)
    return Repeatability(
        samples=samples,
        percent=_drawn(coefficients.agreement(ratings), ratings),
        kappa=_drawn(coefficients.scott(ratings, weights), ratings),
    )


def bias(truth: Column, said: Column, agents: Sequence[str]) -> Figure:
    apart = np.array([b - a for a, b in zip(truth, said, strict=True) if a is not None and b is not None])
    return clustered(lambda groups: bootstrap_mean(apart, groups=groups), agents)


def table(criterion: Criterion, items: Sequence[Compared]) -> ConfusionTable:
    """By category of what both rated; of faults as yes and no, of what both decided."""
    pairs = [(item.truth, item.proposed) for item in items if item.rated]
    both = [(truth.rating, said.rating) for truth, said in pairs if truth and said]
    categories = categories_of(criterion)
    found = confusion([a for a, _ in both], [b for _, b in both], categories)  # type: ignore[arg-type]
    classes = tuple(
        ClassFigures(
            category=category,
            true=int(found.matrix[at].sum()),
            said=int(found.matrix[:, at].sum()),
            recall=figure(found.recall(category)),
            precision=figure(found.precision(category)),
        )
        for at, category in enumerate(categories)
    )
    matrix = tuple(tuple(int(cell) for cell in row) for row in found.matrix)
    return ConfusionTable(categories=categories, matrix=matrix, classes=classes, fault=_faults(items))


def _faults(items: Sequence[Compared]) -> ClassFigures | None:
    """None where the scale knows no fault."""
    pairs = [(item.truth, item.proposed) for item in items if item.decided]
    known = [(bool(truth.fault), bool(said.fault)) for truth, said in pairs if truth and said]
    if not known or all(item.truth is None or item.truth.fault is None for item in items if item.rated):
        return None
    true, found, hit = sum(a for a, _ in known), sum(b for _, b in known), sum(a and b for a, b in known)
    recall, precision = share(hit, true, Why.NEVER_TRUE), share(hit, found, Why.NEVER_SAID)
    return ClassFigures(category=None, true=true, said=found, recall=recall, precision=precision)


def _rated_twice(items: Sequence[Compared]) -> list[Compared]:
    return [item for item in items if sum(said.rating is not None for said in item.raters.values()) > 1]


def _by_rater(items: Sequence[Compared]) -> dict[str, Column]:
    names = sorted({name for item in items for name in item.raters})
    return {name: [item.raters[name].rating if name in item.raters else None for item in items] for name in names}


def _kappa_of(columns: dict[str, Column]) -> Callable[[Ratings, WeightName], Sums]:
    return coefficients.cohen if len(columns) == 2 else coefficients.scott


def _coefficients(
    criterion: Criterion, ratings: Ratings, kappa: Callable[[Ratings, WeightName], Sums]
) -> dict[str, object]:
    weights = _weights(criterion)
    return {
        "weights": None if weights == "identity" else weights,
        "kappa": _drawn(kappa(ratings, weights), ratings),
        "ac": _drawn(coefficients.gwet(ratings, weights), ratings),
        "percent": _drawn(coefficients.agreement(ratings), ratings),
    }


def _drawn(sums: Sums, ratings: Ratings) -> Figure:
    assert ratings.agents is not None
    return clustered(lambda groups: bootstrap(sums, groups=groups), ratings.agents)


def _weights(criterion: Criterion) -> Literal["identity", "linear"]:
    return "linear" if is_ordered(criterion.scale) and len(categories_of(criterion)) > 2 else "identity"


def _ratings(criterion: Criterion, columns: dict[str, Column], agents: Sequence[str]) -> Ratings:
    kept = {name: [math.nan if value is None else value for value in column] for name, column in columns.items()}
    return Ratings.from_columns(kept, categories=categories_of(criterion), agents=agents)
