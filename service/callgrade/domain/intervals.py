"""What a part of a form may still come to, while some of it is unknown.

A group earns `sum of points / sum of maxima × full`, where items that do not apply are left out of both sums. An
unknown item may turn out to be worth anything in [low, high], or to be left out. The ends of a ratio of sums are not
the ratio of the worst items: with one item at 0 of 10 and two unknown at 1..5 of 5, judging both at their worst
gives 2 / 20 = 10 %, and leaving both out gives 0 / 10 = 0 %. Leaving an item out lowers the ratio exactly
when its own ratio lies above the rest's, so taking the optional items in order of their ratios, for as long as each
still helps, finds the end (fractional knapsack argument; brute force in the tests).
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple

from callgrade.domain.numbers import Exact

Unbounded = float
"""Minus infinity, for a deduction without a cap or a floor."""


class Entry(NamedTuple):
    """One earner of a group: between `low` and `high` of `max` points; `optional` if it may not apply."""

    low: Exact | Unbounded
    high: Exact
    max: Exact
    optional: bool = False


class Range(NamedTuple):
    low: Exact | Unbounded
    high: Exact


def group_range(entries: Iterable[Entry], full: Exact) -> Range | None:
    """The range of `full × Σ points / Σ max` over every way the entries may turn out, or None without entries.

    Where every entry is optional, all left out is no value at all: the range is over the other cases.
    """
    entries = tuple(entries)
    if not entries:
        return None
    required = [entry for entry in entries if not entry.optional]
    optional = [entry for entry in entries if entry.optional]
    top = sum(entry.max for entry in required)
    low = _end([entry.low for entry in required], top, [(entry.low, entry.max) for entry in optional], full)
    # the highest ratio is the lowest of the negated points, negated
    high = _end([-entry.high for entry in required], top, [(-entry.high, entry.max) for entry in optional], full)
    return Range(low, -high)  # type: ignore[arg-type]  # high is finite by construction


def _end(
    required: list[Exact | Unbounded],
    top: Exact,
    optional: list[tuple[Exact | Unbounded, Exact]],
    full: Exact,
) -> Exact | Unbounded:
    points = sum(required)
    for low, maximum in sorted(optional, key=lambda item: _ratio(*item)):
        if top and _ratio(low, maximum) >= _ratio(points, top):
            break
        points, top = points + low, top + maximum
    return points if top == full else _scaled(points, top, full)


def _ratio(points: Exact | Unbounded, maximum: Exact) -> Exact | Unbounded:
    return points if isinstance(points, float) else Fraction(points, maximum)


def _scaled(points: Exact | Unbounded, top: Exact, full: Exact) -> Exact | Unbounded:
    if isinstance(points, float):
        return points
    scaled = Fraction(points * full, top)
    return scaled.numerator if scaled.denominator == 1 else scaled
