"""Edges, other libraries where they are right, and where they are not."""

import math

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from callgrade.stats import agreement
from callgrade.stats.agreement import (
    cohen_kappa,
    fleiss_kappa,
    gwet_ac1,
    gwet_ac2,
    krippendorff_alpha,
    percent_agreement,
    prevalence,
    scott_pi,
    weighted_kappa,
)
from callgrade.stats.ratings import Ratings, steps
from callgrade.stats.results import Why, WrongRatings
from callgrade.stats.weights import agreement_weights

CHANCE_CORRECTED = (cohen_kappa, weighted_kappa, scott_pi, fleiss_kappa, krippendorff_alpha, agreement.conger_kappa)


def two(first, second, scale=(1, 2, 3, 4, 5), **more):
    return Ratings.from_columns({"li": first, "wang": second}, categories=scale, **more)


@pytest.mark.parametrize("statistic", CHANCE_CORRECTED)
def test_constant_and_equal_is_undefined_with_full_agreement(statistic):
    ratings = two([3] * 8, [3] * 8)
    found = statistic(ratings)
    assert (found.value, found.why) == (None, Why.CONSTANT)
    assert found.why == "all raters constant and equal: undefined, agreement 100 %"
    assert "一致率 100 %" in found.why.words("zh")
    assert percent_agreement(ratings).value == 1
    assert gwet_ac1(ratings).value == 1


@pytest.mark.parametrize("statistic", [*CHANCE_CORRECTED, gwet_ac1, gwet_ac2, percent_agreement])
@pytest.mark.parametrize(
    "ratings",
    [
        Ratings.from_columns({"li": [], "wang": []}, categories=[1, 2]),
        two([1, None], [None, 2]),
        two([None, None], [None, None]),
    ],
)
def test_without_a_pair_there_is_a_reason(statistic, ratings):
    found = statistic(ratings, interval=True)
    assert found.value is None
    assert found.why in (Why.NO_PAIRS, Why.NO_ITEMS)


def test_constant_but_different_is_no_better_than_chance():
    assert cohen_kappa(two([1] * 5, [2] * 5)).value == 0
    assert percent_agreement(two([1] * 5, [2] * 5)).value == 0


def test_three_raters_have_no_cohen():
    ratings = Ratings.from_columns({"a": [1, 2], "b": [1, 2], "c": [1, 1]}, categories=[1, 2])
    assert cohen_kappa(ratings).why is Why.NOT_TWO
    assert scott_pi(ratings).why is Why.NOT_TWO


def test_kappa_without_a_scale_says_so_and_alpha_of_a_measure_is_there():
    ratings = Ratings.from_columns({"a": [1.25, 7, 3.5], "b": [1.5, 6.5, 3.5]}, kind="interval")
    assert cohen_kappa(ratings).why is Why.NO_SCALE
    assert krippendorff_alpha(ratings).value == pytest.approx(_alpha_by_hand(ratings, lambda a, b: (a - b) ** 2))


def test_scikit_learn_forgets_categories_that_nobody_used():
    first, second = [1, 5, 1, 5, 1, 4, 5, 1, 4, 4], [1, 5, 1, 5, 4, 4, 4, 1, 4, 5]
    right = weighted_kappa(two(first, second), "quadratic").value
    assert right == pytest.approx(0.811, abs=5e-4)
    assert cohen_kappa_score(first, second, weights="quadratic") == pytest.approx(0.769, abs=5e-4)  # wrong
    assert cohen_kappa_score(first, second, weights="quadratic", labels=[1, 2, 3, 4, 5]) == pytest.approx(right)


@pytest.mark.parametrize(("weights", "theirs"), [("identity", None), ("linear", "linear"), ("quadratic", "quadratic")])
def test_kappa_is_scikit_learn_s_with_all_labels(weights, theirs):
    rng = np.random.default_rng(3)
    for _ in range(20):
        first, second = rng.integers(1, 6, (2, 30))
        ours = weighted_kappa(two(first, second), weights).value
        assert ours == pytest.approx(cohen_kappa_score(first, second, weights=theirs, labels=[1, 2, 3, 4, 5]))


