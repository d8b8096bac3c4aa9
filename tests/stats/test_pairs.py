import itertools

import numpy as np
import pytest
from scipy import stats

from callgrade.stats import coefficients
from callgrade.stats.pairs import agreement_difference, mcnemar, score_difference, sign_flip
from callgrade.stats.ratings import Ratings
from callgrade.stats.results import Why, WrongRatings


def test_mcnemar_is_the_binomial_test_of_what_changed():
    before = np.array([True] * 40 + [False] * 12 + [True] * 3 + [False] * 45)
    after = np.array([True] * 40 + [True] * 12 + [False] * 3 + [False] * 45)
    found = mcnemar(before, after)
    assert (found.gained, found.lost) == (12, 3)
    assert found.p == pytest.approx(stats.binomtest(3, 15).pvalue)
    assert found.difference.value == pytest.approx(0.09)
    assert found.difference.interval.low > 0


def test_where_nothing_changed_there_is_no_difference_and_still_an_interval():
    found = mcnemar([True] * 50, [True] * 50)
    assert (found.p, found.difference.value) == (1, 0)
    assert found.difference.interval.low < 0 < found.difference.interval.high
    assert mcnemar([], []).difference.why is Why.NO_ITEMS


def test_few_changes_are_counted_out_and_many_drawn():
    moved = np.array([1.0, 2.0, -0.5, 3.0, 1.5])
    sums = [abs(np.dot(signs, moved)) for signs in itertools.product((-1, 1), repeat=5)]
    assert sign_flip(moved) == pytest.approx(np.mean([s >= 7 - 1e-9 for s in sums]))
    assert sign_flip(np.zeros(5)) == 1
    many = np.random.default_rng(1).normal(0.3, 1, 80)
    assert sign_flip(many) == pytest.approx(stats.ttest_1samp(many, 0).pvalue, abs=0.01)


def test_the_test_keeps_its_level_and_the_interval_its_cover():
    rng, found, held = np.random.default_rng(3), 0, 0
    for seed in range(250):
        difference = score_difference(np.zeros(100), rng.normal(0, 1, 100), draws=500, seed=seed)
        found += difference.p <= 0.05
        held += difference.difference.interval.holds(0)
    assert found / 250 <= 0.08
    assert 0.92 <= held / 250 <= 0.98


def test_a_difference_counts_what_changed():
    found = score_difference([1, 2, 3, np.nan], [1, 3, 3.5, 4])
    assert (found.difference.value, found.changed, found.difference.n) == (0.5, 2, 3)
    same = score_difference([1, 2], [1, 2])
    assert (same.difference.why, same.p, same.changed) == (Why.NO_SPREAD, 1, 0)
    assert score_difference([], []).difference.why is Why.NO_ITEMS
    with pytest.raises(WrongRatings):
        score_difference([1], [1, 2])


def test_two_runs_against_the_same_people_are_drawn_together():
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 200)
    worse = np.where(rng.random(200) < 0.3, 1 - truth, truth)
    better = np.where(rng.random(200) < 0.3, worse, truth)
    runs = [
        coefficients.cohen(Ratings.from_columns({"people": truth, "model": said}, categories=[0, 1]))
        for said in (worse, better)
    ]
    found = agreement_difference(*runs)
    assert found.value == pytest.approx(runs[1].statistic().value - runs[0].statistic().value)
    assert found.interval.low > 0
    assert agreement_difference(runs[0], runs[0]).why is Why.NO_SPREAD
    grouped = agreement_difference(*runs, groups=[str(i % 20) for i in range(200)])
    assert grouped.interval.low > 0
    constant = coefficients.cohen(Ratings.from_columns({"a": [1] * 200, "b": [1] * 200}, categories=[0, 1]))
    assert agreement_difference(constant, runs[0]).why is Why.CONSTANT
