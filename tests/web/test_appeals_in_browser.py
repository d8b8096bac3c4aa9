"""An appeal is decided beside the words and the sound; and everybody can use the pages."""

import pytest
from sqlmodel import select

from callgrade.db.tables import Appeal
from tests.web.browsing import assert_accessible, assert_for_everybody, wait_for
from tests.web.publishing import contested, published
from tests.web.test_appeals import WANTED, first


@pytest.fixture
def filed(rooms):
    made = published(rooms)
    rooms.token("reviewer", "another")
    return made, contested(rooms, made, first(rooms, made), WANTED)


def test_a_lead_hears_the_moment_and_decides(rooms, open_page, filed):
    page = open_page("/appeals", role="qa_lead")
    with page.expect_navigation():
        page.click("th a.open")
    page.wait_for_selector("#cards .card[data-current]")
    sound = "document.getElementById('sound')"
    wait_for(page, lambda: page.evaluate(f"{sound}.readyState >= 1"))
    page.click("[data-hear]")
    wait_for(page, lambda: page.evaluate(f"{sound}.currentTime >= 4.2"))
    page.evaluate(f"{sound}.pause()")
    assert not page.locator(".thirds").is_visible()
    page.get_by_label("均不成立").check()
    assert page.locator(".thirds").is_visible()
    page.get_by_label("申诉成立").check()
    page.fill("#words-for-agent", "听到了问候")
    with page.expect_navigation():
        page.get_by_role("button", name="裁定").click()
    assert page.url.endswith("/appeals?state=open")
    with rooms.desk.database.reading() as session:
        assert session.exec(select(Appeal)).one().state == "accepted"


def test_everybody_can_use_it(rooms, open_page, filed):
    page = open_page("/appeals", role="qa_lead", language="en")
    assert_for_everybody(page, "appeals")
    page.goto(f"{page.base}/appeals/{filed[1]}")
    page.wait_for_selector("#cards .card[data-current]")
    page.locator('input[value="changed"]').check()
    assert_for_everybody(page, "appeal")
    page = open_page(f"/appeals/{filed[1]}", role="agent", language="en")
    page.get_by_text("Withdraw").first.click()
    assert_for_everybody(page, "appeal-agent")


def test_no_appeals_says_what_comes_here(rooms, open_page):
    for role, told in (("qa_lead", "没有申诉"), ("agent", "您没有提出过申诉")):
        page = open_page("/appeals", role=role)
        assert told in page.content()
        assert_accessible(page)
