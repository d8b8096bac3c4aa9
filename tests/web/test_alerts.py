"""Alerts and their rules without a browser's script."""

import pytest
from sqlmodel import select

from callgrade.db.tables import Alert, AlertRule
from callgrade.domain.alerts import AgentWeek, AutonomyEnded, QueueAge, RedLine
from callgrade.reviews.alerts import spec_in
from callgrade.web.alert_forms import RuleForm, RuleFormError, rule_in
from tests.api.made import OTHER_RUBRIC, RUBRIC
from tests.reviews.alerting import Letterbox
from tests.web.alerting import alerted, look, mails
from tests.web.made import TEAM
from tests.web.publishing import person
from tests.web.reviewing import review

RULE = {"kind": "red_line", "name": "红线", "email": "li@example.com，wang@example.com", "webhook": "yes"}


def rows(rooms, table):
    with rooms.desk.database.reading() as session:
        return session.exec(select(table)).all()


@pytest.mark.parametrize(
    ("kind", "told", "spec"),
    [
        ("red_line", {"published_only": "yes", "rubric": OTHER_RUBRIC, "teams": "a、b"},
         RedLine(published_only=True, rubric=OTHER_RUBRIC, teams=("a", "b"))),
        ("red_line", {"hours": "3"}, RedLine()),
        ("agent_week", {"least": "2.5", "calls": "10", "weeks": "8", "after_days": "0", "confidence": "0.95"},
         AgentWeek(least=2.5, calls=10, weeks=8, after_days=0, confidence=0.95)),
        ("queue_age", {"hours": "24", "open": "100"}, QueueAge(hours=24, open=100)),
        ("autonomy_ended", {"rubric": OTHER_RUBRIC}, AutonomyEnded(rubric=OTHER_RUBRIC)),
    ],
)  # fmt: skip
def test_each_kind_of_rule_is_made(rooms, kind, told, spec):
    admin = rooms.browser("admin")
    shown = admin.get(f"/alerts/rules/new?kind={kind}")
    assert shown.status_code == 200
    made = admin.post("/alerts/rules", data={**RULE, "kind": kind, **told})
    assert (made.status_code, made.headers["location"]) == (303, "/alerts/rules")
    (row,) = rows(rooms, AlertRule)
    assert spec_in(row) == spec
    assert (row.name, row.email, row.webhook) == ("红线", ["li@example.com", "wang@example.com"], True)
    page = admin.get("/alerts/rules").text
    assert "红线" in page
    assert "wang@example.com" in page


@pytest.mark.parametrize(
    ("kind", "told", "field"),
    [
        ("queue_age", {}, "hours"),
        ("queue_age", {"hours": "soon"}, "hours"),
        ("queue_age", {"hours": "1", "open": "0"}, "open"),
        ("agent_week", {"calls": "4"}, "calls"),
        ("agent_week", {"weeks": "x"}, "weeks"),
        ("agent_week", {"after_days": "-1"}, "after_days"),
        ("agent_week", {"least": "-1"}, "least"),
        ("agent_week", {"confidence": "2"}, "confidence"),
        ("red_line", {"name": ""}, "name"),
        ("red_line", {"name": "a\nBcc: x@y"}, "name"),
        ("red_line", {"email": "li"}, "email"),
        ("red_line", {"email": "", "webhook": ""}, "email"),
    ],
)
def test_what_cannot_be_says_which_field(kind, told, field):
    with pytest.raises(RuleFormError) as wrong:
        rule_in(RuleForm(**{"name": "x", "webhook": "yes", **told}), kind)
    assert list(wrong.value.faults) == [field]


