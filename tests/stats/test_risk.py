import numpy as np
import pytest
from scipy import stats

from callgrade.stats.results import WrongRatings
from callgrade.stats.risk import level_at_look, level_for_many, proves, reviews_needed, upper_bound


@pytest.mark.parametrize(("share", "needed"), [(0.05, 59), (0.02, 149), (0.01, 299)])
def test_how_many_without_a_miss(share, needed):
    assert reviews_needed(share) == needed
    assert proves(share, 0, needed)
    assert not proves(share, 0, needed - 1)


def test_with_misses_it_takes_more():
    assert [reviews_needed(0.05, misses=m) for m in range(4)] == [59, 93, 124, 153]


@pytest.mark.parametrize(("misses", "n"), [(0, 59), (3, 100), (7, 7), (1, 500)])
def test_the_bound_is_scipy_s(misses, n):
    theirs = stats.binomtest(misses, n, alternative="less").proportion_ci(0.95, method="exact").high
    assert upper_bound(misses, n) == pytest.approx(theirs)


def test_nothing_reviewed_proves_nothing():
    assert upper_bound(0, 0) == 1
    for wrong in ((-1, 5), (6, 5)):
        with pytest.raises(WrongRatings):
            upper_bound(*wrong)
    for wrong in (0, 1):
        with pytest.raises(WrongRatings):
            reviews_needed(wrong)


@pytest.mark.parametrize("rate", [0.005, 0.02, 0.05, 0.2])
@pytest.mark.parametrize("n", [59, 149, 400])
def test_the_bound_holds_in_at_least_95_of_100_simulations(rate, n):
    misses = np.random.default_rng(1).binomial(n, rate, 20_000)
    bounds = np.array([upper_bound(k, n) for k in range(n + 1)])
    assert (bounds[misses] >= rate).mean() >= 0.95 - 0.003  # three standard errors of the simulation


def looking(level_of):
    """How often anybody who looks after every 20 calls, 25 times, is ever told of a rate below the true one."""
    rng, rate = np.random.default_rng(3), 0.05
    misses = rng.binomial(20, rate, (4000, 25)).cumsum(axis=1)
    bounds = [
        np.array([upper_bound(k, 20 * look, level=level_of(look)) for k in range(20 * look + 1)])
        for look in range(1, 26)
    ]
    told = np.column_stack([bounds[i][misses[:, i]] for i in range(25)])
    return (told < rate).any(axis=1).mean()


def test_who_looks_often_is_misled_often_unless_the_level_is_spent():
    assert looking(lambda look: 0.95) > 0.10
    assert looking(lambda look: level_at_look(look, looks=25)) <= 0.05
    assert looking(lambda look: level_at_look(look)) <= 0.05


def test_levels_add_up():
    assert level_for_many(20) == pytest.approx(0.9975)
    assert sum(1 - level_at_look(look) for look in range(1, 100_000)) == pytest.approx(0.05, rel=1e-4)
    assert sum(1 - level_at_look(look, looks=8) for look in range(1, 9)) == pytest.approx(0.05)
    for wrong in ((0, None), (9, 8)):
        with pytest.raises(WrongRatings):
            level_at_look(wrong[0], looks=wrong[1])
    with pytest.raises(WrongRatings):
        level_for_many(0)


def test_the_best_of_several_thresholds_is_only_proven_after_bonferroni():
    """Five thresholds, all of them too risky by a hair; whoever picks any that passes errs in at most 5 of 100."""
    rng, n = np.random.default_rng(4), 300
    misses = rng.binomial(n, 0.02, (4000, 5))
    for level, holds in ((0.95, False), (level_for_many(5), True)):
        bounds = np.array([upper_bound(k, n, level=level) for k in range(n + 1)])
        assert ((bounds[misses] < 0.02).any(axis=1).mean() <= 0.05) == holds
