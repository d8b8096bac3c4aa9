"""What rules find, that it is told once, and to whom."""

import json
from datetime import timedelta
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError
from sqlalchemy import event
from sqlmodel import select

from callgrade.db.tables import AlertRule, AuditEvent, Delivery
from callgrade.db.types import now
from callgrade.domain.alerts import SPEC, AgentWeek, AutonomyEnded, QueueAge, RedLine
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError, NotReadyError, UnknownResourceError
from callgrade.reviews import alerts_repository as repository
from callgrade.reviews import autonomy
from callgrade.reviews.alert_mail import AlertPost
from callgrade.reviews.alert_watch import LATE, QUEUE_EVERY, AlertWatch
from callgrade.reviews.alerts import SPACING, AlertDesk, spec_in
from tests.evaluations.made import webhook
from tests.reviews.alerting import Letterbox, aged, alerts, clean, scored
from tests.reviews.autonomous import MADE_BY, card, granted, propose
from tests.reviews.made import FORM, Clock, person, proposed, registered, review

ZONE = ZoneInfo("Asia/Shanghai")
TO = ("li@example.com",)


class Desk:
    def __init__(self, database):
        self.clock = Clock()
        registered(database)
        self.clock.at = now()  # what the tests make is stamped by the real clock
        self.database = database
        self.rules = AlertDesk(database, clock=self.clock)
        self.watch = AlertWatch(database, zone=ZONE, clock=self.clock)
        self.admin = person(database, "boss", "admin")

    def rule(self, spec, visitor=None, **more):
        return self.rules.make(visitor or self.admin, "红线提醒", spec, **{"webhook": True, **more})

    def look(self):
        self.clock.later(seconds=30)
        return self.watch.look_through()

    def post(self, box, **more):
        return AlertPost(self.database, box, clock=self.clock, **more).send_due()


@pytest.fixture
def desk(database):
    return Desk(database)


def of(agent="8031", team="north"):
    return {"agent": {"id": agent, "team": team}}


def deliveries(database):
    with database.reading() as session:
        return session.exec(select(Delivery)).all()


# rules


@pytest.mark.parametrize(
    "spec",
    [
        {"kind": "queue_age"},
        {"kind": "queue_age", "hours": 0},
        {"kind": "queue_age", "open": 0},
        {"kind": "agent_week", "calls": 4},
        {"kind": "agent_week", "weeks": 3},
        {"kind": "agent_week", "confidence": 1},
        {"kind": "red_line", "hours": 3},
        {"kind": "other"},
    ],
)
def test_a_rule_that_cannot_be(spec):
    with pytest.raises(ValidationError):
        SPEC.validate_python(spec)


@pytest.mark.parametrize(
    "told",
    [
        {"name": " "},
        {"name": "x" * 101},
        {"name": "a\r\nBcc: eve@example.com"},
        {"email": ["li@example.com\r\nBcc: eve@example.com"]},
        {"email": ["nobody"]},
        {"email": [f"a{n}@example.com" for n in range(21)]},
        {"webhook": False},
    ],
)
def test_nobody_to_tell_and_no_name_for_it(desk, told):
    with pytest.raises(InputError):
        desk.rules.make(desk.admin, **{"name": "x", "spec": RedLine(), "webhook": True, **told})


def test_a_leads_rule_is_about_their_teams(desk, database):
    lead, other = person(database, "le", "qa_lead", leads=("north",)), person(database, "l2", "qa_lead", leads=("s",))
    row = desk.rule(RedLine(teams=("s",)), lead)
    assert row.spec["teams"] == ["north"]
    whole = desk.rule(RedLine())
    assert [r.id for r in desk.rules.rules(lead)] == [row.id]
    assert {r.id for r in desk.rules.rules(desk.admin)} == {row.id, whole.id}
    for id_ in (row.id, whole.id):
        for act in (desk.rules.disable, desk.rules.test):
            with pytest.raises(UnknownResourceError):
                act(other, id_)
    with pytest.raises(ForbiddenError):
        desk.rule(RedLine(), person(database, "l3", "qa_lead"))
    with pytest.raises(ForbiddenError):
        desk.rule(RedLine(), person(database, "re", "reviewer"))
    desk.rules.disable(lead, row.id)
    desk.rules.disable(lead, row.id)
    assert desk.rules.rules(lead) == []
    with pytest.raises(ConflictError):
        desk.rules.test(lead, row.id)
    with database.reading() as session:
        actions = [row.action for row in session.exec(select(AuditEvent)) if row.action.startswith("alert")]
    assert sorted(actions) == ["alert_rule.disabled", "alert_rule.made", "alert_rule.made"]


