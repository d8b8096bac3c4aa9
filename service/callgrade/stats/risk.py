"""What may go through unread: exact bounds on a miss rate, also after having looked often."""

import math

from scipy import stats

from callgrade.stats.results import WrongRatings

LEVEL = 0.95


def upper_bound(misses: int, n: int, *, level: float = LEVEL) -> float:
    """The exact one-sided binomial bound (Clopper & Pearson 1934): the true rate lies below it with at least `level`.
    1 where nothing was reviewed."""
    if not 0 <= misses <= n:
        raise WrongRatings("misses are a count from 0 to n")
    if misses == n:
        return 1.0
    return float(stats.beta.ppf(level, misses + 1, n - misses))


def proves(share: float, misses: int, n: int, *, level: float = LEVEL) -> bool:
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
