"""Dashboards: every number of what was published, and leading to its calls."""

import pytest

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


def test_everybody_can_use_them(published, rooms, open_page):
    for dark, width, language in ((False, 1440, "zh"), (True, 800, "en")):
        for room in ("agents", "faults", "reviewers"):
            page = open_page(f"/dashboards/{room}?{SPAN}", role="admin", dark=dark, width=width, language=language)
            assert_accessible(page)
            shot(page, f"dashboard-{room}-{'dark' if dark else 'light'}-{width}")
