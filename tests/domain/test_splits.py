"""Nobody's calls stand on two sides, whatever is drawn."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from callgrade.domain.splits import SHARES, Standing, astride, draw, groups, unevenness

WHO = st.none() | st.sampled_from([f"x{number}" for number in range(12)])
PAIRS = st.lists(st.tuples(WHO, WHO), max_size=60)


def test_who_ever_spoke_with_each_other_is_one_group_over_others_too():
    pairs = [("a", "k1"), ("b", "k2"), ("c", "k1"), ("c", "k3"), (None, None), (None, None)]
    assert groups(pairs) == [[0, 2, 3], [1], [4], [5]]


def test_an_agent_and_a_customer_of_the_same_name_are_two_people():
    assert groups([("8031", "k"), ("b", "8031")]) == [[0], [1]]


@given(PAIRS, st.text(max_size=5))
@settings(deadline=None)
def test_nobody_is_drawn_onto_two_sides(pairs, seed):
    drawn = draw(pairs, seed)
    assert len(drawn) == len(pairs)
    assert astride(pairs, drawn) == []
    for group in groups(pairs):
        assert len({drawn[at] for at in group}) == 1


def test_the_shares_are_met_as_nearly_as_whole_groups_allow():
    pairs = [(f"agent {number % 40}", f"customer {number}") for number in range(400)]
    count = Counter(draw(pairs, "seed"))
    for split, share in SHARES.items():
        assert abs(count[split] - share * 400) <= 10  # an agent's calls


def test_the_seed_decides_and_the_same_seed_decides_alike():
    pairs = [(f"agent {number}", None) for number in range(40)]
    assert draw(pairs, "a") == draw(list(pairs), "a")
    assert draw(pairs, "a") != draw(pairs, "b")


def test_what_stands_already_counts_and_what_comes_goes_where_most_is_missing():
    taken = {"train": 40, "dev": 0, "holdout": 30}
    assert set(draw([("new", f"k{number}") for number in range(10)], "s", taken)) == {"dev"}


def test_no_side_is_without_a_kind_of_call():
    pairs = [(f"agent {number % 30}", None) for number in range(300)]
    strata = [{"rare"} if number % 30 in (3, 4, 5, 6) else {"common"} for number in range(300)]
    drawn = draw(pairs, "seed", strata=strata)
    found = Counter(split for split, names in zip(drawn, strata, strict=True) if "rare" in names)
    assert set(found) == {"train", "dev", "holdout"}
    assert astride(pairs, drawn) == []
    assert unevenness(drawn, strata) <= unevenness(draw(pairs, "seed"), strata)


def test_what_meets_the_shares_in_every_stratum_is_even():
    drawn = ["train"] * 4 + ["dev"] * 3 + ["holdout"] * 3
    assert unevenness(drawn, [{"a"}] * 10) == 0
    # of one stratum nothing in the holdout: (4-4)²/4 + (6-3)²/3 + (0-3)²/3, and the same of the whole
    assert unevenness(["train"] * 4 + ["dev"] * 6, [{"a"}] * 10) == 12


def test_a_call_goes_where_its_people_stand_or_nowhere():
    placed = Standing([(("a", "k1"), "train"), (("b", "k2"), "holdout"), ((None, None), "dev")])
    assert placed.sides(("a", "new")) == {"train"}
    assert placed.sides(("new", "k2")) == {"holdout"}
    assert placed.sides(("a", "k2")) == {"train", "holdout"}
    assert placed.sides((None, None)) == placed.sides(("k1", "a")) == set()
    placed.add(("c", "k3"), "dev")
    assert placed.sides((None, "k3")) == {"dev"}


def test_who_stands_on_two_sides_is_named():
    assert astride([("a", "k1"), ("b", "k1")], ["train", "dev"]) == ["customer k1"]
