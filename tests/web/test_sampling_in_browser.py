"""A lead makes a plan, draws, and hands reviews out; and everybody can use the pages."""

from sqlmodel import select

from callgrade.db.tables import Review, SamplingPlan
from tests.api.made import OTHER_RUBRIC
from tests.web.browsing import assert_accessible, assert_for_everybody, shot
from tests.web.publishing import person
from tests.web.reviewing import call, review


def test_a_lead_makes_a_plan_and_draws(rooms, open_page):
    for number in range(4):
        call(rooms, call_id=f"C-{number}")
    li = person(rooms, "reviewer", "li")
    page = open_page("/sampling", role="qa_lead")
    page.get_by_role("link", name="新建计划").first.click()
    page.select_option("#rubric", OTHER_RUBRIC)
    page.get_by_role("button", name="从其自带的规定开始").click()
    page.fill("#name", "每年一半")
    page.select_option("#unit", "year")
    page.fill('[name="q0.share"]', "50")
    page.get_by_role("button", name="预览抽取结果").click()
    assert "从 4 通中抽取 2 通" in page.locator("#outlook").inner_text()
    # Enter saves
    with page.expect_navigation():
        page.locator("#name").press("Enter")
    assert "通话的 50%" in page.content()
    page.get_by_role("button", name="立即抽取").click()
    assert "50.0%" in page.content()
    with rooms.desk.database.reading() as session:
        assert session.exec(select(SamplingPlan)).one().name == "每年一半"
        assert [row.reviewer_id for row in session.exec(select(Review))] == [li.user_id] * 2


def test_everybody_can_use_it(rooms, open_page):
    for number in range(3):
        made, _ = call(rooms, call_id=f"C-{number}")
        review(rooms, made, reviewer_id=person(rooms, "reviewer", "li").user_id if number else None)
    lead = rooms.browser("qa_lead")
    told = {"rubric": OTHER_RUBRIC, "name": "月度抽检", "unit": "year", "red_lines": "on", "below_confidence": "60"}
    quotas = {"q0.title": "", "q0.per_agent": "5", "q0.kind": "closed", "q0.instead_kind": "unclosed"}
    saved = lead.post(
        "/sampling", data={**told, **quotas, "q1.title": "", "q1.share": "50", "topic": "退款", "do": "save"}
    )
    plan = saved.headers["location"]
    run = lead.post(f"{plan}/drawings").headers["location"]
    pages = {
        "sampling": "/sampling",
        "sampling-plan": plan,
        "sampling-form": f"{plan}/edit",
        "sampling-drawing": run,
        "sampling-reviews": "/sampling/reviews",
    }
    page = open_page("/sampling", role="qa_lead", language="en")
    for name, path in pages.items():
        page.goto(page.base + path)
        assert_for_everybody(page, name, whole=name == "sampling-form")


def test_empty_and_faulty_ones_too(rooms, open_page):
    for path, told in (("/sampling", "还没有抽样计划"), ("/sampling/reviews", "没有可分派的评审")):
        page = open_page(path, role="qa_lead")
        assert told in page.content()
        assert_accessible(page)
    page = open_page(f"/sampling/new?rubric={OTHER_RUBRIC}", role="qa_lead")
    page.fill('[name="q0.share"]', "lots")
    page.fill("#due_days", "x")
    page.locator(".plan-form .button.primary").click()
    assert page.locator(".field.wrong").count() == 2
    assert_accessible(page)
    shot(page, "sampling-form-faults", whole=True)
