"""Signing in and administering as people meet it: in both themes, wide and narrow, script or none."""

from typing import Any

import pytest

from callgrade.access.people import Administration
from tests.access.people import PASSWORD, make, quick_hashes  # noqa: F401
from tests.web.browsing import assert_for_everybody, wait_for

pytestmark = pytest.mark.usefixtures("quick_hashes")


def people(rooms: Any) -> None:
    database = rooms.desk.database
    make(database, "limin", "qa_lead", name="李敏", leads=("华北一组", "华北二组"))
    make(database, "wangfang", "reviewer", name="王芳", team="华北一组")
    make(database, "zhao.lei@example.com", "reviewer", name="赵磊", team="华南组", agent_id="8100")
    make(database, "chen", "agent", name="陈静", team="华北一组", agent_id="8031")
    gone = make(database, "sun", "reviewer", name="孙悦", team="华南组", password=None)
    Administration(database).disable(rooms.desk.sign_ins.admit(rooms.token("admin")), gone.id)


class TestLooks:
    def test_the_entrance(self, open_page, rooms) -> None:
        people(rooms)
        page = open_page("/sign-in", None)
        assert_for_everybody(page, "sign-in", whole=True)
        page.fill("#login", "limin")
        page.fill("#password", "wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector(".notice")
        assert_for_everybody(page, "sign-in-wrong", whole=True)

    def test_the_account(self, open_page, rooms) -> None:
        rooms.token("reviewer", "me", name="王芳", team="华北一组", password_hash="x")
        rooms.tokens["a-reviewer"] = rooms.tokens["me"]
        page = open_page("/account", "reviewer")
        assert_for_everybody(page, "account", whole=True)

    def test_the_users(self, open_page, rooms) -> None:
        people(rooms)
        page = open_page("/admin/users", "admin")
        assert_for_everybody(page, "admin-users", whole=True)
        page.goto(page.base + "/admin/users?q=nobody")
        assert_for_everybody(page, "admin-users-none", whole=True)
        page.goto(page.base + "/admin/users")
        page.get_by_role("link", name="李敏").click()
        page.locator("details.confirm > summary").first.click()
        assert_for_everybody(page, "admin-user", whole=True)
        page.goto(page.base + "/admin/users/new")
        page.fill("#login", "limin")
        page.locator("form.form button.primary").click()
        page.wait_for_selector(".error")
        assert_for_everybody(page, "admin-user-wrong", whole=True)
        page.fill("#login", "zhou")
        page.locator("form.form button.primary").click()
        page.wait_for_selector("#secret")
        assert_for_everybody(page, "admin-user-made", whole=True)

    def test_the_agents(self, open_page, rooms) -> None:
        page = open_page("/admin/agents", "admin")
        assert_for_everybody(page, "admin-agents-none", whole=True)
        table = "工号,姓名,班组,离职\n8031,陈静,华北一组,\n8032,王芳,华北一组,\n8100,赵磊,华南组,是\n"
        page.set_input_files("#file", {"name": "坐席.csv", "mimeType": "text/csv", "buffer": table.encode("gbk")})
        page.locator("form.form button.primary").click()
        page.wait_for_selector("table")
        assert_for_everybody(page, "admin-agents", whole=True)
        page.locator("details.panel > summary").click()
        page.set_input_files("#file", {"name": "x.csv", "mimeType": "text/csv", "buffer": b"agent_id,name\n1\n"})
        page.locator("form.form button.primary").click()
        page.wait_for_selector(".error")
        assert_for_everybody(page, "admin-agents-wrong", whole=True)

    def test_the_keys(self, open_page, rooms) -> None:
        page = open_page("/admin/keys", "admin")
        assert_for_everybody(page, "admin-keys-none", whole=True)
        page.fill("#name", "CRM")
        page.select_option("#days", "90")
        page.locator("form.form button.primary").click()
        page.wait_for_selector("#secret")
        assert_for_everybody(page, "admin-key-made", whole=True)
        page.goto(page.base + "/admin/keys")
        page.locator("details.confirm > summary").first.click()
        assert_for_everybody(page, "admin-keys", whole=True)

    def test_the_record(self, open_page, rooms) -> None:
        people(rooms)
        page = open_page("/admin/audit", "admin")
        assert_for_everybody(page, "admin-audit", whole=True)
        page.locator("form[action='/admin/audit/verify'] button").click()
        page.wait_for_selector(".notice")
        assert_for_everybody(page, "admin-audit-verified", whole=True)


class TestByHand:
    def test_in_through_the_door_and_out_again_without_a_script(self, open_page, rooms) -> None:
        make(rooms.desk.database, "lee", "qa_lead")
        page = open_page("/calls?team=north", java_script_enabled=False)
        page.fill("#login", "lee")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/calls?team=north")
        page.locator("details.drop > summary").click()
        page.get_by_role("button", name="退出登录").click()
        page.wait_for_url("**/sign-in")
        assert "您已退出登录" in page.content()

    def test_a_search_answers_while_one_types(self, open_page, rooms) -> None:
        people(rooms)
        page = open_page("/admin/users", "admin")
        page.fill("#q", "华南")
        wait_for(page, lambda: page.locator("#users tbody tr").count() == 2)
        assert "q=" in page.url
        page.select_option("#role", "agent")
        wait_for(page, lambda: page.locator("#users tbody tr").count() == 0)

    def test_a_key_is_taken_along_with_one_press(self, open_page, rooms) -> None:
        page = open_page("/admin/keys", "admin", permissions=["clipboard-read", "clipboard-write"])
        page.fill("#name", "CRM")
        page.locator("form.form button.primary").click()
        shown = page.locator("#secret").input_value()
        page.locator("[data-copies]").click()
        page.wait_for_selector(".toast")
        assert page.evaluate("navigator.clipboard.readText()") == shown

    def test_somebody_else_signs_in_on_top_and_sends_nothing_of_the_firsts(self, open_page, rooms) -> None:
        make(rooms.desk.database, "mei", "admin")
        make(rooms.desk.database, "lee", "admin")
        page = open_page("/sign-in")
        page.fill("#login", "lee")
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(page.base + "/")
        page.goto(page.base + "/admin/users")
        page.context.clear_cookies()
        page.fill("#q", "x")
        page.wait_for_selector("#sign-in-again[open]")
        page.locator("#sign-in-again #login").fill("mei")
        page.locator("#sign-in-again #password").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(page.base + "/")
