import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.domain.programme import Sampling
from callgrade.domain.sampling import Candidate, draw, in_all, sample_size, shuffled, together, unusual


@pytest.mark.parametrize(
    ("population", "printed", "ours"),
    # Krejcie and Morgan, Determining sample size for research activities (1970), table 1: rounded, where we round up
    [
        (10, 10, 10),
        (50, 44, 45),
        (100, 80, 80),
        (500, 217, 218),
        (1000, 278, 278),
        (5000, 357, 357),
        (10_000, 370, 370),
        (100_000, 384, 383),
    ],
)
def test_the_sample_size_of_a_published_table(population, printed, ours):
    assert sample_size(population) == ours
    assert abs(ours - printed) <= 1


@given(st.integers(1, 10**7), st.floats(0.5, 0.99), st.floats(0.01, 0.2))
def test_a_sample_is_never_larger_than_what_there_is_and_grows_with_it(population, confidence, margin):
    size = sample_size(population, confidence=confidence, margin=margin)
    assert 1 <= size <= population
    assert size <= sample_size(population + 1, confidence=confidence, margin=margin)


def test_of_none_none_is_drawn():
    assert sample_size(0) == 0
    drawn, (stratum,) = draw(Sampling(per_agent=3, in_all=30), [], "s")
    assert drawn == ()
    assert (stratum.population, stratum.drawn, stratum.short) == (0, 0, 30)


def calls(*agents_and_outcomes: tuple[str, str, int]) -> list[Candidate]:
    return [
        Candidate(id=f"{agent}-{outcome}-{n}", agent_id=agent, facts={"outcome": outcome})
        for agent, outcome, number in agents_and_outcomes
        for n in range(number)
    ]


CLOSED = Sampling.model_validate(
    {"per_agent": 3, "calls": {"outcome": ["closed"]}, "instead": {"outcome": ["unclosed"]}, "every": ["month"]}
)


def test_short_of_closed_ones_unclosed_ones_stand_in():
    """Insurance telesales: three closed calls an agent, short of those the same number of unclosed ones."""
    population = calls(("ann", "closed", 10), ("ann", "unclosed", 5), ("bo", "closed", 1), ("bo", "unclosed", 4))
    drawn, strata = draw(CLOSED, population, "2026-11")
    assert Counter((one.stratum, one.instead) for one in drawn) == {
        ("agent:ann", False): 3,
        ("agent:bo", False): 1,
        ("agent:bo", True): 2,
    }
    assert {one.probability for one in drawn if one.stratum == "agent:ann"} == {0.3}
    assert {one.probability for one in drawn if one.instead} == {0.5}
    assert [(s.name, s.population, s.wanted, s.drawn, s.instead, s.short) for s in strata] == [
        ("agent:ann", 10, 3, 3, 0, 0),
        ("agent:bo", 1, 3, 1, 2, 0),
    ]


def test_what_cannot_be_filled_is_said():
    drawn, (stratum,) = draw(CLOSED, calls(("bo", "closed", 1), ("bo", "unclosed", 1)), "s")
    assert len(drawn) == 2
    assert stratum.short == 1


def test_one_a_person_and_thirty_in_all():
    """The 400 hotline: at least one call a person, and thirty in all."""
    population = calls(*((f"a{n}", "closed", 20) for n in range(10)))
    drawn, _ = draw(Sampling.model_validate({"per_agent": 1, "in_all": 30, "every": ["month"]}), population, "s")
    assert len(drawn) == 30
    assert {one.id.split("-")[0] for one in drawn} == {f"a{n}" for n in range(10)}
    assert len({one.id for one in drawn}) == 30


def test_the_most_that_is_asked_counts():
    quota = Sampling.model_validate({"in_all": 30, "share": "0.1", "confidence": "0.95"})
    assert in_all(quota, 1000) == 278
    assert in_all(Sampling.model_validate({"share": "0.1"}), 95) == 10


def test_the_same_seed_draws_the_same_calls_and_another_one_others():
    population = calls(("ann", "closed", 50))
    first = draw(CLOSED, population, "2026-11")
    random.Random(1).shuffle(population)
    assert draw(CLOSED, population, "2026-11") == first
    assert draw(CLOSED, population, "2026-12") != first


def test_every_call_is_drawn_equally_often():
    """3,000 drawings of 3 of 10: each call 900 times, ± 4 standard deviations of 25."""
    population = calls(("ann", "closed", 10))
    often = Counter(one.id for n in range(3000) for one in draw(CLOSED, population, f"seed {n}")[0])
    assert set(often) == {call.id for call in population}
    assert all(800 < number < 1000 for number in often.values())


@given(st.lists(st.text(), unique=True), st.text())
def test_an_order_loses_nothing(ids, seed):
    assert sorted(shuffled(ids, seed)) == sorted(ids)


def test_probabilities_of_drawings_that_know_nothing_of_each_other():
    assert together([]) == 0
    assert together([0.5, 0.5]) == 0.75
    assert together([1.0, 0.1]) == 1.0


def test_unusual_durations():
    ordinary = {f"c{n}": 60_000 + 1000 * n for n in range(40)}
    assert unusual({**ordinary, "short": 2_000, "long": 3_600_000}) == {"short": "short", "long": "long"}
    assert unusual(ordinary) == {}
    assert unusual({"a": 1000, "b": 9_000_000}) == {}  # too few to know what is usual
    assert unusual({**ordinary, "none": 0}) == {}
