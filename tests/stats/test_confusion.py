import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from callgrade.stats.confusion import confusion
from callgrade.stats.intervals import wilson
from callgrade.stats.results import Why, WrongRatings


def test_it_is_scikit_learn_s():
    rng = np.random.default_rng(1)
    truth, said = rng.integers(0, 3, (2, 200)).astype(float)
    found = confusion(truth, said, [0, 1, 2])
    assert found.matrix.tolist() == confusion_matrix(truth, said).tolist()
    assert [found.precision(c).value for c in range(3)] == pytest.approx(precision_score(truth, said, average=None))
    assert [found.recall(c).value for c in range(3)] == pytest.approx(recall_score(truth, said, average=None))
    assert found.accuracy().value == pytest.approx((truth == said).mean())


def test_rows_are_the_truth():
    found = confusion([1, 1, 1, 0], [1, 1, 0, 0], [0, 1])
    assert found.matrix.tolist() == [[1, 0], [1, 2]]
    assert found.recall(1).value == pytest.approx(2 / 3)
    assert found.recall(1).interval == wilson(2, 3)
    assert found.precision(1).value == 1
    assert found.prevalence(1).value == 0.75


def test_what_does_not_occur_says_so_and_missing_ones_do_not_count():
    found = confusion([0, np.nan, 0], [0, 1, np.nan], [0, 1, 2])
    assert found.n == 1
    assert found.recall(2).why is Why.NEVER_TRUE
    assert found.precision(1).why is Why.NEVER_SAID
    with pytest.raises(WrongRatings):
        found.recall(7)
    with pytest.raises(WrongRatings):
        confusion([0], [0, 1], [0, 1])
