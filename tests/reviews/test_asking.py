"""Asking for a review, and checking a published score again, on SQLite and PostgreSQL. All of it is made up."""

import pytest
from sqlmodel import select

from callgrade.db.tables import PublishedScorecard, Review
from callgrade.domain.errors import ConflictError, ForbiddenError, UnknownResourceError
from callgrade.domain.outcomes import Answer, Occurrences
from callgrade.reviews.appeals import AppealDesk
from callgrade.reviews.asking import ask
from callgrade.reviews.assignment import assign
from callgrade.reviews.publishing import published
from callgrade.reviews.service import ReviewDesk
from tests.evaluations.made import evaluation, submit, transcript
from tests.reviews.made import DUE, person, proposed, registered, review
from tests.reviews.test_appeals import SHANGHAI


@pytest.fixture
def boss(database):
    return person(database, "boss", "admin")


@pytest.fixture
def people(database):
    """(the reviewer of the call, a colleague)"""
    return person(database, "li"), person(database, "wang")


@pytest.fixture
def standing(database, people):
    """An evaluation whose score li published: cold, and no bait."""
    li, _ = people
    made = proposed(database, agent={"id": "8031", "team": "sales"})
    id_ = review(database, made, reviewer_id=li.user_id)
    desk = ReviewDesk(database)
    desk.decide(li, id_, "warm", "override", outcome=Answer(answer="no"), reason="太冷淡", expected=0)
    desk.decide(li, id_, "clear", "approve", expected=0)
    desk.decide(li, id_, "slips", "approve", expected=0)
    desk.decide(li, id_, "bait", "override", outcome=Occurrences(occurrences=0), reason="没有", expected=0)
    desk.finish(li, id_)
    return made


def asked(database, who, evaluation_, why="complaint", **more):
    with database.writing() as session:
        return ask(session, who, evaluation_.id, why=why, due_at=DUE, **more)


def test_a_picked_call_gets_the_review_that_it_is_published_by(database, boss, people):
    made = proposed(database)
    row = asked(database, boss, made, why="picked")
    assert (row.slot, row.why, row.blind) == (0, "picked", False)
    assert row.reviewer_id in {one.user_id for one in people}
    with pytest.raises(ConflictError, match="already"):
        asked(database, boss, made, why="picked")


def test_a_published_score_is_checked_again_by_somebody_else(database, boss, people, standing):
    _, wang = people
    row = asked(database, boss, standing)
    assert (row.slot, row.why, row.blind, row.reviewer_id) == (1, "complaint", False, wang.user_id)
    with pytest.raises(ConflictError, match="already"):
        asked(database, boss, standing)


def test_what_stands_is_what_the_check_begins_from(database, boss, people, standing):
    li, wang = people
    row = asked(database, boss, standing)
    desk = ReviewDesk(database)
    view = desk.open(wang, row.id)
    assert (view.checks, view.barred) == (1, False)
    assert view.card("warm").proposed.outcome == Answer(answer="no")
    assert view.card("bait").why_not is None
    for criterion in ("clear", "slips", "bait"):
        desk.decide(wang, row.id, criterion, "approve", expected=0)
    desk.decide(wang, row.id, "warm", "override", outcome=Answer(answer="yes"), reason="问候了", expected=0)
    done = desk.finish(wang, row.id)
    with database.reading() as session:
        revision, card = published(session, standing.id)
        rows = session.exec(select(PublishedScorecard).order_by(PublishedScorecard.revision)).all()
    assert revision == 2
    assert [one.review_id for one in rows][1] == row.id
    assert {j.criterion_id: j.outcome for j in card.judgements}["warm"] == Answer(answer="yes")
    assert {j.criterion_id: j.outcome for j in card.judgements}["bait"] == Occurrences(occurrences=0)
    assert float(evaluation(database, standing.id).total) == float(card.total.value)
    # afterwards it still shows what was looked at
    assert (done.checks, done.card("warm").proposed.outcome) == (1, Answer(answer="no"))
    assert li.user_id != wang.user_id


def test_whoever_judged_it_neither_gets_nor_takes_the_check(database, boss, people, standing):
    li, wang = people
    with pytest.raises(ConflictError, match="two people"):
        asked(database, boss, standing, reviewer_id=li.user_id)
    row = asked(database, boss, standing, to_pool=True)
    assert row.reviewer_id is None
    desk = ReviewDesk(database)
    view = desk.open(li, row.id)
    assert view.barred
    with database.reading() as session:
        assert session.get(Review, row.id).claimed_by is None
    with pytest.raises(ForbiddenError, match="somebody else"):
        desk.decide(li, row.id, "warm", "approve", expected=0)
    with database.writing() as session, pytest.raises(ConflictError, match="two people"):
        assign(session, boss, row.id, li.user_id)
    desk.decide(wang, row.id, "clear", "approve", expected=0)


def test_whoever_checked_it_decides_no_appeal_against_it(database, boss, people, standing):
    _, wang = people
    row = asked(database, boss, standing)
    desk = ReviewDesk(database)
    for criterion in ("warm", "clear", "slips", "bait"):
        desk.decide(wang, row.id, criterion, "approve", expected=0)
    desk.finish(wang, row.id)
    agent = person(database, "agent", "agent", agent_id="8031")
    appeals = AppealDesk(database, zone=SHANGHAI)
    contested = appeals.file(agent, standing.id, "warm", reason="问候了", wanted=Answer(answer="yes"))
    with pytest.raises(ForbiddenError, match="judged"):
        appeals.decide(wang, contested.id, "upheld", words="维持")


def test_what_is_published_meanwhile_is_what_counts(database, boss, people, standing):
    """An appeal that is decided while the check is under way is not undone by it."""
    _, wang = people
    row = asked(database, boss, standing)
    desk = ReviewDesk(database)
    for criterion in ("warm", "clear", "slips", "bait"):
        desk.decide(wang, row.id, criterion, "approve", expected=0)
    agent, zhao = person(database, "agent", "agent", agent_id="8031"), person(database, "zhao")
    appeals = AppealDesk(database, zone=SHANGHAI)
    contested = appeals.file(agent, standing.id, "warm", reason="问候了", wanted=Answer(answer="yes"))
    appeals.decide(zhao, contested.id, "accepted", words="确实问候了")
    desk.finish(wang, row.id)
    with database.reading() as session:
        revision, card = published(session, standing.id)
    assert revision == 3
    assert {j.criterion_id: j.outcome for j in card.judgements}["warm"] == Answer(answer="yes")


def test_what_cannot_be_asked_for(database, boss, people, standing):
    li, _ = people
    with pytest.raises(ConflictError, match="complaint"):
        asked(database, boss, standing, why="picked")
    with pytest.raises(ForbiddenError):
        asked(database, li, standing)
    with pytest.raises(UnknownResourceError):
        asked(database, person(database, "lead", "qa_lead", leads=("support",)), standing)
    with pytest.raises(UnknownResourceError):
        asked(database, person(database, "far", "admin", client_id="c2"), standing)
    queued = submit(database, transcript("C-7"), registered(database))
    with pytest.raises(ConflictError, match="queued"):
        asked(database, boss, queued)
    agent = person(database, "agent", "agent", agent_id="9")
    with pytest.raises(ConflictError, match="choose a reviewer"):
        asked(database, boss, standing, reviewer_id=agent.user_id)
    with pytest.raises(UnknownResourceError):
        asked(database, boss, standing, reviewer_id="nobody")


def test_a_lead_asks_within_their_teams(database, people, standing):
    lead = person(database, "lead", "qa_lead", leads=("sales",))
    assert asked(database, lead, standing).why == "complaint"
