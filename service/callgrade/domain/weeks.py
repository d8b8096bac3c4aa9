"""Whether a week is far from those before it: Student's interval for the next value, from the means of past weeks.

The interval for one more value after k of mean M and variance s² is M ± t(k − 1) · s · √(1 + 1/k) (Hahn, Factors for
calculating two-sided prediction intervals, 1969). Weeks that happened to come out alike would make it too narrow, so
that s² is never taken to be less than what the week's own number of calls lets a mean swing by: the variance within
weeks over n.
"""

import math
from collections.abc import Sequence

from callgrade.domain.estimates import student
from callgrade.domain.frozen import Frozen

FEWEST = 4
"""Past weeks: below, `student` is not good enough, and nor is the comparison."""


class Week(Frozen):
    """Scores of a week: how many (1 or more), their sum and that of their squares."""

    n: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        return self.total / self.n


class Outlook(Frozen):
    """`usual` is the mean of the past weeks' means; `low` and `high` are the ends of where the next one should lie."""

    usual: float
    low: float
    high: float
    weeks: int


def expected(past: Sequence[Week], n: int, *, confidence: float) -> Outlook | None:
    """Where the mean of a week with `n` scores should lie; None after fewer than FEWEST weeks."""
    k = len(past)
    if k < FEWEST or n < 1:
        return None
    usual = sum(week.mean for week in past) / k
    between = sum((week.mean - usual) ** 2 for week in past) / (k - 1)
    variance = max(between, _within(past) / n)
    reach = student(0.5 + confidence / 2, k - 1) * math.sqrt(variance * (1 + 1 / k))
    return Outlook(usual=usual, low=usual - reach, high=usual + reach, weeks=k)


def is_away(week: Week, outlook: Outlook, *, least: float) -> bool:
    """Outside of the interval, and by no less than `least` points from what is usual."""
    outside = not outlook.low <= week.mean <= outlook.high
    return outside and abs(week.mean - outlook.usual) >= least


def _within(weeks: Sequence[Week]) -> float:
    """The pooled variance of single scores."""
    # rounding may leave a variance of nothing just below 0
    spread = sum(max(0.0, week.squares - week.n * week.mean**2) for week in weeks)
    freedom = sum(week.n - 1 for week in weeks)
    return spread / freedom if freedom else 0.0
