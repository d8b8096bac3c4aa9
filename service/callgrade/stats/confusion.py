"""What was said against what was true, by class."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from callgrade.stats.intervals import wilson
from callgrade.stats.ratings import Ratings
from callgrade.stats.results import Statistic, Why, WrongRatings, undefined


@dataclass(frozen=True, slots=True)
class Confusion:
    """`matrix`: k × k counts, rows what is true, columns what was said."""

    matrix: NDArray[np.int64]
    categories: tuple[float, ...]

    @property
    def n(self) -> int:
        return int(self.matrix.sum())

    def precision(self, category: float, *, level: float = 0.95) -> Statistic:
        """Of what was said to be so, the share that is; Wilson interval."""
        at = self._place(category)
        return _share(self.matrix[at, at], self.matrix[:, at].sum(), Why.NEVER_SAID, level)

    def recall(self, category: float, *, level: float = 0.95) -> Statistic:
        """Of what is so, the share that was said to be; Wilson interval."""
        at = self._place(category)
        return _share(self.matrix[at, at], self.matrix[at].sum(), Why.NEVER_TRUE, level)

    def prevalence(self, category: float, *, level: float = 0.95) -> Statistic:
        """The share that is so."""
        return _share(self.matrix[self._place(category)].sum(), self.n, Why.NO_ITEMS, level)

    def accuracy(self, *, level: float = 0.95) -> Statistic:
        return _share(np.trace(self.matrix), self.n, Why.NO_ITEMS, level)

    def _place(self, category: float) -> int:
        if category not in self.categories:
            raise WrongRatings(f"{category:g} is not on the scale")
        return self.categories.index(category)


def confusion(truth: ArrayLike, said: ArrayLike, categories: Sequence[float]) -> Confusion:
    """Items where either is missing (nan) are left out. Raises WrongRatings off the scale or for other lengths."""
    columns = {"truth": np.asarray(truth, np.float64), "said": np.asarray(said, np.float64)}
    codes = Ratings.from_columns(columns, categories=categories).codes
    both = codes[(codes >= 0).all(axis=1)]
    size = len(categories)
    cells = np.bincount(both[:, 0] * size + both[:, 1], minlength=size * size)
    return Confusion(cells.reshape(size, size), tuple(categories))


def _share(count: int, n: int, why: Why, level: float) -> Statistic:
    if n == 0:
        return undefined(why)
    return Statistic(float(count / n), n=int(n), interval=wilson(int(count), int(n), level))
