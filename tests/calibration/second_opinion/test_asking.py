"""A firm disagreement calls a person and keeps the call from going unread; a blind review shows nothing of it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import select

from callgrade.calibration.second_opinion.asking import SecondOpinions
from callgrade.db.tables import AuditEvent, Review, SecondLook, UnreadDecision
from callgrade.domain.frozen import LocalText
from callgrade.domain.outcomes import Occurrences
from callgrade.reviews.service import ReviewDesk, UnfinishedError
from callgrade.reviews.unread import UnreadDesk
from tests.calibration.second_opinion.made import BAIT, put, trained
from tests.evaluations.made import evaluation
from tests.reviews.autonomous import FORM, card, granted, propose, registered
from tests.reviews.made import person, review

ZONE = ZoneInfo("Asia/Shanghai")


def later():
    return datetime.now(UTC) + timedelta(minutes=2)


def stand(database, *, content=None):
    registered(database)
    put(database, trained()["bait"], content=content)
    return SecondOpinions(database, zone=ZONE)


def baited(database, call_id="C-1", **more):
    """The agent baits, and the judge has found nothing."""
    return propose(database, call_id, said=f"{BAIT}请您稍等一下", **more)


def look(database):
    with database.reading() as session:
        return session.exec(select(SecondLook)).all(), session.exec(select(Review)).all()


def test_a_firm_disagreement_puts_the_call_into_the_pool_with_its_reason(database):
    second = stand(database)
    made = baited(database)
    quiet = propose(database, "C-2", said="请您稍等一下费用按月收取")
    assert second.look_through() == 1
    assert second.look_through() == 0, "once is enough"
    looks, [row] = look(database)
    assert (row.evaluation_id, row.why, row.blind, row.reviewer_id, row.slot) == (
        made.id,
        "second_opinion",
        False,
        None,
        0,
    )
    told = {one.evaluation_id: one.differs for one in looks}
    assert told[quiet.id] == []
    [one] = told[made.id]
    assert (one["criterion_id"], one["fault"], one["calls"]) == ("bait", True, 120)
    assert one["probability"] >= 0.9
    assert evaluation(database, made.id).total == made.total, "no score is changed"
    with database.reading() as session:
        assert "evaluation.contradicted" in {event.action for event in session.exec(select(AuditEvent)).all()}


def test_it_disagrees_with_an_accusation_too(database):
    second = stand(database)
    propose(database, said="请您稍等一下费用按月收取", shown=card(bait=1))
    assert second.look_through() == 1
    assert look(database)[0][0].differs[0]["fault"] is False


def test_nothing_goes_unread_while_it_differs_or_cannot_be_asked(database):
    second = stand(database)
    granted(database)
    made, quiet = baited(database), propose(database, "C-2", said="请您稍等一下费用按月收取")
    desk = UnreadDesk(database, zone=ZONE, audited_share=1e-9, second_opinion=second.ask, clock=later)
    assert desk.look_through() == (1, 0, 1), "also where nobody had asked it before"
    assert evaluation(database, quiet.id).status == "published"
    assert evaluation(database, made.id).status == "proposed"
    with database.reading() as session:
        rows = {row.evaluation_id: row for row in session.exec(select(UnreadDecision)).all()}
    assert (rows[made.id].outcome, rows[made.id].stopped_by) == ("kept", "second_opinion")
    assert [row.why for row in look(database)[1]] == ["second_opinion"]


def test_a_file_that_cannot_be_trusted_lets_nothing_go_unread(database, caplog):
    second = stand(database, content=trained()["bait"].content[:-40])
    granted(database)
    made = propose(database, said="请您稍等一下费用按月收取")
    assert second.look_through() == 0
    desk = UnreadDesk(database, zone=ZONE, audited_share=1e-9, second_opinion=second.ask, clock=later)
    assert desk.look_through() == (0, 0, 0)
    assert evaluation(database, made.id).status == "proposed"
    assert "UntrustworthyError" in {getattr(record, "error", None) for record in caplog.records}


def test_of_a_criterion_that_has_changed_nobody_is_asked(database):
    bait = FORM.by_id["bait"].model_copy(update={"guidance": LocalText(zh="改")})
    changed = FORM.model_copy(update={"criteria": (FORM.by_id["warm"], bait)})
    registered(database, changed)
    put(database, trained()["bait"])
    propose(database, said=BAIT, shown=card(changed))
    assert SecondOpinions(database, zone=ZONE).look_through() == 0
    assert look(database) == ([], [])


def test_what_goes_by_itself_is_decided_by_a_person_where_it_differs(database):
    second = stand(database)
    granted(database)
    baited(database)
    second.look_through()
    li, desk = person(database, "li"), ReviewDesk(database, bulk_confidence=0.0)
    [row] = look(database)[1]
    view = desk.open(li, row.id)
    assert (view.why, view.undecided) == ("second_opinion", ("bait",))
    assert view.card("warm").automatic is not None
    shown = view.card("bait")
    assert (shown.automatic, shown.in_bulk, shown.differs.fault) == (None, False, True)
    desk.approve_together(li, row.id, {"bait": 0})
    with pytest.raises(UnfinishedError, match="bait"):
        desk.finish(li, row.id)
    desk.decide(li, row.id, "bait", "override", outcome=Occurrences(occurrences=1), reason="听到了", expected=0)
    assert desk.finish(li, row.id).done


def test_a_blind_review_shows_nothing_of_it_before_it_is_submitted(database):
    second = stand(database)
    made = baited(database)
    li, desk = person(database, "li"), ReviewDesk(database)
    id_ = review(database, made, blind=True, why="second_opinion")
    before = desk.open(li, id_)
    second.look_through()
    after = desk.open(li, id_)
    assert after.cards == before.cards
    assert (after.why, after.card("bait").differs) == ("sample", None)
    assert len(look(database)[1]) == 1, "whoever reviews it anyway is enough"
    for criterion in ("warm", "bait"):
        desk.decide(li, id_, criterion, "cannot_judge", reason="听不清", expected=0)
    assert desk.finish(li, id_).card("bait").differs.fault is True
