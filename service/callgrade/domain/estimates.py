"""How far a figure over some calls may be trusted: a mean, a share, and the interval around each.

Source of the formulas: Wilson (1927), as in Brown, Cai and DasGupta, Interval estimation for a binomial proportion
(2001); Abramowitz and Stegun, Handbook of mathematical functions (1964), 26.7.5.
"""

import math
from statistics import NormalDist
from typing import Literal

from callgrade.domain.frozen import Frozen

Why = Literal["few_labelled", "few_changed", "all_alike"]
FEWEST = 4
"""Below so many values a mean has no interval worth showing: the expansion behind it is off by more than 2 %."""


class Estimate(Frozen):
    """`value` is None of nothing (n = 0); `low` and `high` are None where there are too few to tell."""

    n: int
    value: float | None
    low: float | None = None
    high: float | None = None


Method = Literal["combined", "drawn", "published"]
"""Of which calls a figure speaks, and by whose judgement:

combined   all calls: the machine's proposals, put right by what people changed of those that were drawn by chance
drawn      all calls, by people alone: those drawn by chance, each weighted by 1 over how likely it was
published  the published calls alone, for whatever reason they were looked at
"""


class Figure(Estimate):
    """`n` is how many reviewed calls it stands on, `proposed` how many proposals, `left_out` how many reviewed calls
    are not in it, because they were looked at for a reason and stand for no others. `why` says why it is not combined,
    None where it is or nothing was drawn."""

    method: Method
    proposed: int = 0
    left_out: int = 0
    why: Why | None = None


def share(hits: int, n: int, *, confidence: float = 0.95) -> Estimate:
    """Wilson's interval for a proportion; good at 0 and at 1 and for few."""
    if n == 0:
        return Estimate(n=0, value=None)
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    p = hits / n
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Estimate(n=n, value=p, low=max(0.0, middle - reach), high=min(1.0, middle + reach))


def mean(n: int, total: float, squares: float, *, confidence: float = 0.95) -> Estimate:
    """Student's interval for a mean, from the number of values, their sum and the sum of their squares."""
    if n == 0:
        return Estimate(n=0, value=None)
    value = total / n
    if n < FEWEST:
        return Estimate(n=n, value=value)
    # rounding may leave a variance of nothing just below 0
    spread = math.sqrt(max(0.0, (squares - n * value * value) / (n - 1)))
    reach = student(0.5 + confidence / 2, n - 1) * spread / math.sqrt(n)
    return Estimate(n=n, value=value, low=value - reach, high=value + reach)


def student(probability: float, freedom: int) -> float:
    """The quantile of Student's t with `freedom` degrees: t = z + g1/ν + g2/ν² + g3/ν³ + g4/ν⁴, for ν of 3 and more."""
    z, v = NormalDist().inv_cdf(probability), freedom
    g1 = (z**3 + z) / 4
    g2 = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    g3 = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    g4 = (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160
    return z + g1 / v + g2 / v**2 + g3 / v**3 + g4 / v**4
