"""Writing a rubric's draft in the browser: lint as one types, saving, what it makes of a call."""

import re
from html import unescape

import pytest

from tests.api.made import OTHER_RUBRIC
from tests.web.browsing import assert_accessible, shot, wait_for
from tests.web.reviewing import REASON, call, review

ID = OTHER_RUBRIC.partition("@")[0]
AT = f"/rubrics/{ID}/edit"


@pytest.fixture
def lead(rooms):
    return rooms.browser("qa_lead")


def text_in(page):
    return unescape(re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", page.text, re.DOTALL)[1])


def form(text, expected=0, **more):
    return {"text": text, "expected": str(expected), "based_on": "v1", **more}


def test_a_draft_is_begun_saved_and_gone_on_with(lead):
    page = lead.get(AT)
    assert page.status_code == 200
    text = text_in(page)
    assert "status: draft" in text
    assert "没有问题" in page.text
    assert lead.post(AT, data=form(text + "# 新\n")).status_code == 303
    again = lead.get(AT)
    assert text_in(again).endswith("# 新\n")
    assert 'name="expected" value="1"' in again.text


def test_a_stale_save_shows_both(lead):
    lead.post(AT, data=form("theirs: 1"))
    stale = lead.post(AT, data=form("mine: 1"))
    assert stale.status_code == 409
    assert "theirs: 1" in stale.text
    assert text_in(stale).strip() == "mine: 1"
    assert 'name="expected" value="1"' in stale.text


def test_faults_name_their_lines_and_nothing_is_saved_by_looking(lead):
    text = text_in(lead.get(AT)).replace("criteria:", "criterias:", 1)
    found = lead.post(f"{AT}/lint", data={"text": text})
    assert found.status_code == 200
    assert "<html" not in found.text
    assert "criterias" in found.text
    assert re.search(r"第 \d+ 行", found.text)
    assert 'name="expected" value="0"' in lead.get(AT).text


def test_what_it_makes_of_a_call_stands_beside_what_held(rooms, lead):
    _, words = call(rooms)
    text = text_in(lead.get(AT))
    tried = lead.post(f"{AT}/preview", data=form(text, call=words.call_id))
    assert tried.status_code == 200
    assert "<table" in tried.text
    # judged anew by rules, and nothing of what a machine had proposed
    assert REASON not in tried.text
    changed = lead.post(f"{AT}/preview", data=form(re.sub(r"(zh: )开头语", r"\1开场白", text), call=""))
    assert "<ins>" in changed.text
    broken = lead.post(f"{AT}/preview", data=form("- [", call=words.call_id))
    assert "先改正" in broken.text


def test_it_is_tried_on_no_call_that_is_still_to_be_judged_blind(rooms, lead):
    made, words = call(rooms)
    review(rooms, made, blind=True)
    text = text_in(lead.get(AT))
    assert lead.post(f"{AT}/preview", data=form(text, call=words.call_id)).status_code == 403
    assert lead.post(f"{AT}/preview", data=form(text, call="none")).status_code == 404


def test_closing_leaves_the_rubric_as_it_was(lead):
    lead.post(AT, data=form("a: 1"))
    assert lead.post(f"{AT}/close", data={"expected": "0"}).status_code == 409
    assert lead.post(f"{AT}/close", data={"expected": "1"}).status_code == 303
    assert "没有问题" in lead.get(AT).text


@pytest.mark.parametrize("role", ["reviewer", "agent"])
def test_whoever_only_reads_writes_nothing(rooms, role):
    browser = rooms.browser(role)
    assert browser.get(AT).status_code == 403
    assert browser.post(AT, data=form("a")).status_code == 403
    assert f'href="{AT}' not in browser.get(f"/rubrics/{ID}").text


def test_faults_come_as_one_types(rooms, open_page, browser):
    _, words = call(rooms)
    page = open_page(AT, role="qa_lead")
    assert_accessible(page)
    area = page.locator("#text")
    area.fill(area.input_value().replace("criteria:", "criterias:", 1))
    wait_for(page, lambda: "criterias" in page.locator("#faults").inner_text())
    assert_accessible(page)
    shot(page, "draft-faults")
    area.fill(area.input_value().replace("criterias:", "criteria:", 1).replace("zh: 开头语", "zh: 开场白", 1))
    page.locator("#call").fill(words.call_id)
    page.get_by_role("button", name="试一试").click()
    wait_for(page, lambda: page.locator("#preview table").count() == 1)
    assert_accessible(page)
    shot(page, "draft-preview", whole=True)
    page = open_page(AT, role="qa_lead", dark=True, language="en", width=800)
    assert_accessible(page)
    shot(page, "draft-dark")