def _alpha_by_hand(ratings, squared):
    """Krippendorff's definition, pair by pair."""
    units = [[v for v in row if not math.isnan(v)] for row in ratings.values]
    units = [unit for unit in units if len(unit) >= 2]
    n = sum(map(len, units))
    seen = sum(squared(a, b) / (len(unit) - 1) for unit in units for a in unit for b in unit) / n
    everything = [v for unit in units for v in unit]
    expected = sum(squared(a, b) for a in everything for b in everything) / (n * (n - 1))
    return 1 - seen / expected


def test_a_measure_of_many_values_has_alpha_and_no_tables():
    rng = np.random.default_rng(6)
    truth = rng.normal(1e6, 2, 2000)
    columns = {"a": truth + rng.normal(0, 1, 2000), "b": truth + rng.normal(0, 1, 2000)}
    ratings = Ratings.from_columns(columns, kind="interval")
    found = krippendorff_alpha(ratings, interval=True)
    assert found.value == pytest.approx(0.8, abs=0.03)
    assert found.interval.holds(0.8)
    assert percent_agreement(ratings).why is Why.TOO_MANY_VALUES
    assert krippendorff_alpha(ratings, "ratio").why is Why.TOO_MANY_VALUES


@pytest.mark.parametrize(
    ("kind", "squared"),
    [
        ("nominal", lambda a, b: float(a != b)),
        ("interval", lambda a, b: (a - b) ** 2),
        ("ratio", lambda a, b: ((a - b) / (a + b)) ** 2),
    ],
)
def test_alpha_is_its_definition_pair_by_pair(kind, squared):
    rng = np.random.default_rng(5)
    values = np.where(rng.random((40, 4)) < 0.3, np.nan, rng.integers(2, 11, (40, 4)) / 2)
    ratings = Ratings.from_columns({str(r): values[:, r] for r in range(4)}, categories=steps(1, 5, 0.5))
    assert krippendorff_alpha(ratings, kind).value == pytest.approx(_alpha_by_hand(ratings, squared))


def test_half_points_weigh_half():
    weights = agreement_weights(steps(1, 3, 0.5), "linear")
    assert weights[0].tolist() == [1, 0.75, 0.5, 0.25, 0]


def test_an_unused_category_changes_what_depends_on_the_scale_and_nothing_else():
    first, second = [1, 2, 2, 1, 2, 1], [1, 2, 1, 1, 2, 2]
    narrow, wide = two(first, second, (1, 2)), two(first, second, (1, 2, 3))
    assert cohen_kappa(narrow).value == pytest.approx(cohen_kappa(wide).value)
    assert krippendorff_alpha(narrow, "ordinal").value == pytest.approx(krippendorff_alpha(wide, "ordinal").value)
    assert gwet_ac1(narrow).value < gwet_ac1(wide).value


def test_prevalence_names_every_category():
    assert prevalence(two([1, 1, 2], [1, 2, None])) == pytest.approx({1: 0.6, 2: 0.4, 3: 0, 4: 0, 5: 0})
    assert prevalence(two([None], [None])) == {}


@pytest.mark.parametrize(
    "matrix",
    [np.eye(4), np.zeros((5, 5)), -np.eye(5), [[1, 2, 0, 0, 0]] * 5, np.full((5, 5), math.nan), "cubic"],
)
def test_weights_that_cannot_be_are_refused(matrix):
    with pytest.raises(WrongRatings):
        weighted_kappa(two([1, 2], [1, 3]), matrix)


def test_a_ratio_below_zero_is_refused():
    with pytest.raises(WrongRatings, match="negative"):
        krippendorff_alpha(two([-1, 1], [1, 1], (-1, 1)), "ratio")


def test_full_agreement_has_an_interval_with_width():
    found = cohen_kappa(two([1, 2] * 20, [1, 2] * 20), interval=True)
    assert found.value == 1
    assert found.interval.high == 1
    assert 0.7 < found.interval.low < 0.9  # none in 40: at most 8.8 % by the exact bound, over a chance of half


def test_agents_are_drawn_only_where_they_are_known_and_enough():
    ratings = two([1, 2] * 20, [1, 1] * 20, agents=["k", "m"] * 20)
    found = gwet_ac1(ratings, by_agent=True)
    assert (found.interval, found.why) == (None, Why.TOO_FEW_GROUPS)
    with pytest.raises(WrongRatings, match="agent"):
        gwet_ac1(two([1], [1]), by_agent=True)
