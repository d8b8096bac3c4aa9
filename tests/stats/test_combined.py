import numpy as np
import pytest

from callgrade.stats.combined import honest_mean, put_right
from callgrade.stats.results import Why, WrongRatings

RUNS = 1000


def drawn(rng, truth, proposed, chance, **more):
    labels = np.where(rng.random(len(truth)) < chance, truth, np.nan)
    return honest_mean(proposed, labels, chance, **more)


@pytest.mark.parametrize("weighting", ["hajek", "horvitz-thompson"])
def test_it_covers_with_a_biased_judge_and_unequal_chances(weighting):
    """A judge who is 0.4 too kind, and more so to some calls, which are also likelier to be labelled."""
    rng = np.random.default_rng(1)
    truth = rng.normal(3.5, 0.8, 2000)
    proposed = truth + 0.4 + rng.normal(0, 0.4, 2000) + np.where(truth < 3, 0.3, 0)
    chance = np.where(proposed < 3.5, 0.10, 0.03)
    found = [drawn(rng, truth, proposed, chance, weighting=weighting) for _ in range(RUNS)]
    mean = truth.mean()
    assert 0.93 <= np.mean([one.combined.interval.holds(mean) for one in found]) <= 0.97
    assert np.mean([one.combined.value for one in found]) == pytest.approx(mean, abs=0.01)
    assert found[0].proposed > mean + 0.3  # what the proposals alone would have said
    widths = [(one.combined.interval.high - one.combined.interval.low) for one in found]
    people = [(one.human_only.interval.high - one.human_only.interval.low) for one in found]
    assert np.mean(widths) < 0.8 * np.mean(people)


def test_plain_averages_of_the_labelled_would_be_wrong():
    rng = np.random.default_rng(2)
    truth = rng.normal(3.5, 0.8, 2000)
    chance = np.where(truth < 3, 0.3, 0.05)
    found = [drawn(rng, truth, truth + 0.2, chance).human_only for _ in range(200)]
    assert np.mean([one.value for one in found]) == pytest.approx(truth.mean(), abs=0.02)
    assert np.mean([one.interval.holds(truth.mean()) for one in found]) > 0.9
    labelled = (truth * chance).sum() / chance.sum()
    assert labelled < truth.mean() - 0.2


def rare_calls(rng, share=0.05):
    """A rare criterion in 5,000 calls; the judge sees 80 of 100 and cries wolf in 1 of 100."""
    truth = (rng.random(5000) < share).astype(float)
    return truth, np.where(truth == 1, rng.random(5000) < 0.8, rng.random(5000) < 0.01).astype(float)


def labelled(rng, truth, n):
    labels = np.full(5000, np.nan)
    known = rng.choice(5000, n, replace=False)
    labels[known] = truth[known]
    return labels


def holds(found, mean):
    """No interval, or one without width, holds nothing."""
    return found.interval is not None and found.interval.holds(mean)


def test_rare_criteria_below_a_hundred_are_refused_and_this_is_why():
    rng = np.random.default_rng(3)
    truth, proposed = rare_calls(rng)
    careless, careful = [], []
    for _ in range(RUNS):
        labels = labelled(rng, truth, 90)
        careless.append(holds(honest_mean(proposed, labels, np.full(5000, 0.018)).combined, truth.mean()))
        careful.append(honest_mean(proposed, labels, np.full(5000, 0.018), rare=True))
    assert 0.84 <= np.mean(careless) <= 0.90
    assert {one.method for one in careful} == {"human_only"}
    assert {one.why for one in careful} == {Why.TOO_FEW_LABELLED}
    assert np.mean([holds(one.shown, truth.mean()) for one in careful]) >= 0.93


@pytest.mark.parametrize(("share", "n"), [(0.05, 120), (0.01, 150), (0.02, 200)])
def test_rare_criteria_above_it_keep_their_cover_for_what_may_not_have_been_seen(share, n):
    rng = np.random.default_rng(5)
    truth, proposed = rare_calls(rng, share)
    chance = np.full(5000, n / 5000)
    found = [honest_mean(proposed, labelled(rng, truth, n), chance, rare=True) for _ in range(300)]
    assert {one.method for one in found} == {"combined"}
    assert np.mean([holds(one.shown, truth.mean()) for one in found]) >= 0.95


