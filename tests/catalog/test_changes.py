"""What differs between two JSON values."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.catalog.changes import Difference, differences, moves

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.sampled_from(["a", "b", "甲"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "kind", "x", "y"]), inner, max_size=4)
        | st.lists(
            st.fixed_dictionaries({"id": st.sampled_from("abcd"), "x": inner}), unique_by=lambda item: item["id"]
        )
    ),
    max_leaves=12,
)


def text(value):
    return json.dumps(value, sort_keys=True)


@given(VALUES, VALUES)
def test_nothing_differs_exactly_where_both_are_the_same(before, after):
    found = list(differences(before, after))
    assert (not found) == (text(before) == text(after))


@given(VALUES)
def test_a_copy_differs_in_nothing(value):
    assert not list(differences(value, copy.deepcopy(value)))


@given(VALUES, VALUES)
def test_the_way_back_has_as_many_differences(before, after):
    there, back = (list(differences(*pair)) for pair in ((before, after), (after, before)))
    assert len(there) == len(back)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (1, True, [Difference((), "changed", 1, True)]),
        ({"x": None}, {"x": 0}, [Difference(("x",), "changed", None, 0)]),
        ({"x": 1}, {"y": 1}, [Difference(("x",), "removed", 1), Difference(("y",), "added", None, 1)]),
        (
            ["a", "b", "b"],
            ["b", "c"],
            [Difference((), "removed", "a"), Difference((), "removed", "b"), Difference((), "added", None, "c")],
        ),
        (["a", "b"], ["b", "a"], [Difference((), "moved", ["a", "b"], ["b", "a"])]),
        (
            [{"id": "a", "x": 1}, {"id": "b", "x": 1}],
            [{"id": "b", "x": 2}, {"id": "a", "x": 1}],
            [Difference(("b",), "moved", 2, 1), Difference(("b", "x"), "changed", 1, 2)],
        ),
        (
            [{"up_to": 1}, {"up_to": 3}, {"up_to": None}],
            [{"up_to": 2}, {"up_to": 3}, {"up_to": 4}, {"up_to": None}],
            [Difference((0, "up_to"), "changed", 1, 2), Difference((2,), "added", None, {"up_to": 4})],
        ),
        (
            {"kind": "answer", "yes": 1},
            {"kind": "likert", "max": 5},
            [Difference((), "changed", {"kind": "answer", "yes": 1}, {"kind": "likert", "max": 5})],
        ),
    ],
)
def test_each_kind_of_difference(before, after, found):
    assert list(differences(before, after)) == found


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        ("abcd", "abcd", []),
        ("abcd", "abxcd", []),
        ("abcd", "acd", []),
        ("abcd", "bcda", [("a", 1, 4)]),
        ("abcd", "dabc", [("d", 4, 1)]),
        ("ab", "ba", [("b", 2, 1)]),
        ("", "ab", []),
    ],
)
def test_the_fewest_moves_are_told(before, after, moved):
    assert list(moves(before, after)) == moved


@given(st.permutations("abcdef"))
def test_what_was_not_moved_still_stands_in_order(after):
    moved = {id_ for id_, _, _ in moves("abcdef", after)}
    rest = [id_ for id_ in after if id_ not in moved]
    assert rest == sorted(rest)
