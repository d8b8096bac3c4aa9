"""The list of calls: what each was graded, narrowed by a URL that can be sent to somebody, within everybody's reach."""

from datetime import timedelta
from typing import Any

import pytest

from callgrade.db.tables import Evaluation, Review
from callgrade.db.types import now
from tests.api.made import OTHER_RUBRIC, Service, transcript
from tests.web.browsing import assert_accessible, shot
from tests.web.made import AGENT, TEAM

OURS = {"agent": {"id": AGENT, "team": TEAM}}
THEIRS = {"agent": {"id": "9002", "team": "care-1"}}


def grade(service: Service, call_id: str, rubric: str | None = None, **changes: Any) -> str:
    """The evaluation's id."""
    more = {"rubric": rubric} if rubric else {}
    return service.submit(transcript(call_id, **changes), **more).json()["evaluation_id"]


def shown(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [
        part.partition("</bdi>")[0]
        for part in answer.text.split('<th scope="row">')[1:]
        for part in [part.partition("<bdi>")[2]]
    ]


@pytest.fixture
def three(rooms: Any) -> dict[str, str]:
    return {
        "A-1": grade(rooms.service, "A-1", **OURS, started_at="2026-11-01T23:30:00+08:00"),
        "A-2": grade(rooms.service, "A-2", **THEIRS, started_at="2026-11-02T00:30:00+08:00"),
        "A-3": grade(rooms.service, "A-3", OTHER_RUBRIC, **OURS, started_at="2026-11-03T09:30:00+08:00"),
    }


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "calls"),
        [
            ("", ["A-3", "A-2", "A-1"]),
            ("order=oldest", ["A-1", "A-2", "A-3"]),
            (f"agent={AGENT}", ["A-3", "A-1"]),
            ("team=care-1", ["A-2"]),
            (f"rubric={OTHER_RUBRIC}", ["A-3"]),
            ("status=proposed", ["A-3", "A-2", "A-1"]),
            ("status=failed", []),
            # days are the call centre's, from midnight to midnight there
            ("since=2026-11-02&until=2026-11-02", ["A-2"]),
            ("until=2026-11-01", ["A-1"]),
            ("agent=&team=&rubric=&status=&flag=&since=&until=&order=newest", ["A-3", "A-2", "A-1"]),
            ("since=2026-11-03&until=2026-11-01", []),
            ("batch=" + "0" * 32, []),
            ("unknown=1", ["A-3", "A-2", "A-1"]),
        ],
    )
    def test_all_that_are_given_hold(self, rooms, three, query, calls) -> None:
        assert shown(rooms.browser("admin").get(f"/calls?{query}")) == calls

    def test_the_form_shows_what_was_asked(self, rooms, three) -> None:
        text = rooms.browser("admin").get(f"/calls?agent={AGENT}&rubric={OTHER_RUBRIC}&since=2026-11-02").text
        assert f'value="{AGENT}"' in text
        assert f'<option value="{OTHER_RUBRIC}" selected>' in text
        assert 'value="2026-11-02"' in text

    def test_days_the_wrong_way_round_are_told(self, rooms, three) -> None:
        assert "起始日晚于结束日" in rooms.browser("admin").get("/calls?since=2026-11-03&until=2026-11-01").text

    def test_the_lowest_first_needs_a_flag(self, rooms, three) -> None:
        assert shown(rooms.browser("admin").get("/calls?order=lowest")) == ["A-3", "A-2", "A-1"]
        assert rooms.browser("admin").get("/calls?order=lowest&flag=needs_review").status_code == 200

    def test_a_list_goes_on_with_the_same_filters(self, rooms, three, monkeypatch) -> None:
        monkeypatch.setattr("callgrade.web.pages.calls.PAGE", 1)
        browser = rooms.browser("admin")
        first = browser.get(f"/calls?agent={AGENT}")
        assert shown(first) == ["A-3"]
        link = next(part for part in first.text.split('href="') if "cursor=" in part).partition('"')[0]
        second = browser.get(link.replace("&amp;", "&"))
        assert shown(second) == ["A-1"]
        assert f'href="/calls?agent={AGENT}"' in second.text
        assert browser.get("/calls?cursor=nonsense").status_code == 422

    def test_nothing_that_fits_says_so(self, rooms, three) -> None:
        assert "没有符合条件的通话" in rooms.browser("admin").get("/calls?team=none").text
        assert "还没有通话" in rooms.browser("admin", "far", client="other").get("/calls").text


