"""Language and theme: the user's, else the cookie's, else what the browser asks for, else the service's."""

import pytest

from callgrade.web.preferences import asked_for
from callgrade.web.shell import own_path


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", None),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("fr,de;q=0.9", None),
        ("fr;q=1,EN;q=0.2", "en"),
        ("zh;q=0.5,en;q=0.5", "zh"),
        ("en;q=0,zh;q=0.1", "zh"),
        ("en;q=x", None),
        ("zh-Hant-TW", "zh"),
        (",;,en", "en"),
    ],
)
def test_what_a_browser_asks_for(header, language) -> None:
    assert asked_for(header) == language


def lang(answer) -> str:
    return answer.text.partition('<html lang="')[2].partition('"')[0]


def test_each_gives_way_to_what_is_nearer_to_the_reader(rooms) -> None:
    browser = rooms.browser("reviewer", "unasked")
    assert lang(browser.get("/nothing")) == "zh-CN"
    asking = {"Accept-Language": "en"}
    assert lang(browser.get("/nothing", headers=asking)) == "en"
    browser.cookies.set("language", "zh")
    assert lang(browser.get("/nothing", headers=asking)) == "zh-CN"
    known = rooms.browser("reviewer", "known", language="en")
    known.cookies.set("language", "zh")
    assert lang(known.get("/nothing")) == "en"
    known.cookies.set("language", "fr")
    assert lang(rooms.browser().get("/nothing", headers={"Cookie": "language=fr"})) == "zh-CN"


def test_a_choice_stays_and_goes_with_the_user_to_other_browsers(rooms) -> None:
    browser = rooms.browser("reviewer", "lin")
    answer = browser.post("/preferences", data={"language": "en", "next": "/calls?team=a"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/calls?team=a")
    assert "Max-Age=31536000" in answer.headers["set-cookie"]
    assert lang(browser.get("/nothing")) == "en"
    assert lang(rooms.browser("reviewer", "lin").get("/nothing")) == "en"
    assert lang(rooms.browser("reviewer", "another").get("/nothing")) == "zh-CN"


def test_a_theme_is_the_browsers(rooms) -> None:
    browser = rooms.browser("reviewer")
    assert 'data-theme="auto"' in browser.get("/nothing").text
    browser.post("/preferences", data={"theme": "dark"})
    assert 'data-theme="dark"' in browser.get("/nothing").text
    assert 'data-theme="auto"' in rooms.browser("reviewer").get("/nothing").text
    assert browser.post("/preferences", data={"theme": "pink"}).status_code == 422


def test_nobody_needs_to_be_signed_in_for_it(rooms) -> None:
    browser = rooms.browser()
    assert browser.post("/preferences", data={"language": "en"}).headers["location"] == "/"
    assert browser.cookies["language"] == "en"


@pytest.mark.parametrize(
    "wanted",
    ["https://example.com", "//example.com", "/\\example.com", "calls", "", None, "/a\nb", "javascript:alert(1)"],
)
def test_a_form_leads_nowhere_else(rooms, wanted) -> None:
    assert own_path(wanted) == "/"
    told = {} if wanted is None else {"next": wanted}
    assert rooms.browser().post("/preferences", data={"theme": "dark", **told}).headers["location"] == "/"


def test_what_was_done_is_said_once(rooms) -> None:
    from base64 import urlsafe_b64encode

    browser = rooms.browser("qa_lead")
    told = urlsafe_b64encode(b'["good", "<b>saved</b>"]').decode()
    browser.cookies.set("told", told)
    first = browser.get("/calls")
    assert '<p class="toast good">' in first.text
    assert "&lt;b&gt;saved&lt;/b&gt;" in first.text
    assert 'told=""' in first.headers["set-cookie"]
    for broken in ("x", "!!", urlsafe_b64encode(b'["bad"]').decode(), urlsafe_b64encode(b"[1, 2]").decode()):
        browser.cookies.clear()
        browser = rooms.browser("qa_lead")
        browser.cookies.set("told", broken)
        assert browser.get("/calls").status_code == 200
