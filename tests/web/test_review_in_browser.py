"""The review page as a reviewer works at it: keys, drafts, a lost server, an input method, both themes."""

import re

import pytest
from sqlmodel import select

from callgrade.db.tables import PublishedScorecard, ReviewDraft
from tests.web.browsing import assert_accessible, assert_for_everybody
from tests.web.reviewing import call, review

CURRENT = "#cards .card[data-current]"


def current(page):
    return int(page.locator(CURRENT).get_attribute("id").removeprefix("c"))


def opened(open_page, rooms, made, **more):
    page = open_page(f"/calls/{made.call_id}", role="reviewer", **more)
    page.wait_for_selector(CURRENT)
    return page


@pytest.fixture
def asked(rooms):
    made, _ = call(rooms)
    rooms.token("reviewer")
    return made, review(rooms, made)


def pressed(page, key, until):
    """A key, and what it must bring about."""
    page.keyboard.press(key)
    page.wait_for_selector(until)


def test_a_call_whose_proposals_are_right_takes_a_key_each_and_one_to_finish(rooms, open_page):
    """Eight criteria take at most ten: A for each, and Ctrl+Enter."""
    made, _ = call(rooms, all_right=True)
    rooms.token("reviewer")
    review(rooms, made)
    page = opened(open_page, rooms, made)
    keys, to_decide = 0, int(re.search(r"/ (\d+)", page.locator("#position-of-cards").inner_text())[1])
    for done in range(1, to_decide + 1):
        here = current(page)
        pressed(page, "a", f"#c{here}.decided")
        keys += 1
        assert page.locator("#position-of-cards strong").first.inner_text() == str(done)
    with page.expect_navigation():
        page.keyboard.press("Control+Enter")
    keys += 1
    assert keys == to_decide + 1
    with rooms.desk.database.reading() as session:
        assert len(session.exec(select(PublishedScorecard)).all()) == 1
    assert "没有待评的通话" in page.content()


def test_a_decision_is_seen_with_the_card_and_not_a_moment_later(asked, rooms, open_page):
    """The library would show the new card with the old one's classes first, for 20 ms."""
    page = opened(open_page, rooms, asked[0])
    seen = page.evaluate(
        """() => new Promise((done) => {
          const tell = () => done(document.getElementById("c1").className);
          document.body.addEventListener("htmx:afterSettle", tell);
          document.body.addEventListener("htmx:afterSwap", () => queueMicrotask(tell));
          document.querySelector("#c1 button.good").click();
        })"""
    )
    assert seen == "card decided"


def test_the_keys_of_a_card(asked, rooms, open_page):
    page = opened(open_page, rooms, asked[0])
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert current(page) == 2
    pressed(page, "o", "#c2 .otherwise[open]")
    page.keyboard.press("2")
    assert page.locator("#c2 input[type=radio]").nth(1).is_checked()
    page.keyboard.type("没有结束语a")
    assert page.locator("#c2-reason").input_value() == "没有结束语a"
    pressed(page, "Control+Enter", "#c2.decided")
    assert current(page) == 3
    assert "没有结束语a" in page.locator("#c2 .mine").inner_text()
    page.keyboard.press("k")
    pressed(page, "u", "#c2:not(.decided)")
    assert page.locator("#c1").get_attribute("class") == "card"


def test_an_input_method_that_composes_triggers_nothing(asked, rooms, open_page):
    page = opened(open_page, rooms, asked[0])
    page.evaluate(
        """() => {
          for (const init of [{code: "KeyA", isComposing: true}, {code: "KeyA", keyCode: 229}]) {
            document.body.dispatchEvent(new KeyboardEvent("keydown", {bubbles: true, ...init}));
          }
        }"""
    )
    page.keyboard.press("c")
    client = page.context.new_cdp_session(page)
    client.send("Input.imeSetComposition", {"text": "ni hao", "selectionStart": 6, "selectionEnd": 6})
    client.send("Input.insertText", {"text": "你好"})
    assert page.locator("#c1-reason").input_value() == "你好"
    assert page.locator(".decided").count() == 0
    # a full-width sign is the same key
    page.keyboard.press("Escape")
    page.evaluate(
        'document.body.dispatchEvent(new KeyboardEvent("keydown", {bubbles: true, code: "Slash", key: "、"}))'
    )
    assert page.evaluate("document.activeElement.id") == "find"


