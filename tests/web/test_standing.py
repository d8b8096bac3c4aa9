"""A call that is only read, and an agent's own results, without a browser."""

import re
from datetime import timedelta

import pytest
from sqlmodel import select

from callgrade.db.tables import Acknowledgement, Appeal, PublishedScorecard, Review
from tests.web.made import AGENT
from tests.web.publishing import WHY, contested, person, published
from tests.web.reviewing import REASON, call, review


@pytest.fixture
def stands(rooms):
    """(a published evaluation, the agent's browser)"""
    made = published(rooms)
    return made, rooms.browser("agent")


def criteria(page):
    return re.findall(r'data-criterion="([a-z0-9-]+)"', page)


def form_of(page, criterion):
    card = next(part for part in page.split("<article") if f'data-criterion="{criterion}"' in part)
    return re.findall(r'name="choice" value="([^"]*)"', card)


def appeal(browser, made, criterion, **fields):
    told = {"evaluation": made.id, "choice": "", "reason": "我说过了", **fields}
    return browser.post(f"/calls/{made.call_id}/criteria/{criterion}/appeals", data=told)


def test_an_agent_reads_why_and_nobody_elses(rooms, stands):
    made, agent = stands
    page = agent.get(f"/calls/{made.call_id}")
    assert page.status_code == 200
    assert WHY in page.text
    assert "您可以先试用不满意随时取" in page.text
    assert "第 1 版" in page.text
    assert "/reviews/" not in page.text
    assert "a-reviewer" not in page.text
    assert "judge" not in page.text
    stranger = rooms.browser("agent", "stranger", agent_id="9999")
    assert stranger.get(f"/calls/{made.call_id}").status_code == 404
    assert stranger.get("/results").text.count("<tbody>") == 0


def test_what_is_only_proposed_is_nothing_to_an_agent(rooms):
    made, _ = call(rooms)
    agent = rooms.browser("agent")
    assert agent.get(f"/calls/{made.call_id}").status_code == 404
    assert REASON not in agent.get("/results").text


def test_results_mark_what_was_not_looked_at(rooms, stands):
    made, agent = stands
    first = agent.get("/results").text
    assert "mis-selling" in first
    assert "有 1 条成绩尚未查看" in first
    assert "新" in first
    seen = agent.post(f"/calls/{made.call_id}/acknowledgement", data={"evaluation": made.id})
    assert seen.status_code == 303
    assert "已查看" in agent.get(seen.headers["location"]).text
    after = agent.get("/results").text
    assert "尚未查看" not in after
    assert "已查看" in after
    with rooms.desk.database.reading() as session:
        assert [row.revision for row in session.exec(select(Acknowledgement))] == [1]


def test_a_criterion_is_contested_with_reason_and_moment(rooms, stands):
    made, agent = stands
    page = agent.get(f"/calls/{made.call_id}").text
    criterion = criteria(page)[0]
    offered = form_of(page, criterion)
    filed = appeal(agent, made, criterion, choice=offered[0].replace("&#34;", '"'), moment="1:02.5")
    assert filed.status_code == 303
    with rooms.desk.database.reading() as session:
        row = session.exec(select(Appeal)).one()
    assert (row.criterion_id, row.at_ms, row.reason, row.agent_id) == (criterion, 62_500, "我说过了", AGENT)
    after = agent.get(f"/calls/{made.call_id}").text
    assert "申诉处理中" in after
    assert "1:02.5" in after
    assert "须于" in after
    # once is enough
    assert form_of(after, criterion) == []
    assert "申诉处理中" in agent.get("/results").text


@pytest.mark.parametrize(
    ("fields", "status", "told"),
    [
        ({"reason": ""}, 422, "请写明理由"),
        ({"choice": ""}, 422, "请选择应有的结论"),
        ({"choice": '{"level":"none"}'}, 422, "请选择应有的结论"),
        ({"moment": "一分钟"}, 422, "时刻的写法"),
    ],
)
def test_what_cannot_be_filed_comes_back_with_what_was_typed(rooms, stands, fields, status, told):
    made, agent = stands
    page = agent.get(f"/calls/{made.call_id}").text
    criterion = criteria(page)[0]
    choice = form_of(page, criterion)[0].replace("&#34;", '"')
    answer = appeal(agent, made, criterion, **{"choice": choice, "reason": "我说过了", **fields})
    assert answer.status_code == status
    assert told in answer.text
    if fields.get("reason") != "":
        assert "我说过了</textarea>" in answer.text


