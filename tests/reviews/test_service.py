"""The reviewer's desk, on SQLite and PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import TypeAdapter
from sqlalchemy import insert
from sqlmodel import select

from callgrade.db.tables import AuditEvent, Finding, PublishedScorecard, ReviewDecision
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError, JudgementError, UnknownResourceError
from callgrade.domain.outcomes import Answer, Occurrences
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.repository import scorecard_row
from callgrade.evaluations.tables import SCORECARD
from callgrade.reviews.publishing import published
from callgrade.reviews.service import ClaimedError, ReviewDesk, StaleError, UnfinishedError
from callgrade.reviews.views import ReviewView
from tests.domain.forms import judged
from tests.evaluations.made import evaluation
from tests.reviews.made import Clock, person, proposal, proposed, review


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def desk(database, clock):
    return ReviewDesk(database, clock=clock)


@pytest.fixture
def asked(database):
    """(the evaluation, its review, a reviewer)"""
    made = proposed(database)
    li = person(database, "li")
    return made, review(database, made, reviewer_id=li.user_id), li


def decide_all(desk, who, id_, **versions):
    """As a reviewer would who agrees with all that can be agreed with."""
    desk.decide(who, id_, "warm", "approve", expected=versions.get("warm", 0))
    desk.decide(who, id_, "clear", "override", outcome=Answer(answer="yes"), reason="复述过", expected=0)
    desk.decide(who, id_, "slips", "approve", expected=0)
    return desk.decide(who, id_, "bait", "override", outcome=Occurrences(occurrences=0), reason="没有说过", expected=0)


def test_a_review_opens_with_everything_to_decide(desk, asked):
    _, id_, li = asked
    view = desk.open(li, id_)
    assert view.undecided == ("warm", "clear", "slips", "bait")
    assert {card.criterion.id: card.why_not for card in view.cards} == {
        "warm": None,
        "clear": None,
        "slips": None,
        "bait": "unfounded_evidence",
    }
    assert [card.criterion.id for card in view.cards if card.in_bulk] == ["warm", "slips"]
    assert view.running.total.value == 10 + 6 + 0 - 2


def test_of_a_call_ones_own_review_opens_before_one_out_of_the_pool(desk, database, asked):
    made, own, li = asked
    pooled = review(database, made, slot=1)
    assert desk.open_of(li, made.call_id).id == own
    assert desk.open_of(li, made.call_id, pooled).id == pooled
    assert desk.open_of(person(database, "wang"), made.call_id).id == pooled
    assert desk.open_of(person(database, "zhao", "agent", agent_id="8031"), made.call_id) is None
    assert desk.open_of(li, "no-such-call") is None
    with pytest.raises(UnknownResourceError, match="no such review of this call"):
        desk.open_of(li, made.call_id, "no-such-review")


def test_a_decision_moves_the_total_and_the_evaluation(desk, database, asked):
    made, id_, li = asked
    view = desk.decide(li, id_, "clear", "override", outcome=Answer(answer="yes"), reason="复述过", expected=0)
    assert view.running.total.value == 18
    assert view.card("clear").version == 1
    assert view.card("clear").proposed.outcome == Answer(answer="no")
    assert evaluation(database, made.id).status == "in_review"


def test_finishing_publishes_what_people_answer_for(desk, database, asked):
    made, id_, li = asked
    view = decide_all(desk, li, id_)
    assert view.undecided == ()
    done = desk.finish(li, id_)
    assert done.done
    row = evaluation(database, made.id)
    assert (row.status, float(row.total), row.passed) == ("published", 18.0, True)
    with database.reading() as session:
        revision, card = published(session, made.id)
        findings = session.exec(select(Finding)).all()
        told = {event.action for event in session.exec(select(AuditEvent)).all()}
    assert revision == 1
    assert {j.criterion_id: j.method for j in card.judgements} == {
        "warm": "llm",
        "clear": "human",
        "slips": "llm",
        "bait": "human",
    }
    assert findings == []
    assert {"review.submitted", "evaluation.published"} <= told


def test_finishing_twice_is_once(desk, database, asked):
    _, id_, li = asked
    decide_all(desk, li, id_)
    desk.finish(li, id_)
    assert desk.finish(li, id_).done
    with database.reading() as session:
        assert len(session.exec(select(PublishedScorecard)).all()) == 1


def test_what_is_not_decided_is_named(desk, asked):
    _, id_, li = asked
    desk.decide(li, id_, "slips", "approve", expected=0)
    with pytest.raises(UnfinishedError) as caught:
        desk.finish(li, id_)
    assert caught.value.criteria == ("warm", "clear", "bait")


def test_cannot_judge_is_a_decision_and_leaves_the_total_open(desk, database, asked):
    made, id_, li = asked
    decide_all(desk, li, id_)
    desk.decide(li, id_, "bait", "cannot_judge", reason="录音中断", expected=1)
    desk.finish(li, id_)
    with database.reading() as session:
        _, card = published(session, made.id)
    bait = next(j for j in card.judgements if j.criterion_id == "bait")
    assert (bait.status, bait.reason, bait.method) == ("cannot_assess", "录音中断", "human")
    assert card.passed is None


def test_a_quote_that_was_not_said_cannot_be_approved(desk, asked):
    _, id_, li = asked
    with pytest.raises(ConflictError, match="unfounded_evidence"):
        desk.decide(li, id_, "bait", "approve", expected=0)


@pytest.mark.parametrize("kind", ["override", "cannot_judge"])
def test_a_decision_against_the_proposal_needs_a_reason(desk, asked, kind):
    _, id_, li = asked
    with pytest.raises(JudgementError, match="reason"):
        desk.decide(li, id_, "warm", kind, outcome=Answer(answer="no"), reason=" ", expected=0)


def test_what_the_scale_does_not_take_is_refused(desk, asked):
    _, id_, li = asked
    with pytest.raises(JudgementError, match="warm"):
        desk.decide(li, id_, "warm", "override", outcome=Occurrences(occurrences=1), reason="x", expected=0)
    with pytest.raises(JudgementError, match="forbidden"):
        desk.decide(li, id_, "clear", "override", outcome=None, reason="x", expected=0)
    with pytest.raises(JudgementError, match="unheard-of"):
        desk.decide(li, id_, "unheard-of", "approve", expected=0)
    with pytest.raises(InputError, match="at most"):
        desk.decide(li, id_, "warm", "cannot_judge", reason="长" * 2001, expected=0)


def test_an_undo_is_a_row_and_brings_back_what_stood(desk, database, asked):
    _, id_, li = asked
    desk.decide(li, id_, "warm", "approve", expected=0)
    desk.decide(li, id_, "warm", "override", outcome=Answer(answer="no"), reason="没有", expected=1)
    view = desk.undo(li, id_, "warm", expected=2)
    assert view.card("warm").decision.kind == "approve"
    assert view.card("warm").version == 3
    assert desk.undo(li, id_, "warm", expected=3).card("warm").decision is None
    with pytest.raises(ConflictError, match="no decision"):
        desk.undo(li, id_, "warm", expected=4)
    with database.reading() as session:
        assert len(session.exec(select(ReviewDecision)).all()) == 4


@pytest.mark.parametrize("expected", [0, 2, -1])
def test_a_stale_save_is_refused_and_shows_what_stands(desk, asked, expected):
    _, id_, li = asked
    desk.decide(li, id_, "warm", "override", outcome=Answer(answer="no"), reason="没有", expected=0)
    with pytest.raises((StaleError, ValueError)) as caught:
        desk.decide(li, id_, "warm", "approve", expected=expected)
    if isinstance(caught.value, StaleError):
        assert caught.value.stands.reason == "没有"
        assert caught.value.version == 1
    assert desk.look(li, id_).card("warm").version == 1


def test_of_many_saves_at_once_one_is_stored(desk, asked):
    _, id_, li = asked

    def save(_):
        try:
            desk.decide(li, id_, "warm", "approve", expected=0)
        except ConflictError:
            return 0
        return 1

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(save, range(12))) == 1
    assert desk.look(li, id_).card("warm").version == 1


def test_approving_together_leaves_red_lines_and_doubts_to_a_look_of_their_own(desk, asked):
    _, id_, li = asked
    shown = dict.fromkeys(("warm", "clear", "slips", "bait"), 0)
    view = desk.approve_together(li, id_, shown)
    assert view.undecided == ("clear", "bait")
    assert desk.approve_together(li, id_, shown).undecided == ("clear", "bait")


def test_approving_together_is_refused_whole_where_one_is_stale(desk, asked):
    _, id_, li = asked
    desk.decide(li, id_, "slips", "approve", expected=0)
    desk.undo(li, id_, "slips", expected=1)
    with pytest.raises(StaleError):
        desk.approve_together(li, id_, {"warm": 0, "slips": 0})
    assert desk.look(li, id_).card("warm").decision is None


# drafts


def test_a_draft_survives_and_goes_with_its_decision(desk, asked):
    _, id_, li = asked
    desk.draft(li, id_, "warm", {"reason": "客户说"})
    assert desk.look(li, id_).card("warm").draft == {"reason": "客户说"}
    desk.draft(li, id_, "warm", {"reason": "客户说了三遍", "option": 2})
    assert desk.open(li, id_).card("warm").draft == {"reason": "客户说了三遍", "option": 2}
    desk.decide(li, id_, "warm", "approve", expected=0)
    assert desk.look(li, id_).card("warm").draft == {}


def test_a_draft_is_its_writers_alone(desk, database, asked):
    _, id_, li = asked
    lead = person(database, "lead", "admin")
    desk.draft(li, id_, "warm", {"reason": "x"})
    assert desk.look(lead, id_).card("warm").draft == {}
    with pytest.raises(InputError, match="at most"):
        desk.draft(li, id_, "warm", {"reason": "长" * 5000})


# claims


def test_a_claim_is_soft_and_runs_out(desk, database, clock, asked):
    made, _, li = asked
    wang = person(database, "wang", name="王")
    pooled = review(database, made, slot=1)
    desk.open(li, pooled)
    with pytest.raises(ClaimedError):
        desk.decide(wang, pooled, "warm", "approve", expected=0)
    assert desk.open(wang, pooled).claimed_by == "li"
    clock.later(minutes=16)
    desk.decide(wang, pooled, "warm", "approve", expected=0)
    assert desk.look(li, pooled).claimed_by == "王"


def test_a_claim_is_given_back_or_taken_over(desk, database, asked):
    made, _, li = asked
    wang = person(database, "wang")
    pooled = review(database, made, slot=1)
    desk.open(li, pooled)
    assert desk.open(wang, pooled, take_over=True).claimed_by is None
    assert desk.open(li, pooled).claimed_by == "wang"
    desk.release(wang, pooled)
    assert desk.open(li, pooled).claimed_by is None


# who reaches what


def test_a_review_of_somebody_else_does_not_exist(desk, database, asked):
    _, id_, _ = asked
    with pytest.raises(UnknownResourceError):
        desk.open(person(database, "wang"), id_)
    with pytest.raises(ForbiddenError):
        desk.open(person(database, "zhao", "agent", agent_id="8031"), id_)
    stranger = person(database, "far", "admin", client_id="c2")
    with pytest.raises(UnknownResourceError):
        desk.open(stranger, id_)


def test_nobody_reviews_a_call_of_their_own(desk, database):
    made = proposed(database, agent={"id": "8031", "team": "sales"})
    own = person(database, "li", agent_id="8031")
    id_ = review(database, made)
    with pytest.raises(UnknownResourceError):
        desk.open(own, id_)
    assert desk.open(person(database, "wang"), id_).id == id_


def test_a_lead_sees_their_teams(desk, database):
    made = proposed(database, agent={"id": "8031", "team": "sales"})
    id_ = review(database, made, reviewer_id=person(database, "li").user_id)
    assert desk.look(person(database, "lead", "qa_lead", leads=("sales",)), id_).id == id_
    with pytest.raises(UnknownResourceError):
        desk.look(person(database, "other", "qa_lead", leads=("support",)), id_)


# blind


def test_a_review_looks_at_the_attempt_that_it_was_made_for(desk, database, asked):
    made, id_, li = asked
    card = proposal(warm=judged(warm={"answer": "no"})["warm"])
    with database.writing() as session:
        session.execute(insert(SCORECARD), [scorecard_row(made.id, 2, card)])
    assert desk.look(li, id_).card("warm").proposed.outcome == Answer(answer="yes")


def test_a_blind_view_carries_nothing_of_the_proposal(desk, database, asked):
    made, _, li = asked
    id_ = review(database, made, slot=1, blind=True, why="low_confidence", reviewer_id=li.user_id)
    view = desk.open(li, id_)
    text = TypeAdapter(ReviewView).dump_json(view, exclude={"rubric", "transcript"}).decode()
    for told in ("机器认为", "made-up-model", "保证收益", "low_confidence", "unfounded", "0.97", "not_found"):
        assert told not in text
    assert view.why == "sample"
    assert view.running.total.value is None
    assert len({(c.proposed, c.why_not, c.in_bulk) for c in view.cards}) == 1
    with pytest.raises(ConflictError, match="hidden"):
        desk.decide(li, id_, "warm", "approve", expected=0)
    with pytest.raises(ConflictError, match="not shown"):
        desk.approve_together(li, id_, {"warm": 0})


def test_a_second_blind_review_is_kept_beside_and_publishes_nothing(desk, database, asked):
    made, _, li = asked
    id_ = review(database, made, slot=1, blind=True, reviewer_id=li.user_id)
    for criterion, outcome in (
        ("warm", Answer(answer="no")),
        ("clear", Answer(answer="no")),
        ("slips", Occurrences(occurrences=3)),
        ("bait", Occurrences(occurrences=0)),
    ):
        desk.decide(li, id_, criterion, "override", outcome=outcome, expected=0)
    done = desk.finish(li, id_)
    assert done.running.total.value == 4
    assert done.card("warm").proposed.outcome == Answer(answer="yes")
    assert evaluation(database, made.id).status == "proposed"
    with database.reading() as session:
        assert session.exec(select(PublishedScorecard)).all() == []


def test_what_was_published_reads_back_as_a_scorecard(desk, database, asked):
    _, id_, li = asked
    decide_all(desk, li, id_)
    desk.finish(li, id_)
    with database.reading() as session:
        text = session.exec(select(PublishedScorecard.content)).one()
    assert Scorecard.model_validate_json(text).call_id == "C-1"
    with pytest.raises(ConflictError, match="submitted"):
        desk.decide(li, id_, "warm", "approve", expected=1)
