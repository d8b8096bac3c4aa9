"""Golden sets in the browser: figures and raters, and of the holdout numbers alone."""

import json

import pytest

from callgrade.access.keys import ensure_client
from callgrade.access.principals import system
from callgrade.calibration.holdout import read_holdout
from callgrade.db.tables import AuditEvent
from callgrade.reviews.repository import select
from tests.web.golden import DISPUTED, FORM, golden_set


@pytest.fixture
def made(rooms):
    """(set, call)"""
    with rooms.desk.database.writing() as session:
        return golden_set(session, ensure_client(session).id)


def test_a_set_stands_in_the_list_with_its_sizes_and_raters(rooms, made):
    listed = rooms.browser("qa_lead").get("/golden-sets").text
    assert f'href="/golden-sets/{made[0]}"' in listed
    assert "由人标注" in listed
    assert "0 / 20" in listed
    assert 'action="/golden-sets/shipped"' in listed
    assert rooms.browser("reviewer").get("/golden-sets").status_code == 403


def test_its_page_tells_who_said_how_much_and_lists_no_call_of_the_holdout(rooms, made):
    with rooms.desk.database.reading() as session:
        us = system(ensure_client(session).id)
    read_holdout(rooms.desk.database, us, made[0], FORM.reference, "上线前最后一看")
    shown = rooms.browser("qa_lead").get(f"/golden-sets/{made[0]}").text
    assert "rater-0" in shown
    assert f"/golden-sets/{made[0]}/calls/{made[1]}" in shown
    assert "上线前最后一看" in shown
    assert ">1 / 20" in shown or " 1 / 20" in shown
    assert "g-2" not in shown


def test_a_call_shows_labels_side_by_side_and_one_of_the_holdout_does_not(rooms, made):
    lead = rooms.browser("qa_lead")
    shown = lead.get(f"/golden-sets/{made[0]}/calls/{made[1]}").text
    assert shown.count("盲评") >= 2
    assert "注 0" in shown
    assert shown.count(f'name="choice-{DISPUTED.id}"') > 1
    with rooms.desk.database.reading() as session:
        from callgrade.calibration.golden_repository import find_call

        held_out = find_call(session, made[0], "g-2").id
    blank = lead.get(f"/golden-sets/{made[0]}/calls/{held_out}")
    assert blank.status_code == 200, "the two differ, which a third is to decide"
    assert "rater-0" not in blank.text
    assert "注 0" not in blank.text
    assert "<table" not in blank.text


def test_raters_agree_by_criterion(rooms, made):
    shown = rooms.browser("qa_lead").get(f"/golden-sets/{made[0]}/agreement").text
    assert DISPUTED.title.zh in shown
    assert "rater-1" in shown


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_it_is_taken_along_without_its_holdout_and_that_is_written_down(rooms, made, form):
    answer = rooms.browser("qa_lead").get(f"/golden-sets/{made[0]}/labels.{form}")
    assert "attachment" in answer.headers["content-disposition"]
    assert "g-1" in answer.text
    assert "g-2" not in answer.text
    if form == "jsonl":
        assert [json.loads(line)["schema"] for line in answer.text.splitlines()] == [
            "callgrade.golden-call/1",
            *["callgrade.label/1"] * 2,
        ]
    with rooms.desk.database.reading() as session:
        actions = [one.action for one in session.execute(select(AuditEvent)).scalars()]
    assert "golden_set.exported" in actions


def test_one_is_made_with_a_name_that_is_free_and_is_one(rooms, made):
    lead = rooms.browser("qa_lead")
    assert lead.post("/golden-sets", data={"name": "own", "title": "x"}).status_code == 422
    refused = lead.post("/golden-sets", data={"name": "Not One", "title": "销售"})
    assert (refused.status_code, 'value="Not One"' in refused.text) == (422, True)
    there = lead.post("/golden-sets", data={"name": "sales-2026", "title": "销售"}).headers["location"]
    assert "销售" in lead.get(there).text
    assert lead.get(f"{there}/reviews?rubric={FORM.id}").status_code == 200
    assert lead.post(f"{there}/reviews", data={}).status_code == 303
