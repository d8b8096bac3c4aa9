"""Alerts in a browser: made, tried, found, seen; and everybody can use the pages."""

from callgrade.domain.errors import InputError
from tests.reviews.alerting import Letterbox
from tests.web.alerting import everything, mails
from tests.web.browsing import assert_for_everybody


def test_a_lead_makes_a_rule_and_tries_it_without_any_script(rooms, open_page):
    page = open_page("/alerts", role="qa_lead", java_script_enabled=False)
    page.get_by_role("link", name="新建规则").click()
    page.get_by_role("link", name="评审积压").click()
    page.fill("#name", "积压")
    page.fill("#open", "many")
    page.locator('[name="webhook"]').check()
    page.get_by_role("button", name="保存规则").click()
    assert page.locator(".field.wrong").count() == 1
    page.fill("#open", "200")
    page.get_by_role("button", name="保存规则").click()
    assert "待评审超过 200 条" in page.content()
    page.get_by_role("button", name="发送测试").click()
    assert "这是一次测试" in page.content()
    page.locator("tbody").get_by_role("button").first.click()
    assert page.locator("tbody").get_by_role("button").count() == 0


def test_everybody_can_use_it(rooms, open_page):
    page = open_page("/alerts", role="qa_lead")
    assert_for_everybody(page, "alerts-empty")
    lead = rooms.browser("qa_lead")
    everything(rooms, lead)
    mails(rooms, Letterbox(InputError("no")))
    paths = {"alerts": "/alerts", "alert-rules": "/alerts/rules", "alert-form": "/alerts/rules/new?kind=agent_week"}
    for name, path in paths.items():
        page.goto(page.base + path)
        assert_for_everybody(page, name, whole=True)
    page.fill("#name", "x")
    page.fill("#weeks", "x")
    page.fill("#email", "li")
    page.locator(".form .button.primary").click()
    assert page.locator(".field.wrong").count() == 2
    assert_for_everybody(page, "alert-form-faults", whole=True)
