"""Intraclass correlations with their F intervals: Shrout & Fleiss (1979), McGraw & Wong (1996)."""

from typing import Literal, NamedTuple

import numpy as np

from callgrade.stats.deferred import stats
from callgrade.stats.ratings import Array, Ratings
from callgrade.stats.results import Interval, Statistic, Why, undefined
from callgrade.stats.sums import NOTHING

Form = Literal["ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)"]
FORMS: tuple[Form, ...] = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)", "ICC(1,k)", "ICC(2,k)", "ICC(3,k)")
"""1: other raters for each item. 2: the same raters, drawn from many, absolute agreement. 3: these raters alone,
consistency. 1 of one rater's score, k of the mean of all."""


class _Squares(NamedTuple):
    n: int
    k: int
    items: float
    raters: float
    within: float
    rest: float


def icc(ratings: Ratings, form: Form = "ICC(2,1)", *, level: float = 0.95) -> Statistic:
    """Over the items that all raters rated. May be negative. Without an interval where nothing is left of error."""
    full = ratings.values[~np.isnan(ratings.values).any(axis=1)]
    if len(ratings.raters) < 2:
        return undefined(Why.TOO_FEW_RATERS, len(full))
    if len(full) < 2:
        return undefined(Why.INCOMPLETE, len(full))
    if np.ptp(full) <= NOTHING:
        return undefined(Why.NO_VARIANCE, len(full))
    squares = _mean_squares(full)
    value, low, high = _CASES[form[4]](squares, (1 + level) / 2)
    if value is None:
        return undefined(Why.NO_VARIANCE, squares.n)
    if form.endswith("k)"):
        value, low, high = (_of_mean(x, squares.k) for x in (value, low, high))
    interval = Interval(float(low), float(high), level, "F") if np.isfinite([low, high]).all() else None
    return Statistic(float(value), None if interval else Why.NO_SPREAD, squares.n, interval)


def _mean_squares(values: Array) -> _Squares:
    n, k = values.shape
    grand, by_item, by_rater = values.mean(), values.mean(axis=1), values.mean(axis=0)
    items = k * float(((by_item - grand) ** 2).sum())
    raters = n * float(((by_rater - grand) ** 2).sum())
    within = float(((values - by_item[:, None]) ** 2).sum())
    rest = max(0.0, within - raters)
    return _Squares(n, k, items / (n - 1), raters / (k - 1), within / (n * (k - 1)), rest / ((n - 1) * (k - 1)))


_Case = tuple[float | None, float, float]


def _one_way(s: _Squares, point: float) -> _Case:
    return _from_f(s, s.within, s.n * (s.k - 1), point)


def _consistency(s: _Squares, point: float) -> _Case:
    return _from_f(s, s.rest, (s.n - 1) * (s.k - 1), point)


def _from_f(s: _Squares, error: float, freedom: int, point: float) -> _Case:
    below = s.items + (s.k - 1) * error
    if below <= NOTHING:
        return None, np.nan, np.nan
    value = (s.items - error) / below
    if error <= NOTHING:
        return value, np.nan, np.nan
    ratio = s.items / error
    low = ratio / stats.f.ppf(point, s.n - 1, freedom)
    high = ratio * stats.f.ppf(point, freedom, s.n - 1)
    return value, (low - 1) / (low + s.k - 1), (high - 1) / (high + s.k - 1)


def _absolute(s: _Squares, point: float) -> _Case:
    """McGraw & Wong (1996), table 7: Satterthwaite's degrees of freedom."""
    n, k = s.n, s.k
    below = s.items + (k - 1) * s.rest + k * (s.raters - s.rest) / n
    if below <= NOTHING:
        return None, np.nan, np.nan
    value = (s.items - s.rest) / below
    if s.rest <= NOTHING:
        return value, np.nan, np.nan
    ratio, common = s.raters / s.rest, n * (1 + (k - 1) * value) - k * value
    freedom = (k - 1) * (n - 1) * (k * value * ratio + common) ** 2
    freedom /= (n - 1) * (k * value * ratio) ** 2 + common**2
    rest = k * s.raters + (k * n - k - n) * s.rest
    at_low, at_high = stats.f.ppf(point, n - 1, freedom), stats.f.ppf(point, freedom, n - 1)
    low = n * (s.items - at_low * s.rest) / (at_low * rest + n * s.items)
    high = n * (at_high * s.items - s.rest) / (rest + n * at_high * s.items)
    return value, float(low), float(high)


_CASES = {"1": _one_way, "2": _absolute, "3": _consistency}


def _of_mean(value: float, k: int) -> float:
    """Spearman & Brown (1910): from one rater to the mean of k."""
    below = 1 + (k - 1) * value
    return k * value / below if abs(below) > NOTHING else -np.inf
