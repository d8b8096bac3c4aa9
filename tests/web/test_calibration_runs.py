"""Runs from the browser: what one costs, the holdout behind a confirmation, progress, cancelling, going on."""

import re
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from callgrade.access.keys import ensure_client
from callgrade.access.principals import system
from callgrade.adapters.rules import RuleJudge
from callgrade.adapters.speech import SpeechJudge
from callgrade.calibration import golden, run_repository
from callgrade.calibration.working import CalibrationWork, LeftOffError
from callgrade.db.tables import CalibrationRun
from callgrade.domain.options import options
from callgrade.settings import LLMSettings
from callgrade.web.app import open_desk
from callgrade.web.review_cards import written
from tests.web.golden import FORM, golden_set


@pytest.fixture
def set_id(rooms):
    with rooms.desk.database.writing() as session:
        return golden_set(session, ensure_client(session).id)[0]


def chosen(set_id, **more):
    return {"rubric": FORM.reference, "set": set_id, "split": "dev", "judge": "rules", "samples": "1", **more}


def begun(rooms, set_id, **more):
    answer = rooms.browser("qa_lead").post("/calibrations", data=chosen(set_id, **more))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].split("/")[2]


def row(rooms, run_id):
    with rooms.desk.database.reading() as session:
        return session.get(CalibrationRun, run_id)


def work_off(rooms, stopping=lambda: False):
    """What a worker does with what was handed in last."""

    @asynccontextmanager
    async def judges(_sample):
        yield [RuleJudge(), SpeechJudge()]

    work = CalibrationWork(rooms.desk.database, lambda *_: judges, model=None, in_flight=2)
    kind, run_id, by, why = rooms.service.queue.handed_in[-1]
    assert kind == "calibration"
    work.carry_out(run_id, by, why or None, stopping)


def test_a_run_is_begun_worked_off_and_reported(rooms, set_id):
    lead = rooms.browser("qa_lead")
    run_id = begun(rooms, set_id)
    assert begun(rooms, set_id) == run_id, "asked for twice it is one run"
    there = f"/calibrations/{run_id}"
    assert lead.get(there).headers["location"] == f"{there}/progress"
    assert 'hx-trigger="every 2s"' in lead.get(f"{there}/progress").text
    work_off(rooms)
    done = lead.get(f"{there}/progress").text
    assert ("hx-trigger" in done, f'href="{there}"' in done) == (False, True)
    assert lead.get(there).status_code == 200
    compared = lead.get(f"/calibrations/comparison?a={run_id}&b={run_id}").text
    assert FORM.criteria[0].title.zh in compared
    assert lead.post(f"{there}/continuation").status_code == 409
    assert lead.post(f"{there}/cancellation").status_code == 409


def test_a_cancelled_run_is_not_taken_up_until_somebody_goes_on(rooms, set_id):
    lead = rooms.browser("qa_lead")
    run_id = begun(rooms, set_id)
    assert lead.post(f"/calibrations/{run_id}/cancellation").status_code == 303
    work_off(rooms)
    assert (row(rooms, run_id).status, row(rooms, run_id).report) == ("cancelled", None)
    assert lead.post(f"/calibrations/{run_id}/continuation").status_code == 303
    work_off(rooms)
    assert row(rooms, run_id).status == "done"


def test_a_run_that_its_process_left_waits_for_the_next(rooms, set_id):
    run_id = begun(rooms, set_id)
    with pytest.raises(LeftOffError):
        work_off(rooms, stopping=lambda: True)
    assert row(rooms, run_id).status == "queued"
    with rooms.desk.database.reading() as session:
        assert run_repository.how_many_judged(session, run_id) == 1, "what was judged is stored"
    work_off(rooms)
    assert row(rooms, run_id).status == "done"