# red lines


def test_a_red_line_is_told_once_with_ids_and_figures(desk, database):
    webhook(database, "alert.raised")
    before = proposed(database, "C-0", **of())
    desk.clock.at = before.updated_at + timedelta(microseconds=1)
    desk.rule(RedLine())
    made = proposed(database, "C-1", **of())
    clean(database, "C-2", **of())
    assert [desk.look(), desk.look(), desk.look()] == [1, 0, 0]
    (alert,) = alerts(database)
    assert (alert.subject, alert.evaluation_id, alert.team) == (made.id, made.id, "north")
    assert alert.data["criteria"] == ["bait"]
    (delivery,) = deliveries(database)
    data = delivery.payload["data"]
    assert (delivery.event, delivery.call_id) == ("alert.raised", made.call_id)
    assert (data["alert_id"], data["call_id"], data["evaluation_id"]) == (alert.id, "C-1", made.id)
    stored = json.dumps([alert.data, delivery.payload], ensure_ascii=False)
    assert "随时取消" not in stored
    assert "保证收益" not in stored
    assert "机器认为" not in stored


def test_only_what_is_published_of_these_teams_and_this_rubric(desk, database):
    rules = {
        "published": desk.rule(RedLine(published_only=True)).id,
        "south": desk.rule(RedLine(teams=("south",))).id,
        "other": desk.rule(RedLine(rubric="other")).id,
        "all": desk.rule(RedLine()).id,
    }
    proposed(database, "C-1", **of())
    south = proposed(database, "C-2", **of(team="south"))
    desk.look()
    found = [(a.rule_id, a.subject == south.id) for a in alerts(database)]
    assert sorted(found) == sorted([(rules["south"], True), (rules["all"], True), (rules["all"], False)])


def test_what_becomes_visible_late_is_seen_and_a_full_moment_is_no_end(desk, database, monkeypatch):
    monkeypatch.setattr("callgrade.reviews.alert_watch.PAGE", 2)
    desk.rule(RedLine())
    rows = [proposed(database, f"C-{n}") for n in range(5)]
    moment = desk.clock.at + timedelta(seconds=1)
    with database.writing() as session:
        for row in rows:
            row.updated_at = moment
            session.add(row)
    assert desk.look() == 5
    late = proposed(database, "C-9")
    with database.writing() as session:
        late.updated_at = desk.clock.at - LATE / 2
        session.add(late)
    assert desk.look() == 1


def test_two_hosts_that_look_at_once_tell_it_once(desk, database):
    webhook(database, "alert.raised")
    desk.rule(RedLine(), email=TO)
    for number in range(6):
        proposed(database, f"C-{number}")
    desk.clock.later(seconds=30)
    barrier, raised, sent = Barrier(3), [], []
    box = Letterbox()

    def host():
        watch = AlertWatch(database, zone=ZONE, clock=desk.clock)
        barrier.wait()
        raised.append(watch.look_through())
        barrier.wait()
        sent.append(desk.post(box))

    hosts = [Thread(target=host) for _ in range(3)]
    for one in hosts:
        one.start()
    for one in hosts:
        one.join()
    assert sorted(raised) == [0, 0, 6]
    assert len(deliveries(database)) == 6
    assert sum(sent) == len(box.got)
    told = [line for note in box.got for line in note.text.split("\n") if "bait" in line]
    assert len(told) == len(set(told)) == 6


# weeks


