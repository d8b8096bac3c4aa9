"""Rubrics and prompts to read, what differs between versions, and what a model is sent."""

import pytest

from callgrade.catalog import digest, resolved_json
from callgrade.db.tables import RubricVersion
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations import registry
from tests.api.made import OTHER_RUBRIC
from tests.web.browsing import assert_accessible, shot
from tests.web.reviewing import call, review

ID = OTHER_RUBRIC.partition("@")[0]


@pytest.fixture
def next_version(rooms):
    """v2 of the rubric: one criterion renamed in wording, one gone."""
    with rooms.desk.database.writing() as session:
        before, _ = registry.rubric(session, OTHER_RUBRIC)
        content = resolved_json(before)
        content["version"], content["status"] = "v9", "draft"
        content["criteria"][0]["title"]["zh"] += "（新）"
        gone = content["criteria"].pop()
        after = Rubric.model_validate(content)
        session.add(
            RubricVersion(
                id=after.id, version="v9", status="draft", content=content, digest=digest(after), origin="test"
            )
        )
    return before, gone["id"]


def test_all_rubrics_are_listed_with_versions(rooms):
    page = rooms.browser("reviewer").get("/rubrics")
    assert page.status_code == 200
    assert f'href="/rubrics/{ID}"' in page.text
    assert "已发布" in page.text or "草稿" in page.text


@pytest.mark.parametrize("role", ["admin", "qa_lead", "reviewer", "agent"])
def test_everybody_reads_what_they_are_judged_by(rooms, role):
    page = rooms.browser(role).get(f"/rubrics/{ID}")
    assert page.status_code == 200
    with rooms.desk.database.reading() as session:
        form, _ = registry.rubric(session, OTHER_RUBRIC)
    for criterion in form.criteria:
        assert f'id="{criterion.id}"' in page.text
        assert criterion.title.zh in page.text


def test_what_is_not_there_is_not_found(rooms):
    browser = rooms.browser("admin")
    for path in ("/rubrics/none", f"/rubrics/{ID}?version=v77", f"/rubrics/{ID}/diff/v1", "/prompts/none"):
        assert browser.get(path).status_code == 404, path


def test_a_diff_names_what_was_changed_and_what_went(rooms, next_version):
    before, gone = next_version
    page = rooms.browser("admin").get(f"/rubrics/{ID}/diff/{before.version}..v9").text
    assert "<ins><bdi>（新）</bdi></ins>" in page
    assert "删除" in page
    assert gone in page


def test_a_version_and_itself_are_the_same(rooms, next_version):
    page = rooms.browser("admin").get(f"/rubrics/{ID}/diff/v9..v9").text
    assert "内容相同" in page


def test_the_exact_request_is_shown_with_its_tokens(rooms):
    _, words = call(rooms)
    page = rooms.browser("admin").get(f"/rubrics/{ID}/request", params={"call": words.call_id})
    assert page.status_code == 200
    assert "<pre" in page.text
    assert words.turns[1].text in page.text


def test_no_request_for_a_call_that_is_out_of_reach_or_still_to_be_judged_blind(rooms):
    made, words = call(rooms)
    told = {"call": words.call_id}
    review(rooms, made, blind=True, reviewer_id=rooms.user("reviewer", "other").id)
    assert (
        rooms.browser("agent", "nobody", agent_id="another").get(f"/rubrics/{ID}/request", params=told).status_code
        == 404
    )
    browser = rooms.browser("reviewer")
    assert browser.get(f"/rubrics/{ID}/request", params=told).status_code == 404
    review(rooms, made, blind=True, slot=1)
    assert browser.get(f"/rubrics/{ID}/request", params=told).status_code == 403


def test_prompts_are_listed_and_read(rooms):
    browser = rooms.browser("reviewer")
    assert 'href="/prompts/judge?version=v1"' in browser.get("/prompts").text
    page = browser.get("/prompts/judge")
    assert page.status_code == 200
    assert "{{ rubric }}" in page.text


def test_everything_can_be_used_by_everybody(rooms, next_version, open_page, browser):
    _, words = call(rooms)
    before, _ = next_version
    ways = {"list": "/rubrics", "rubric": f"/rubrics/{ID}", "diff": f"/rubrics/{ID}/diff/{before.version}..v9"}
    ways["request"] = f"/rubrics/{ID}/request?call={words.call_id}"
    ways["prompt"] = "/prompts/judge"
    for number, (name, path) in enumerate(ways.items()):
        page = open_page(
            path,
            role="admin",
            dark=bool(number % 2),
            language="en" if number % 2 else "zh",
            width=(1440, 800)[number % 2],
        )
        assert_accessible(page)
        shot(page, f"rubrics-{name}")
