import sys

import pytest

from tests.e2e.browser import missing
from tests.web.reviewing import REASON, call, review


@pytest.fixture
def graded(rooms):
    made, _ = call(rooms, call_id="通话/1 =1")
    review(rooms, made)
    return made, rooms.browser("reviewer")


def test_to_print(graded):
    made, browser = graded
    page = browser.get(f"/calls/{made.call_id}/scorecard")
    assert page.status_code == 200
    assert REASON in page.text
    # its own style and script, named by their hashes, and nothing else
    assert "sha256-" in page.headers["content-security-policy"]
    assert "unsafe" not in page.headers["content-security-policy"]


@pytest.mark.parametrize(("form", "begins"), [("csv", b"\xef\xbb\xbf#"), ("xlsx", b"PK")])
def test_to_take_along(graded, form, begins):
    made, browser = graded
    answer = browser.get(f"/calls/{made.call_id}/scorecard.{form}")
    assert answer.content.startswith(begins)
    name = "%E9%80%9A%E8%AF%9D%2F1%20%3D1"
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}.{form}"


def test_as_pdf(graded):
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError):
        missing("Pango", "apt-get install libpangoft2-1.0-0, and pip install 'callgrade[pdf]'")
    made, browser = graded
    answer = browser.get(f"/calls/{made.call_id}/scorecard.pdf")
    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF-")
    assert len(answer.content) > 10_000


def test_without_the_extra_it_says_what_to_install(graded, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    made, browser = graded
    answer = browser.get(f"/calls/{made.call_id}/scorecard.pdf")
    assert answer.headers["location"] == f"/calls/{made.call_id}"
    assert "callgrade[pdf]" in browser.get(f"/calls/{made.call_id}").text


def test_what_is_to_be_judged_blind_is_not_taken_along(rooms):
    made, _ = call(rooms)
    review(rooms, made, blind=True, reviewer_id=rooms.user("reviewer", "li").id)
    rooms.tokens.clear()
    with rooms.desk.database.writing() as session:
        from sqlmodel import select

        from callgrade.db.tables import User

        li = session.exec(select(User).where(User.login == "li")).one()
        rooms.tokens["li"] = rooms.desk.sign_ins.welcome(session, li)
    browser = rooms.browser("reviewer", "li")
    for form in ("", ".csv", ".xlsx", ".pdf"):
        assert browser.get(f"/calls/{made.call_id}/scorecard{form}").status_code == 404


def test_an_agent_does_not_find_a_proposal(graded, rooms):
    made, _ = graded
    assert rooms.browser("agent").get(f"/calls/{made.call_id}/scorecard").status_code == 404
