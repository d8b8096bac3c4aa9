"""An agent looks at a result, hears the moment and contests it; and everybody can use the pages."""

from sqlmodel import select

from callgrade.db.tables import Appeal
from tests.web.browsing import assert_accessible, assert_for_everybody, wait_for
from tests.web.publishing import contested, published
from tests.web.reviewing import call

CURRENT = "#cards .card[data-current]"


def test_an_agent_hears_the_moment_and_contests_it(rooms, open_page):
    made = published(rooms)
    rooms.token("agent")
    page = open_page("/results", role="agent")
    page.click("th a.open")
    page.wait_for_selector(CURRENT)
    sound = "document.getElementById('sound')"
    wait_for(page, lambda: page.evaluate(f"{sound}.readyState >= 1"))
    page.keyboard.press("o")
    page.evaluate(f"{sound}.currentTime = 4.2")
    wait_for(page, lambda: page.locator("#now").inner_text() == "0:04.2")
    page.keyboard.press("Escape")
    page.click("#c1 [data-take-moment]")
    assert page.locator("#c1-moment").input_value() == "0:04.2"
    page.locator("#c1 .options input").first.check()
    page.fill("#c1-reason", "我问候了客户")
    with page.expect_navigation():
        page.click("#c1 .contest-form .button.primary")
    assert page.url.endswith("#c1")
    with rooms.desk.database.reading() as session:
        row = session.exec(select(Appeal)).one()
    assert (row.evaluation_id, row.at_ms) == (made.id, 4200)
    page.click("#c1 [data-hear]")
    wait_for(page, lambda: page.evaluate(f"{sound}.currentTime >= 4.2"))
    with page.expect_navigation():
        page.get_by_role("button", name="我已查看").click()
    assert page.locator(".finishing .chip.good").count() == 1


def test_everybody_can_use_it(rooms, open_page):
    made, proposal = published(rooms), call(rooms, "good-empathy")[0]
    page = open_page(f"/calls/{made.call_id}", role="agent")
    contested(rooms, made, page.locator(".card").first.get_attribute("data-criterion"), {"answer": "yes"})
    page.goto(page.base + "/results")
    assert_for_everybody(page, "results")
    page.goto(f"{page.base}/calls/{made.call_id}")
    page.wait_for_selector(CURRENT)
    page.keyboard.press("j")
    page.keyboard.press("o")
    assert_for_everybody(page, "standing")
    page = open_page(f"/calls/{proposal.call_id}", role="qa_lead")
    page.wait_for_selector(CURRENT)
    page.get_by_text("安排质检").click()
    assert_for_everybody(page, "standing-lead")


def test_no_results_yet_says_so(rooms, open_page):
    page = open_page("/results", role="agent")
    assert "还没有成绩" in page.content()
    assert_accessible(page)
