"""Appeals without a browser: the list, both deadlines, and deciding."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest
from sqlmodel import select

from callgrade.db.tables import Appeal
from callgrade.reviews.publishing import published as standing
from tests.web.publishing import WHY, contested, person, published
from tests.web.reviewing import REASON, review

REFUSAL, WANTED = "录音里没有问候", {"answer": "yes"}


@pytest.fixture
def filed(rooms):
    """(the evaluation, an appeal against its first criterion)"""
    made = published(rooms)
    return made, contested(rooms, made, first(rooms, made), WANTED)


def first(rooms, made):
    with rooms.desk.database.reading() as session:
        return standing(session, made.id)[1].judgements[0].criterion_id


def row(rooms):
    with rooms.desk.database.reading() as session:
        return session.exec(select(Appeal)).one()


def decide(browser, id_, **fields):
    return browser.post(f"/appeals/{id_}/decision", data={"ruling": "upheld", "words": REFUSAL, **fields})


def test_the_list_shows_both_deadlines_and_what_is_overdue(rooms, filed):
    lead = rooms.browser("qa_lead")
    page = lead.get("/appeals").text
    for told in ("mis-selling", "申诉期限", "裁定期限", "申诉处理中"):
        assert told in page
    assert "已逾期" not in page.split("<tbody>")[1]
    with rooms.desk.database.writing() as session:
        late = session.exec(select(Appeal)).one()
        late.decide_by -= timedelta(days=30)
        session.add(late)
    assert "mis-selling" in lead.get("/appeals?state=overdue").text
    assert "已逾期" in lead.get("/appeals").text.split("<tbody>")[1]
    assert "没有符合条件的申诉" in lead.get("/appeals?state=accepted").text
    assert "本应于" in lead.get(f"/appeals/{filed[1]}").text


def test_everybody_sees_what_is_within_their_reach(rooms, filed):
    _, id_ = filed
    assert rooms.browser("agent").get(f"/appeals/{id_}").status_code == 200
    for login, role, more in (
        ("far", "reviewer", {"team": "support"}),
        ("stranger", "agent", {"agent_id": "9"}),
    ):
        browser = rooms.browser(role, login, **more)
        assert browser.get(f"/appeals/{id_}").status_code == 404
        assert browser.get(f"/appeals/{id_}/audio").status_code == 404
        assert "mis-selling" not in browser.get("/appeals").text


def test_a_decider_reads_what_was_decided_why_and_what_is_wanted(rooms, filed):
    _, id_ = filed
    other = rooms.browser("reviewer", "another")
    page = other.get(f"/appeals/{id_}").text
    for told in (WHY, "我在第一句就核实了身份", "0:04.2", "机器建议为", REASON, 'value="upheld"', 'value="changed"'):
        assert told in page
    assert other.get(f"/appeals/{id_}/audio").status_code == 200
    # nothing is chosen in advance
    assert not re.search(r'type="radio"[^>]* checked', page)


def test_an_agent_is_not_told_what_the_machine_proposed(rooms, filed):
    page = rooms.browser("agent").get(f"/appeals/{filed[1]}").text
    assert WHY in page
    assert "机器建议为" not in page
    assert 'value="upheld"' not in page


def test_who_judged_it_is_told_why_they_cannot_decide(rooms, filed):
    _, id_ = filed
    judge = rooms.browser("reviewer", "judge")
    page = judge.get(f"/appeals/{id_}").text
    assert "您参与了这次评定" in page
    assert 'name="ruling"' not in page
    assert decide(judge, id_).status_code == 403
    assert row(rooms).state == "open"


@pytest.mark.parametrize(("ruling", "state"), [("upheld", "维持原判"), ("accepted", "申诉成立")])
def test_a_decision_is_told_to_the_agent(rooms, filed, ruling, state):
    made, id_ = filed
    lead = rooms.browser("qa_lead")
    assert decide(lead, id_, ruling=ruling).status_code == 303
    page = rooms.browser("agent").get(f"/calls/{made.call_id}").text
    assert state in page
    assert REFUSAL in page
    assert ("第 2 版" in page) == (ruling == "accepted")
    again = decide(lead, id_, ruling=ruling)
    assert again.status_code == 409
    assert "已结案" in again.text


def test_a_third_value_is_neither(rooms):
    made = published(rooms)
    with rooms.desk.database.reading() as session:
        criterion = standing(session, made.id)[1].judgements[2]
    card = rooms.browser("agent").get(f"/calls/{made.call_id}").text.split("<article")[3]
    offered = re.findall(r'name="choice" value="([^"]*)"', card)
    id_ = contested(rooms, made, criterion.criterion_id, json.loads(unescape(offered[0])))
    lead = rooms.browser("qa_lead")
    page = lead.get(f"/appeals/{id_}").text
    thirds = re.findall(r'name="choice" value="([^"]*)"', page)
    assert thirds
    assert offered[0] not in thirds
    missing = decide(lead, id_, ruling="changed")
    assert missing.status_code == 422
    assert "既非原结论" in missing.text
    assert REFUSAL + "</textarea>" in missing.text
    assert decide(lead, id_, ruling="changed", choice=unescape(thirds[0])).status_code == 303
    assert row(rooms).state == "changed"


@pytest.mark.parametrize(
    ("fields", "told"),
    [({"words": " "}, "请写明给坐席的答复"), ({"ruling": ""}, "请选择如何裁定")],
)
def test_a_decision_needs_words_and_a_choice(rooms, filed, fields, told):
    answer = decide(rooms.browser("qa_lead"), filed[1], **fields)
    assert answer.status_code == 422
    assert told in answer.text
    assert row(rooms).state == "open"


def test_an_agent_withdraws_their_own(rooms, filed):
    _, id_ = filed
    agent = rooms.browser("agent")
    assert rooms.browser("qa_lead").post(f"/appeals/{id_}/withdrawal").status_code == 403
    assert agent.post(f"/appeals/{id_}/withdrawal").status_code == 303
    assert row(rooms).state == "withdrawn"
    page = agent.get(f"/appeals/{id_}").text
    assert "申诉已撤回" in page
    assert "撤回申诉</button>" not in page


def test_nobody_learns_from_an_appeal_what_they_are_to_judge_blind(rooms, filed):
    made, id_ = filed
    other = person(rooms, "reviewer", "another")
    review(rooms, made, slot=1, blind=True, why="double", reviewer_id=other.user_id)
    browser = rooms.browser("reviewer", "another")
    assert browser.get(f"/appeals/{id_}").status_code == 404
    assert "mis-selling" not in browser.get("/appeals").text
    assert decide(browser, id_).status_code == 404
