"""Correcting a transcript from the review page, without a browser and in one."""

import re

import pytest
from sqlmodel import select

from callgrade.calls.service import transcript_versions
from callgrade.catalog import load_rubric
from callgrade.db.tables import Call, Evaluation
from callgrade.evaluations import repository as evaluations
from tests.api.made import OTHER_RUBRIC
from tests.web.browsing import assert_accessible, shot, wait_for
from tests.web.reviewing import REASON, call, proposal, review

SAID = "您可以先试用，七天之内可以退"


@pytest.fixture
def asked(rooms):
    made, _ = call(rooms)
    browser = rooms.browser("reviewer")
    return made, review(rooms, made), browser


def correct(browser, id_, text=SAID, version="1", turn="0"):
    return browser.post(f"/reviews/{id_}/words", data={"turn": turn, "version": version, "text": text})


def versions(rooms, made):
    with rooms.desk.database.reading() as session:
        return [row.version for row in transcript_versions(session, session.get(Call, made.call_id))]


def test_every_turn_has_a_door_to_its_words(asked):
    made, id_, browser = asked
    page = browser.get(f"/calls/{made.call_id}").text
    door = re.search(r'class="correct" href="([^"]+)"', page)[1].replace("&amp;", "&")
    form = browser.get(door)
    assert form.status_code == 200
    assert f'action="/reviews/{id_}/words"' in form.text
    assert "第 1 句" in form.text


def test_a_correction_leads_to_the_review_that_replaces_this_one(rooms, asked):
    made, id_, browser = asked
    saved = correct(browser, id_)
    assert saved.status_code == 303
    assert id_ not in saved.headers["location"]
    assert versions(rooms, made) == [1, 2]
    # judged at once here, or still to be: never the old one
    page = browser.get(saved.headers["location"], follow_redirects=True)
    assert page.status_code == 200
    assert SAID in page.text or "正在重新评分" in page.text


def test_a_stale_correction_shows_both_and_keeps_what_was_typed(rooms, asked):
    made, id_, browser = asked
    stale = correct(browser, id_, version="0")
    assert stale.status_code == 409
    assert SAID in stale.text
    assert "<blockquote" in stale.text
    assert versions(rooms, made) == [1]


def test_words_that_cannot_be_saved_come_back(rooms, asked):
    made, id_, browser = asked
    assert correct(browser, id_, text=" ").status_code == 422
    assert correct(browser, id_, turn="999").status_code == 404
    assert versions(rooms, made) == [1]


def test_the_speakers_are_swapped_with_one_button(rooms, asked):
    made, id_, browser = asked
    assert browser.post(f"/reviews/{id_}/speakers", data={"version": "1"}).status_code == 303
    assert versions(rooms, made) == [1, 2]


def test_a_blind_reviewer_may_correct_and_sees_nothing_by_it(rooms):
    made, _ = call(rooms)
    browser = rooms.browser("reviewer", "blind")
    id_ = review(rooms, made, blind=True)
    form = browser.get(f"/calls/{made.call_id}/words?review={id_}&turn=0")
    saved = correct(browser, id_)
    page = browser.get(saved.headers["location"], follow_redirects=True)
    assert (form.status_code, saved.status_code, page.status_code) == (200, 303, 200)
    assert REASON not in form.text + page.text


def test_whoever_waits_is_led_there_when_it_is_proposed(rooms, asked, monkeypatch):
    _, id_, browser = asked
    monkeypatch.setattr(type(rooms.desk.intake), "hand_over", lambda self, row: None)
    there = correct(browser, id_).headers["location"]
    waiting = browser.get(there)
    assert "正在重新评分" in waiting.text
    browser.headers["HX-Request"] = "true"
    assert browser.get(there).status_code == 204


def test_the_next_correction_is_made_to_the_newest_words(rooms, monkeypatch):
    made, words = call(rooms)
    browser = rooms.browser("reviewer")
    monkeypatch.setattr(type(rooms.desk.intake), "hand_over", lambda self, row: None)
    there = correct(browser, review(rooms, made)).headers["location"]
    judge_what_waits(rooms, words)
    page = browser.get(there, follow_redirects=True).text
    assert set(re.findall(r'name="version" value="(\d+)"', page)) == {"2"}


def test_the_dialog_is_filled_and_everything_can_be_used(rooms, open_page, browser):
    made, _ = call(rooms)
    id_ = review(rooms, made)
    page = open_page(f"/calls/{made.call_id}", role="reviewer")
    page.hover("#t2")
    shot(page, "correct-turn")
    page.locator("#t2 .correct").click()
    area = page.locator("#correct textarea")
    assert area.input_value() == page.locator("#t2 .words").text_content()
    assert_accessible(page)
    shot(page, "correct-dialog")
    page.keyboard.press("Escape")
    page.get_by_text("互换说话人").first.click()
    assert_accessible(page)
    shot(page, "correct-swap")
    page = open_page(
        f"/calls/{made.call_id}/words?review={id_}&turn=2", role="reviewer", dark=True, language="en", width=800
    )
    assert_accessible(page)
    shot(page, "correct-form")


def test_the_page_to_wait_on_can_be_used_and_leads_on_by_itself(rooms, open_page, browser, monkeypatch):
    made, words = call(rooms)
    id_ = review(rooms, made)
    monkeypatch.setattr(type(rooms.desk.intake), "hand_over", lambda self, row: None)
    there = correct(rooms.browser("reviewer"), id_).headers["location"]
    page = open_page(there, role="reviewer", dark=True, width=800)
    assert_accessible(page)
    shot(page, "correct-awaiting")
    judge_what_waits(rooms, words)
    wait_for(page, lambda: page.locator("#words").count() == 1)
    assert SAID in page.locator("#t0 .words").inner_text()


def judge_what_waits(rooms, words):
    with rooms.desk.database.writing() as session:
        row = session.exec(select(Evaluation).where(Evaluation.status == "queued")).one()
        work = evaluations.begin(session, row.id, "judging")
        card = proposal(load_rubric(OTHER_RUBRIC), words, row.rubric_digest)
        assert evaluations.store_scorecard(session, row.id, work.attempt, card)