def test_a_rule_is_changed_where_it_was_made(rooms):
    admin = rooms.browser("admin")
    admin.post("/alerts/rules", data={**RULE, "kind": "agent_week", "least": "2.5", "teams": "a、b"})
    (row,) = rows(rooms, AlertRule)
    path = f"/alerts/rules/{row.id}"
    assert f'href="{path}/edit"' in admin.get("/alerts/rules").text
    form = admin.get(f"{path}/edit").text
    assert "修改规则" in form
    assert 'value="2.5"' in form
    assert 'value="a, b"' in form
    assert "li@example.com, wang@example.com" in form
    faulty = admin.post(path, data={**RULE, "calls": "4"})
    assert (faulty.status_code, "修改规则" in faulty.text) == (422, True)
    assert admin.post(path, data={**RULE, "name": "改过", "calls": "9", "email": ""}).status_code == 303
    (row,) = rows(rooms, AlertRule)
    assert (row.name, row.email, spec_in(row)) == ("改过", [], AgentWeek(calls=9))


def test_an_end_of_autonomy_is_told_in_words(rooms):
    admin = rooms.browser("admin")
    admin.post("/alerts/rules", data={**RULE, "kind": "autonomy_ended"})
    (rule,) = rows(rooms, AlertRule)
    because = {"zh": "已换模型，不再适用", "en": "Applies to nothing now: another model."}
    for criterion in ("insult", "*violations"):
        data = {"autonomy_id": "a", "rubric": RUBRIC, "criterion": criterion, "was": "automatic", "because": because}
        with rooms.desk.database.writing() as session:
            session.add(Alert(client_id=rule.client_id, rule_id=rule.id, subject=criterion, data=data))
    page = admin.get("/alerts").text
    assert "已换模型，不再适用" in page
    assert f'href="/autonomy/{RUBRIC}/insult"' in page
    assert f'href="/autonomy/{RUBRIC}/%2Aviolations"' in page
    assert "整通无违规" in page


def test_a_faulty_form_comes_back_as_it_was_typed(rooms):
    admin = rooms.browser("admin")
    answer = admin.post("/alerts/rules", data={**RULE, "kind": "queue_age", "hours": "soon", "name": "<b>x"})
    assert answer.status_code == 422
    assert 'value="soon"' in answer.text
    assert "请填大于 0 的小时数" in answer.text
    assert "&lt;b&gt;x" in answer.text
    assert rows(rooms, AlertRule) == []
    assert admin.post("/alerts/rules", data={**RULE, "kind": "moon"}).status_code == 422


def test_a_red_line_is_seen(rooms):
    lead = rooms.browser("qa_lead")
    assert "还没有规则" in lead.get("/alerts").text
    made = alerted(rooms, lead)
    page = lead.get("/alerts").text
    assert f'href="/calls/{made.call_id}"' in page
    assert "红线" in page
    assert "待发送" in page
    mails(rooms, Letterbox())
    assert "已发送" in lead.get("/alerts").text
    (alert,) = rows(rooms, Alert)
    assert alert.team == TEAM
    answer = lead.post("/alerts/seen", data={"alert": alert.id})
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts")
    assert rows(rooms, Alert)[0].seen_by == person(rooms, "qa_lead").user_id
    # whoever is to judge the call blind is not told what the machine makes of it
    review(rooms, made, blind=True, reviewer_id=person(rooms, "qa_lead").user_id)
    assert made.call_id not in lead.get("/alerts").text


def test_a_test_and_an_end(rooms):
    lead = rooms.browser("qa_lead")
    lead.post("/alerts/rules", data=RULE)
    (rule,) = rows(rooms, AlertRule)
    assert rule.spec["teams"] == [TEAM]
    assert "尚未设置邮件服务器" in lead.get("/alerts/rules").text
    answer = lead.post(f"/alerts/rules/{rule.id}/test")
    assert answer.headers["location"] == "/alerts"
    assert "这是一次测试" in lead.get("/alerts").text
    assert lead.post(f"/alerts/rules/{rule.id}/disabling").status_code == 303
    assert "还没有规则" in lead.get("/alerts/rules").text
    assert "已停用" in lead.get("/alerts/rules?disabled=1").text
    assert lead.post(f"/alerts/rules/{rule.id}/test").status_code == 409
    review_none = look(rooms)
    assert review_none == 0
