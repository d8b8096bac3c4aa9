"""Two grade blind at their own desks; then both are shown, and a third decides."""

import re

import pytest

from callgrade.access.keys import ensure_client
from callgrade.access.principals import system
from callgrade.calibration import golden
from callgrade.calibration.from_reviews import add_reviewed
from callgrade.db.tables import CalibrationRun
from callgrade.domain.options import options
from callgrade.reviews.repository import REVIEW, select
from callgrade.reviews.service import ReviewDesk
from tests.test_role_matrix import calibrated
from tests.web.made import TEAM
from tests.web.reviewing import REASON, call, review

LEFT, RIGHT = "甲的私语", "乙的私语"


@pytest.fixture
def graded(rooms):
    """(set, golden call, the server's id of the call): reviewed by one, with two more who could grade it."""
    who = [rooms.user("reviewer", f"r-{name}", name=name, team=TEAM) for name in ("初", "甲", "乙")]
    made, _ = call(rooms, all_right=True)
    first = review(rooms, made, reviewer_id=who[0].id)
    with rooms.desk.database.writing() as session:
        for one in who:
            rooms.tokens[one.login] = rooms.desk.sign_ins.welcome(session, one)
    judge_all(rooms, who[0].login, first, "approve")
    with rooms.desk.database.writing() as session:
        us = system(ensure_client(session).id)
        row = golden.create(session, us, "own", "自己的")
        assert add_reviewed(session, us, row.id, [made.id]).calls == 1
        found = golden.repository.call_named(session, row.id, "mis-selling")
        return row.id, found.id, made.call_id


def principal(rooms, login):
    return rooms.desk.sign_ins.admit(rooms.tokens[login], rooms.desk.clock())


def judge_all(rooms, login, review_id, kind="override", *, first=0, comment=""):
    """Everything the best there is, but for the first criterion: its option `first`."""
    desk, visitor = ReviewDesk(rooms.desk.database), principal(rooms, login)
    view = desk.open(visitor, review_id)
    for number, card in enumerate(one for one in view.cards if not one.excluded):
        outcome = options(card.criterion)[first if number == 0 else 0]
        told = {"expected": card.version, "reason": comment or "听过了"}
        if kind == "approve" and card.why_not is None:
            desk.decide(visitor, review_id, card.criterion.id, "approve", expected=card.version)
        else:
            desk.decide(visitor, review_id, card.criterion.id, "override", outcome=outcome, **told)
    desk.finish(visitor, review_id)


def blind_reviews(rooms):
    with rooms.desk.database.reading() as session:
        rows = session.execute(select(REVIEW.c.id, REVIEW.c.reviewer_id).where(REVIEW.c.blind.is_(True)))
        return {row.reviewer_id: row.id for row in rows}


def hand_out(rooms, graded, lead):
    ids = {login: principal(rooms, login).user_id for login in ("r-甲", "r-乙")}
    told = {"call": "mis-selling", "first": ids["r-甲"], "second": ids["r-乙"]}
    answer = lead.post(f"/golden-sets/{graded[0]}/double-grading", data=told)
    assert answer.status_code == 303, answer.text
    found = blind_reviews(rooms)
    return found[ids["r-甲"]], found[ids["r-乙"]]


def test_the_first_who_commits_is_seen_by_nobody_before_the_second_has(rooms, graded):
    lead = rooms.browser("qa_lead")
    one, two = hand_out(rooms, graded, lead)
    judge_all(rooms, "r-甲", one, first=1, comment=LEFT)
    second = rooms.browser("reviewer", "r-乙")
    places = [
        f"/calls/{graded[2]}",
        f"/calls/{graded[2]}?review={one}",
        f"/calls/{graded[2]}?review={two}",
        "/",
        "/calls",
    ]
    for browser in (second, lead):
        paths = places if browser is second else []
        paths = [*paths, f"/golden-sets/{graded[0]}/calls/{graded[1]}", f"/golden-sets/{graded[0]}/double-grading"]
        for path in paths:
            answer = browser.get(path)
            told = answer.text + str(answer.headers)
            assert LEFT not in told, path
            if browser is second:
                assert REASON not in told, path
    waiting = lead.get(f"/golden-sets/{graded[0]}/double-grading").text
    assert "1 / 2" in waiting
    assert ">揭示<" not in waiting


