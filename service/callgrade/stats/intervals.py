"""Intervals: exact and Wilson for shares, and percentiles of a bootstrap for everything that is made of sums.

Items are the units that are drawn, or whole agents where their calls resemble each other. Equal items are drawn
together (their numbers are multinomial), so that 2,000 draws cost a matrix product; memory stays below `BLOCK`.
"""

from collections.abc import Callable, Sequence

import numpy as np

from callgrade.stats.deferred import stats
from callgrade.stats.ratings import Array
from callgrade.stats.results import Interval, Statistic, Why, WrongRatings, undefined
from callgrade.stats.sums import NOTHING, Sums

DRAWS = 2000
SEED = 20261122
BLOCK = 4 * 2**20
"""Bytes of weights that are held at a time: so few that they stay in the processor's cache."""
FEWEST_GROUPS = 10
"""Fewer agents tell too little of agents."""
DISTINCT = 200
"""Up to so many different items, their numbers are drawn; above, the items themselves."""
DEFINED = 0.95
"""The share of draws in which a statistic must be defined, or there is no interval."""


def clopper_pearson(count: int, n: int, level: float = 0.95) -> Interval:
    """The exact binomial interval (Clopper & Pearson 1934): never covers less than its level."""
    _check_share(count, n)
    tail = (1 - level) / 2
    low = 0.0 if count == 0 else float(stats.beta.ppf(tail, count, n - count + 1))
    high = 1.0 if count == n else float(stats.beta.ppf(1 - tail, count + 1, n - count))
    return Interval(low, high, level, "exact")


def wilson(count: int, n: int, level: float = 0.95) -> Interval:
    """The score interval (Wilson 1927): right on average, also for few and for rare."""
    _check_share(count, n)
    z = float(stats.norm.ppf((1 + level) / 2))
    share, spread = count / n, z * z / n
    middle = share + spread / 2
    half = z * float(np.sqrt(share * (1 - share) / n + spread / (4 * n)))
    low = 0.0 if count == 0 else (middle - half) / (1 + spread)
    high = 1.0 if count == n else (middle + half) / (1 + spread)
    return Interval(low, high, level, "wilson")


def bootstrap(
    sums: Sums,
    *,
    groups: Sequence[str] | None = None,
    draws: int = DRAWS,
    level: float = 0.95,
    seed: int = SEED,
) -> Statistic:
    """The statistic with its percentile interval (Efron 1979). `groups`: one an item (its agent); groups are drawn.

    Where no disagreement was seen every draw says 1, which would be an interval without width: there the exact bound
    for none in n takes its place, as if what was not seen were whole disagreements.
    """
    found = sums.statistic()
    if found.value is None:
        return found
    total = sums.per_item.sum(axis=0)
    observed, expected = sums.parts(total)
    units = sums.per_item if groups is None else grouped(sums.per_item, groups)
    if groups is not None and len(units) < FEWEST_GROUPS:
        return found.with_interval(None, Why.TOO_FEW_GROUPS)
    if observed <= NOTHING:
        n = sums.n if groups is None else len(units)
        share = clopper_pearson(0, n, level).high
        return found.with_interval(Interval(max(-1.0, 1 - share / float(expected)), 1.0, level, "exact"))
    if sums.n < 2:
        return found.with_interval(None, Why.TOO_FEW)
    return around(
        found, draw(units, sums.values, draws=draws, seed=seed), sums.n if groups is None else len(units), level
    )


def bootstrap_mean(
    values: Array,
    *,
    groups: Sequence[str] | None = None,
    draws: int = DRAWS,
    level: float = 0.95,
    seed: int = SEED,
) -> Statistic:
    """The mean of what is not nan, with its percentile interval."""
    at = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(at)
    n = int(known.sum())
    if n == 0:
        return undefined(Why.NO_ITEMS)
    per_item = np.column_stack([np.where(known, at, 0.0), known])
    found = Statistic(float(at[known].mean()), n=n)
    units = per_item if groups is None else grouped(per_item, groups)
    if groups is not None and len(units) < FEWEST_GROUPS:
        return found.with_interval(None, Why.TOO_FEW_GROUPS)
    if n < 2:
        return found.with_interval(None, Why.TOO_FEW)
    return around(found, draw(units, ratio, draws=draws, seed=seed), n if groups is None else len(units), level)


