"""Two runs on the same items: did it get better or worse?"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from callgrade.stats.deferred import stats
from callgrade.stats.intervals import DRAWS, FEWEST_GROUPS, SEED, around, bootstrap_mean, draw, grouped
from callgrade.stats.ratings import Array
from callgrade.stats.results import Interval, Statistic, Why, WrongRatings, undefined
from callgrade.stats.sums import Sums

EXACT = 14
"""Up to so many changed units all patterns of signs are tried; above, a sample of `FLIPS`."""
FLIPS = 9999
BLOCK = 2**22


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """`p`: two-sided, of no difference; None without items."""

    difference: Statistic
    p: float | None
    changed: int
    """Items that differ."""


@dataclass(frozen=True, slots=True)
class McNemar:
    gained: int
    """Wrong in the first run, right in the second."""
    lost: int
    p: float | None
    """Exact and two-sided, of as many gained as lost; 1 where none changed."""
    difference: Statistic
    """Share right, second less first; interval of Agresti & Min (2005)."""


def score_difference(
    a: ArrayLike, b: ArrayLike, *, groups: Sequence[str] | None = None, draws: int = DRAWS, seed: int = SEED
) -> PairedDifference:
    """b - a: n scores each, of the same items in the same order, nan where missing; items (or `groups`) are drawn for
    the interval, and their signs flipped for the test (Fisher's randomisation)."""
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise WrongRatings("two scores for each item")
    apart = second - first
    mean = bootstrap_mean(apart, groups=groups, draws=draws, seed=seed)
    if mean.value is None:
        return PairedDifference(mean, None, 0)
    units = np.where(np.isnan(apart), 0.0, apart)
    units = units if groups is None else grouped(units[:, None], groups)[:, 0]
    return PairedDifference(mean, sign_flip(units, seed=seed), int(np.count_nonzero(np.nan_to_num(apart))))


def sign_flip(differences: Array, *, seed: int = SEED) -> float:
    """Two-sided p: how often a sum as far from 0 comes of signs by chance."""
    moved = differences[differences != 0]
    if not len(moved):
        return 1.0
    seen = abs(float(moved.sum())) * (1 - 1e-9)
    if len(moved) <= EXACT:
        signs = np.array(list(itertools.product((-1.0, 1.0), repeat=len(moved))))
        return float((np.abs(signs @ moved) >= seen).mean())
    rng, beyond, size = np.random.default_rng(seed), 0, max(1, BLOCK // len(moved))
    for start in range(0, FLIPS, size):
        signs = rng.integers(0, 2, size=(min(size, FLIPS - start), len(moved)), dtype=np.int8) * 2.0 - 1
        beyond += int((np.abs(signs @ moved) >= seen).sum())
    return (beyond + 1) / (FLIPS + 1)


def mcnemar(right_a: ArrayLike, right_b: ArrayLike, *, level: float = 0.95) -> McNemar:
    """McNemar (1947), exact. n booleans each: was the verdict right in the first run, in the second?"""
    first, second = np.asarray(right_a, bool), np.asarray(right_b, bool)
    if first.shape != second.shape or first.ndim != 1:
        raise WrongRatings("two verdicts for each item")
    n, gained, lost = len(first), int((~first & second).sum()), int((first & ~second).sum())
    if n == 0:
        return McNemar(0, 0, None, undefined(Why.NO_ITEMS))
    p = float(min(1.0, 2 * stats.binom.cdf(min(gained, lost), gained + lost, 0.5))) if gained + lost else 1.0
    # half an item added to each cell keeps the interval honest where none or few changed
    up, down, total = gained + 0.5, lost + 0.5, n + 2
    middle = (up - down) / total
    half = float(stats.norm.ppf((1 + level) / 2)) * math.sqrt(up + down - (up - down) ** 2 / total) / total
    interval = Interval(max(-1.0, middle - half), min(1.0, middle + half), level, "agresti-min")
    return McNemar(gained, lost, p, Statistic((gained - lost) / n, n=n, interval=interval))


def agreement_difference(
    a: Sums, b: Sums, *, groups: Sequence[str] | None = None, draws: int = DRAWS, level: float = 0.95, seed: int = SEED
) -> Statistic:
    """b - a of a coefficient (see `coefficients`), both over the same items in the same order, drawn together."""
    if a.why or b.why:
        return undefined(a.why or b.why or Why.NO_ITEMS)
    if len(a.per_item) != len(b.per_item):
        raise WrongRatings("both runs are over the same items")
    first, second = a.statistic(), b.statistic()
    if first.value is None or second.value is None:
        return undefined(first.why or second.why or Why.NO_ITEMS, min(a.n, b.n))
    found = Statistic(second.value - first.value, n=min(a.n, b.n))
    width = a.per_item.shape[1]
    if found.n < 2:
        return found.with_interval(None, Why.TOO_FEW)
    units = np.column_stack([a.per_item, b.per_item])
    units = units if groups is None else grouped(units, groups)
    if groups is not None and len(units) < FEWEST_GROUPS:
        return found.with_interval(None, Why.TOO_FEW_GROUPS)

    def apart(sums: Array) -> Array:
        return b.values(sums[..., width:]) - a.values(sums[..., :width])

    return around(found, draw(units, apart, draws=draws, seed=seed), found.n if groups is None else len(units), level)


def recovered_difference(a: Statistic, b: Statistic) -> Statistic:
    """b - a of two with intervals of their own, as if they did not vary together: rather too wide where they do (MOVER:
    Zou & Donner, Statistics in Medicine 27, 2008). For what cannot be drawn."""
    if a.value is None or b.value is None:
        return undefined(a.why or b.why or Why.NO_ITEMS, min(a.n, b.n))
    found = Statistic(b.value - a.value, n=min(a.n, b.n))
    if a.interval is None or b.interval is None:
        return found.with_interval(None, a.why or b.why or Why.TOO_FEW)
    down = math.hypot(b.value - b.interval.low, a.interval.high - a.value)
    up = math.hypot(b.interval.high - b.value, a.value - a.interval.low)
    assert found.value is not None
    return found.with_interval(Interval(found.value - down, found.value + up, a.interval.level, "mover"))
