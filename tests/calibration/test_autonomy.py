"""Granting autonomy and losing it, on SQLite and PostgreSQL; and simulated judges."""

import numpy as np
import pytest
from sqlmodel import select

from callgrade.access.permissions import ROLES
from callgrade.access.principals import Principal
from callgrade.calibration import autonomy, autonomy_evidence, autonomy_repository
from callgrade.calibration.autonomy import find_line, grant, overview, revoke
from callgrade.calibration.autonomy_drift import look_for_drift, why_over
from callgrade.calibration.autonomy_evidence import Item, of_items
from callgrade.db.tables import AuditEvent, Autonomy
from callgrade.domain.alerts import AutonomyEnded
from callgrade.domain.autonomy import CALL_LEVEL, decide
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError, UnknownResourceError
from callgrade.reviews.alerts import AlertDesk
from callgrade.reviews.autonomy import evidence_of, text_of
from callgrade.reviews.service import ReviewDesk
from tests.calibration.autonomy_runs import run
from tests.evaluations.made import CLIENT
from tests.reviews.alerting import alerts
from tests.reviews.autonomous import FORM, MADE_BY, card, checked, drawing, granted, judge, propose, registered
from tests.reviews.made import person, review


@pytest.fixture
def lead(database):
    registered(database)
    return person(database, "lead", "qa_lead")


@pytest.fixture
def few(monkeypatch):
    """A level that three calls prove: a test of the way, not of the number."""
    monkeypatch.setattr(autonomy, "LEVELS", (0.7, 0.05))
    monkeypatch.setattr(autonomy, "DEFAULT_LEVEL", 0.7)


def reviewed(database, lead, number, *, missed=(), start=0, drawn=None):
    li = person(database, f"li{start}")
    drawn = drawn or drawing(database, lead)
    for n in range(number):
        checked(database, li, drawn, f"C-{start + n}", missed=missed if n == 0 else ())


def test_enough_reviewed_calls_make_a_criterion_automatic(database, lead, few):
    reviewed(database, lead, 3)
    row = grant(database, lead, FORM.id, "warm", level=0.7)
    assert (row.state, row.set_by, row.model_reported) == ("automatic", lead.actor, "made-up-model-1")
    evidence = evidence_of(row)
    assert (evidence.reviewed, evidence.misses, evidence.source) == (3, 0, "production")
    assert evidence.bound == pytest.approx(1 - 0.05 ** (1 / 3))
    assert text_of(row.reason).en.startswith("0 missed of 3 reviewed")
    with database.reading() as session:
        assert "autonomy.looked" in {event.action for event in session.exec(select(AuditEvent)).all()}


def test_too_few_make_nothing_and_say_how_many_more(database, lead):
    reviewed(database, lead, 2)
    row = grant(database, lead, FORM.id, "warm")
    assert row.state == "human_only"
    assert autonomy.verdict_of(row).needed == 57


def test_a_miss_counts_against_it(database, lead, few):
    reviewed(database, lead, 3, missed=("warm",))
    assert grant(database, lead, FORM.id, "warm", level=0.7).state == "human_only"
    assert grant(database, lead, FORM.id, "bait", level=0.7).state == "automatic"


def test_the_whole_call_has_a_bound_of_its_own(database, lead, few):
    reviewed(database, lead, 3)
    row = grant(database, lead, FORM.id, CALL_LEVEL, level=0.7)
    assert (row.state, row.criterion_id) == ("automatic", CALL_LEVEL)


def test_calls_that_were_not_drawn_by_chance_prove_nothing(database, lead):
    li, made = person(database, "li"), propose(database)
    judge(ReviewDesk(database), li, review(database, made, reviewer_id=li.user_id, blind=True))
    with database.reading() as session:
        assert list(autonomy_repository.checked(session, CLIENT, FORM.id)) == []


def test_never_more_is_granted_than_was_asked_for(database, lead, few):
    reviewed(database, lead, 3)
    assert grant(database, lead, FORM.id, "warm", level=0.7, wanted="assisted").state == "assisted"


def test_each_planned_look_spends_a_part_of_the_error(database, lead, few):
    reviewed(database, lead, 3)
    first = evidence_of(grant(database, lead, FORM.id, "warm", level=0.7, looks=2))
    second = evidence_of(grant(database, lead, FORM.id, "warm", level=0.05, looks=9))
    assert (first.look, first.looks, first.confidence) == (1, 2, pytest.approx(0.975))
    assert (second.look, second.looks, second.confidence) == (2, 2, pytest.approx(0.975))
    with database.reading() as session:
        rows = autonomy_repository.history(session, CLIENT, FORM.id, "warm")
    assert [row.ended_at is None for row in rows] == [True, False], "one stands at a time"


