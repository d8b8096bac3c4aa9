import numpy as np
import pytest

from callgrade.stats import coefficients
from callgrade.stats.intervals import standard_error
from callgrade.stats.ratings import Ratings
from callgrade.stats.results import WrongRatings
from callgrade.stats.samples import advice, items_for_kappa, kappa_variance


def test_the_numbers_that_were_measured_beforehand():
    assert 250 <= items_for_kappa(0.5) <= 350
    assert 900 <= items_for_kappa(0.9) <= 1100
    assert items_for_kappa(0.99) > 5000
    assert items_for_kappa(0.1) == items_for_kappa(0.9)


@pytest.mark.parametrize(("prevalence", "kappa"), [(0.5, 0.6), (0.9, 0.5)])
def test_the_variance_is_that_of_simulated_judges(prevalence, kappa):
    rng, found = np.random.default_rng(2), []
    for _ in range(300):
        first, second, common = rng.random((3, 2000)) < prevalence
        copy = rng.random(2000) < kappa
        columns = {"a": np.where(copy, common, first), "b": np.where(copy, common, second)}
        ratings = Ratings.from_columns(columns, categories=[0, 1])
        found.append(coefficients.cohen(ratings).statistic().value)
    assert np.var(found) * 2000 == pytest.approx(kappa_variance(prevalence, kappa), rel=0.25)


def test_so_many_items_give_that_width():
    n, rng = items_for_kappa(0.9), np.random.default_rng(9)
    widths = []
    for _ in range(40):
        first, second, common = rng.random((3, n)) < 0.9
        copy = rng.random(n) < 0.4
        columns = {"a": np.where(copy, common, first), "b": np.where(copy, common, second)}
        widths.append(1.96 * standard_error(coefficients.cohen(Ratings.from_columns(columns, categories=[0, 1]))))
    assert np.mean(np.array(widths) <= 0.10) >= 0.9


def test_advice():
    few = advice(80, 0.6)
    assert (few.verdict, few.report) == (False, "kappa")
    assert few.missing == few.needed - 80
    assert advice(5000, 0.5).missing == 0
    assert advice(400, 0.97).report == "recall and precision"
    assert advice(400, None).report == "recall and precision"
    assert advice(0, None).verdict is False
    assert advice(50, 1.0).needed > 1000
    with pytest.raises(WrongRatings):
        kappa_variance(0, 0.5)