def test_with_a_hundred_and_more_a_rare_one_is_combined():
    rng = np.random.default_rng(4)
    truth = (rng.random(3000) < 0.1).astype(float)
    proposed = np.where(rng.random(3000) < 0.9, truth, 1 - truth)
    found = drawn(rng, truth, proposed, np.full(3000, 0.2), rare=True)
    assert found.method == "combined"
    assert found.shown is found.combined


def test_every_call_labelled_leaves_no_doubt():
    found = honest_mean([1, 2, 3], [2, 2, 2], [1, 1, 1])
    assert (found.combined.value, found.combined.interval.low, found.combined.interval.high) == (2, 2, 2)


@pytest.mark.parametrize(
    ("labels", "chance", "why"),
    [([np.nan] * 3, [1, 1, 1], Why.NO_ITEMS), ([1, np.nan, 2], [0, 1, 1], Why.NOT_RANDOM)],
)
def test_without_labels_or_chances_nothing_is_said(labels, chance, why):
    found = honest_mean([1, 2, 3], labels, chance)
    assert (found.shown.value, found.shown.why, found.proposed) == (None, why, 2)


def test_one_label_and_equal_differences_have_no_interval():
    assert honest_mean([1, 2, 3], [1, np.nan, np.nan], [0.3] * 3).why is Why.TOO_FEW
    equal = honest_mean([1, 2, 3], [2, 3, np.nan], [0.6] * 3)
    assert (equal.method, equal.why) == ("human_only", Why.NO_SPREAD)
    assert equal.shown.interval is not None


@pytest.mark.parametrize(
    ("proposed", "labels", "chance", "rare"),
    [
        ([1, 2], [1], [1, 1], False),
        ([1, np.nan], [1, 1], [1, 1], False),
        ([1, 1], [0.5, 1], [1, 1], True),
    ],
)
def test_what_cannot_be_meant_is_refused(proposed, labels, chance, rare):
    with pytest.raises(WrongRatings):
        honest_mean(proposed, labels, chance, rare=rare)


@pytest.mark.parametrize("n", [10, 30])
def test_where_people_changed_fewer_than_five_the_mean_of_people_is_shown_and_this_is_why(n):
    """Scores in steps of five; one in ten is changed."""
    rng = np.random.default_rng(6)
    careless, careful, combined = [], [], []
    for _ in range(400):
        truth = np.round((100 - rng.gamma(2, 5, 1000)) / 5) * 5
        proposed = truth + np.where(rng.random(1000) < 0.1, rng.choice([5, 10, 20], 1000), 0)
        labels = np.full(1000, np.nan)
        known = rng.choice(1000, n, replace=False)
        labels[known] = truth[known]
        found = honest_mean(proposed, labels, np.full(1000, n / 1000))
        careless.append(holds(found.combined, truth.mean()))
        careful.append(holds(found.shown, truth.mean()))
        combined.append(found.method == "combined")
    assert np.mean(careless) < 0.88
    assert np.mean(careful) >= 0.91
    assert np.mean(combined) < 0.25


def test_of_sums_it_is_as_of_calls():
    rng = np.random.default_rng(7)
    truth = rng.normal(80, 9, 500)
    proposed, known = truth + rng.normal(3, 2, 500), rng.random(500) < 0.2
    whole = honest_mean(proposed, np.where(known, truth, np.nan), np.full(500, 0.2))
    sums = put_right(float(proposed.mean()), 500, truth[known], proposed[known], np.full(known.sum(), 0.2))
    assert sums == whole
    with pytest.raises(WrongRatings):
        put_right(3.0, 1, [1, 2], [1, 2], [1, 1])
    assert put_right(None, 0, [], [], []).why is Why.NO_ITEMS
