"""A statistic as a function of sums over items: so it is computed once, and its draws by one matrix product."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from callgrade.stats.ratings import Array
from callgrade.stats.results import Statistic, Why, undefined

NOTHING = 1e-12
"""What counts as 0 among sums that were rounded."""

Parts = Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True, slots=True)
class Sums:
    """`per_item`: items × m. `parts`: …×m sums → observed and expected disagreement; the value is
    1 - observed / expected, which is what kappa, alpha and AC1 have in common."""

    per_item: Array
    parts: Parts
    n: int
    """Items that count: those with two ratings."""
    why: Why | None = None
    """Set where nothing can be computed at all."""

    def values(self, sums: Array) -> Array:
        """…×m → …, nan where undefined."""
        observed, expected = self.parts(sums)
        known = expected > NOTHING
        return np.where(known, 1 - observed / np.where(known, expected, 1), np.nan)

    @property
    def disagrees(self) -> bool:
        """Whether any disagreement was seen."""
        return self.why is None and bool(self.parts(self.per_item.sum(axis=0))[0] > NOTHING)

    def statistic(self) -> Statistic:
        if self.why is not None:
            return undefined(self.why, self.n)
        observed, expected = self.parts(self.per_item.sum(axis=0))
        if expected > NOTHING:
            return Statistic(float(1 - observed / expected), n=self.n)
        return undefined(Why.CONSTANT if observed <= NOTHING else Why.NO_CHANCE, self.n)


def nothing(why: Why, n: int = 0) -> Sums:
    """What cannot be computed."""
    return Sums(np.zeros((0, 1)), lambda sums: (sums[..., 0], sums[..., 0]), n, why)