def test_what_is_half_typed_survives_a_reload_and_another_browser(asked, rooms, open_page):
    page = opened(open_page, rooms, asked[0])
    page.keyboard.press("c")
    with page.expect_response(lambda answer: answer.url.endswith("/draft")):
        page.keyboard.type("写到一半")
    page.reload()
    assert page.locator("#c1-reason").input_value() == "写到一半"
    elsewhere = opened(open_page, rooms, asked[0])
    assert elsewhere.locator("#c1-reason").input_value() == "写到一半"
    with rooms.desk.database.reading() as session:
        assert session.exec(select(ReviewDraft)).one().content["reason"] == "写到一半"


def test_a_lost_server_loses_no_word(asked, rooms, open_page):
    page = opened(open_page, rooms, asked[0])
    page.keyboard.press("c")
    page.context.set_offline(True)
    page.keyboard.type("服务器没了")
    page.wait_for_selector("#c1 .unsaved")
    assert "未保存" in page.locator("#c1").inner_text()
    page.context.set_offline(False)
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    assert page.locator("#c1-reason").input_value() == "服务器没了"
    page.complaints.clear()


def test_a_decision_that_did_not_reach_the_server_is_marked_and_sent_again(asked, rooms, open_page):
    page = opened(open_page, rooms, asked[0])
    page.context.set_offline(True)
    pressed(page, "a", "#c1 .unsaved")
    page.context.set_offline(False)
    page.wait_for_selector("#c1.decided")
    page.complaints.clear()


def test_quotes_light_up_the_words_and_jump_in_the_sound(asked, rooms, open_page):
    page = opened(open_page, rooms, asked[0])
    page.wait_for_function("document.getElementById('sound').readyState >= 1")
    pressed(page, "e", "mark.lit")
    lit = page.locator("mark.lit").first.inner_text()
    assert lit == page.locator("#c1 .quote q").inner_text()
    page.evaluate("document.getElementById('sound').pause()")
    at = page.evaluate("document.getElementById('sound').currentTime")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.getElementById('sound').currentTime") == pytest.approx(at + 3, abs=0.2)


def test_finding_marks_every_place(asked, rooms, open_page):
    page = opened(open_page, rooms, asked[0])
    page.keyboard.press("/")
    page.keyboard.type("您")
    expected = page.locator(".words").all_inner_texts()
    assert page.locator("mark.hit").count() == sum(text.count("您") for text in expected)
    page.keyboard.press("Escape")
    assert page.locator("mark.hit").count() == 0
    assert page.locator(".words").all_inner_texts() == expected


def test_without_a_script_forms_do_the_same(asked, rooms, open_page):
    page = open_page(f"/calls/{asked[0].call_id}", role="reviewer", java_script_enabled=False)
    page.locator("#c1 button.good").click()
    assert "#c1" in page.url
    assert "decided" in page.locator("#c1").get_attribute("class")


def test_everybody_can_use_it(rooms, open_page):
    made, _ = call(rooms)
    other, _ = call(rooms, "good-empathy")
    rooms.token("reviewer")
    review(rooms, made)
    review(rooms, other, blind=True)
    assert_for_everybody(open_page("/", role="reviewer"), "queue")
    for name, it in (("review", made), ("blind", other)):
        assert_for_everybody(opened(open_page, rooms, it), name)


def test_an_empty_queue_says_why(rooms, open_page):
    page = open_page("/", role="reviewer")
    assert "没有待评的通话" in page.content()
    assert_accessible(page)
