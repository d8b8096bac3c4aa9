import numpy as np
import pytest

from callgrade.stats.icc import FORMS, icc
from callgrade.stats.ratings import Ratings
from callgrade.stats.results import Why
from tests.stats.reference import from_items, numbers


def test_the_intervals_of_shrout_and_fleiss_data_are_those_of_other_programs():
    """R psych and pingouin print these (two digits)."""
    ratings = from_items(numbers()["shrout_fleiss_1979"]["ratings_targets_x_judges"])
    printed = [(-0.13, 0.72), (0.02, 0.76), (0.34, 0.95), (-0.88, 0.91), (0.07, 0.93), (0.68, 0.99)]
    for form, ends in zip(FORMS, printed, strict=True):
        found = icc(ratings, form).interval
        assert (round(found.low, 2), round(found.high, 2)) == ends


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"a": [1, 2, 3]}, Why.TOO_FEW_RATERS),
        ({"a": [1, None], "b": [1, 2]}, Why.INCOMPLETE),
        ({"a": [2, 2, 2], "b": [2, 2, 2]}, Why.NO_VARIANCE),
    ],
)
def test_undefined_says_why(columns, why):
    for form in FORMS:
        assert icc(Ratings.from_columns(columns), form).why is why


def test_equal_raters_agree_fully_without_an_interval():
    for form in FORMS:
        found = icc(Ratings.from_columns({"a": [1, 2, 5], "b": [1, 2, 5]}), form)
        assert found.value == pytest.approx(1)
        assert found.interval is None


def test_a_rater_who_is_stricter_by_one_is_consistent_and_not_in_agreement():
    ratings = Ratings.from_columns({"a": [1, 2, 5, 3], "b": [2, 3, 6, 4]})
    assert icc(ratings, "ICC(3,1)").value == pytest.approx(1)
    assert icc(ratings, "ICC(2,1)").value < 0.9


@pytest.mark.parametrize("form", ["ICC(1,1)", "ICC(3,1)", "ICC(2,1)"])
def test_intervals_cover_at_their_rate(form):
    rng, held, seeds = np.random.default_rng(6), 0, 600
    truth = 1 / (1 + 0.5)
    for _ in range(seeds):
        values = rng.normal(0, 1, (100, 1)) + rng.normal(0, np.sqrt(0.5), (100, 3))
        held += icc(Ratings.from_columns({str(r): values[:, r] for r in range(3)}), form).interval.holds(truth)
    assert 0.93 <= held / seeds <= 0.97
