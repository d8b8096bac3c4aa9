"""Who scores higher: two raters' differences, each rater against the others, leniency with the items allowed for."""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from callgrade.stats.deferred import stats
from callgrade.stats.intervals import DRAWS, SEED, around, bootstrap_mean, draw
from callgrade.stats.ratings import Array, Ratings
from callgrade.stats.results import Interval, Statistic, Why, WrongRatings, undefined


@dataclass(frozen=True, slots=True)
class BlandAltman:
    """In points of the scale. The limits hold 95 % of differences, if these are roughly normal."""

    bias: Statistic
    """The mean of a - b, with its t interval."""
    spread: float | None
    """Standard deviation of the differences."""
    limits: Interval | None
    limits_error: float | None
    """Half the width of the interval around each limit."""


def bland_altman(a: Array, b: Array, *, reach: float = 1.96, level: float = 0.95) -> BlandAltman:
    """Bland & Altman (1986). a, b: n scores of the same items, nan where missing; `reach` in standard deviations (the
    paper rounds it to 2)."""
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if first.shape != second.shape or first.ndim != 1:
        raise WrongRatings("two scores for each item")
    apart = (first - second)[~np.isnan(first - second)]
    n = len(apart)
    if n == 0:
        return BlandAltman(undefined(Why.NO_ITEMS), None, None, None)
    bias = float(apart.mean())
    if n < 2:
        return BlandAltman(Statistic(bias, Why.TOO_FEW, n), None, None, None)
    spread = float(apart.std(ddof=1))
    t = float(stats.t.ppf((1 + level) / 2, n - 1))
    half = t * spread / math.sqrt(n)
    found = Statistic(bias, Why.NO_SPREAD, n)
    if spread > 0:
        found = Statistic(bias, None, n, Interval(bias - half, bias + half, level, "t"))
    limits = Interval(bias - reach * spread, bias + reach * spread, 0.95, "limits of agreement")
    return BlandAltman(found, spread, limits, half * math.sqrt(3))


def rater_bias(ratings: Ratings, *, draws: int = DRAWS, seed: int = SEED) -> dict[str, Statistic]:
    """Rater → how much higher than the mean of the others on the same items, in points; items are drawn."""
    known = ~np.isnan(ratings.values)
    filled = np.where(known, ratings.values, 0.0)
    others = known.sum(axis=1)[:, None] - known
    rest = (filled.sum(axis=1)[:, None] - filled) / np.maximum(others, 1)
    apart = np.where(known & (others > 0), filled - rest, np.nan)
    found = {}
    for name, column in zip(ratings.raters, apart.T, strict=True):
        mean = bootstrap_mean(column, draws=draws, seed=seed)
        found[name] = mean if mean.value is not None else undefined(Why.NO_PAIRS)
    return found


def leniency(ratings: Ratings, *, draws: int = DRAWS, seed: int = SEED) -> dict[str, Statistic]:
    """Rater → points above the average rater, with easy and hard items allowed for: rating = item + rater, by least
    squares, the raters' mean being 0. So two raters may be compared who never rated the same item, through a third."""
    known = ~np.isnan(ratings.values)
    used = known.sum(axis=1) >= 2
    n = known[used].sum(axis=0)
    if not used.any():
        return dict.fromkeys(ratings.raters, undefined(Why.NO_PAIRS))
    per_item = _normal_equations(ratings.values[used], known[used])
    solve = partial(_solve, raters=len(ratings.raters))
    values = solve(per_item.sum(axis=0))
    if np.isnan(values).any():
        return dict.fromkeys(ratings.raters, undefined(Why.NOT_CONNECTED))
    found = {name: Statistic(float(values[r]), n=int(n[r])) for r, name in enumerate(ratings.raters)}
    if len(per_item) < 2:
        return {name: one.with_interval(None, Why.TOO_FEW) for name, one in found.items()}
    drawn = draw(per_item, solve, draws=draws, seed=seed)
    return {name: around(one, drawn[:, r], len(per_item)) for r, (name, one) in enumerate(found.items())}


def _normal_equations(values: Array, known: Array) -> Array:
    """Items × (r² + r): what each item adds to the raters' normal equations, its own level taken out."""
    filled = np.where(known, values, 0.0)
    number = known.sum(axis=1)
    above = np.where(known, filled - (filled.sum(axis=1) / number)[:, None], 0.0)
    left = known[:, :, None] * (np.eye(known.shape[1]) - known[:, None, :] / number[:, None, None])
    return np.column_stack([left.reshape(len(values), -1), above])


def _solve(sums: Array, raters: int) -> Array:
    """…×(r² + r) → …×r; nan where the raters fall apart into groups without a common item."""
    left = sums[..., : raters * raters].reshape(*sums.shape[:-1], raters, raters)
    # the equations leave the mean open: adding the matrix of ones sets it to 0
    whole = left + 1.0
    apart = np.linalg.matrix_rank(whole, hermitian=True) < raters
    safe = np.where(apart[..., None, None], np.eye(raters), whole)
    solved = np.linalg.solve(safe, sums[..., raters * raters :, None])[..., 0]
    return np.where(apart[..., None], np.nan, solved)
