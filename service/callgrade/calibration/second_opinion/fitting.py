"""A line through the features, and its distances as probabilities.

The line is a logistic regression. What it says of the calls that it was fitted on is far too sure of itself; so each
part of them is scored by a line through the others, by agents and customers it never met, and Platt's sigmoid is
fitted on those scores.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from callgrade.calibration.second_opinion.features import WIDTH, library
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


class Line(NamedTuple):
    """`places` rising, with the weight of each; all others weigh nothing."""

    places: Any
    """int32"""
    weights: Any
    """float32"""
    intercept: float
    calibrator: Calibrator

    def probabilities(self, found: "csr_matrix") -> Array:
        """Of the fault, for each row of features, 0..1."""
        dense = np.zeros(WIDTH, np.float64)
        dense[self.places] = self.weights
        return self.calibrator(special.expit(np.asarray(found @ dense) + self.intercept))


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
        line = _line(found[known], y[known])
        apart[left] = line.decision_function(found[left])
    calibrator = reliability.fit_platt(special.expit(apart), y.astype(float))
    if isinstance(calibrator, Why):
        return calibrator
    whole = _line(found, y)
    weights = whole.coef_[0].astype(np.float32)
    kept = np.flatnonzero(weights)
    return Line(seen[kept], weights[kept], float(whole.intercept_[0]), calibrator)


def _line(found: "csr_matrix", fault: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1000).fit(found, fault)
