"""Signing in and administering as people meet it: in both themes and languages, wide and narrow, script or none."""

from typing import Any

import pytest

from callgrade.access.people import Administration
from tests.access.people import PASSWORD, make, quick_hashes  # noqa: F401
from tests.web.browsing import assert_accessible, shot, wait_for

pytestmark = pytest.mark.usefixtures("quick_hashes")
LOOKS = [(dark, language, width) for dark in (False, True) for language in ("zh", "en") for width in (1440, 800)]


def people(rooms: Any) -> None:
    database = rooms.desk.database
    make(database, "limin", "qa_lead", name="李敏", leads=("华北一组", "华北二组"))
    make(database, "wangfang", "reviewer", name="王芳", team="华北一组")
    make(database, "zhao.lei@example.com", "reviewer", name="赵磊", team="华南组", agent_id="8100")
    make(database, "chen", "agent", name="陈静", team="华北一组", agent_id="8031")
    gone = make(database, "sun", "reviewer", name="孙悦", team="华南组", password=None)
    Administration(database).disable(rooms.desk.sign_ins.admit(rooms.token("admin")), gone.id)


def look(page: Any, name: str, look_: tuple[bool, str, int]) -> None:
    dark, language, width = look_
    shot(page, f"{name}-{'dark' if dark else 'light'}-{language}-{width}", whole=True)
    assert_accessible(page)


@pytest.mark.parametrize("look_", LOOKS, ids=str)
class TestLooks:
    def opened(self, open_page: Any, path: str, role: Any, look_: tuple[bool, str, int]) -> Any:
        dark, language, width = look_
        return open_page(path, role, dark=dark, language=language, width=width)

    def test_the_entrance(self, open_page, rooms, look_) -> None:
        people(rooms)
        page = self.opened(open_page, "/sign-in", None, look_)
        look(page, "sign-in", look_)
        page.fill("#login", "limin")
        page.fill("#password", "wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector(".notice")
        look(page, "sign-in-wrong", look_)

    def test_the_account(self, open_page, rooms, look_) -> None:
        rooms.token("reviewer", "me", name="王芳", team="华北一组", password_hash="x")
        rooms.tokens["a-reviewer"] = rooms.tokens["me"]
        page = self.opened(open_page, "/account", "reviewer", look_)
        look(page, "account", look_)

    def test_the_users(self, open_page, rooms, look_) -> None:
        people(rooms)
        page = self.opened(open_page, "/admin/users", "admin", look_)
        look(page, "admin-users", look_)
        page.goto(page.base + "/admin/users?q=nobody")
        look(page, "admin-users-none", look_)
        page.goto(page.base + "/admin/users")
        page.get_by_role("link", name="李敏").click()
        page.locator("details.confirm > summary").first.click()
        look(page, "admin-user", look_)
        page.goto(page.base + "/admin/users/new")
        page.fill("#login", "limin")
        page.locator("form.form button.primary").click()
        page.wait_for_selector(".error")
        look(page, "admin-user-wrong", look_)
        page.fill("#login", "zhou")
        page.locator("form.form button.primary").click()
        page.wait_for_selector("#secret")
        look(page, "admin-user-made", look_)

    def test_the_agents(self, open_page, rooms, look_) -> None:
        page = self.opened(open_page, "/admin/agents", "admin", look_)
        look(page, "admin-agents-none", look_)
        table = "工号,姓名,班组,离职\n8031,陈静,华北一组,\n8032,王芳,华北一组,\n8100,赵磊,华南组,是\n"
        page.set_input_files("#file", {"name": "坐席.csv", "mimeType": "text/csv", "buffer": table.encode("gbk")})
        page.locator("form.form button.primary").click()
        page.wait_for_selector("table")
        look(page, "admin-agents", look_)
        page.locator("details.panel > summary").click()
        page.set_input_files("#file", {"name": "x.csv", "mimeType": "text/csv", "buffer": b"agent_id,name\n1\n"})
        page.locator("form.form button.primary").click()
        page.wait_for_selector(".error")
        look(page, "admin-agents-wrong", look_)

    def test_the_keys(self, open_page, rooms, look_) -> None:
        page = self.opened(open_page, "/admin/keys", "admin", look_)
        look(page, "admin-keys-none", look_)
        page.fill("#name", "CRM")
        page.select_option("#days", "90")
        page.locator("form.form button.primary").click()
        page.wait_for_selector("#secret")
        look(page, "admin-key-made", look_)
        page.goto(page.base + "/admin/keys")
        page.locator("details.confirm > summary").first.click()
        look(page, "admin-keys", look_)

    def test_the_record(self, open_page, rooms, look_) -> None:
        people(rooms)
        page = self.opened(open_page, "/admin/audit", "admin", look_)
        look(page, "admin-audit", look_)
        page.locator("form[action='/admin/audit/verify'] button").click()
        page.wait_for_selector(".notice")
        look(page, "admin-audit-verified", look_)


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
