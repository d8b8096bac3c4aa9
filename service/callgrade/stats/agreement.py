"""Agreement between raters, each coefficient with its value or the reason why it has none.

All take `Ratings` and, by keyword, `interval=True` for a percentile bootstrap interval (items drawn), `by_agent=True`
to draw agents in their place, `draws`, `level` and `seed`. What each coefficient means is in `coefficients`.
"""

from typing import TypedDict, Unpack

import numpy as np

from callgrade.stats import coefficients
from callgrade.stats.intervals import DRAWS, SEED, bootstrap
from callgrade.stats.ratings import Kind, Ratings, Row
from callgrade.stats.results import Statistic, Why, WrongRatings
from callgrade.stats.sums import Sums
from callgrade.stats.weights import Weights

__all__ = [
    "Ratings",
    "Row",
    "brennan_prediger",
    "cohen_kappa",
    "conger_kappa",
    "fleiss_kappa",
    "gwet_ac1",
    "gwet_ac2",
    "krippendorff_alpha",
    "percent_agreement",
    "prevalence",
    "scott_pi",
    "weighted_kappa",
]


class HowSure(TypedDict, total=False):
    interval: bool
    by_agent: bool
    draws: int
    level: float
    seed: int


def percent_agreement(ratings: Ratings, **how: Unpack[HowSure]) -> Statistic:
    """The share (0 to 1) of pairs of ratings that are equal, averaged over items with at least two."""
    return _counted(coefficients.agreement(ratings), ratings, how)


def cohen_kappa(ratings: Ratings, **how: Unpack[HowSure]) -> Statistic:
    """Two raters, categories without order."""
    return _counted(coefficients.cohen(ratings), ratings, how)


def weighted_kappa(ratings: Ratings, weights: Weights = "linear", **how: Unpack[HowSure]) -> Statistic:
    """Two raters; "linear", "quadratic", or a k × k matrix of agreement or of disagreement (see `weights`)."""
    return _counted(coefficients.cohen(ratings, weights), ratings, how)


def scott_pi(ratings: Ratings, **how: Unpack[HowSure]) -> Statistic:
    """Two raters, chance by their common margins."""
    if len(ratings.raters) != 2:
        return Statistic(None, Why.NOT_TWO, len(ratings.items))
    return _counted(coefficients.scott(ratings), ratings, how)


def fleiss_kappa(ratings: Ratings, weights: Weights = "identity", **how: Unpack[HowSure]) -> Statistic:
    """Two raters or more, not always the same ones, missing ratings allowed."""
    return _counted(coefficients.scott(ratings, weights), ratings, how)


def conger_kappa(ratings: Ratings, weights: Weights = "identity", **how: Unpack[HowSure]) -> Statistic:
    """Two raters or more, always the same ones: Cohen's kappa for many."""
    return _counted(coefficients.conger(ratings, weights), ratings, how)


def brennan_prediger(ratings: Ratings, weights: Weights = "identity", **how: Unpack[HowSure]) -> Statistic:
    """Chance as if every category of the scale were as likely; without weights also Randolph's kappa."""
    return _counted(coefficients.brennan_prediger(ratings, weights), ratings, how)


def gwet_ac1(ratings: Ratings, **how: Unpack[HowSure]) -> Statistic:
    """Defined also where everybody always says the same: then 1."""
    return _counted(coefficients.gwet(ratings), ratings, how)


def gwet_ac2(ratings: Ratings, weights: Weights = "quadratic", **how: Unpack[HowSure]) -> Statistic:
    """AC1 with weights."""
    return _counted(coefficients.gwet(ratings, weights), ratings, how)


def krippendorff_alpha(
    ratings: Ratings, kind: Kind | None = None, weights: Weights | None = None, **how: Unpack[HowSure]
) -> Statistic:
    """Any number of raters, missing ratings allowed; `kind` is the ratings' own when left out."""
    return _counted(coefficients.krippendorff(ratings, kind, weights), ratings, how)


def prevalence(ratings: Ratings) -> dict[float, float]:
    """Category → its share of all ratings; unused ones 0. Empty without ratings."""
    counts = ratings.counts.sum(axis=0)
    if not counts.sum():
        return {}
    categories = ratings.categories if ratings.categories is not None else tuple(map(float, ratings.used))
    return dict(zip(categories, map(float, np.asarray(counts / counts.sum())), strict=True))


def _counted(sums: Sums, ratings: Ratings, how: HowSure) -> Statistic:
    by_agent = how.get("by_agent", False)
    if not how.get("interval", False) and not by_agent:
        return sums.statistic()
    if by_agent and ratings.agents is None:
        raise WrongRatings("to draw agents, each item's agent must be known")
    return bootstrap(
        sums,
        groups=ratings.agents if by_agent else None,
        draws=how.get("draws", DRAWS),
        level=how.get("level", 0.95),
        seed=how.get("seed", SEED),
    )
