import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.domain.estimates import Estimate, mean, share, student


@pytest.mark.parametrize(
    ("freedom", "printed"),
    # any printed table of Student's t, 97.5 %
    [(3, 3.182), (4, 2.776), (5, 2.571), (9, 2.262), (29, 2.045), (120, 1.980)],
)
def test_students_t(freedom, printed):
    assert student(0.975, freedom) == pytest.approx(printed, rel=0.005)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    # Newcombe, Two-sided confidence intervals for the single proportion (1998), table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilsons_interval_of_a_published_table(hits, n, low, high):
    found = share(hits, n)
    assert (found.low, found.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_a_mean_worked_by_hand():
    """2, 4, 4, 6: mean 4, variance 8/3, t 3.182, so 4 ± 2.598."""
    found = mean(4, 16, 4 + 16 + 16 + 36)
    assert found.value == 4
    assert found.high - found.value == pytest.approx(3.182 * math.sqrt(8 / 3) / 2, rel=0.005)


def test_of_nothing_and_of_few():
    assert share(0, 0) == mean(0, 0, 0) == Estimate(n=0, value=None)
    assert mean(3, 30, 300) == Estimate(n=3, value=10)


@given(st.lists(st.floats(0, 100), min_size=4, max_size=50))
def test_a_mean_lies_within_its_interval(values):
    found = mean(len(values), sum(values), sum(v * v for v in values))
    assert found.low <= found.value <= found.high


@given(st.integers(1, 10_000), st.data())
def test_a_share_lies_within_its_interval(n, data):
    found = share(data.draw(st.integers(0, n)), n)
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1
