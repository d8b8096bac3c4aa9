"""A call whose words were corrected is counted once: by the evaluation that stands. On SQLite and PostgreSQL."""

import pytest

from callgrade.domain.outcomes import Answer, Occurrences
from callgrade.domain.periods import span_of
from callgrade.domain.programme import Period
from callgrade.evaluations import lists
from callgrade.evaluations import repository as evaluations
from callgrade.evaluations.lists import Filters
from callgrade.reviews.corrections import Corrections, hand_back
from callgrade.reviews.dashboards import board
from callgrade.reviews.dashboards_repository import Asked
from callgrade.reviews.service import ReviewDesk
from tests.evaluations.made import CLIENT, evaluation
from tests.reviews.made import DUE, FORM, Clock, person, proposal, proposed, review
from tests.reviews.test_dashboards import AT, SHANGHAI, published

NOVEMBER = Asked(span=span_of(Period(unit="month"), AT, SHANGHAI), rubric=FORM.id)


@pytest.fixture
def correct(database):
    """Puts a call's words right by a review of it and gives the review that comes in its place."""
    corrections = Corrections(database, lambda row: None, clock=Clock())

    def again(who, review_id, text="不是这样说的"):
        version = corrections.words(who, review_id).version
        made = corrections.correct(who, review_id, 0, text, version)
        return made.evaluation_id, made.review_id

    return again


def judge(database, id_):
    with database.writing() as session:
        work = evaluations.begin(session, id_, "judging")
        assert evaluations.store_scorecard(session, id_, work.attempt, proposal())
    hand_back(database)


def finish(database, who, review_id):
    desk = ReviewDesk(database, clock=Clock())
    for criterion in ("warm", "clear", "slips", "bait"):
        outcome = Occurrences(occurrences=0) if criterion in ("slips", "bait") else Answer(answer="yes")
        desk.decide(who, review_id, criterion, "override", outcome=outcome, reason="x", expected=0)
    desk.finish(who, review_id)


def listed(database, **filters):
    with database.reading() as session:
        return [row.id for row in lists.list_page(session, CLIENT, Filters(**filters)).items]


def counted(database, who):
    with database.reading() as session:
        return board(session, who, NOVEMBER, "centre", None, SHANGHAI).whole.published


def test_a_proposal_leaves_its_place_at_once(database, correct):
    li, made = person(database, "li"), proposed(database, started_at=AT)
    second, waiting = correct(li, review(database, made, reviewer_id=li.user_id))
    assert listed(database) == [second]
    judge(database, second)
    third, _ = correct(li, waiting, "也不是这样说的")
    assert listed(database) == [third]
    # one step leads from each to the one that stands
    assert {evaluation(database, id_).yields_to for id_ in (made.id, second)} == {third}


def test_whoever_names_the_call_or_its_batch_sees_them_all(database, correct):
    li, made = person(database, "li"), proposed(database, started_at=AT)
    second, _ = correct(li, review(database, made, reviewer_id=li.user_id))
    assert listed(database, call=made.call_id) == [second, made.id]


def test_what_is_published_counts_until_the_next_one_is(database, correct):
    boss, li, wang = person(database, "boss", "admin"), person(database, "li"), person(database, "wang")
    made = published(database, li, "C-1")
    check = review(database, made, reviewer_id=wang.user_id, slot=1, why="complaint", due_at=DUE)
    second, waiting = correct(wang, check)
    judge(database, second)
    assert (listed(database), counted(database, boss)) == ([made.id], 1)
    finish(database, wang, waiting)
    assert (listed(database), counted(database, boss)) == ([second], 1)
    assert (evaluation(database, made.id).yields_to, evaluation(database, second).yields_to) == (second, None)


def test_what_was_proposed_is_kept_beside_what_was_published(database):
    made = published(database, person(database, "li"), "C-1", clear="yes", bait=0)
    row = evaluation(database, made.id)
    assert (row.proposed, row.proposed_passed) == (made.total, made.passed)
    assert row.total != row.proposed
