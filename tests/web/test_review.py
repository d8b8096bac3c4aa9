"""The review page without a browser: what it holds, what its forms do, and what a blind one must not hold."""

import json
import re

import pytest
from sqlmodel import select

from callgrade.calls import repository
from callgrade.calls.service import parse_stored
from callgrade.catalog import load_rubric
from callgrade.db.tables import Recording
from callgrade.evaluations.tables import SCORECARD
from callgrade.reviews.service import ReviewDesk
from tests.api.made import OTHER_RUBRIC
from tests.reviews.made import DUE
from tests.web.reviewing import MADE_UP, REASON, call, proposal, review


@pytest.fixture
def asked(rooms):
    """(the evaluation, its review, a reviewer's browser)"""
    made, _ = call(rooms)
    browser = rooms.browser("reviewer")
    return made, review(rooms, made), browser


def decision(id_, criterion, browser, **fields):
    told = {"kind": "approve", "expected": "0", **fields}
    return browser.post(f"/reviews/{id_}/criteria/{criterion}/decisions", data=told)


def first(page):
    return re.search(r'data-criterion="([a-z0-9-]+)"', page.text)[1]


def test_the_page_shows_words_proposals_and_no_answer_in_advance(asked):
    made, _, browser = asked
    page = browser.get(f"/calls/{made.call_id}")
    assert page.status_code == 200
    assert "您可以先试用不满意随时取" in page.text
    assert REASON in page.text
    assert "证据未核实" in page.text
    assert page.text.count('class="card') >= 17
    assert " checked" not in page.text.split('id="cards"')[1].split("</main>")[0]


def test_it_stays_small_and_needs_no_script_of_its_own_inside(asked):
    made, _, browser = asked
    page = browser.get(f"/calls/{made.call_id}", headers={"Accept-Encoding": "gzip"})
    assert int(page.headers["content-length"]) < 20_000
    assert not re.search(r"<script(?![^>]* src=)|<style|\bon[a-z]+=|style=", page.text)


def test_a_form_saves_and_leads_back_to_its_card(asked):
    made, id_, browser = asked
    criterion = first(browser.get(f"/calls/{made.call_id}"))
    saved = decision(id_, criterion, browser)
    assert saved.status_code == 303
    assert saved.headers["location"].endswith(f"review={id_}#c1")
    assert "已同意" in browser.get(f"/calls/{made.call_id}").text


def test_htmx_gets_the_card_and_the_head_of_the_form(asked):
    made, id_, browser = asked
    criterion = first(browser.get(f"/calls/{made.call_id}"))
    browser.headers["HX-Request"] = "true"
    saved = decision(id_, criterion, browser)
    assert saved.status_code == 200
    assert "<html" not in saved.text
    assert saved.text.count("<article") == 1
    assert 'id="position-of-cards" hx-swap-oob="true"' in saved.text
    assert "<strong>1</strong>" in saved.text


def test_a_stale_save_shows_both(asked):
    made, id_, browser = asked
    criterion = first(browser.get(f"/calls/{made.call_id}"))
    decision(id_, criterion, browser)
    typed = {"kind": "override", "choice": '{"answer":"no"}', "reason": "我这样想"}
    for headers in ({"HX-Request": "true"}, {}):
        answer = browser.post(
            f"/reviews/{id_}/criteria/{criterion}/decisions", data={**typed, "expected": "0"}, headers=headers
        )
        assert answer.status_code == 409
        assert "其间有人已作出决定" in answer.text
        assert "我这样想" in answer.text
        assert "已同意" in answer.text
        assert "X-Problem" not in answer.headers


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kind": "override", "choice": '{"answer":"no"}'}, "请写明理由"),
        ({"kind": "cannot_judge"}, "请写明理由"),
        ({"kind": "override", "choice": "nonsense", "reason": "x"}, "无法保存"),
        ({"kind": "override", "choice": '{"score":3}', "reason": "x"}, "无法保存"),
        ({"kind": "override", "choice": "typed", "number": "many", "reason": "x"}, "无法保存"),
    ],
)
def test_what_cannot_be_saved_comes_back_with_what_was_typed(asked, fields, told):
    made, id_, browser = asked
    criterion = first(browser.get(f"/calls/{made.call_id}"))
    browser.headers["HX-Request"] = "true"
    answer = decision(id_, criterion, browser, **fields)
    assert answer.status_code == 422
    assert told in answer.text
    if fields.get("reason"):
        assert ">x</textarea>" in answer.text


def test_what_was_not_said_cannot_be_approved(asked):
    made, id_, browser = asked
    page = browser.get(f"/calls/{made.call_id}").text
    card = next(part for part in page.split("<article") if MADE_UP in part)
    assert 'value="approve"' not in card
    criterion = re.search(r'data-criterion="([a-z0-9-]+)"', card)[1]
    assert decision(id_, criterion, browser).status_code == 409


