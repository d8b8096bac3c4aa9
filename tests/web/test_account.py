"""One's own account."""

import re

import pytest

from tests.access.people import PASSWORD, make, quick_hashes  # noqa: F401
from tests.web.made import Rooms
from tests.web.test_sign_in import LEE, NEW, cookie_of

pytestmark = pytest.mark.usefixtures("quick_hashes")


def signed_in(rooms: Rooms, agent: str = ""):
    browser = rooms.browser()
    browser.post("/sign-in", data=LEE, headers={"User-Agent": agent})
    return browser


def test_it_says_who_one_is(rooms: Rooms) -> None:
    make(rooms.desk.database, "lee", "qa_lead", name="李敏", leads=("华北一组", "华北二组"))
    text = signed_in(rooms).get("/account").text
    for said in ("李敏", "质检主管", "华北一组", "华北二组"):
        assert said in text


@pytest.mark.parametrize("role", ["admin", "qa_lead", "reviewer", "agent"])
def test_everybody_has_one(rooms: Rooms, role) -> None:
    assert rooms.browser(role).get("/account").status_code == 200


def test_a_new_password_keeps_this_browser_and_ends_the_others(rooms: Rooms) -> None:
    make(rooms.desk.database, "lee")
    here, other = signed_in(rooms), signed_in(rooms)
    before = cookie_of(here, rooms)
    wrong = here.post("/account/password", data={"old": "wrong", "new": NEW})
    assert (wrong.status_code, "不是您目前的密码" in wrong.text) == (422, True)
    bad = here.post("/account/password", data={"old": PASSWORD, "new": "short"})
    assert (bad.status_code, "至少 10 个字符" in bad.text, "short" in bad.text) == (422, True, False)
    done = here.post("/account/password", data={"old": PASSWORD, "new": NEW})
    assert (done.status_code, done.headers["location"]) == (303, "/account")
    assert cookie_of(here, rooms) != before
    assert here.get("/account").status_code == 200
    assert other.get("/account").status_code == 303


def test_browsers_are_listed_and_ended(rooms: Rooms) -> None:
    make(rooms.desk.database, "lee")
    here = signed_in(rooms, "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/144.0")
    other = signed_in(rooms, "Mozilla/5.0 (Linux; Android 15) Chrome/142.0 Mobile Safari/537.36")
    text = here.get("/account").text
    assert "Firefox · Windows" in text
    assert "Chrome · Android" in text
    (end,) = re.findall(r'action="(/account/browsers/[0-9a-f]+/end)"', text)
    assert here.post(end).status_code == 303
    assert other.get("/account").status_code == 303
    assert "Chrome · Android" not in here.get("/account").text


def test_everywhere_is_everywhere(rooms: Rooms) -> None:
    make(rooms.desk.database, "lee")
    here, other = signed_in(rooms), signed_in(rooms)
    assert here.post("/account/sign-out-everywhere").headers["location"] == "/sign-in"
    for browser in (here, other):
        assert browser.get("/account").status_code == 303


def test_the_language_goes_with_its_owner_to_another_browser(rooms: Rooms) -> None:
    make(rooms.desk.database, "lee")
    signed_in(rooms).post("/preferences", data={"language": "en", "next": "/account"})
    assert "Where you are signed in" in signed_in(rooms).get("/account").text


def test_who_signs_in_elsewhere_has_no_password_to_change(rooms: Rooms) -> None:
    text = rooms.browser("reviewer").get("/account").text
    assert 'name="old"' not in text
