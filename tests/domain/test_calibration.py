"""Outcomes as numbers on their own scale: the scale decides what categories there are, not the data."""

from decimal import Decimal

import pytest

from callgrade.domain.calibration import (
    categories_of,
    category_names,
    is_ordered,
    is_violation,
    rating_of,
    rating_where_absent,
)
from callgrade.domain.outcomes import Answer, Count, Kinds, Level, Occurrences, Score
from callgrade.domain.rubrics import Criterion
from callgrade.domain.scales import OUTCOME_OF


def criterion(**scale) -> Criterion:
    return Criterion.model_validate({"id": "one", "title": {"en": "One"}, "judge": "llm", "scale": scale})


ANSWER = criterion(kind="answer", yes=0, no=-2)
GOOD = criterion(kind="answer", yes=-2, no=0)
BONUS = criterion(kind="bonus", points=5)
LEVELS = criterion(
    kind="levels",
    levels=[
        {"id": "full", "points": 15, "title": {"zh": "全", "en": "full"}},
        {"id": "half", "points": 7.5},
        {"id": "none", "points": 0},
    ],
)
EQUAL = criterion(kind="levels", levels=[{"id": "a", "points": 0}, {"id": "b", "points": 0}, {"id": "c", "points": 0}])
LIKERT = criterion(kind="likert", min=1, max=5)
DEDUCT = criterion(kind="deduct", points=10)
KINDS = criterion(kind="tiers", by="kinds", steps=[{"up_to": 1, "points": 0}, {"up_to": 2, "points": -1}], cap=-5)
COUNTED = criterion(kind="tiers", by="count", steps=[{"points": 0}])
VIOLATION = criterion(kind="violation", severity="grave", effect="flag")
THRICE = criterion(kind="violation", severity="grave", effect="flag", at_least=3)


@pytest.mark.parametrize(
    ("one", "outcome", "rating", "fault"),
    [
        (ANSWER, Answer(answer="yes"), 1, False),
        (ANSWER, Answer(answer="no"), 0, True),
        (GOOD, Answer(answer="yes"), 1, True),
        (BONUS, Answer(answer="no"), 0, None),
        (LEVELS, Level(level="half"), 7.5, False),
        (LEVELS, Level(level="none"), 0, True),
        (EQUAL, Level(level="b"), 1, False),
        (LIKERT, Score(score=Decimal(2)), 2, False),
        (LIKERT, Score(score=Decimal(1)), 1, True),
        (DEDUCT, Occurrences(occurrences=0), 0, False),
        (DEDUCT, Occurrences(occurrences=9), 2, True),
        (KINDS, Kinds(kinds=1), 0, False),
        (KINDS, Kinds(kinds=9), -5, True),
        (COUNTED, Count(count=1), 1, False),
        (VIOLATION, Occurrences(occurrences=1), 1, True),
        (THRICE, Occurrences(occurrences=2), 0, False),
        (THRICE, Occurrences(occurrences=4), 1, True),
    ],
)
def test_an_outcome_is_a_place_on_its_scale(one, outcome, rating, fault):
    assert rating_of(one, outcome) == rating
    assert rating in categories_of(one)
    assert is_violation(one, outcome) is fault


def test_categories_come_from_the_scale():
    assert categories_of(LEVELS) == (0, 7.5, 15)
    assert categories_of(EQUAL) == (0, 1, 2)
    assert categories_of(LIKERT) == (1, 2, 3, 4, 5)
    assert categories_of(DEDUCT) == categories_of(VIOLATION) == categories_of(COUNTED) == (0, 1, 2)
    assert categories_of(KINDS) == (-5, -1, 0)
    assert categories_of(THRICE) == categories_of(ANSWER) == (0, 1)


def test_categories_have_names_in_both_languages():
    assert [name.en for name in category_names(LEVELS)] == ["none", "half", "full"]
    assert [name.zh for name in category_names(LEVELS)] == ["none", "half", "全"]
    assert category_names(DEDUCT)[-1].zh == "2 及以上"
    assert [name.en for name in category_names(LIKERT)] == ["1", "2", "3", "4", "5"]
    for one in (ANSWER, BONUS, EQUAL, KINDS, COUNTED, VIOLATION, THRICE):
        assert len(category_names(one)) == len(categories_of(one))


def test_an_outcome_of_another_scale_is_no_rating():
    for one in (ANSWER, BONUS, LEVELS, LIKERT, DEDUCT, KINDS, VIOLATION):
        others = [kind for name, kind in OUTCOME_OF.items() if kind is not OUTCOME_OF.get(one.scale.kind)]
        assert others
        assert rating_of(one, None) is None
        assert is_violation(one, None) is None
    assert rating_of(LEVELS, Level(level="unknown")) is None
    assert rating_of(LIKERT, Score(score=Decimal(6))) is None
    assert rating_of(DEDUCT, Answer(answer="yes")) is None
    assert rating_of(KINDS, Count(count=1)) is None


def test_what_cannot_have_happened_did_not_happen():
    assert rating_where_absent(VIOLATION) == rating_where_absent(DEDUCT) == 0
    assert rating_where_absent(ANSWER) is rating_where_absent(LIKERT) is None


def test_near_misses_count_on_ordered_scales_alone():
    assert [is_ordered(one.scale) for one in (ANSWER, BONUS, THRICE)] == [False] * 3
    assert [is_ordered(one.scale) for one in (LEVELS, LIKERT, DEDUCT, KINDS, VIOLATION)] == [True] * 5
