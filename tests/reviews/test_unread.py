"""What is published unread, on SQLite and PostgreSQL."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from callgrade.db.tables import AuditEvent, PublishedScorecard, Review, SamplingPlan, UnreadDecision
from callgrade.domain.errors import ConflictError
from callgrade.domain.outcomes import Answer
from callgrade.domain.plans import Always, Plan
from callgrade.reviews import unread
from callgrade.reviews.autonomy import pass_of
from callgrade.reviews.service import ReviewDesk, UnfinishedError
from callgrade.reviews.unread import UnreadDesk, chance
from tests.evaluations.made import CLIENT, evaluation, webhook
from tests.reviews.autonomous import CALL_LEVEL, FORM, MADE_BY, card, granted, judge, propose
from tests.reviews.made import person, review

LATER = timedelta(minutes=2)


def desk(database, share=1e-9):
    return UnreadDesk(
        database, zone=ZoneInfo("Asia/Shanghai"), audited_share=share, clock=lambda: datetime.now(UTC) + LATER
    )


def decided(database):
    with database.reading() as session:
        return session.exec(select(UnreadDecision)).all()


def test_by_default_nothing_is_automatic(database):
    made = propose(database)
    assert desk(database).look_through() == (0, 0, 0)
    assert evaluation(database, made.id).status == "proposed"
    assert decided(database) == []


def test_a_call_is_published_unread_when_all_its_criteria_go_by_themselves(database):
    ids = granted(database)
    webhook(database, "evaluation.published")
    made = propose(database)
    assert desk(database).look_through() == (1, 0, 0)
    assert evaluation(database, made.id).status == "published"
    with database.reading() as session:
        stands = session.exec(select(PublishedScorecard)).one()
        told = {event.action for event in session.exec(select(AuditEvent)).all()}
        assert session.exec(select(Review)).all() == []
    assert (stands.published_by, stands.review_id, stands.revision) == ("system", None, 1)
    assert {"evaluation.published", "evaluation.published_unread"} <= told
    [row] = decided(database)
    assert (row.outcome, row.stopped_by, sorted(row.states)) == ("published", None, sorted(ids.values()))
    assert desk(database).look_through() == (0, 0, 0), "once is enough"


def test_one_criterion_without_a_bound_keeps_the_call_for_people(database):
    granted(database, "warm")
    made = propose(database)
    assert desk(database).look_through() == (0, 0, 1)
    assert evaluation(database, made.id).status == "proposed"
    assert decided(database)[0].stopped_by == "bait"


def test_the_rest_may_be_violations_under_a_bound_for_the_whole_call(database):
    granted(database, "warm", CALL_LEVEL)
    clean, accused = propose(database, "C-1"), propose(database, "C-2", card(call_id="C-2", bait=1))
    assert desk(database).look_through() == (1, 0, 1)
    assert evaluation(database, clean.id).status == "published"
    assert evaluation(database, accused.id).status == "proposed", "what accuses somebody is read"


def test_a_violation_that_was_found_is_always_read(database):
    granted(database)
    made = propose(database, shown=card(bait=1))
    assert desk(database).look_through() == (0, 0, 1)
    assert evaluation(database, made.id).status == "proposed"


@pytest.mark.parametrize(
    "figures",
    [{}, {"bound": 0.2}, {"bound": 0.0495, "level": 0.02}, {"reviewed": 0}],
    ids=["no evidence", "not proven", "another level", "nothing reviewed"],
)
def test_nothing_is_published_unread_without_a_proven_bound(database, figures):
    whole = {"source": "production", "reviewed": 59, "level": 0.05, "confidence": 0.95, "bound": 0.0495}
    granted(database, evidence={"figures": {**whole, **figures} if figures else {}})
    propose(database)
    assert desk(database).look_through() == (0, 0, 1)


@pytest.mark.parametrize(
    "changed",
    [
        {"model_reported": "made-up-model-2"},
        {"prompt": {"id": "judge", "version": "v2", "digest": "sha256:p2"}},
        {"recogniser": "another-recogniser"},
        {"model_reported": None},
        {"prompt": None},
    ],
    ids=["model", "prompt", "recogniser", "no model", "no prompt"],
)
def test_what_made_the_scorecard_must_be_what_was_measured(database, changed):
    granted(database)
    shown = card(by=MADE_BY.model_copy(update=changed))
    made = propose(database, shown=shown)
    with database.reading() as session:
        assert pass_of(session, CLIENT, FORM, shown).automatic == {}
        assert set(pass_of(session, CLIENT, FORM, card()).automatic) == {"warm", "bait"}
    assert desk(database).look_through() == (0, 0, 1)
    assert evaluation(database, made.id).status == "proposed"


def test_another_criterion_loses_its_state_and_the_others_keep_theirs(database):
    granted(database)
    warm = FORM.by_id["warm"].model_copy(
        update={"guidance": FORM.by_id["warm"].guidance.model_copy(update={"zh": "改"})}
    )
    changed = FORM.model_copy(update={"version": "v2", "criteria": (warm, FORM.by_id["bait"])})
    with database.reading() as session:
        assert set(pass_of(session, CLIENT, changed, card(changed)).automatic) == {"bait"}
        assert pass_of(session, CLIENT, changed, card(changed)).passing.stopped_by == "warm"


def test_a_share_is_audited_blind_with_its_probability(database):
    granted(database)
    made = propose(database)
    assert desk(database, share=1.0).look_through() == (0, 1, 0)
    with database.reading() as session:
        row = session.exec(select(Review)).one()
    assert (row.why, row.blind, row.slot, row.state) == ("audit", True, 0, "open")
    assert decided(database)[0].probability == 1.0
    assert evaluation(database, made.id).status == "proposed"
    li = person(database, "li")
    reviewing = ReviewDesk(database)
    view = reviewing.open(li, row.id)
    assert all(one.automatic is None and one.proposed is None for one in view.cards)
    assert view.undecided == ("warm", "bait")
    judge(reviewing, li, row.id, missed=("bait",))
    assert evaluation(database, made.id).status == "published"


def test_about_the_audited_share_is_drawn_and_always_the_same():
    drawn = [chance(f"{number:032x}", 1) < 0.05 for number in range(4000)]
    assert 160 <= sum(drawn) <= 240
    assert drawn[:50] == [chance(f"{number:032x}", 1) < 0.05 for number in range(50)]


def test_what_a_plan_always_looks_at_stays_with_people(database):
    granted(database)
    made = propose(database)
    plan = Plan(always=Always(red_lines=False, topic=("随时取消",)))
    with database.writing() as session:
        spec = plan.model_dump(mode="json")
        session.add(SamplingPlan(client_id=CLIENT, name="n", rubric_id=FORM.id, spec=spec, created_by="u"))
    assert desk(database).look_through() == (0, 0, 1)
    assert decided(database)[0].stopped_by == "topic"
    assert evaluation(database, made.id).status == "proposed"


def test_what_somebody_reviews_and_what_came_before_the_grant_are_left_alone(database):
    before = propose(database, "C-0")
    granted(database, since=datetime.now(UTC))
    asked = propose(database, "C-1")
    review(database, asked)
    assert desk(database).look_through() == (0, 0, 0)
    assert {evaluation(database, one.id).status for one in (before, asked)} == {"proposed"}


def test_a_proposal_that_fails_keeps_no_other_from_being_decided(database, monkeypatch):
    granted(database)
    propose(database, "C-1")
    propose(database, "C-2")
    real, calls = unread.pass_of, []

    def fails_once(*args):
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("a sentence")
        return real(*args)

    monkeypatch.setattr(unread, "pass_of", fails_once)
    assert desk(database).look_through() == (1, 0, 0)
    assert desk(database).look_through() == (1, 0, 0)


def test_an_automatic_criterion_is_decided_beforehand_and_may_be_overridden(database):
    granted(database, "warm")
    made = propose(database)
    li = person(database, "li")
    reviewing, id_ = ReviewDesk(database), review(database, made, reviewer_id=li.user_id)
    view = reviewing.open(li, id_)
    assert view.card("warm").automatic.en.startswith("0 missed of 59")
    assert view.card("bait").automatic is None
    assert (view.undecided, view.to_decide) == (("bait",), 1)
    view = reviewing.decide(li, id_, "warm", "override", outcome=Answer(answer="no"), reason="不热情", expected=0)
    assert (view.to_decide, view.decided) == (2, 1)
    reviewing.undo(li, id_, "warm", expected=1)
    with pytest.raises(UnfinishedError):
        reviewing.finish(li, id_)
    reviewing.decide(li, id_, "bait", "approve", expected=0)
    done = reviewing.finish(li, id_)
    assert done.running.total.value == 10
    with database.reading() as session:
        [told] = [event for event in session.exec(select(AuditEvent)).all() if event.action == "review.submitted"]
    assert told.facts["automatic"] == 1


def test_a_blind_review_neither_shows_nor_uses_it(database):
    granted(database)
    made = propose(database)
    li = person(database, "li")
    reviewing, id_ = ReviewDesk(database), review(database, made, reviewer_id=li.user_id, blind=True)
    view = reviewing.open(li, id_)
    assert view.undecided == ("warm", "bait")
    assert all(one.automatic is None for one in view.cards)
    with pytest.raises(ConflictError):
        reviewing.finish(li, id_)
