"""The alternative-annotator test: may a model take a person's place? Calderon, Reichart & Dror, 2025.

Each person in turn is set aside, and both that person and the model are compared with those who remain. ω is the share
of persons against whom the model does no worse by more than ε (a one-sided t test each, Benjamini–Yekutieli over all);
ρ is how often the model is at least as close. It passes at ω ≥ 0.5.
(arXiv 2501.10970)
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from callgrade.stats.deferred import stats
from callgrade.stats.ratings import Array, Ratings
from callgrade.stats.results import Why, WrongRatings

FEWEST_ITEMS = 30
EXPERTS, SKILLED, CROWD = 0.2, 0.15, 0.1
"""ε: the more a person's time costs, the more the model is allowed (section 3.4)."""
Similarity = Literal["accuracy", "rmse"]


@dataclass(frozen=True, slots=True)
class Against:
    """One person and the model."""

    rater: str
    n: int
    advantage: float
    """How often the model is at least as close to the others, 0 to 1."""
    p: float
    won: bool


@dataclass(frozen=True, slots=True)
class AltTest:
    winning_rate: float | None
    """ω, 0 to 1."""
    advantage: float | None
    """ρ, 0 to 1."""
    passed: bool | None
    why: Why | None
    against: tuple[Against, ...]
    left_out: tuple[str, ...]
    """Persons with too few items."""


def alternative_annotator_test(
    ratings: Ratings,
    model: ArrayLike,
    *,
    epsilon: float = EXPERTS,
    similarity: Similarity = "accuracy",
    fdr: float = 0.05,
    fewest_items: int = FEWEST_ITEMS,
) -> AltTest:
    """`model`: one score an item of `ratings`, nan where it has none. Items of fewer than two persons are out."""
    said = np.asarray(model, np.float64)
    if said.shape != (len(ratings.items),):
        raise WrongRatings("the model has one score for each item")
    known = ~np.isnan(ratings.values)
    usable = (known.sum(axis=1) >= 2) & ~np.isnan(said)
    compared, left_out = [], []
    for r, name in enumerate(ratings.raters):
        rows = usable & known[:, r]
        if rows.sum() < fewest_items:
            left_out.append(name)
            continue
        compared.append((name, *_closer(ratings.values[rows], said[rows], r, similarity)))
    if not compared:
        return AltTest(None, None, None, Why.TOO_FEW, (), tuple(left_out))
    p = np.array([_p(person, machine, epsilon) for _, person, machine in compared])
    won = benjamini_yekutieli(p, fdr)
    against = tuple(
        Against(name, len(machine), float(machine.mean()), float(p[i]), bool(won[i]))
        for i, (name, _, machine) in enumerate(compared)
    )
    rate = float(won.mean())
    return AltTest(rate, float(np.mean([a.advantage for a in against])), rate >= 0.5, None, against, tuple(left_out))


def benjamini_yekutieli(p: Array, rate: float = 0.05) -> NDArray[np.bool_]:
    """Which hypotheses fall at this false-discovery rate, whatever their dependence (2001)."""
    order, m = np.argsort(p, kind="stable"), len(p)
    ranks = np.arange(1, m + 1)
    below = np.flatnonzero(p[order] <= ranks / m * rate / (1 / ranks).sum())
    falls = np.zeros(m, dtype=bool)
    if len(below):
        falls[order[: below[-1] + 1]] = True
    return falls


def _closer(values: Array, said: Array, r: int, similarity: Similarity) -> tuple[Array, Array]:
    """For each item: is the person at least as close to the others as the model, and the model as the person?"""
    others = np.delete(values, r, axis=1)
    person, machine = (_close(x, others, similarity) for x in (values[:, r], said))
    # equal sums of equal numbers may differ in their last bit by the order of adding
    return (person >= machine - 1e-12).astype(float), (machine >= person - 1e-12).astype(float)


def _close(scores: Array, others: Array, similarity: Similarity) -> Array:
    apart = scores[:, None] - others
    if similarity == "accuracy":
        return np.asarray(np.nanmean(np.where(np.isnan(apart), np.nan, apart == 0), axis=1))
    return np.asarray(-np.sqrt(np.nanmean(apart**2, axis=1)))


def _p(person: Array, machine: Array, epsilon: float) -> float:
    """One-sided t test: does the person beat the model by less than ε?"""
    lead = person - machine
    error = float(lead.std(ddof=1)) / math.sqrt(len(lead))
    if error == 0:
        return 0.0 if lead.mean() < epsilon else 1.0
    return float(stats.t.cdf((lead.mean() - epsilon) / error, len(lead) - 1))
