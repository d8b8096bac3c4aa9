"""Dashboards: every number of what was published, and leading to its calls."""

from datetime import UTC, datetime

import pytest
from sqlmodel import select

from callgrade.db.tables import Evaluation, Review, SampledCall, SamplingPlan, SamplingRun
from callgrade.reviews.service import ReviewDesk
from tests.web.browsing import assert_accessible, shot
from tests.web.reviewing import call, review

SPAN = "unit=days&since=2026-11-01&until=2026-11-30"


@pytest.fixture
def published(rooms):
    """Two calls of one agent, published by a reviewer."""
    who = rooms.desk.sign_ins.admit(rooms.token("reviewer"))
    desk = ReviewDesk(rooms.desk.database)
    for sample in ("mis-selling", "good-empathy"):
        made, _ = call(rooms, sample, all_right=True)
        id_ = review(rooms, made)
        for card in desk.open(who, id_).cards:
            if not card.excluded:
                desk.decide(who, id_, card.criterion.id, "approve", expected=0)
        desk.finish(who, id_)


def test_each_role_begins_with_what_it_may_see(published, rooms):
    first = {
        role: rooms.browser(role).get("/dashboards").headers["location"] for role in ("admin", "reviewer", "agent")
    }
    assert first == {
        "admin": "/dashboards/agents",
        "reviewer": "/dashboards/reviewers",
        "agent": "/dashboards/centre",
    }
    assert "8031" in rooms.browser("admin").get(f"/dashboards/agents?{SPAN}").text
    assert "8031" not in rooms.browser("reviewer").get(f"/dashboards/agents?{SPAN}").text
    assert "8031" in rooms.browser("qa_lead").get(f"/dashboards/agents?{SPAN}").text


def test_a_number_leads_to_its_calls(published, rooms):
    boss = rooms.browser("admin")
    page = boss.get(f"/dashboards/agents?{SPAN}").text
    link = "/calls?status=published&rubric=service-quality-core&since=2026-11-01&until=2026-11-30&agent=8031"
    assert link.replace("&", "&amp;") in page
    assert boss.get(link).text.count('<th scope="row">') == 2


@pytest.mark.parametrize("unit", ["week", "month", "month-21", "quarter", "half-year", "year"])
def test_every_period_has_a_page(published, rooms, unit):
    answer = rooms.browser("admin").get(f"/dashboards/centre?unit={unit}&back=1")
    assert answer.status_code == 200
    assert "back=2" in answer.text


def test_days_the_wrong_way_round_are_told(rooms):
    page = rooms.browser("admin").get("/dashboards/teams?unit=days&since=2026-11-30&until=2026-11-01")
    assert "第一天在最后一天之后" in page.text or "晚于" in page.text or "后" in page.text
    assert page.status_code == 200


@pytest.mark.parametrize("room", ["agents", "teams", "centre", "faults", "reviewers"])
def test_tables_can_be_taken_along(published, rooms, room):
    answer = rooms.browser("admin").get(f"/dashboards/{room}/table.csv?{SPAN}")
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert f"{room}-2026-11-01-2026-11-30.csv" in answer.headers["content-disposition"]


@pytest.fixture
def drawn(published, rooms):
    """Six more that were drawn by chance, each given fewer points than were proposed, and six that nobody has read."""
    with rooms.desk.database.writing() as session:
        done = session.exec(select(Evaluation).where(Evaluation.status == "published")).all()
        client = done[0].client_id
        plan = SamplingPlan(client_id=client, name="p", rubric_id="service-quality-core", spec={}, created_by="x")
        session.add(plan)
        session.flush()
        since, until = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
        run = SamplingRun(client_id=client, plan_id=plan.id, since=since, until=until, seed="x", population=9,
                          drawn=6, drawn_by="x")  # fmt: skip
        session.add(run)
        session.flush()
        for n in range(12):
            # as the first one, but that most were never read
            row = Evaluation(**{**done[0].model_dump(), "id": f"more{n}", "dedupe": f"more{n}", "proposed": 90 - n,
                                "total": 80 - 2 * n, "status": "published" if n < 6 else "proposed"})  # fmt: skip
            session.add(row)
            session.flush()
            if n < 6:
                session.add(Review(evaluation_id=row.id, client_id=client, attempt=1, why="sample", state="submitted",
                                   due_at=since, rubric_id=row.rubric_id, called_at=row.called_at))  # fmt: skip
                session.add(SampledCall(client_id=client, run_id=run.id, call_id=row.call_id, evaluation_id=row.id,
                                        stratum="all", why="sample", probability=0.5))  # fmt: skip


def test_a_page_says_of_which_calls_each_figure_speaks(drawn, rooms):
    boss = rooms.browser("admin")
    boss.cookies.set("language", "en")
    page = " ".join(boss.get(f"/dashboards/agents?{SPAN}").text.split())
    assert "All calls · 6 reviewed, 14 proposed" in page
    assert "2 published calls were not drawn by chance" in page
    link = "/calls?rubric=service-quality-core&since=2026-11-01&until=2026-11-30&agent=8031"
    assert f'<a href="{link.replace("&", "&amp;")}">14</a>' in page
    table = boss.get(f"/dashboards/agents/table.csv?{SPAN}").text.splitlines()
    assert table[0].lstrip("\ufeff").split(",") == [
        "Name", "Published", "Proposed calls", "Mean", "From", "To", "Speaks of", "Reviewed", "Before",
        "Passed", "From", "To", "Speaks of", "Reviewed",
    ]  # fmt: skip
    assert table[1].split(",")[:3] == ["8031", "8", "14"]
    assert table[1].split(",")[6:8] == ["All calls", "6"]


def test_everybody_can_use_them(drawn, rooms, open_page):
    for dark, width, language in ((False, 1440, "zh"), (True, 800, "en")):
        for room in ("agents", "faults", "reviewers"):
            page = open_page(f"/dashboards/{room}?{SPAN}", role="admin", dark=dark, width=width, language=language)
            assert_accessible(page)
            shot(page, f"dashboard-{room}-{'dark' if dark else 'light'}-{width}")
