import json

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss

from callgrade.stats.reliability import Calibrator, bins, brier, ece, fit_isotonic, fit_platt
from callgrade.stats.results import Why, WrongRatings


def overconfident(rng, n):
    """Says p, and is right as often as a logit half as large would have it."""
    p = rng.beta(2, 1, n)
    true = 1 / (1 + np.exp(-0.5 * np.log(p / (1 - p))))
    return p, (rng.random(n) < true).astype(float)


def test_brier_is_scikit_learn_s():
    p, hit = overconfident(np.random.default_rng(1), 300)
    assert brier(p, hit).value == pytest.approx(brier_score_loss(hit, p))


def test_ece_and_bins_by_hand():
    p, hit = [0.05, 0.95, 0.91, 1.0], [0, 1, 0, 1]
    found = bins(p, hit)
    assert [(one.low, one.n, one.right) for one in found] == [(0, 1, 0), (0.9, 3, pytest.approx(2 / 3))]
    assert ece(p, hit).value == pytest.approx(0.25 * 0.05 + 0.75 * abs(2.86 / 3 - 2 / 3))
    assert found[1].interval.low < 2 / 3 < found[1].interval.high


@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
def test_fitted_on_one_set_it_is_better_on_another(fit):
    rng = np.random.default_rng(2)
    made = fit(*overconfident(rng, 1500))
    p, hit = overconfident(rng, 3000)
    assert ece(made(p), hit).value < 0.5 * ece(p, hit).value
    assert brier(made(p), hit).value < brier(p, hit).value
    again = Calibrator.from_dict(json.loads(json.dumps(made.as_dict())))
    assert again == made
    assert (np.diff(made(np.linspace(0, 1, 50))) >= 0).all()


def test_platt_finds_the_slope():
    made = fit_platt(*overconfident(np.random.default_rng(3), 20_000))
    assert made.a == pytest.approx((0, 0.5), abs=0.06)


def test_isotonic_is_scikit_learn_s():
    p, hit = overconfident(np.random.default_rng(4), 400)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(p, hit)
    at = np.linspace(0, 1, 101)
    assert fit_isotonic(p, hit)(at) == pytest.approx(theirs.predict(at))


def test_no_certainty_comes_of_few_items():
    assert fit_platt([0.2, 0.9, 0.8], [0, 1, 1])(np.array([0.99]))[0] < 0.95


def test_where_there_is_nothing_to_fit_the_reason_is_told():
    for fit in (fit_platt, fit_isotonic):
        assert fit([0.5, 0.7], [1, 1]) is Why.ONE_CLASS
        assert fit([], []) is Why.NO_ITEMS
    assert brier([], []).why is Why.NO_ITEMS
    assert ece([], []).why is Why.NO_ITEMS


@pytest.mark.parametrize(("p", "hit"), [([1.2], [1]), ([0.5], [0.5]), ([0.5], [1, 0]), ([float("nan")], [1])])
def test_what_is_no_confidence_is_refused(p, hit):
    with pytest.raises(WrongRatings):
        brier(p, hit)
