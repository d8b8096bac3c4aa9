"""Signing in and out through the pages."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from callgrade.access.elsewhere import Elsewhere
from callgrade.access.keys import ensure_client
from callgrade.access.people import Administration, Told
from callgrade.access.principals import system
from callgrade.adapters.oidc import OpenIDProvider
from callgrade.web.dependencies import session_cookie
from tests.access.openid import *  # noqa: F403
from tests.access.openid import OpenID
from tests.access.people import PASSWORD, make, quick_hashes  # noqa: F401
from tests.web.made import Rooms

pytestmark = pytest.mark.usefixtures("quick_hashes")
LEE = {"login": "lee", "password": PASSWORD}
NEW = "纸船 and a lantern"


def cookie_of(browser: Any, rooms: Rooms) -> str | None:
    return browser.cookies.get(session_cookie(rooms.desk.settings))


class TestPassword:
    def test_the_right_one_leads_where_somebody_wanted_to_go(self, rooms: Rooms) -> None:
        make(rooms.desk.database, "lee", "qa_lead")
        browser = rooms.browser()
        asked = browser.get("/calls?team=north")
        assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=%2Fcalls%3Fteam%3Dnorth")
        form = browser.get(asked.headers["location"]).text
        assert 'name="next" value="/calls?team=north"' in form
        answer = browser.post("/sign-in", data={**LEE, "next": "/calls?team=north"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/calls?team=north")
        assert browser.get("/calls").status_code == 200
        # and the page is not asked for once more
        assert browser.get("/sign-in?next=/batches").headers["location"] == "/batches"

    def test_the_cookie_is_nobodys_but_the_servers(self, rooms: Rooms) -> None:
        make(rooms.desk.database, "lee")
        set_ = rooms.browser().post("/sign-in", data=LEE).headers["set-cookie"]
        assert re.fullmatch(r"callgrade=[\w-]{43}; HttpOnly; Path=/; SameSite=lax", set_)

    @pytest.mark.parametrize(
        "elsewhere",
        [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "\\\\evil",
            "/\tx",
            "calls",
            "",
        ],
    )
    def test_nobody_is_led_out_of_the_house(self, rooms: Rooms, elsewhere: str) -> None:
        make(rooms.desk.database, "lee")
        browser = rooms.browser()
        assert browser.post("/sign-in", data={**LEE, "next": elsewhere}).headers["location"] == "/"
        assert browser.get("/sign-in", params={"next": elsewhere}).headers["location"] == "/"

    def test_a_wrong_one_is_told_as_an_unknown_name_is(self, rooms: Rooms) -> None:
        make(rooms.desk.database, "lee")
        told = []
        for login in ("lee", "nobody"):
            answer = rooms.browser().post("/sign-in", data={"login": login, "password": "wrong"})
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers
            told.append(re.sub(r"[0-9a-f]{32}", "", answer.text).replace(login, ""))
        assert told[0] == told[1]
        assert "用户名或密码不正确" in told[0]

    def test_what_was_typed_as_a_name_comes_back_escaped_and_the_password_never(self, rooms: Rooms) -> None:
        text = rooms.browser().post("/sign-in", data={"login": '"><b>', "password": "my secret"}).text
        assert 'value="&#34;&gt;&lt;b&gt;"' in text
        assert "my secret" not in text

    def test_too_many_are_asked_to_wait(self, rooms: Rooms) -> None:
        make(rooms.desk.database, "lee")
        browser = rooms.browser()
        for _ in range(6):
            assert browser.post("/sign-in", data={**LEE, "password": "wrong"}).status_code == 401
        answer = browser.post("/sign-in", data=LEE)
        assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
        assert "尝试次数过多" in answer.text

    def test_a_password_of_anothers_making_is_exchanged_for_ones_own(self, rooms: Rooms) -> None:
        with rooms.desk.database.writing() as session:
            by = system(ensure_client(session).id)
        _, once = Administration(rooms.desk.database).create(by, "lee", Told(role="qa_lead"))
        browser = rooms.browser()
        first = browser.post("/sign-in", data={"login": "lee", "password": once})
        assert first.status_code == 200
        assert 'name="new_password"' in first.text
        assert once not in first.text
        bad = browser.post("/sign-in", data={"login": "lee", "password": once, "new_password": "password123"})
        assert (bad.status_code, "常被首先尝试" in bad.text) == (422, True)
        good = browser.post("/sign-in", data={"login": "lee", "password": once, "new_password": NEW, "next": "/calls"})
        assert (good.status_code, good.headers["location"]) == (303, "/calls")

    def test_with_several_organisations_one_is_named(self, rooms: Rooms) -> None:
        assert 'name="client"' not in rooms.browser().get("/sign-in").text
        make(rooms.desk.database, "lee")
        make(rooms.desk.database, "lee", client="another", password=NEW)
        assert 'name="client"' in rooms.browser().get("/sign-in").text
        assert rooms.browser().post("/sign-in", data=LEE).status_code == 401
        assert rooms.browser().post("/sign-in", data={**LEE, "client": "default"}).status_code == 303

    def test_an_empty_house_says_how_the_first_user_is_made(self, rooms: Rooms) -> None:
        assert "callgrade user create" in rooms.browser().get("/sign-in").text
        make(rooms.desk.database, "lee")
        assert "callgrade user create" not in rooms.browser().get("/sign-in").text

    def test_another_sites_form_signs_nobody_in(self, rooms: Rooms) -> None:
        make(rooms.desk.database, "lee")
        answer = rooms.browser().post("/sign-in", data=LEE, headers={"Sec-Fetch-Site": "cross-site"})
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)

    def test_signing_in_anew_ends_what_the_browser_held(self, rooms: Rooms) -> None:
        make(rooms.desk.database, "lee")
        browser = rooms.browser()
        browser.post("/sign-in", data=LEE)
        before = cookie_of(browser, rooms)
        browser.post("/sign-in", data=LEE)
        assert before is not None
        assert cookie_of(browser, rooms) != before
        with pytest.raises(Exception, match="nobody is signed in"):
            rooms.desk.sign_ins.admit(before)


class TestOut:
    def test_signing_out_ends_the_session_on_the_server(self, rooms: Rooms) -> None:
        browser = rooms.browser("qa_lead")
        token = cookie_of(browser, rooms)
        answer = browser.post("/sign-out")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert re.search(r'callgrade="";.*Max-Age=0', answer.headers["set-cookie"])
        again = rooms.browser()
        again.cookies.set(session_cookie(rooms.desk.settings), token)
        assert again.get("/calls").status_code == 303
        assert browser.post("/sign-out").status_code == 303

    def test_another_site_signs_nobody_out(self, rooms: Rooms) -> None:
        browser = rooms.browser("qa_lead")
        assert browser.post("/sign-out", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
        assert browser.get("/calls").status_code == 200


class TestOnTop:
    """In a dialog over a page whose session has ended."""

    HTMX = {"HX-Request": "true"}

    def test_the_page_is_told_and_goes_on(self, rooms: Rooms) -> None:
        lee = make(rooms.desk.database, "lee")
        answer = rooms.browser().post("/sign-in", data={**LEE, "was": lee.id}, headers=self.HTMX)
        assert (answer.status_code, answer.headers["hx-trigger"]) == (204, "signed-in")
        assert "set-cookie" in answer.headers

    def test_somebody_else_starts_on_a_page_of_their_own(self, rooms: Rooms) -> None:
        """What the first one had typed must not be sent in the name of the second."""
        mei = make(rooms.desk.database, "mei")
        make(rooms.desk.database, "lee")
        answer = rooms.browser().post("/sign-in", data={**LEE, "was": mei.id}, headers=self.HTMX)
        assert (answer.headers["hx-redirect"], "hx-trigger" in answer.headers) == ("/", False)

    def test_a_wrong_password_is_told_in_the_dialog(self, rooms: Rooms) -> None:
        make(rooms.desk.database, "lee")
        answer = rooms.browser().post("/sign-in", data={**LEE, "password": "x"}, headers=self.HTMX)
        assert answer.status_code == 401
        assert "x-problem" not in answer.headers
        assert "<html" not in answer.text
        assert 'hx-post="/sign-in"' in answer.text

    def test_the_dialog_itself(self, rooms: Rooms) -> None:
        answer = rooms.browser().post("/batches/x/cancel", headers=self.HTMX)
        assert (answer.status_code, 'name="password"' in answer.text) == (401, True)

    def test_a_tab_of_its_own_tells_the_one_that_asked(self, rooms: Rooms) -> None:
        assert rooms.browser().get("/signed-in").headers["location"] == "/sign-in?next=/signed-in"
        assert "data-signed-in" in rooms.browser("reviewer").get("/signed-in").text


class TestElsewhere:
    @pytest.fixture
    def house(self, rooms: Rooms, openid: OpenID) -> Any:
        told = openid.settings(create=True, roles={"qa": "qa_lead"}, label="华声统一登录")
        openid.claims["groups"] = ["qa"]
        provider = OpenIDProvider(told)
        desk = rooms.desk
        settings = desk.settings.model_copy(update={"oidc": told})
        object.__setattr__(desk, "settings", settings)
        object.__setattr__(desk, "elsewhere", Elsewhere(desk.database, provider, told, desk.sign_ins))
        yield rooms
        provider.close()

    def test_there_and_back(self, house: Rooms, openid: OpenID) -> None:
        browser = house.browser()
        page = browser.get("/sign-in?next=/calls").text
        assert "华声统一登录" in page
        away = browser.get(re.search(r'href="(/sign-in/elsewhere[^"]*)"', page)[1])  # type: ignore[index]
        assert away.status_code == 303
        assert away.headers["location"].startswith(openid.url)
        brought = openid.visit(away.headers["location"])
        back = browser.get("/sign-in/back", params=brought)
        assert (back.status_code, back.headers["location"]) == (303, "/calls")
        assert browser.get("/calls").status_code == 200
        assert browser.cookies.get("sign-in") is None
        # once
        again = house.browser().get("/sign-in/back", params=brought)
        assert (again.status_code, "set-cookie" in again.headers) == (401, False)

    def test_the_way_back_is_the_house_itself(self, house: Rooms) -> None:
        asked = urlsplit(house.browser().get("/sign-in/elsewhere").headers["location"]).query
        assert "redirect_uri=http%3A%2F%2Ftestserver%2Fsign-in%2Fback" in asked

    def test_whoever_is_not_admitted_is_told_why(self, house: Rooms, openid: OpenID) -> None:
        openid.claims["groups"] = []
        browser = house.browser()
        brought = openid.visit(browser.get("/sign-in/elsewhere").headers["location"])
        answer = browser.get("/sign-in/back", params=brought)
        assert (answer.status_code, "没有给您角色" in answer.text) == (403, True)

    def test_a_provider_that_is_down_leaves_the_password(self, house: Rooms, openid: OpenID) -> None:
        openid.down = True
        answer = house.browser().get("/sign-in/elsewhere")
        assert (answer.status_code, 'name="password"' in answer.text) == (503, True)

    @pytest.mark.parametrize(
        "query", ["", "?state=x", "?state=x&code=y", "?error=access_denied", "?state=" + "x" * 2000]
    )
    def test_what_nobody_began_ends_nowhere(self, house: Rooms, query: str) -> None:
        answer = house.browser().get(f"/sign-in/back{query}")
        assert answer.status_code in (401, 422)
        assert "set-cookie" not in answer.headers

    def test_without_a_provider_there_is_no_button(self, rooms: Rooms) -> None:
        assert "/sign-in/elsewhere" not in rooms.browser().get("/sign-in").text
        for path in ("/sign-in/elsewhere", "/sign-in/back?state=x&code=y"):
            assert rooms.browser().get(path).headers["location"] == "/sign-in"
