"""Bounds on samples that were drawn with unequal probabilities, held to simulated judges."""

import numpy as np
import pytest

from callgrade.stats.results import WrongRatings
from callgrade.stats.risk import upper_bound, weighted

JUDGES = 400


def test_equal_probabilities_leave_the_counts_as_they_are():
    assert weighted([1, 0, 0, 0], [0.2] * 4) == pytest.approx((1, 4))
    assert weighted([], []) == (0, 0)


def test_a_call_that_was_unlikely_to_be_drawn_stands_for_more():
    assert weighted([1, 0, 0, 0], [0.1, 0.5, 0.5, 0.5]) == pytest.approx((1, 1.6))
    assert weighted([0, 1, 0, 0], [0.1, 0.5, 0.5, 0.5]) == pytest.approx((0.2, 1.6))


def test_wrong_probabilities_are_refused():
    for missed, probabilities in (([1], [0.0]), ([1], [1.1]), ([0.5], [0.5]), ([1, 0], [0.5])):
        with pytest.raises(WrongRatings):
            weighted(missed, probabilities)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.1])
@pytest.mark.parametrize("tilt", [0.4, 1.0, 1.6])
@pytest.mark.parametrize(("seldom", "often"), [(0.06, 0.3), (0.02, 0.5)])
def test_the_bound_holds_in_95_of_100_samples(share, tilt, seldom, often):
    """Calls of two kinds, one drawn far more often than the other; misses stand here, or there, or on both sides."""
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(JUDGES):
        rare = rng.random(1500) < 0.5
        missed = rng.random(1500) < np.where(rare, tilt * share, (2 - tilt) * share)
        chance = np.where(rare, seldom, often)
        drawn = rng.random(1500) < chance
        held += upper_bound(*weighted(missed[drawn].astype(float), chance[drawn])) >= missed.mean()
    assert held / JUDGES >= 0.95