class TestReach:
    def test_a_lead_sees_their_teams(self, rooms, three) -> None:
        assert shown(rooms.browser("qa_lead").get("/calls")) == ["A-3", "A-1"]
        assert shown(rooms.browser("qa_lead").get("/calls?team=care-1")) == []

    def test_an_agent_sees_their_own_once_they_are_published(self, rooms, three) -> None:
        agent = rooms.browser("agent")
        assert shown(agent.get("/calls")) == []
        with rooms.desk.database.writing() as session:
            for id_ in (three["A-1"], three["A-2"]):
                session.get(Evaluation, id_).status = "published"
        assert shown(agent.get("/calls")) == ["A-1"]

    def test_a_reviewer_sees_what_is_theirs_to_review(self, rooms, three) -> None:
        reviewer = rooms.browser("reviewer")
        assert shown(reviewer.get("/calls")) == []
        review(rooms, three["A-2"])
        assert shown(reviewer.get("/calls")) == ["A-2"]

    def test_what_somebody_is_to_judge_blind_is_not_there(self, rooms, three) -> None:
        lead = rooms.user("admin", "blind-lead")
        browser = rooms.browser("admin", "seeing")
        with rooms.desk.database.writing() as session:
            rooms.tokens["blind-lead"] = rooms.desk.sign_ins.welcome(session, lead)
        review(rooms, three["A-1"], reviewer_id=lead.id, blind=True)
        assert "A-1" in shown(browser.get("/calls"))
        for query in ("", f"agent={AGENT}", "flag=needs_review", "lowest=0"):
            assert "A-1" not in rooms.browser("admin", "blind-lead").get(f"/calls?{query}").text

    def test_nobody_else(self, rooms) -> None:
        assert rooms.browser().get("/calls").status_code == 303


def review(rooms: Any, evaluation_id: str, **more: Any) -> None:
    with rooms.desk.database.writing() as session:
        row = session.get(Evaluation, evaluation_id)
        told = {"agent_id": row.agent_id, "team": row.team, "rubric_id": row.rubric_id, "called_at": row.called_at}
        due = {"attempt": row.attempt, "why": "sample", "due_at": now() + timedelta(days=1)}
        session.add(Review(client_id=row.client_id, evaluation_id=row.id, **told, **due, **more))


def test_what_others_wrote_is_only_text(rooms) -> None:
    grade(rooms.service, "<script>alert(1)</script>\u202e", agent={"id": "<b>x</b>", "team": "<i>"})
    text = rooms.browser("admin").get("/calls").text
    assert "<script>alert" not in text
    assert "<b>x</b>" not in text
    assert "U+202E" in text


@pytest.mark.parametrize(("dark", "language", "width"), [(False, "zh", 1440), (True, "en", 1440), (False, "en", 800)])
def test_everybody_can_read_it(rooms, open_page, dark, language, width) -> None:
    page = open_page("/calls", "admin", dark=dark, language=language, width=width)
    assert_accessible(page)
    for number in range(6):
        grade(rooms.service, f"C-0000{number}", started_at=f"2026-11-0{number + 1}T09:30:00+08:00", **OURS)
    grade(rooms.service, "C-00009", OTHER_RUBRIC)
    with rooms.desk.database.writing() as session:
        for id_, status in (("C-00000", "published"), ("C-00001", "failed"), ("C-00002", "in_review")):
            session.get(Evaluation, find(rooms, id_)).status = status
    page.reload()
    shot(page, f"calls-{language}-{width}")
    assert_accessible(page)
    page.goto(page.base + "/calls?since=2026-11-03&until=2026-11-01")
    shot(page, f"calls-wrong-{language}-{width}")
    assert_accessible(page)


def find(rooms: Any, call_id: str) -> str:
    items = rooms.service.get("/v1/evaluations", limit=200).json()["items"]
    return next(item["id"] for item in items if item["call_id"] == call_id)