def test_an_undo_brings_the_choice_back(asked):
    made, id_, browser = asked
    criterion = first(browser.get(f"/calls/{made.call_id}"))
    decision(id_, criterion, browser)
    undone = browser.post(f"/reviews/{id_}/criteria/{criterion}/undo", data={"expected": "1"})
    assert undone.status_code == 303
    assert "已同意" not in browser.get(f"/calls/{made.call_id}").text


def test_a_draft_is_there_again(asked):
    made, id_, browser = asked
    criterion = first(browser.get(f"/calls/{made.call_id}"))
    put = browser.put(f"/reviews/{id_}/criteria/{criterion}/draft", data={"reason": "写了一半", "choice": "null"})
    assert put.status_code == 204
    page = browser.get(f"/calls/{made.call_id}").text
    assert "写了一半</textarea>" in page
    assert page.count('value="null" checked') == 1
    assert "Draft" in browser.get("/queue", headers={"Accept-Language": "en"}).text


def test_sure_ones_are_approved_together_and_the_rest_is_left(asked):
    made, id_, browser = asked
    page = browser.get(f"/calls/{made.call_id}").text
    expected = re.search(r'name="expected" value="(\{[^"]*\})"', page)[1].replace("&#34;", '"')
    assert len(json.loads(expected)) == 14
    assert browser.post(f"/reviews/{id_}/approvals", data={"expected": expected}).status_code == 303
    assert browser.get(f"/calls/{made.call_id}").text.count("已同意") == 14


