import numpy as np
import pytest

from callgrade.stats.latent import dawid_skene, rogan_gladen, said_by
from callgrade.stats.ratings import Ratings
from callgrade.stats.results import Why, WrongRatings


def test_simulated_raters_are_told_apart():
    rng = np.random.default_rng(1)
    truth = (rng.random(2000) < 0.3).astype(int)
    skill = (0.95, 0.8, 0.7, 0.85, 0.9)
    columns = {str(r): np.where(rng.random(2000) < p, truth, 1 - truth) for r, p in enumerate(skill)}
    found = dawid_skene(said_by(Ratings.from_columns(columns, categories=[0, 1])))
    assert found.shares[1] == pytest.approx(0.3, abs=0.04)
    assert found.errors[:, 0, 0] == pytest.approx(skill, abs=0.05)
    assert found.posterior.sum(axis=1) == pytest.approx(1)
    with pytest.raises(WrongRatings):
        dawid_skene(np.zeros((2, 2, 2)))


def test_rogan_gladen_stays_a_share():
    assert rogan_gladen(0.01, 0.9, 0.95).value == 0
    assert rogan_gladen(1.0, 0.9, 0.95).value == 1
    assert rogan_gladen(0.4, 0.5, 0.5).why is Why.NO_POWER
    with pytest.raises(WrongRatings):
        rogan_gladen(1.4, 0.9, 0.9)
