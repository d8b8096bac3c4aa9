import numpy as np
import pytest
from scipy import stats

from callgrade.stats import coefficients
from callgrade.stats.gwet_error import gwet_standard_error
from callgrade.stats.intervals import (
    DISTINCT,
    bootstrap,
    bootstrap_mean,
    clopper_pearson,
    draw,
    ratio,
    standard_error,
    wilson,
)
from callgrade.stats.ratings import Ratings
from callgrade.stats.results import Why, WrongRatings
from tests.stats.reference import from_table

SEEDS = 400


@pytest.mark.parametrize(("count", "n"), [(0, 10), (1, 10), (5, 10), (10, 10), (3, 200), (0, 1)])
def test_shares_have_scipy_s_intervals(count, n):
    theirs = stats.binomtest(count, n)
    for ours, method in ((clopper_pearson(count, n), "exact"), (wilson(count, n), "wilson")):
        expected = theirs.proportion_ci(method=method)
        assert (ours.low, ours.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize(("count", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_a_share_of_nothing_is_refused(count, n):
    for interval in (clopper_pearson, wilson):
        with pytest.raises(WrongRatings):
            interval(count, n)


def test_exact_never_covers_less_and_wilson_covers_on_average():
    n, shares = 100, np.linspace(0.02, 0.98, 49)
    counts = np.arange(n + 1)
    weight = stats.binom.pmf(counts[:, None], n, shares)
    covered = {}
    for interval in (clopper_pearson, wilson):
        ends = [interval(int(k), n) for k in counts]
        inside = [[end.holds(p) for p in shares] for end in ends]
        covered[interval] = (weight * inside).sum(axis=0)
    assert covered[clopper_pearson].min() >= 0.95
    assert 0.945 <= covered[wilson].mean() <= 0.96


def judges(rng, n, kappa, share):
    """Two judges with a known kappa: with that probability both copy a fair coin, else each throws his own."""
    first, second, common = (rng.random((3, n)) < share).astype(float)
    copy = rng.random(n) < kappa
    return np.where(copy, common, first), np.where(copy, common, second)


@pytest.mark.parametrize(("kappa", "share"), [(0.6, 0.5), (0.4, 0.3)])
def test_intervals_of_simulated_judges_cover_at_their_rate(kappa, share):
    rng = np.random.default_rng(11)
    held = {"cohen": 0, "alpha": 0, "ac1": 0}
    chance = 2 * share * (1 - share)
    agreed = 1 - (1 - kappa) * chance
    truth = {"cohen": kappa, "alpha": kappa, "ac1": (agreed - chance) / (1 - chance)}
    for seed in range(SEEDS):
        first, second = judges(rng, 100, kappa, share)
        ratings = Ratings.from_columns({"a": first, "b": second}, categories=[0, 1])
        sums = {
            "cohen": coefficients.cohen(ratings),
            "alpha": coefficients.krippendorff(ratings, "nominal"),
            "ac1": coefficients.gwet(ratings),
        }
        for name, one in sums.items():
            held[name] += bootstrap(one, draws=1000, seed=seed).interval.holds(truth[name])
    assert all(0.93 <= number / SEEDS <= 0.97 for number in held.values()), held


def five_grades(rng, n):
    """Two judges of five grades, the second a little kinder."""
    true = rng.normal(0, 1, n)
    edges = [-1.2, -0.4, 0.4, 1.2]
    said = [np.digitize(true + lean + rng.normal(0, 0.5, n), edges) + 1 for lean in (0, 0.2)]
    return Ratings.from_columns({"a": said[0], "b": said[1]}, categories=[1, 2, 3, 4, 5], kind="ordinal")


def test_intervals_of_five_grades_cover_at_their_rate():
    rng = np.random.default_rng(1)
    made = {
        "quadratic": lambda ratings: coefficients.cohen(ratings, "quadratic"),
        "alpha": lambda ratings: coefficients.krippendorff(ratings, "ordinal"),
        "ac2": lambda ratings: coefficients.gwet(ratings, "quadratic"),
    }
    everybody = five_grades(rng, 200_000)
    truth = {name: one(everybody).statistic().value for name, one in made.items()}
    held = dict.fromkeys(made, 0)
    for seed in range(SEEDS):
        ratings = five_grades(rng, 100)
        for name, one in made.items():
            held[name] += bootstrap(one(ratings), draws=1000, seed=seed).interval.holds(truth[name])
    # AC2 leans upwards in small samples: 0.935 in 1,500 simulations, and 0.917 without the correction for it
    assert 0.92 <= held.pop("ac2") / SEEDS <= 0.97
    assert all(0.93 <= number / SEEDS <= 0.97 for number in held.values()), held


def test_the_mean_covers_at_its_rate():
    rng = np.random.default_rng(2)
    values = rng.normal(0.2, 0.9, (SEEDS, 100))
    held = sum(bootstrap_mean(row, draws=1000, seed=i).interval.holds(0.2) for i, row in enumerate(values))
    assert 0.93 <= held / SEEDS <= 0.97


def test_agents_must_be_drawn_where_their_calls_resemble_each_other():
    rng, held = np.random.default_rng(4), {"agents": 0, "items": 0}
    agents = [str(i) for i in np.repeat(np.arange(12), 10)]
    for seed in range(200):
        values = np.repeat(rng.normal(0, 1, 12), 10) + rng.normal(0, 1, 120)
        held["agents"] += bootstrap_mean(values, groups=agents, draws=500, seed=seed).interval.holds(0)
        held["items"] += bootstrap_mean(values, draws=500, seed=seed).interval.holds(0)
    assert 0.91 <= held["agents"] / 200 <= 0.98
    assert held["items"] / 200 < 0.75


@pytest.mark.parametrize("different", [5, 4 * DISTINCT])
def test_both_ways_of_drawing_draw_the_same(different):
    """The spread of a bootstrapped mean is that of the items over √n."""
    values = np.random.default_rng(1).integers(0, different, 1000).astype(float)
    draws = draw(np.column_stack([values, np.ones(1000)]), ratio, draws=4000, seed=1)
    assert draws.mean() == pytest.approx(values.mean(), rel=0.01)
    assert draws.std() == pytest.approx(values.std() / np.sqrt(1000), rel=0.05)


def test_draws_are_repeatable():
    sums = coefficients.cohen(from_table([[20, 5], [4, 21]]))
    assert bootstrap(sums, seed=1) == bootstrap(sums, seed=1)
    assert bootstrap(sums, seed=1).interval != bootstrap(sums, seed=2).interval


def test_no_interval_is_better_than_a_false_one():
    rare = coefficients.cohen(from_table([[40, 0], [1, 0]]))
    assert bootstrap(rare).interval is None
    assert bootstrap(rare).why is Why.SHAKY
    assert bootstrap_mean(np.array([2.0, 2.0, 2.0])).why is Why.NO_SPREAD
    assert bootstrap_mean(np.array([2.0])).why is Why.TOO_FEW
    assert bootstrap_mean(np.array([np.nan])).why is Why.NO_ITEMS
    with pytest.raises(WrongRatings):
        bootstrap(coefficients.cohen(from_table([[1, 0], [1, 1]])), groups=["k"])


def test_the_delta_method_is_gwet_s_where_nothing_is_missing():
    ratings = from_table([[13, 0, 0], [0, 20, 7], [0, 4, 56]])
    assert standard_error(coefficients.gwet(ratings)) == pytest.approx(gwet_standard_error(ratings), rel=1e-6)


def test_the_standard_error_is_the_spread_of_draws():
    sums = coefficients.cohen(from_table([[70, 20], [15, 95]]))
    draws = draw(sums.per_item, sums.values, draws=4000)
    assert standard_error(sums) == pytest.approx(draws.std(), rel=0.05)
    assert standard_error(coefficients.cohen(from_table([[5, 0], [0, 0]]))) is None