def test_too_late_is_refused_with_the_rule(rooms, stands):
    made, agent = stands
    page = agent.get(f"/calls/{made.call_id}").text
    criterion = criteria(page)[0]
    choice = form_of(page, criterion)[0].replace("&#34;", '"')
    with rooms.desk.database.writing() as session:
        row = session.exec(select(PublishedScorecard)).one()
        row.published_at -= timedelta(days=30)
        session.add(row)
    late = agent.get(f"/calls/{made.call_id}").text
    assert "此成绩已不能申诉" in late
    assert form_of(late, criterion) == []
    refused = appeal(agent, made, criterion, choice=choice)
    assert refused.status_code == 409
    assert "逾期" in refused.text
    assert "期限已于" in refused.text


def test_a_lead_reads_what_was_published_and_how_it_came_about(rooms, stands):
    made, _ = stands
    lead = rooms.browser("qa_lead")
    page = lead.get(f"/calls/{made.call_id}").text
    assert "成绩由来" in page
    assert "judge" in page
    assert WHY in page
    assert "<textarea" not in page
    assert "要求复核" in page


def test_a_lead_reads_a_proposal_but_not_what_they_judge_blind(rooms):
    made, _ = call(rooms)
    lead = person(rooms, "qa_lead")
    browser = rooms.browser("qa_lead")
    page = browser.get(f"/calls/{made.call_id}").text
    assert "这是机器建议" in page
    assert REASON in page
    review(rooms, made, blind=True, why="sample", reviewer_id=lead.user_id)
    for path in (f"/calls/{made.call_id}", f"/calls/{made.call_id}?evaluation={made.id}"):
        assert REASON not in browser.get(path).text


def test_another_teams_lead_finds_nothing(rooms, stands):
    made, _ = stands
    far = rooms.browser("reviewer", "far", team="support")
    assert far.get(f"/calls/{made.call_id}").status_code == 404


def test_a_call_is_checked_again_by_somebody_else(rooms, stands):
    made, _ = stands
    other = person(rooms, "reviewer", "another")
    lead = rooms.browser("qa_lead")
    asked = lead.post(f"/calls/{made.call_id}/checks", data={"evaluation": made.id, "why": "complaint"})
    assert asked.status_code == 303
    with rooms.desk.database.reading() as session:
        row = session.exec(select(Review).where(Review.slot == 1)).one()
    assert (row.why, row.reviewer_id) == ("complaint", other.user_id)
    again = lead.post(f"/calls/{made.call_id}/checks", data={"evaluation": made.id, "why": "complaint"})
    assert again.status_code == 303
    assert "未安排" in lead.get(f"/calls/{made.call_id}?evaluation={made.id}").text
    agent = rooms.browser("agent")
    refused = agent.post(f"/calls/{made.call_id}/checks", data={"evaluation": made.id, "why": "complaint"})
    assert refused.status_code == 403


def test_an_earlier_revision_is_shown_as_one(rooms, stands):
    made, agent = stands
    page = agent.get(f"/calls/{made.call_id}").text
    contested_id = contested(rooms, made, criteria(page)[0], {"answer": "yes"})
    lead = rooms.browser("qa_lead")
    decided = lead.post(f"/appeals/{contested_id}/decision", data={"ruling": "accepted", "words": "确实说了"})
    assert decided.status_code == 303
    now = agent.get(f"/calls/{made.call_id}").text
    for told in ("第 2 版", "申诉后", "确实说了"):
        assert told in now
    before = agent.get(f"/calls/{made.call_id}?evaluation={made.id}&revision=1").text
    assert "已不是当前成绩" in before
    assert WHY in before
    assert agent.get(f"/calls/{made.call_id}?revision=7").status_code == 404
