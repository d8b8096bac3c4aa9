"""A day at the desk, in real browsers, through the door: a reviewer grades three calls by keyboard alone, the agent
contests one, a lead decides and drafts a rubric, an admin has the record proved."""

import pytest
from sqlmodel import select

from callgrade.db.tables import Appeal, Draft, PublishedScorecard
from tests.access.people import PASSWORD, make, quick_hashes  # noqa: F401
from tests.api.made import OTHER_RUBRIC
from tests.web.browsing import wait_for
from tests.web.made import AGENT, TEAM
from tests.web.reviewing import call, review

pytestmark = pytest.mark.usefixtures("quick_hashes")
CARD, CURRENT = "#cards .card", "#cards .card[data-current]"


@pytest.fixture
def come_in(rooms, open_page):
    """Somebody's browser, on the page that they land on."""

    def entered(login, role, **more):
        make(rooms.desk.database, login, role, **more)
        page = open_page("/sign-in")
        page.fill("#login", login)
        page.fill("#password", PASSWORD)
        with page.expect_navigation():
            page.keyboard.press("Enter")
        return page

    return entered


def test_from_the_queue_to_the_record(rooms, come_in):
    for sample in ("mis-selling", "good-empathy", "coercion"):
        review(rooms, call(rooms, sample, all_right=True)[0])

    reviewer = come_in("limin", "reviewer")
    for key, line in (("j", 0), ("j", 1), ("j", 2), ("j", 2), ("k", 1), ("k", 0)):
        reviewer.keyboard.press(key)
        assert reviewer.locator("th a.open").nth(line).evaluate("link => link === document.activeElement"), (key, line)
    with reviewer.expect_navigation():
        reviewer.keyboard.press("Enter")
    for number in range(3):
        grade_by_keyboard(reviewer, otherwise=number == 0)
    assert "没有待评的通话" in reviewer.content()
    with rooms.desk.database.reading() as session:
        assert len(session.exec(select(PublishedScorecard)).all()) == 3

    agent = come_in("chen", "agent", agent_id=AGENT)
    assert agent.locator("tbody tr").count() == 3
    assert agent.request.get(agent.base + "/queue").status == 403
    contested = contest_what_was_judged_otherwise(agent)

    lead = come_in("wang", "qa_lead", leads=(TEAM,))
    lead.goto(lead.base + "/appeals")
    with lead.expect_navigation():
        lead.click("th a.open")
    assert "我先问候了客户" in lead.content()
    lead.get_by_label("申诉成立").check()
    lead.fill("#words-for-agent", "录音里有问候")
    with lead.expect_navigation():
        lead.get_by_role("button", name="裁定").click()
    with rooms.desk.database.reading() as session:
        assert session.exec(select(Appeal)).one().state == "accepted"

    agent.goto(contested)
    assert "录音里有问候" in agent.content()
    with agent.expect_navigation():
        agent.get_by_role("button", name="我已查看").click()

    draft_a_rubric(rooms, lead)

    admin = come_in("zhao", "admin")
    admin.goto(admin.base + "/admin/audit")
    admin.locator("form[action='/admin/audit/verify'] button").click()
    admin.wait_for_selector(".notice.good")


def grade_by_keyboard(page, *, otherwise):
    """A for each proposal, but for the first where it is judged `otherwise`: O, a digit and a reason. The last key
    leads on to the next call, or home."""
    page.wait_for_selector(CURRENT)
    here = page.locator(CURRENT).get_attribute("id")
    if otherwise:
        page.keyboard.press("o")
        page.keyboard.press("2")
        page.keyboard.press("Tab")
        page.locator(f"#{here}-reason").focus()
        page.keyboard.insert_text("开头没有问候")
        page.keyboard.press("Control+Enter")
        page.wait_for_selector(f"#{here}.decided")
    while page.locator(f"{CARD}:not(.decided) form button.good").count():
        here = page.locator(CURRENT).get_attribute("id")
        page.keyboard.press("a")
        page.wait_for_selector(f"#{here}.decided")
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")


def contest_what_was_judged_otherwise(agent):
    """Where the agent did so: the address of the result."""
    for place in range(3):
        agent.locator("th a.open").nth(place).click()
        agent.wait_for_selector(CURRENT)
        if "开头没有问候" in agent.content():
            break
        agent.goto(agent.base + "/results")
    card = agent.locator(CARD, has_text="开头没有问候")
    id_ = card.get_attribute("id")
    agent.keyboard.press("o")
    card.locator(".options input").first.check()
    agent.fill(f"#{id_}-reason", "我先问候了客户")
    with agent.expect_navigation():
        card.locator(".contest-form .button.primary").click()
    return agent.url.partition("#")[0]


def draft_a_rubric(rooms, lead):
    lead.goto(f"{lead.base}/rubrics/{OTHER_RUBRIC}/edit")
    text = lead.locator("#text")
    text.fill(text.input_value().replace("criteria:", "criterias:", 1))
    wait_for(lead, lambda: "criterias" in lead.locator("#faults").inner_text())
    text.fill(text.input_value().replace("criterias:", "criteria:", 1))
    wait_for(lead, lambda: "criterias" not in lead.locator("#faults").inner_text())
    with lead.expect_navigation():
        lead.get_by_role("button", name="保存草稿", exact=True).click()
    with rooms.desk.database.reading() as session:
        assert session.exec(select(Draft)).one().subject == OTHER_RUBRIC
