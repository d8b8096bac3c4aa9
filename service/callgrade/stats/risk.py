"""What may go through unread: exact bounds on a miss rate, also after having looked often."""

import math

import numpy as np
from numpy.typing import ArrayLike

from callgrade.stats.deferred import stats
from callgrade.stats.results import WrongRatings

LEVEL = 0.95


def upper_bound(misses: float, n: float, *, level: float = LEVEL) -> float:
    """The exact one-sided binomial bound (Clopper & Pearson 1934): the true rate lies below it with at least `level`.
    1 where nothing was reviewed. Broken numbers are what `weighted` makes of counts."""
    if not 0 <= misses <= n:
        raise WrongRatings("misses are a count from 0 to n")
    if misses == n:
        return 1.0
    return float(stats.beta.ppf(level, misses + 1, n - misses))


def weighted(missed: ArrayLike, probabilities: ArrayLike) -> tuple[float, float]:
    """(misses, n) that a sample is worth whose items were drawn with unequal probabilities (0 to 1), to be bounded as
    if they were counts: the rarest drawn item counts as one, the others as the part of one that they stand for.

    It is what thinning the sample to equal probabilities, where the exact bound holds, leaves on average. By simulation
    (tests/stats/test_weighted_risk.py) the bound holds in 0.955 of samples or more; with Kish's effective size in the
    place of n it held in 0.938 where misses stand among the rarely drawn. Equal probabilities leave the counts as they
    are."""
    hit, chance = np.asarray(missed, np.float64), np.asarray(probabilities, np.float64)
    if hit.shape != chance.shape or hit.ndim != 1:
        raise WrongRatings("a probability for each item")
    if not len(hit):
        return 0.0, 0.0
    if not ((chance > 0) & (chance <= 1)).all() or not np.isin(hit, (0.0, 1.0)).all():
        raise WrongRatings("probabilities lie above 0 and up to 1, an item is missed or not")
    part = chance.min() / chance
    return float((part * hit).sum()), float(part.sum())


def proves(share: float, misses: float, n: float, *, level: float = LEVEL) -> bool:
    """Whether so many misses in n show a miss rate of at most `share`."""
    return upper_bound(misses, n, level=level) <= share


def reviews_needed(share: float, *, misses: int = 0, level: float = LEVEL) -> int:
    """How many to review for that proof, when `misses` turn up: 59 without a miss for 5 %, 149 for 2 %, 299 for 1 %."""
    if not 0 < share < 1 or not 0 < level < 1 or misses < 0:
        raise WrongRatings("share and level lie between 0 and 1, misses are no less than 0")
    low, high = misses, max(misses + 1, 2)
    while not proves(share, misses, high, level=level):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if proves(share, misses, middle, level=level) else (middle, high)
    return high


def level_for_many(thresholds: int, *, level: float = LEVEL) -> float:
    """The level for each of several thresholds or criteria, so that all hold at once with `level` (Bonferroni)."""
    if thresholds < 1:
        raise WrongRatings("there is at least one threshold")
    return 1 - (1 - level) / thresholds


def level_at_look(look: int, *, looks: int | None = None, level: float = LEVEL) -> float:
    """The level for the `look`-th look (from 1) at data that goes on coming in, so that no look at all misleads with
    more than 1 - level: equal parts of the error when the number of looks was set beforehand; else 6 / (π² look²) of
    it, which adds up to the whole however often one looks."""
    if look < 1 or (looks is not None and look > looks):
        raise WrongRatings("looks are counted from 1 to their number")
    part = 1 / looks if looks is not None else 6 / (math.pi * look) ** 2
    return 1 - (1 - level) * part