def test_after_the_planned_looks_only_fresh_labels_count(database, lead, few):
    drawn = drawing(database, lead)
    reviewed(database, lead, 3, drawn=drawn)
    grant(database, lead, FORM.id, "warm", level=0.7)
    again = grant(database, lead, FORM.id, "warm", level=0.7)
    assert (again.state, evidence_of(again).reviewed) == ("human_only", 0)
    reviewed(database, lead, 3, start=10, drawn=drawn)
    third = grant(database, lead, FORM.id, "warm", level=0.7)
    assert (third.state, evidence_of(third).reviewed) == ("automatic", 3)


def test_levels_and_looks_are_fixed_before(database, lead):
    propose(database)
    for wrong in ({"level": 0.3}, {"looks": 0}, {"looks": 21}):
        with pytest.raises(InputError):
            grant(database, lead, FORM.id, "warm", **wrong)
    with pytest.raises(UnknownResourceError):
        grant(database, lead, FORM.id, "unheard-of")


def test_only_leads_and_admins_decide_and_only_of_their_own_client(database, lead):
    ids = granted(database, "warm")
    key = Principal(client_id=CLIENT, actor="key:k", scopes=ROLES["client"], role="client")
    for who in (key, person(database, "li"), person(database, "agent", "agent")):
        with pytest.raises(ForbiddenError):
            grant(database, who, FORM.id, "warm")
        with pytest.raises(ForbiddenError):
            revoke(database, who, ids["warm"], "why")
    with pytest.raises(UnknownResourceError):
        revoke(database, person(database, "other", "admin", client_id="c2"), ids["warm"], "why")


def test_a_lead_takes_it_back_with_a_reason_and_once(database, lead):
    ids = granted(database, "warm")
    with pytest.raises(InputError):
        revoke(database, lead, ids["warm"], "  ")
    revoke(database, lead, ids["warm"], "新品上线，先看几周")
    with pytest.raises(ConflictError):
        revoke(database, lead, ids["warm"], "again")
    with database.reading() as session:
        row = session.get(Autonomy, ids["warm"])
        assert (row.ended_because, row.ended_at is None) == ("新品上线，先看几周", False)
    propose(database)
    with database.reading() as session:
        assert find_line(session, lead, FORM.id, "warm").verdict.reason.zh == "已收回：新品上线，先看几周"


def test_the_list_tells_how_many_labels_there_are_and_not_what_they_say(database, lead):
    reviewed(database, lead, 2, missed=("warm",))
    with database.reading() as session:
        lines = {line.key.criterion_id: line for line in overview(session, lead)}
    assert list(lines) == ["warm", "bait", CALL_LEVEL]
    warm = lines["warm"]
    assert (warm.state, warm.reviewed, warm.verdict.needed) == ("human_only", 2, 57)
    assert "missed" not in warm.verdict.reason.en


def test_another_model_finds_no_state_and_what_stayed_keeps_its_own(database, lead):
    granted(database)
    propose(database, "C-1", card(call_id="C-1", by=MADE_BY.model_copy(update={"model_reported": "made-up-model-2"})))
    with database.reading() as session:
        lines = overview(session, lead)
        assert [line.state for line in lines] == ["human_only"] * 5
        idle = [line.verdict.reason.en for line in lines if not line.in_use]
        assert idle == ["Applies to nothing now: another model."] * 2
    propose(database, "C-2")
    with database.reading() as session:
        states = {(line.key.model_reported[-1], line.key.criterion_id): line.state for line in overview(session, lead)}
        assert find_line(session, lead, FORM.id, "warm").state == "automatic", "the newest key answers to the name"
    assert states["1", "warm"] == "automatic"
    assert states["2", "warm"] == "human_only"


# drift


def test_one_miss_too_many_ends_it_by_itself(database, lead):
    ids = granted(database)
    AlertDesk(database).make(person(database, "boss", "admin"), "收回", AutonomyEnded(rubric=FORM.id), webhook=True)
    reviewed(database, lead, 3, missed=("warm",))
    assert look_for_drift(database) == 1
    assert look_for_drift(database) == 0
    (alert,) = alerts(database)
    assert (alert.data["autonomy_id"], alert.data["criterion"], alert.data["was"]) == (ids["warm"], "warm", "automatic")
    assert alert.data["because"]["en"].startswith("1 missed of 3 reviewed since then")
    with database.reading() as session:
        warm, bait = session.get(Autonomy, ids["warm"]), session.get(Autonomy, ids["bait"])
        told = {event.action for event in session.exec(select(AuditEvent)).all()}
    assert text_of(warm.ended_because).en.startswith("1 missed of 3 reviewed since then")
    assert bait.ended_at is None
    assert "autonomy.ended" in told