def weekly(database, desk, like, *means, agent="8031", n=6, swing=2.0):
    """The last finished week first."""
    monday = desk.clock.at.astimezone(ZONE).replace(hour=10) - timedelta(days=desk.clock.at.astimezone(ZONE).weekday())
    for back, mean in enumerate(means, 1):
        totals = [mean - swing, mean + swing] * (n // 2)
        scored(database, like, monday - timedelta(days=7 * back), totals, agent_id=agent)


def thursday(desk):
    """Three days behind the end of a week, so that it is looked at."""
    local = desk.clock.at.astimezone(ZONE)
    desk.clock.at += timedelta(days=(3 - local.weekday()) % 7, hours=12 - local.hour)


def test_a_week_far_from_their_own_is_told_with_its_figures(desk, database):
    like = clean(database, "C-1")
    thursday(desk)
    weekly(database, desk, like, 60, 88, 90, 89, 91, 90)
    weekly(database, desk, like, 88, 88, 90, 89, 91, 90, agent="8032")  # as always
    weekly(database, desk, like, 60, 88, 90, 89, agent="8033")  # only three weeks to compare with
    weekly(database, desk, like, 60, 88, 90, 89, 91, agent="8034", n=4)  # too few calls a week
    desk.rule(AgentWeek(), email=TO)
    assert [desk.look(), desk.look()] == [1, 0]
    (alert,) = alerts(database)
    data = alert.data
    assert (data["agent_id"], data["mean"], data["calls"], data["past_weeks"]) == ("8031", 60, 6, 5)
    assert (data["usual"], alert.team) == (89.6, "north")
    assert data["low"] < 89.6 < data["high"]
    assert data["mean"] < data["low"]
    box = Letterbox()
    assert desk.post(box) == 1
    assert "8031" in box.got[0].text
    assert "60" in box.got[0].text
    # the week is looked at once; the next one in its turn
    desk.clock.later(days=7)
    weekly(database, desk, like, 90)
    assert desk.look() == 0


def test_a_week_is_left_alone_until_most_of_it_is_published(desk, database):
    like = clean(database, "C-1")
    thursday(desk)
    weekly(database, desk, like, 60, 88, 90, 89, 91, 90)
    desk.rule(AgentWeek(after_days=10))
    assert desk.look() == 0
    desk.clock.later(days=7)
    assert desk.look() == 1


def test_a_shift_of_too_few_points_is_none(desk, database):
    like = clean(database, "C-1")
    thursday(desk)
    weekly(database, desk, like, 87.5, 90, 90, 90, 90, 90, swing=0)
    desk.rule(AgentWeek(least=3))
    assert desk.look() == 0
    desk.rule(AgentWeek(least=2))
    assert desk.look() == 1


# queues


def test_an_old_queue_is_told_once_a_day(desk, database):
    for number in range(3):
        review(database, proposed(database, f"C-{number}", **of()))
    aged(database, desk.clock.at - timedelta(hours=20))
    desk.rule(QueueAge(hours=24))
    desk.rule(QueueAge(open=2))
    desk.rule(QueueAge(hours=24, open=3, teams=("south",)))
    assert desk.look() == 1
    assert alerts(database)[0].data == {
        "open": 3, "oldest_hours": 20.0, "team": None, "hours": None, "most_open": 2, "day": day(desk),
    }  # fmt: skip
    desk.clock.at = desk.clock.at.astimezone(ZONE).replace(hour=12) + timedelta(days=1)
    assert desk.look() == 2
    assert desk.look() == 0
    desk.clock.at += QUEUE_EVERY
    assert desk.look() == 0
    desk.clock.later(days=1)
    assert desk.look() == 2


def day(desk):
    return desk.clock.at.astimezone(ZONE).date().isoformat()


def test_nothing_waits(desk, database):
    desk.rule(QueueAge(hours=1, open=1))
    assert desk.look() == 0


def test_a_rule_that_cannot_be_read_keeps_no_other_from_looking(desk, database):
    broken = desk.rule(RedLine())
    with database.writing() as session:
        row = session.get(AlertRule, broken.id)
        row.kind = "agent_moon"
        session.add(row)
    review(database, proposed(database, "C-1"))
    aged(database, desk.clock.at - timedelta(hours=20))
    desk.rule(QueueAge(hours=1))
    assert desk.look() == 1


# who sees it


def test_leads_see_their_teams_and_nobody_what_they_are_to_judge_blind(desk, database):
    lead, other = person(database, "le", "qa_lead", leads=("north",)), person(database, "l2", "qa_lead", leads=("s",))
    desk.rule(RedLine())
    made = proposed(database, "C-1", **of())
    desk.look()
    (row,) = desk.rules.page(desk.admin)
    assert (row.call_id, row.shown_call_id, row.kind, row.seen_by) == (made.call_id, "C-1", "red_line", None)
    assert len(desk.rules.page(lead)) == 1
    assert desk.rules.page(other) == []
    assert desk.rules.see(other, [row.alert.id]) == 0
    assert desk.rules.see(lead, [row.alert.id]) == 1
    assert desk.rules.see(desk.admin, [row.alert.id]) == 0
    assert desk.rules.page(desk.admin)[0].seen_by == "le"
    review(database, made, blind=True, reviewer_id=lead.user_id)
    assert desk.rules.page(lead) == []
    assert len(desk.rules.page(desk.admin)) == 1
    with database.reading() as session, pytest.raises(UnknownResourceError):
        repository.find(session, lead, row.alert.id)
    stranger = person(database, "st", "admin", client_id="c2")
    assert desk.rules.page(stranger) == []


# mails


def test_a_mail_says_ids_figures_and_a_link_and_no_number_of_a_telephone(desk, database):
    rule = desk.rules.make(desk.admin, "王 13800138000", RedLine(), email=TO)
    made = proposed(database, "13912345678", **of(agent="13712345678"))
    desk.look()
    box = Letterbox()
    assert desk.post(box, url="https://qa.example.com") == 1
    (note,) = box.got
    assert note.to == TO
    said = note.subject + note.text
    assert made.id in said
    assert "https://qa.example.com/alerts" in said
    assert f"https://qa.example.com/calls/{made.call_id}" in said
    for hidden in ("13800138000", "13912345678", "13712345678", "随时取消", "保证收益"):
        assert hidden not in said
    (alert,) = alerts(database)
    assert (alert.rule_id, alert.email, alert.next_at, alert.attempts) == (rule.id, [], None, 1)
    assert alert.sent_at == desk.clock.at
    assert desk.post(box) == 0


def test_what_is_found_soon_after_a_mail_waits_for_the_next_one(desk, database):
    desk.rule(RedLine(), email=TO, webhook=False)
    box = Letterbox()
    proposed(database, "C-1")
    desk.look()
    desk.post(box)
    for number in (2, 3):
        row = proposed(database, f"C-{number}")
        with database.writing() as session:
            row.updated_at = desk.clock.at
            session.add(row)
        assert desk.look() == 1
        assert desk.post(box) == 0
    desk.clock.at += SPACING
    assert desk.post(box) == 1
    assert box.got[1].text.count("bait") == 2


def test_failures_are_tried_again_ever_more_seldom_for_a_day(desk, database):
    desk.rule(RedLine(), email=TO)
    proposed(database, "C-1")
    desk.look()
    box = Letterbox(*[NotReadyError("no")] * 3)
    waits = []
    for _ in range(3):
        assert desk.post(box) == 0
        (alert,) = alerts(database)
        waits.append((alert.next_at - desk.clock.at).total_seconds())
        desk.clock.at = alert.next_at
    assert waits == [60, 120, 240]
    assert desk.post(box) == 1
    assert [alert.attempts for alert in alerts(database)] == [4]


def test_what_is_refused_for_good_or_too_old_is_not_tried_again(desk, database):
    desk.rule(RedLine(), email=TO)
    proposed(database, "C-1")
    desk.look()
    box = Letterbox(InputError("no"))
    assert desk.post(box) == 0
    desk.clock.later(hours=3)
    assert desk.post(box) == 0
    desk.rule(RedLine(), email=TO)
    row = proposed(database, "C-2")
    with database.writing() as session:
        row.updated_at = desk.clock.at
        session.add(row)
    assert desk.look() >= 1
    desk.clock.later(days=2)
    assert desk.post(box) == 0
    assert box.got == []
    assert all(alert.next_at is None and alert.sent_at is None and alert.email == [*TO] for alert in alerts(database))


def test_an_address_that_is_put_off_is_told_later_and_alone(desk, database):
    desk.rule(RedLine(), email=["li@example.com", "wang@example.com"])
    proposed(database, "C-1")
    desk.look()
    assert desk.post(Letterbox(later=["wang@example.com"])) == 1
    desk.clock.later(minutes=5)
    box = Letterbox()
    assert desk.post(box) == 1
    assert box.got[0].to == ("wang@example.com",)


def test_a_host_that_dies_with_a_mail_in_hand_leaves_it_to_another(desk, database):
    desk.rule(RedLine(), email=TO)
    proposed(database, "C-1")
    desk.look()
    with database.writing() as session:
        held = repository.take(session, desk.clock.at)
    assert held is not None
    box = Letterbox()
    desk.clock.at = held.until - timedelta(seconds=1)
    assert desk.post(box) == 0
    desk.clock.at = held.until
    assert desk.post(box) == 1
    # the first one, should it still be alive, changes nothing any more
    with database.writing() as session:
        repository.settle(session, held, next_at=desk.clock.at)
    assert alerts(database)[0].next_at is None


def test_a_test_goes_the_whole_way(desk, database):
    webhook(database, "alert.raised")
    rule = desk.rule(QueueAge(hours=1), email=TO)
    desk.rules.test(desk.admin, rule.id)
    box = Letterbox()
    assert desk.post(box, language="en") == 1
    assert "This is a test" in box.got[0].text
    assert deliveries(database)[0].payload["data"]["test"] is True
    desk.rules.test(desk.admin, rule.id)
    assert len(alerts(database)) == 2  # each with a subject of its own


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # PostgreSQL's planner goes by what the tables hold
def test_a_look_for_red_lines_reads_what_is_new_and_not_all_there_is(desk, database):
    rule, seen = desk.rule(RedLine()), []
    with database.reading() as session:

        def look(connection, cursor, statement, parameters, *rest):
            seen.append((statement, parameters))

        event.listen(session.connection().engine, "before_cursor_execute", look)
        repository.judged(session, rule, ("proposed", "published"), (desk.clock.at, ""), desk.clock.at, 5)
        event.remove(session.connection().engine, "before_cursor_execute", look)
        plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {seen[0][0]}", seen[0][1]).all()
    assert "evaluation_open (status=? AND updated_at>" in plan[0][3]


# autonomy


def autonomous(desk, model="made-up-model-1", number=1):
    by = MADE_BY.model_copy(update={"model_reported": model})
    for at in range(number):
        propose(desk.database, f"{model}-{at}", card(call_id=f"{model}-{at}", by=by))


def test_autonomy_that_applies_to_nothing_since_something_changed_is_told_once(desk, monkeypatch):
    monkeypatch.setattr(autonomy, "LOOKED_BACK", 2)
    autonomous(desk)
    ids = granted(desk.database, form=FORM)
    desk.rule(AutonomyEnded(rubric=FORM.id), email=TO)
    assert desk.look() == 0
    autonomous(desk, "another-model")
    desk.clock.later(minutes=5)
    assert desk.look() == 0, "both are in use"
    autonomous(desk, "n", 2)
    assert desk.look() == 0, "no more than every five minutes"
    desk.clock.later(minutes=5)
    assert desk.look() == 2
    desk.clock.later(minutes=5)
    assert desk.look() == 0
    told = {alert.data["criterion"]: alert.data for alert in alerts(desk.database)}
    assert told["warm"] == {
        "autonomy_id": ids["warm"], "rubric": FORM.id, "criterion": "warm", "was": "automatic",
        "because": {"zh": "已换模型，不再适用", "en": "Applies to nothing now: another model."},
    }  # fmt: skip
    box = Letterbox()
    assert desk.post(box, language="en") == 1
    assert "warm of test is for people again (it was automatic): Applies to nothing" in box.got[0].text


def test_what_is_human_only_or_of_another_rubric_tells_nothing_when_it_changes(desk):
    granted(desk.database, "warm", form=FORM, state="human_only")
    desk.rule(AutonomyEnded())
    granted(desk.database, "bait", form=FORM)
    desk.rule(AutonomyEnded(rubric="another"))
    autonomous(desk, "n")
    desk.look()
    assert [alert.data["criterion"] for alert in alerts(desk.database)] == ["bait"]


# changing a rule


def test_a_rule_is_changed_by_whoever_it_is_within_reach_of(desk):
    rule = desk.rule(QueueAge(hours=1), email=TO)
    desk.rules.change(desk.admin, rule.id, "更久", QueueAge(hours=2, open=9), webhook=True)
    row = desk.rules.rule(desk.admin, rule.id)
    assert (row.name, spec_in(row), row.email, row.webhook) == ("更久", QueueAge(hours=2, open=9), [], True)
    with pytest.raises(ConflictError):
        desk.rules.change(desk.admin, rule.id, "x", RedLine(), webhook=True)
    with pytest.raises(InputError):
        desk.rules.change(desk.admin, rule.id, "x", QueueAge(hours=2))
    lead = person(desk.database, "lead", "qa_lead", leads=("north",))
    with pytest.raises(UnknownResourceError):
        desk.rules.change(lead, rule.id, "x", QueueAge(hours=2), webhook=True)
    own = desk.rule(RedLine(), lead)
    changed = desk.rules.change(lead, own.id, "x", RedLine(teams=("south",), published_only=True), webhook=True)
    assert changed.spec["teams"] == ["north"]
    desk.rules.disable(desk.admin, rule.id)
    with pytest.raises(ConflictError):
        desk.rules.change(desk.admin, rule.id, "x", QueueAge(hours=2), webhook=True)
    with desk.database.reading() as session:
        assert "alert_rule.changed" in {row.action for row in session.exec(select(AuditEvent)).all()}
