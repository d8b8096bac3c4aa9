"""The standard error of AC1 and AC2 as Gwet printed it, to compare with other programs."""

import math

import numpy as np

from callgrade.stats.coefficients import gwet
from callgrade.stats.ratings import Ratings
from callgrade.stats.weights import Weights, agreement_weights


def gwet_standard_error(ratings: Ratings, weights: Weights = "identity") -> float | None:
    """Gwet (2014), Handbook of Inter-Rater Reliability, 5.4. None where undefined.

    Items with one rating enter as agreement 0, which makes it larger than the delta method of `intervals` (0.143 and
    0.125 in the worked example with such an item); without such items the two are the same.
    """
    found = gwet(ratings, weights).statistic().value
    if found is None or ratings.categories is None or len(ratings.items) < 2:
        return None
    agree = agreement_weights(ratings.categories, weights)
    counts = ratings.counts[ratings.counts.any(axis=1)]
    n, size = counts.shape
    number = counts.sum(axis=1)
    paired = number >= 2
    share = (counts / number[:, None]).mean(axis=0)
    factor = agree.sum() / (size * (size - 1))
    chance = factor * (share * (1 - share)).sum()
    pairs = np.einsum("ik,kl,il->i", counts, agree, counts) - number
    of_item = (n / paired.sum()) * (pairs / np.maximum(number * (number - 1), 1) - chance * paired) / (1 - chance)
    chance_of_item = factor * (counts @ (1 - share)) / number
    linear = of_item - 2 * (1 - found) * (chance_of_item - chance) / (1 - chance)
    return math.sqrt(float(((linear - found) ** 2).sum()) / (n * (n - 1)))
