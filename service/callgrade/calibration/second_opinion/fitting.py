"""A line through the features, and its distances as probabilities.

Each run of characters first counts as much as it tells: by the logarithm of how much oftener it is said where there is
a fault. So one sentence shows in a call of a thousand characters, and 您好 does not. The line through that is a
logistic regression. (Wang and Manning, "Baselines and Bigrams", ACL 2012.)

What a line says of the calls that it was fitted on is far too sure of itself. So each part of them is scored by a line
through the others, by agents and customers it never met, and Platt's sigmoid is fitted on those scores.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from callgrade.calibration.second_opinion.features import library
from callgrade.stats import reliability
from callgrade.stats.deferred import special
from callgrade.stats.ratings import Array
from callgrade.stats.reliability import Calibrator
from callgrade.stats.results import Why

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FOLDS = 5
STRENGTH = 10.0
"""The inverse of the ridge penalty. Fixed, not searched for: with so few labels a search fits the noise."""
SEED = 0


class Slope(NamedTuple):
    """What is fitted: how much each place tells, its weight in the line, and where the line begins."""

    tells: Any
    """float32, as wide as the features that it was fitted on"""
    weights: Any
    """float32"""
    intercept: float

    def distances(self, found: "csr_matrix") -> Array:
        """From the line, above 0 on the side of the fault."""
        return np.asarray(_told(found, self.tells) @ self.weights, np.float64) + self.intercept


class Line(NamedTuple):
    """`places` rising, with what each tells and weighs; all others tell nothing."""

    places: Any
    """int32"""
    slope: Slope
    calibrator: Calibrator

    def probabilities(self, found: "csr_matrix") -> Array:
        """Of the fault, for each row of features, 0..1."""
        return self.calibrator(special.expit(self.slope.distances(found[:, self.places])))


def fit(found: "csr_matrix", fault: Sequence[bool], group: Sequence[int]) -> Line | Why:
    """A reason where every call is the same, or people are too few to be told apart in folds. The same input gives the
    same line. `group` numbers the people who ever spoke with each other."""
    library()
    from sklearn.model_selection import StratifiedGroupKFold

    y, groups = np.asarray(fault, bool), np.asarray(group)
    # what nobody says weighs nothing, and is most of the width
    seen = np.unique(found.indices).astype(np.int32)
    found = found[:, seen]
    if min(len(set(groups[y])), len(set(groups[~y]))) < FOLDS:
        return Why.TOO_FEW_GROUPS if y.any() and not y.all() else Why.ONE_CLASS
    apart = np.zeros(len(y))
    for known, left in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED).split(found, y, groups):
        if y[known].all() or not y[known].any():
            return Why.ONE_CLASS
        apart[left] = _slope(found[known], y[known]).distances(found[left])
    calibrator = reliability.fit_platt(special.expit(apart), y.astype(float))
    if isinstance(calibrator, Why):
        return calibrator
    return Line(seen, _slope(found, y), calibrator)


def _slope(found: "csr_matrix", fault: Any) -> Slope:
    from sklearn.linear_model import LogisticRegression

    tells = _log_ratio(found, fault)
    line = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000).fit(_told(found, tells), fault)
    return Slope(tells, line.coef_[0].astype(np.float32), float(line.intercept_[0]))


def _log_ratio(found: "csr_matrix", fault: Any) -> Any:
    """ln of how often each place is said with the fault over how often without it, one call added to either side."""
    said = [(np.asarray(found[of].sum(axis=0)).ravel() + 1) / (of.sum() + 2) for of in (fault, ~fault)]
    return np.log(said[0] / said[1]).astype(np.float32)


def _told(found: "csr_matrix", tells: Any) -> "csr_matrix":
    """Each call with what its runs tell, of length 1."""
    from sklearn.preprocessing import normalize

    return normalize(found.multiply(tells).tocsr())
