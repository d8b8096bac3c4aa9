"""How much two categories agree, from 0 to 1, and how far they stand apart."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from callgrade.stats.ratings import Array, Kind
from callgrade.stats.results import WrongRatings

WeightName = Literal["identity", "linear", "quadratic", "ordinal"]
Weights = WeightName | ArrayLike


def agreement_weights(categories: Sequence[float], weights: Weights) -> Array:
    """k × k, 1 on the diagonal. Linear and quadratic go by the categories' own distances, so that half points count
    as half; "ordinal" is Gwet's (2014, Handbook of Inter-Rater Reliability, 3.5), by ranks in between, and is another
    thing than Krippendorff's ordinal metric. A matrix is taken as agreement where its diagonal is its largest (scaled
    to 1), and as disagreement (Cohen 1968) where its diagonal is 0."""
    if not isinstance(weights, str):
        return _given(np.asarray(weights, dtype=np.float64), len(categories))
    at = np.asarray(categories, dtype=np.float64)
    apart = np.abs(at[:, None] - at)
    match weights:
        case "identity":
            return np.eye(len(at))
        case "linear":
            return np.asarray(1 - apart / apart.max())
        case "quadratic":
            return np.asarray(1 - (apart / apart.max()) ** 2)
        case "ordinal":
            ranks = np.abs(np.subtract.outer(np.arange(len(at)), np.arange(len(at)))) + 1.0
            pairs = ranks * (ranks - 1) / 2
            return np.asarray(1 - pairs / pairs.max())
    raise WrongRatings(f"unknown weights: {weights}")


def _given(matrix: Array, size: int) -> Array:
    if matrix.shape != (size, size):
        raise WrongRatings(f"weights are {size} × {size}, one row and column a category")
    if not np.isfinite(matrix).all() or (matrix < 0).any() or not matrix.any():
        raise WrongRatings("weights are finite, not negative and not all 0")
    if not np.diag(matrix).any():
        return np.asarray(1 - matrix / matrix.max())
    if (np.diag(matrix) < matrix.max()).any():
        raise WrongRatings(
            "a category agrees most with itself: the diagonal is 0 (distances) or the largest (agreement)"
        )
    return np.asarray(matrix / matrix.max())


def squared_distance(values: Array, kind: Kind, margins: Array) -> Array:
    """Krippendorff's δ²: …×k×k. `margins`, …×k, are how often each value was given in pairs; "ordinal" needs them.

    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability.
    """
    match kind:
        case "nominal":
            return np.asarray(1 - np.eye(len(values)))
        case "interval":
            return np.asarray((values[:, None] - values) ** 2)
        case "ratio":
            total = values[:, None] + values
            return np.asarray(((values[:, None] - values) / np.where(total == 0, 1, total)) ** 2)
        case "ordinal":
            # ranks between two values, each end counted half
            middles = np.cumsum(margins, axis=-1) - margins / 2
            return np.asarray((middles[..., :, None] - middles[..., None, :]) ** 2)
    raise WrongRatings(f"unknown kind: {kind}")
