import math

import numpy as np
import pytest

from callgrade.stats.ratings import Ratings, Row, steps
from callgrade.stats.results import WrongRatings


def test_rows_make_items_times_raters_with_gaps():
    rows = [
        Row(item="c1", rater="li", rating=2, agent="x"),
        Row(item="c1", rater="wang", rating=3.5, agent="x"),
        Row(item="c2", rater="wang", rating=1),
    ]
    ratings = Ratings.from_rows(rows, categories=steps(1, 5, 0.5))
    assert ratings.items == ("c1", "c2")
    assert ratings.raters == ("li", "wang")
    assert np.array_equal(ratings.values, [[2, 3.5], [math.nan, 1]], equal_nan=True)
    assert ratings.codes.tolist() == [[2, 5], [-1, 0]]
    assert ratings.agents[0] == "x"
    assert ratings.agents[1] not in ("x", "c2")  # of nobody known: a group of its own
    assert ratings.of("wang").values[:, 0].tolist() == [3.5, 1]


def test_rows_cannot_be_given_by_place():
    with pytest.raises(TypeError):
        Row("c1", "li", 3)  # type: ignore[misc]
    with pytest.raises(WrongRatings, match="names, not places"):
        Ratings.from_rows([("c1", "li", 3)])  # type: ignore[list-item]


def test_items_and_raters_do_not_change_places_unnoticed():
    values = np.ones((3, 2))
    with pytest.raises(WrongRatings, match="2 items × 3 raters"):
        Ratings(values=values, items=("a", "b"), raters=("x", "y", "z"))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([Row(item="a", rater="x", rating=1), Row(item="a", rater="x", rating=1)], "rated twice by 'x'"),
        ([Row(item="a", rater="x", rating=7)], "7 is not on the scale 1, 2"),
        ([Row(item="a", rater="x", rating=1.5)], "1.5 is not on the scale"),
        ([Row(item="a", rater="x", rating=math.inf)], "finite"),
        (
            [Row(item="a", rater="x", rating=1, agent="k"), Row(item="a", rater="y", rating=1, agent="m")],
            "two agents",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(rows, said):
    with pytest.raises(WrongRatings, match=said):
        Ratings.from_rows(rows, categories=[1, 2])


@pytest.mark.parametrize("scale", [[1], [1, 1], [2, 1], [1, math.nan]])
def test_a_scale_rises_and_has_two_points(scale):
    with pytest.raises(WrongRatings):
        Ratings.from_columns({"x": [1]}, categories=scale)


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(WrongRatings, match="different numbers"):
        Ratings.from_columns({"x": [1, 2], "y": [1]})
    with pytest.raises(WrongRatings, match="one for each item"):
        Ratings.from_columns({"x": [1, 2]}, agents=["k"])


def test_steps_reach_their_end():
    assert steps(1, 5) == (1, 2, 3, 4, 5)
    assert steps(0, 0.3, 0.1) == (0, 0.1, 0.2, 0.3)
    for wrong in ((5, 1, 1), (1, 5, 0), (1, 2, 0.3)):
        with pytest.raises(WrongRatings):
            steps(*wrong)


def test_a_rating_that_was_added_up_in_binary_is_on_its_category():
    ratings = Ratings.from_columns({"x": [0.1 + 0.2]}, categories=steps(0, 0.5, 0.1))
    assert ratings.codes.tolist() == [[3]]