def test_what_was_proven_with_room_to_spare_stands_a_miss(database, lead):
    figures = {"source": "production", "reviewed": 300, "misses": 0, "effective": 300.0, "level": 0.05}
    figures |= {"confidence": 0.95, "bound": 0.01}
    granted(database, evidence={"figures": figures})
    reviewed(database, lead, 3, missed=("warm",))
    assert look_for_drift(database) == 0


def test_a_judge_that_moves_away_is_found_by_its_differences(database, lead, monkeypatch):
    figures = {"source": "production", "reviewed": 3000, "misses": 0, "effective": 3000.0, "level": 0.05}
    figures |= {"confidence": 0.95, "bound": 0.001}
    ids = granted(database, "warm", evidence={"figures": figures})
    rng = np.random.default_rng(3)
    moved = [Item(False, float(x), 0.5) for x in rng.normal(0.3, 0.2, 200)]
    still = [Item(False, float(x), 0.5) for x in rng.normal(0.0, 0.2, 200)]
    with database.reading() as session:
        row = session.get(Autonomy, ids["warm"])
        monkeypatch.setattr(autonomy_evidence, "items", lambda key, found, sure: still)
        assert why_over(session, row) is None
        monkeypatch.setattr(autonomy_evidence, "items", lambda key, found, sure: moved)
        assert why_over(session, row).en.startswith("Drift: by the")


# simulated judges


def test_fifty_nine_without_a_miss_prove_five_percent():
    for level, number in ((0.05, 59), (0.02, 149), (0.01, 299)):
        clean = [Item(False, None, 0.5)] * number
        assert decide(of_items(clean, level=level)).state == "automatic"
        short = of_items(clean[1:], level=level)
        assert not short.proves
        assert short.needed == 1
    assert of_items([Item(None, None, 0.5)] * 99, level=0.05).reviewed == 0, "what did not go through proves nothing"


@pytest.mark.parametrize("looks", [1, 4])
def test_of_judges_that_miss_too_often_no_more_than_5_percent_are_let_go(looks):
    """A judge just beyond the level, looked at as often as was planned while labels come in."""
    rng, judges, wrongly = np.random.default_rng(59), 400, 0
    for _ in range(judges):
        missed = rng.random(59 * looks * 2) < 0.0505
        for look in range(1, looks + 1):
            seen = [Item(bool(one), None, 0.3) for one in missed[: 118 * look]]
            if of_items(seen, level=0.05, look=look, looks=looks).proves:
                wrongly += 1
                break
    assert wrongly / judges <= 0.05 + 0.015, "within the error of 400 judges"


def test_good_judges_are_let_go():
    rng, let_go = np.random.default_rng(7), 0
    for _ in range(200):
        seen = [Item(bool(one), None, 0.3) for one in rng.random(300) < 0.01]
        let_go += of_items(seen, level=0.05).proves
    assert let_go / 200 > 0.95


# runs on the holdout


def test_a_run_on_the_holdout_of_ones_own_set_counts_what_goes_through():
    row = run(FORM, matrix=((60, 3), (0, 2)), criterion="bait")
    found = autonomy_evidence.of_run(row, FORM.by_id["bait"], level=0.05)
    assert (found.source, found.reviewed, found.misses) == ("holdout", 60, 0)
    assert found.proves
    found = autonomy_evidence.of_run(
        run(FORM, matrix=((60, 3), (1, 2)), criterion="bait"), FORM.by_id["bait"], level=0.05
    )
    assert (found.reviewed, found.misses, found.proves) == (61, 1, False)
    both = autonomy_evidence.of_run(
        run(FORM, matrix=((30, 1), (0, 29)), criterion="warm"), FORM.by_id["warm"], level=0.05
    )
    assert (both.reviewed, both.misses) == (60, 1)
    apply = run(FORM, matrix=((60, 0), (0, 0)), criterion="bait", applicability=2)
    assert autonomy_evidence.of_run(apply, FORM.by_id["bait"], level=0.05).misses == 2


@pytest.mark.parametrize(
    "wrong",
    [{"split": "dev"}, {"status": "running"}, {"synthetic": True}, {"kind": "model"}],
    ids=lambda it: next(iter(it)),
)
def test_dev_made_up_calls_and_labels_of_models_prove_nothing(wrong):
    with pytest.raises(ConflictError):
        autonomy_evidence.of_run(
            run(FORM, matrix=((60, 0), (0, 0)), criterion="bait", **wrong), FORM.by_id["bait"], level=0.05
        )