def ratio(sums: Array) -> Array:
    """The first sum over the second, nan where that is 0."""
    below = sums[..., 1]
    return np.where(below > 0, sums[..., 0] / np.where(below > 0, below, 1), np.nan)


def grouped(per_item: Array, groups: Sequence[str]) -> Array:
    """Items × m → groups × m."""
    if len(groups) != len(per_item):
        raise WrongRatings("groups: one for each item")
    _, which = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    return np.stack([np.bincount(which, weights=column) for column in per_item.T], axis=1)


def draw(units: Array, value: Callable[[Array], Array], *, draws: int = DRAWS, seed: int = SEED) -> Array:
    """`draws` values of a function of sums, over units drawn with replacement. units: n × m."""
    rng = np.random.default_rng(seed)
    # equal rows have equal projections on a random direction, and others have not; sorting these is quick
    marks = (units * rng.normal(size=units.shape[1])).sum(axis=1)
    _, first, counts = np.unique(marks, return_index=True, return_counts=True)
    few, n = len(first) <= DISTINCT, len(units)
    rows = units[first] if few else units
    # one row of weights, its sums, and what a coefficient makes of them
    size = max(1, BLOCK // (8 * (len(rows) + 4 * units.shape[1]) * (1 if few else 2)))
    found = []
    for start in range(0, draws, size):
        number = min(size, draws - start)
        weights = rng.multinomial(n, counts / n, size=number) if few else _numbers(rng, n, number)
        found.append(value(weights @ rows))
    return np.concatenate(found)


def around(found: Statistic, draws: Array, units: int, level: float = 0.95) -> Statistic:
    """With the percentiles of its draws; without an interval where too many are undefined, or all come out the same."""
    assert found.value is not None
    interval = percentiles(draws, found.value, units, level)
    if interval is not None:
        return found.with_interval(interval)
    undefined_share = float(np.isnan(draws).mean())
    return found.with_interval(None, Why.SHAKY if undefined_share > 1 - DEFINED else Why.NO_SPREAD)


def percentiles(values: Array, value: float, units: int, level: float = 0.95) -> Interval | None:
    """Bias-corrected (Efron 1981): where more draws than half lie above the value, it lies too high itself, as AC2 of
    100 items does. Expanded for few units, by as much as Student's t is wider than the normal (Hesterberg 2015, section
    5.3): plain percentiles of ten agents hold in 0.88 of cases. None where too many draws are undefined, or there is no
    width."""
    defined = values[~np.isnan(values)]
    if len(defined) < DEFINED * len(values):
        return None
    reach = stats.t.ppf((1 + level) / 2, units - 1) * np.sqrt(units / (units - 1))
    below = ((defined < value - NOTHING).mean() + (defined <= value + NOTHING).mean()) / 2
    lean = 2 * stats.norm.ppf(np.clip(below, 1 / len(defined), 1 - 1 / len(defined)))
    low, high = np.quantile(defined, stats.norm.cdf([lean - reach, lean + reach]))
    if high - low <= NOTHING:
        return None
    return Interval(float(low), float(high), level, "bootstrap")


def standard_error(sums: Sums, *, correction: int = 1) -> float | None:
    """By the delta method: √(Σ influence² · n / (n - correction)). For Cohen's kappa with `correction=0` it is that of
    Fleiss, Cohen & Everitt (1969), for AC1 with 1 that of Gwet (2008). None where the statistic is undefined."""
    found = sums.statistic()
    if found.value is None:
        return None
    rows = sums.per_item[sums.per_item.any(axis=1)]
    n, total = len(rows), rows.sum(axis=0)
    if n <= correction:
        return None
    step = 1e-5 * n
    moves = step * np.eye(len(total))
    slopes = (sums.values(total + moves) - sums.values(total - moves)) / (2 * step)
    influence = rows @ slopes
    return float(np.sqrt((influence**2).sum() * n / (n - correction)))


def _numbers(rng: np.random.Generator, n: int, draws: int) -> Array:
    """draws × n: how often each unit was drawn."""
    drawn = rng.integers(0, n, size=(draws, n), dtype=np.int32)
    drawn += (np.arange(draws, dtype=np.int32) * n)[:, None]
    return np.bincount(drawn.ravel(), minlength=draws * n).reshape(draws, n).astype(np.float64)


def _check_share(count: int, n: int) -> None:
    if n < 1 or not 0 <= count <= n:
        raise WrongRatings("a share is a count from 0 to n, and n is at least 1")
