"""How many items are worth having."""

import math
from dataclasses import dataclass
from typing import Literal

from callgrade.stats.deferred import stats
from callgrade.stats.results import WrongRatings

FEWEST = 100
"""Below it the interval is shown and no verdict given."""
RARE = 0.05
"""Below this share kappa takes thousands of items: recall and precision are told in its place."""
HARDEST = 0.4
"""The least kappa that anybody would still report; the less agreement, the wider the interval."""


@dataclass(frozen=True, slots=True)
class Advice:
    needed: int
    """Items for kappa ± 0.10."""
    missing: int
    verdict: bool
    """Whether there is enough to judge at all."""
    report: Literal["kappa", "recall and precision"]


def kappa_variance(prevalence: float, kappa: float) -> float:
    """n times the large-sample variance of kappa with two raters, two categories and equal margins (Fleiss, Cohen &
    Everitt 1969, in the form of Donner & Eliasziw 1992). prevalence strictly between 0 and 1."""
    if not 0 < prevalence < 1:
        raise WrongRatings("prevalence lies between 0 and 1")
    both = 2 * prevalence * (1 - prevalence)
    return (1 - kappa) * ((1 - kappa) * (1 - 2 * kappa) + kappa * (2 - kappa) / both)


def items_for_kappa(prevalence: float, *, half_width: float = 0.10, kappa: float = HARDEST, level: float = 0.95) -> int:
    """Items so that kappa's interval reaches no further than `half_width` to each side, and that also in 95 of 100
    samples that happen to hold fewer of the rarer kind: about 330 balanced, 1,000 at 90/10, 9,000 at 99/1."""
    rarer = min(prevalence, 1 - prevalence)
    reach = float(stats.norm.ppf((1 + level) / 2)) / half_width
    n = reach**2 * kappa_variance(rarer, kappa)
    unlucky = float(stats.norm.ppf(0.95))
    for _ in range(50):
        share = max(rarer - unlucky * math.sqrt(rarer * (1 - rarer) / n), rarer / 4)
        n = reach**2 * kappa_variance(share, kappa)
    return math.ceil(n / 10) * 10


def advice(n: int, prevalence: float | None) -> Advice:
    """`prevalence`: the largest category's share; None or 1 where only one category was seen so far (then it is taken
    to be as common as the rule of three allows: none in n is below 3 / n)."""
    largest = prevalence if prevalence is not None and prevalence < 1 else 1 - min(0.5, 3 / max(n, 6))
    needed = items_for_kappa(min(max(largest, 0.5), 0.999))
    rare = 1 - largest < RARE
    return Advice(needed, max(0, needed - n), n >= FEWEST, "recall and precision" if rare else "kappa")