def test_a_lead_who_grades_opens_nobody_elses_review_of_the_call(rooms, graded):
    """Leads reach the reviews of their teams: not this one, until they have committed themselves."""
    lead = rooms.browser("qa_lead")
    ids = [principal(rooms, "r-甲").user_id, principal(rooms, "a-qa_lead").user_id]
    told = {"call": "mis-selling", "first": ids[0], "second": ids[1]}
    assert lead.post(f"/golden-sets/{graded[0]}/double-grading", data=told).status_code == 303
    found = blind_reviews(rooms)
    judge_all(rooms, "r-甲", found[ids[0]], first=1, comment=LEFT)
    with rooms.desk.database.reading() as session:
        first = session.execute(select(REVIEW.c.id).where(REVIEW.c.blind.is_(False))).scalar_one()
    for path in (f"?review={found[ids[0]]}", f"?review={first}", "?revision=1", ""):
        answer = lead.get(f"/calls/{graded[2]}{path}")
        assert LEFT not in answer.text, path
        assert REASON not in answer.text, path
    with rooms.desk.database.writing() as session:
        run_id = calibrated(session, ensure_client(session).id)
        run = session.get_one(CalibrationRun, run_id)
        apart = {"criterion_id": "x", "proposed": {"answer": "no"}, "truth": {"answer": "yes"}, "distance": 1.0}
        listed = [{"call": name, **apart} for name in ("mis-selling", "another-call")]
        run.set_id, run.report = graded[0], {**run.report, "disagreements": listed}
        session.add(run)
    report = lead.get(f"/calibrations/{run_id}").text
    assert ("mis-selling" in report, "another-call" in report) == (False, True)
    judge_all(rooms, "a-qa_lead", found[ids[1]])
    assert "mis-selling" in lead.get(f"/calibrations/{run_id}").text
    assert LEFT in lead.get(f"/calls/{graded[2]}?review={found[ids[0]]}").text


def test_then_a_third_decides_where_they_differ(rooms, graded):
    lead = rooms.browser("qa_lead")
    one, two = hand_out(rooms, graded, lead)
    judge_all(rooms, "r-甲", one, first=0)
    judge_all(rooms, "r-乙", two, first=1)
    here = f"/golden-sets/{graded[0]}"
    assert "揭示" in lead.get(f"{here}/double-grading").text
    there = lead.post(f"{here}/collection", data={"call": graded[1]}).headers["location"]
    shown = lead.get(there).text
    for name in ("初", "甲", "乙"):
        assert f"<bdi>{name}</bdi>" in shown
    names = sorted(set(re.findall(r'name="choice-([^"]+)"', shown)))
    assert len(names) == 1
    expected = re.search(r'name="expected" value="(\d+)"', shown)[1]
    choice = re.search(r'name="choice-[^"]+" value="([^"]+)"', shown)[1].replace("&#34;", '"')
    told = {"rubric": re.search(r'name="rubric" value="([^"]+)"', shown)[1], "expected": expected}
    undecided = lead.post(f"{there}/decision", data={**told, "note": "还没想好"})
    assert (undecided.status_code, "还没想好" in undecided.text) == (422, True)
    right = {**told, f"choice-{names[0]}": choice, "note": "听了两遍"}
    assert lead.post(f"{there}/decision", data={**right, "expected": "1"}).status_code == 409
    assert lead.post(f"{there}/decision", data=right).status_code == 303
    assert lead.post(f"{there}/decision", data=right).status_code == 409
    decided = lead.get(there).text
    assert "第三方裁定" in decided
    assert "听了两遍" in decided
    assert f'name="choice-{names[0]}"' not in decided


def test_what_cannot_be_handed_out_is_said(rooms, graded):
    lead = rooms.browser("qa_lead")
    here = f"/golden-sets/{graded[0]}/double-grading"
    first = principal(rooms, "r-初").user_id
    other = principal(rooms, "r-甲").user_id
    for told, status in (
        ({}, 422),
        ({"call": "mis-selling", "first": other}, 422),
        ({"call": "mis-selling", "first": other, "second": other}, 422),
        ({"call": "mis-selling", "first": other, "second": first}, 409),
    ):
        answer = lead.post(here, data=told)
        assert (answer.status_code, 'role="alert"' in answer.text) == (status, True), told
    assert blind_reviews(rooms) == {}
