import numpy as np
import pytest

from callgrade.stats.bias import bland_altman, leniency, rater_bias
from callgrade.stats.ratings import Ratings
from callgrade.stats.results import Why, WrongRatings


def test_bland_altman_at_its_edges():
    assert bland_altman([], []).bias.why is Why.NO_ITEMS
    assert bland_altman([1.0, np.nan], [2.0, 3.0]).bias.why is Why.TOO_FEW
    same = bland_altman([1.0, 2.0], [1.0, 2.0])
    assert (same.bias.value, same.bias.why, same.spread) == (0, Why.NO_SPREAD, 0)
    with pytest.raises(WrongRatings):
        bland_altman([1.0], [1.0, 2.0])


def test_a_simulated_bias_is_found_and_covered():
    rng, held = np.random.default_rng(1), 0
    for _ in range(400):
        truth = rng.normal(3, 1, 100)
        held += bland_altman(truth + 0.3 + rng.normal(0, 0.5, 100), truth).bias.interval.holds(0.3)
    assert 0.93 <= held / 400 <= 0.97


def test_bias_of_a_rater_is_against_the_others_on_the_same_items():
    ratings = Ratings.from_columns({"a": [2, 3, 5], "b": [1, 2, None], "c": [1, None, None]})
    found = rater_bias(ratings)
    assert {name: one.value for name, one in found.items()} == pytest.approx({"a": 1, "b": -0.75, "c": -0.5})
    assert [one.n for one in found.values()] == [2, 2, 1]
    assert rater_bias(Ratings.from_columns({"a": [1, 2]}))["a"].why is Why.NO_PAIRS


def test_leniency_is_least_squares_over_items_and_raters():
    rng = np.random.default_rng(8)
    lean = np.array([0.5, 0.0, -0.2, -0.3])
    values = rng.normal(3, 1, (300, 1)) + lean + rng.normal(0, 0.4, (300, 4))
    values[rng.random((300, 4)) < 0.4] = np.nan
    # raters who never rated the same calls are compared through the others
    values[:150, 0] = np.nan
    values[150:, 3] = np.nan
    found = leniency(Ratings.from_columns({name: values[:, r] for r, name in enumerate("abcd")}))
    rows, which = np.nonzero(~np.isnan(values) & ((~np.isnan(values)).sum(axis=1) >= 2)[:, None])
    design = np.zeros((len(rows), 304))
    design[np.arange(len(rows)), rows] = 1
    design[np.arange(len(rows)), 300 + which] = 1
    effects = np.linalg.lstsq(design, values[rows, which], rcond=None)[0][300:]
    assert [one.value for one in found.values()] == pytest.approx(effects - effects.mean())
    assert all(one.interval.holds(true) for one, true in zip(found.values(), lean, strict=True))


def test_raters_who_share_nothing_are_not_compared():
    ratings = Ratings.from_columns(
        {"a": [1, 2, None, None], "b": [1, 3, None, None], "c": [None, None, 5, 4], "d": [None, None, 4, 4]}
    )
    assert {one.why for one in leniency(ratings).values()} == {Why.NOT_CONNECTED}
    assert leniency(Ratings.from_columns({"a": [1], "b": [None]}))["a"].why is Why.NO_PAIRS
