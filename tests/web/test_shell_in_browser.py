"""The shell as people meet it: every part of it in both themes and languages, by keyboard, and when things go wrong."""

from typing import Any

import pytest

from callgrade.access.passwords import hash_password
from callgrade.domain.errors import ConflictError, NotReadyError
from callgrade.web.dependencies import session_cookie
from tests.web.browsing import assert_accessible, assert_for_everybody, shot, signed_in, wait_for
from tests.web.style import RAISED, add_style

TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  Array.from(document.querySelectorAll("main *, .bar *"))
    .filter((it) => it.getBoundingClientRect().right > innerWidth + 1).map((it) => it.outerHTML.slice(0, 120))"""


@pytest.fixture(autouse=True)
def saves(rooms: Any) -> Any:
    return add_style(rooms.service.app)


class TestLooks:
    @pytest.mark.parametrize("language", ["zh", "en"])
    def test_everybody_can_use_every_part(self, open_page, language) -> None:
        page = open_page("/style", "qa_lead", language=language)
        assert_for_everybody(page, f"style-{language}", whole=True)

    def test_everybody_can_read_every_error(self, open_page) -> None:
        page = open_page("/style", "reviewer")
        for status in sorted(RAISED):
            page.goto(f"{page.base}/style/{status}")
            assert_for_everybody(page, f"error-{status}")

    def test_nothing_sticks_out(self, open_page) -> None:
        page = open_page("/style", "admin")
        for width in (320, 400, 1024, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate(TOO_WIDE) == [], width

    def test_what_opens_can_be_used_by_everybody_too(self, open_page) -> None:
        page = open_page("/style", "qa_lead")
        page.get_by_role("button", name="快捷键").click()
        shot(page, "keys")
        assert_accessible(page)
        page.keyboard.press("Escape")
        page.locator("details.drop > summary").click()
        shot(page, "menu")
        assert_accessible(page)
        page.locator("h1").click()
        assert page.locator("details.drop[open]").count() == 0

    def test_on_paper_there_are_no_buttons(self, open_page) -> None:
        page = open_page("/style", "qa_lead", dark=True)
        page.emulate_media(media="print")
        assert page.locator(".bar").is_hidden()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


class TestTheme:
    def test_it_changes_at_once_and_stays(self, open_page) -> None:
        page = open_page("/style", "reviewer")
        ground = "getComputedStyle(document.body).backgroundColor"
        before = page.evaluate(ground)
        with page.expect_response("**/preferences"):
            page.get_by_role("button", name="深色").first.click()
        assert page.evaluate(ground) != before
        dark = page.evaluate(ground)
        page.reload()
        assert page.evaluate(ground) == dark
        assert page.get_by_role("button", name="浅色").first.is_visible()

    def test_it_follows_the_system_until_somebody_chooses(self, open_page) -> None:
        page = open_page("/style", "reviewer")
        before = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.emulate_media(color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
        # the script hears of it a frame later than the styles
        page.get_by_role("button", name="浅色").first.wait_for(state="visible")

    def test_language_and_theme_need_no_script(self, open_page) -> None:
        page = open_page("/style", "reviewer", java_script_enabled=False)
        page.get_by_role("button", name="English").click()
        assert page.url.endswith("/style")
        assert page.locator("html").get_attribute("lang") == "en"
        page.get_by_role("button", name="Dark").first.click()
        assert page.locator("html").get_attribute("data-theme") == "dark"
        assert page.get_by_role("button", name="Keys").count() == 0


def press(page: Any, code: str, **more: Any) -> bool:
    """A key by its place, as an input method may send it. True where the page made it its own."""
    return page.evaluate(
        """([code, more]) => {
          const event = new KeyboardEvent("keydown", { code, key: "？", bubbles: true, cancelable: true, ...more });
          return !(document.activeElement ?? document.body).dispatchEvent(event);
        }""",
        [code, more],
    )


class TestKeys:
    def test_they_act_on_the_current_card(self, open_page, saves) -> None:
        page = open_page("/style", "reviewer")
        page.locator("#first input[name=reason]").fill("first")
        page.locator("h1").click()
        with page.expect_response("**/style/save"):
            page.keyboard.press("a")
        assert saves.sent == ["first"]

    def test_a_full_width_question_mark_opens_the_help(self, open_page) -> None:
        page = open_page("/style", "reviewer")
        assert press(page, "Slash", shiftKey=True)
        assert page.locator("#keys[open]").count() == 1
        # and while it is open, keys are its own
        assert not press(page, "KeyA")

    def test_an_input_method_at_work_is_left_alone(self, open_page, saves) -> None:
        page = open_page("/style", "reviewer")
        assert not press(page, "KeyA", isComposing=True)
        assert not press(page, "KeyA", keyCode=229)
        assert press(page, "KeyA")

    def test_who_types_types(self, open_page, saves) -> None:
        page = open_page("/style", "reviewer")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.type") == "search"
        page.keyboard.type("a/?a")
        assert page.locator("input[type=search]").input_value() == "a/?a"
        page.locator("#note").focus()
        page.keyboard.type("ga q")
        assert page.locator("#note").input_value() == "ga q"
        assert page.locator("#keys[open]").count() == 0
        assert saves.sent == []

    def test_held_down_it_acts_once(self, open_page, saves) -> None:
        page = open_page("/style", "reviewer")
        with page.expect_response("**/style/save"):
            assert press(page, "KeyA")
        for _ in range(3):
            press(page, "KeyA", repeat=True)
        page.wait_for_timeout(200)
        assert len(saves.sent) == 1

    def test_a_held_control_makes_it_another_key(self, open_page, saves) -> None:
        page = open_page("/style", "reviewer")
        assert not press(page, "KeyA", ctrlKey=True)
        assert not press(page, "KeyA", metaKey=True)
        assert not press(page, "KeyA", altKey=True)

    def test_one_after_the_other_leads_to_the_queue(self, open_page) -> None:
        page = open_page("/style", "reviewer")
        page.keyboard.press("g")
        with page.expect_navigation():
            page.keyboard.press("q")
        assert page.url == f"{page.base}/"

    def test_they_can_be_turned_off_for_good(self, open_page, saves) -> None:
        page = open_page("/style", "reviewer")
        page.get_by_role("button", name="快捷键").click()
        page.locator("#keys-on").uncheck()
        page.keyboard.press("Escape")
        page.reload()
        assert not press(page, "KeyA")
        assert not press(page, "Slash", shiftKey=True)
        page.get_by_role("button", name="快捷键").click()
        page.locator("#keys-on").check()
        page.keyboard.press("Escape")
        assert press(page, "KeyA")

    def test_buttons_and_links_keep_their_own(self, open_page) -> None:
        page = open_page("/style", "reviewer")
        page.evaluate("desk.key('Space', () => { window.played = (window.played ?? 0) + 1; })")
        page.get_by_role("button", name="快捷键").focus()
        page.keyboard.press("Space")
        assert page.locator("#keys[open]").count() == 1
        page.keyboard.press("Escape")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("Space")
        assert page.evaluate("window.played") == 1


class TestSaves:
    def write(self, page: Any, text: str) -> None:
        page.locator("#first input[name=reason]").fill(text)
        page.locator("#first button").click()

    def test_what_was_done_is_said(self, open_page) -> None:
        page = open_page("/style", "reviewer")
        self.write(page, "good")
        page.locator(".toast.good", has_text="Saved: good").wait_for()
        assert page.locator("[data-unsaved]").count() == 0

    def test_offline_the_card_says_so_and_keeps_it_until_it_is_saved(self, open_page, saves) -> None:
        page = open_page("/style", "reviewer")
        page.context.set_offline(True)
        self.write(page, "half a reason")
        page.locator("#first .unsaved", has_text="未保存").wait_for()
        page.locator(".toast.bad", has_text="连不上服务器").wait_for()
        shot(page, "offline")
        assert_accessible(page)
        assert page.locator("#first input[name=reason]").input_value() == "half a reason"
        assert page.locator("#second[data-unsaved]").count() == 0
        page.context.set_offline(False)
        wait_for(page, lambda: saves.sent == ["half a reason"])
        page.locator("#first:not([data-unsaved])").wait_for()
        assert page.locator(".toast.bad").count() == 0

    def test_a_service_that_is_down_is_asked_again_when_somebody_says_so(self, open_page, saves) -> None:
        page = open_page("/style", "reviewer")
        saves.errors = [NotReadyError("the database")]
        self.write(page, "again")
        page.locator(".toast.bad", has_text="暂时不可用").wait_for()
        shot(page, "not-ready")
        assert_accessible(page)
        page.get_by_role("button", name="再试一次").click()
        page.locator("#first:not([data-unsaved])").wait_for()
        assert saves.sent == ["again"]

    def test_a_conflict_is_not_sent_again(self, open_page, saves) -> None:
        page = open_page("/style", "reviewer", language="en")
        saves.errors = [ConflictError("version 3")]
        self.write(page, "stale")
        page.locator(".toast.bad", has_text="Somebody was faster").wait_for()
        assert page.locator(".toast.bad .button").count() == 0
        assert page.locator("#first .unsaved").count() == 1

    def test_who_leaves_with_something_unsaved_is_asked(self, open_page, saves) -> None:
        page = open_page("/style", "reviewer")
        saves.errors = [ConflictError("version 3")]
        self.write(page, "stale")
        page.locator("#first .unsaved").wait_for()
        asked = []
        page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        page.goto(page.base + "/calls")
        assert asked == ["beforeunload"]

    def test_signed_out_in_mid_work_one_signs_in_on_top_of_it(self, open_page, rooms, saves) -> None:
        rooms.token("reviewer", "lin", password_hash=hash_password("four words in a row"))
        page = open_page("/style", ("reviewer", "lin"))
        page.context.clear_cookies(name=session_cookie(rooms.desk.settings))
        self.write(page, "kept")
        dialog = page.locator("#sign-in-again[open]")
        dialog.wait_for()
        assert page.locator("#first .unsaved").count() == 1
        shot(page, "sign-in-again")
        assert_accessible(page)
        dialog.locator("#login").fill("lin")
        dialog.locator("#password").fill("not right")
        dialog.get_by_role("button", name="登录", exact=True).click()
        dialog.locator(".notice.bad").wait_for()
        assert_accessible(page)
        dialog.locator("#login").fill("lin")
        dialog.locator("#password").fill("four words in a row")
        dialog.get_by_role("button", name="登录", exact=True).click()
        wait_for(page, lambda: saves.sent == ["kept"])
        page.locator("#first:not([data-unsaved])").wait_for()
        assert page.locator("#sign-in-again[open]").count() == 0

    def test_or_in_another_tab(self, open_page, rooms, saves) -> None:
        page = open_page("/style", "reviewer")
        page.context.clear_cookies(name=session_cookie(rooms.desk.settings))
        self.write(page, "kept")
        page.locator("#sign-in-again[open]").wait_for()
        other = page.context.new_page()
        signed_in(page, rooms, "qa_lead")
        other.goto(page.base + "/signed-in")
        page.wait_for_timeout(200)
        assert saves.sent == []
        assert page.locator("#sign-in-again[open]").count() == 1
        signed_in(page, rooms, "reviewer")
        other.goto(page.base + "/signed-in")
        wait_for(page, lambda: saves.sent == ["kept"])
        page.locator("#first:not([data-unsaved])").wait_for()

    def test_nothing_is_saved_in_the_name_of_who_signed_in_elsewhere_since(self, open_page, rooms, saves) -> None:
        page = open_page("/style", "reviewer")
        signed_in(page, rooms, "qa_lead")
        self.write(page, "whose?")
        page.locator("#sign-in-again[open]").wait_for()
        assert saves.sent == []