def test_the_holdout_needs_a_reason_and_a_word_of_its_own(rooms, set_id):
    lead = rooms.browser("qa_lead")
    shown = lead.get("/calibrations/new", params=chosen(set_id, split="holdout")).text
    assert 'name="sure"' in shown
    assert "0 次" in shown
    for told in ({}, {"why": "上线"}, {"sure": "yes"}):
        assert lead.post("/calibrations", data=chosen(set_id, split="holdout", **told)).status_code == 422
    begun(rooms, set_id, split="holdout", why="上线前", sure="yes")
    work_off(rooms)
    assert "上线前" in lead.get(f"/golden-sets/{set_id}").text
    assert "1 次" in lead.get("/calibrations/new", params=chosen(set_id, split="holdout")).text


def test_what_it_will_cost_is_told_before_anything_is_sent(rooms, set_id):
    lead = rooms.browser("qa_lead")
    assert "不调用模型" in lead.get("/calibrations/new", params=chosen(set_id)).text
    told = {"model": "made-up", "price_prompt": "2", "price_completion": "8"}
    settings = rooms.desk.settings.model_copy(update={"llm": LLMSettings.model_validate(told)})
    open_desk(rooms.service.app, replace(rooms.desk, settings=settings))
    first = lead.get("/calibrations/new", params=chosen(set_id, judge="auto")).text
    assert "$0.0" in first
    assert "首次运行前未知" in first
    with rooms.desk.database.writing() as session:
        us = system(ensure_client(session).id)
        fields = {"set_id": set_id, "split": "dev", "rubric_id": FORM.id, "rubric_version": "v1", "items": 2}
        spent = {"prompt_tokens": 2_000_000, "completion_tokens": 1_000_000}
        run = CalibrationRun(
            client_id=us.client_id, rubric_digest="x", model_asked="made-up", status="done", usage=spent,
            created_by="system", **fields,
        )  # fmt: skip
        session.add(run)
    assert "$6.00" in lead.get("/calibrations/new", params=chosen(set_id, judge="auto")).text


def test_who_wants_to_grade_blind_sees_no_verdict_before(rooms, set_id):
    lead = rooms.browser("qa_lead")
    asked = lead.post("/calibrations", data=chosen(set_id, blind="3"))
    run_id = asked.headers["location"].split("/")[2]
    there = f"/calibrations/{run_id}"
    assert asked.headers["location"] == f"{there}/blind"
    work_off(rooms)
    assert lead.get(there).headers["location"] == f"{there}/blind"
    assert lead.get(f"/calibrations/comparison?a={run_id}&b={run_id}").headers["location"] == f"{there}/blind"
    assert f'href="{there}"' not in lead.get(f"{there}/progress").text
    assert "数据不足" not in lead.get("/calibrations").text
    other = rooms.browser("qa_lead", "another")
    assert other.get(there).status_code == 200, "who asked for nothing reads the report"
    assert other.get(f"{there}/blind").status_code == 404
    form = lead.get(f"{there}/blind").text
    assert not re.search(r'type="radio"[^>]* checked', form)
    call = re.search(r'name="call" value="(\w+)"', form)[1]
    best = {f"choice-{one.id}": written(options(one)[0]) for one in FORM.criteria}
    first = f"choice-{FORM.criteria[0].id}"
    left_out = lead.post(f"{there}/blind", data={"call": call, **best, first: ""})
    kept = len(re.findall(r'type="radio"[^>]* checked', left_out.text))
    assert (left_out.status_code, kept) == (422, len(FORM.criteria) - 1), "what was chosen stays"
    assert lead.post(f"{there}/blind", data={"call": call, **best}).status_code == 303
    assert lead.post(f"{there}/blind", data={"call": call, **best}).status_code == 409, "what was graded stays"
    shown = lead.get(f"{there}/blind").text
    assert "您与评判" in shown
    assert f"/golden-sets/{set_id}/calls/{call}" in shown
    assert lead.get(there).status_code == 200
    with rooms.desk.database.reading() as session:
        labels = golden.labels(session, system(ensure_client(session).id), set_id)
    assert {label.rater for label in labels} == {"rater-0", "rater-1"}, "they are no labels of the set"


def test_of_the_holdout_nobody_grades_a_call(rooms, set_id):
    run_id = begun(rooms, set_id, split="holdout", why="上线前", sure="yes", blind="3")
    assert rooms.browser("qa_lead").get(f"/calibrations/{run_id}/blind").status_code == 404