def test_what_was_approved_together_is_counted_at_the_head_at_once(asked):
    made, id_, browser = asked
    expected = re.search(r'name="expected" value="(\{[^"]*\})"', browser.get(f"/calls/{made.call_id}").text)[1]
    answer = browser.post(
        f"/reviews/{id_}/approvals", data={"expected": expected.replace("&#34;", '"')}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    assert answer.text.count("已同意") == 14
    head = answer.text[answer.text.index('id="position-of-cards" hx-swap-oob="true"') :]
    assert "<strong>14</strong>" in head
    assert 'id="finishing" hx-swap-oob="true"' in head
    assert "/approvals" not in head


def test_an_unfinished_call_leads_to_what_is_missing(asked):
    made, id_, browser = asked
    answer = browser.post(f"/reviews/{id_}/finish")
    assert answer.headers["location"].endswith("#c1")
    assert "还有 17 项未定" in browser.get(f"/calls/{made.call_id}").text


def test_a_finished_call_leads_to_the_next_one_of_the_queue(rooms):
    browser = rooms.browser("reviewer")
    made, _ = call(rooms, all_right=True)
    other, _ = call(rooms, "good-empathy")
    id_, behind = review(rooms, made), review(rooms, other)
    desk = ReviewDesk(rooms.desk.database)
    who = rooms.desk.sign_ins.admit(rooms.token("reviewer"))
    for card in desk.open(who, id_).cards:
        if not card.excluded:
            desk.decide(who, id_, card.criterion.id, "approve", expected=0)
    answer = browser.post(f"/reviews/{id_}/finish?whose=pool")
    assert answer.headers["location"] == f"/calls/{other.call_id}?whose=pool&review={behind}"
    assert "mis-selling 已完成" in browser.get(answer.headers["location"]).text
    assert "已完成" in browser.get(f"/calls/{made.call_id}?review={id_}").text


def test_a_claimed_call_is_shown_and_not_changed(asked, rooms):
    made, _, browser = asked
    browser.get(f"/calls/{made.call_id}")
    colleague = rooms.browser("reviewer", "wang")
    page = colleague.get(f"/calls/{made.call_id}").text
    assert "a-reviewer 正在评这通录音" in page
    assert 'value="approve"' not in page
    assert 'value="approve"' in colleague.get(f"/calls/{made.call_id}?take_over=1").text


def test_who_has_nothing_to_do_with_a_call_does_not_find_it(asked, rooms):
    made, id_, browser = asked
    criterion = first(browser.get(f"/calls/{made.call_id}"))
    other = rooms.browser("reviewer", "away", team="support")
    assert other.get(f"/calls/{made.call_id}").status_code == 404
    assert other.get(f"/calls/{made.call_id}/audio").status_code == 404
    assert decision(id_, criterion, other).status_code == 404
    assert browser.get("/calls/nonsense").status_code == 404
    assert browser.get(f"/calls/{made.call_id}?review=nonsense").status_code == 404


def test_the_sound_comes_whole_and_in_parts(asked):
    made, _, browser = asked
    whole = browser.get(f"/calls/{made.call_id}/audio")
    assert (whole.status_code, whole.content[:4], whole.headers["content-type"]) == (200, b"RIFF", "audio/wav")
    part = browser.get(f"/calls/{made.call_id}/audio", headers={"Range": "bytes=4-7"})
    assert (part.status_code, part.content) == (206, whole.content[4:8])
    assert browser.get(f"/calls/{made.call_id}/audio", headers={"Range": "bytes=999999999-"}).status_code == 416


def test_a_call_without_its_sound_can_be_reviewed_all_the_same(rooms, asked):
    made, _, browser = asked
    with rooms.desk.database.writing() as session:
        recording = session.exec(select(Recording)).one()
        session.delete(recording)
    page = browser.get(f"/calls/{made.call_id}")
    assert page.status_code == 200
    assert "没有录音" in page.text


def test_what_was_said_is_never_mark_up(rooms):
    made, _ = call(rooms)
    id_ = review(rooms, made)
    browser = rooms.browser("reviewer")
    criterion = first(browser.get(f"/calls/{made.call_id}"))
    hostile = "<script>alert(1)</script>{{7*7}}\u202e"
    decision(id_, criterion, browser, kind="cannot_judge", reason=hostile)
    page = browser.get(f"/calls/{made.call_id}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in page
    assert "U+202E" in page


# blind


def texts_of_blind(rooms, browser, made, id_):
    """Everything a browser can get of a blind review before it is submitted."""
    criterion = first(browser.get(f"/calls/{made.call_id}"))
    htmx = {"HX-Request": "true"}
    asked = [
        browser.get("/"),
        browser.get("/queue?why=sample"),
        browser.get("/queue?why=low_confidence"),
        browser.get("/queue", headers=htmx),
        browser.get("/calls"),
        browser.get(f"/calls/{made.call_id}"),
        decision(id_, criterion, browser),
        browser.post(f"/reviews/{id_}/approvals", data={"expected": "{}"}),
        browser.post(f"/reviews/{id_}/finish"),
        browser.get(f"/calls/{made.call_id}"),
        browser.put(f"/reviews/{id_}/criteria/{criterion}/draft", data={"reason": "x"}),
        browser.post(
            f"/reviews/{id_}/criteria/{criterion}/decisions",
            data={"kind": "override", "choice": '{"answer":"yes"}', "expected": "0"},
            headers=htmx,
        ),
        browser.post(f"/reviews/{id_}/criteria/{criterion}/undo", data={"expected": "1"}, headers=htmx),
    ]
    return [answer.text + json.dumps(dict(answer.headers)) for answer in asked]


def test_nothing_of_the_proposal_reaches_the_browser_of_a_blind_review(rooms):
    made, _ = call(rooms)
    id_ = review(rooms, made, blind=True, why="low_confidence")
    browser = rooms.browser("reviewer")
    for text in texts_of_blind(rooms, browser, made, id_):
        for told in (
            REASON,
            MADE_UP,
            "made-up-model",
            "AI ·",
            "证据未核实",
            "置信度低</span>",
            "96%",
            "55%",
            "data-quote",
        ):
            assert told not in text, told
        # the queue's filter names all reasons there are
        assert not re.search(r'<mark|class="pin|unfounded_evidence|red.line', re.sub(r"<option.*?</option>", "", text))
    with rooms.desk.database.reading() as session:
        total = str(session.get(type(made), made.id).high)
    assert total not in browser.get(f"/calls/{made.call_id}").text


def test_all_cards_of_a_blind_review_look_alike(rooms):
    made, _ = call(rooms)
    review(rooms, made, blind=True)
    page = rooms.browser("reviewer").get(f"/calls/{made.call_id}").text
    heads = {re.sub(r"c\d+", "c", re.search(r'^[^>]*class="([^"]*)"', part)[1]) for part in page.split("<article")[1:]}
    assert heads == {"card"}
    assert page.count("AI 结论已隐藏") == 17 - page.count("本通话不适用")


def test_a_blind_page_of_another_proposal_is_the_same_page(rooms):
    """The strongest form of it: two proposals, one page."""
    made, _ = call(rooms)
    review(rooms, made, blind=True, due_at=DUE)
    before = rooms.browser("reviewer").get(f"/calls/{made.call_id}").text
    with rooms.desk.database.writing() as session:
        words = parse_stored(repository.version(session, made.call_id).content)
        other = proposal(load_rubric(OTHER_RUBRIC), words, made.rubric_digest, all_right=True)
        session.execute(SCORECARD.update().values(content=other.model_dump_json(by_alias=True)))
    after = rooms.browser("reviewer").get(f"/calls/{made.call_id}").text
    assert re.sub(r"[0-9a-f]{32}", "", before) == re.sub(r"[0-9a-f]{32}", "", after)


def test_a_second_check_says_what_it_checks_and_whom_it_is_not_for(rooms):
    made, _ = call(rooms, all_right=True)
    browser = rooms.browser("reviewer")
    id_ = review(rooms, made)
    page = browser.get(f"/calls/{made.call_id}").text
    for criterion in re.findall(r'data-criterion="([a-z0-9-]+)"', page):
        decision(id_, criterion, browser)
    assert browser.post(f"/reviews/{id_}/finish").status_code == 303
    again = review(rooms, made, slot=1, why="complaint")
    own = browser.get(f"/calls/{made.call_id}?review={again}").text
    assert "因此由他人复核" in own
    assert "<textarea" not in own
    other = rooms.browser("reviewer", "another").get(f"/calls/{made.call_id}?review={again}").text
    assert "第 1 版" in other
    assert "<textarea" in other
