"""Users, agents, keys and the record, in the browser."""

import re
from typing import Any

import pytest

from callgrade.access import audit
from callgrade.access.agents import list_agents
from callgrade.access.keys import ensure_client
from callgrade.access.people import list_people
from callgrade.access.principals import system
from tests.access.people import make, quick_hashes  # noqa: F401
from tests.web.made import Rooms

pytestmark = pytest.mark.usefixtures("quick_hashes")


def operator(rooms: Rooms) -> Any:
    with rooms.desk.database.writing() as session:
        return system(ensure_client(session).id)


def person(rooms: Rooms, login: str) -> Any:
    by = operator(rooms)
    with rooms.desk.database.reading() as session:
        return next((it for it in list_people(session, by) if it.login == login), None)


class TestUsers:
    NEW = {"login": "lee", "role": "qa_lead", "name": "李敏", "leads": "华北一组，华北二组\n"}

    def test_one_is_made_and_the_password_shown_this_once(self, rooms: Rooms) -> None:
        admin = rooms.browser("admin")
        made = admin.post("/admin/users", data=self.NEW)
        assert made.status_code == 200
        assert made.headers["cache-control"] == "no-store"
        once = re.search(r'id="secret"[^>]*value="([^"]+)"', made.text)
        assert once is not None
        assert rooms.browser().post("/sign-in", data={"login": "lee", "password": once[1]}).status_code == 200
        assert person(rooms, "lee").leads == ("华北一组", "华北二组")
        for path in ("/admin/users", f"/admin/users/{person(rooms, 'lee').id}"):
            assert once[1] not in admin.get(path).text

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"login": "a b"}, "不含空格"),
            ({"login": "boss"}, "已被使用"),
            ({"role": "client"}, "请选择"),
            ({"role": "agent"}, "工号"),
            ({"name": "x" * 201}, "最多 200"),
        ],
    )
    def test_what_cannot_be_is_told_at_its_field_and_nothing_typed_is_lost(
        self, rooms: Rooms, changes: dict[str, str], said: str
    ) -> None:
        make(rooms.desk.database, "boss", "admin")
        answer = rooms.browser("admin").post("/admin/users", data={**self.NEW, **changes})
        assert answer.status_code in (409, 422)
        error = re.search(r'class="error"[^>]*>(.*?)</p>', answer.text, re.DOTALL)
        assert error is not None
        assert said in error[1]
        assert "华北二组" in answer.text
        assert person(rooms, "lee") is None

    def test_one_is_found_changed_disabled_and_enabled(self, rooms: Rooms) -> None:
        admin = rooms.browser("admin")
        lee = make(rooms.desk.database, "lee", "reviewer", name="李敏", team="north")
        make(rooms.desk.database, "mei", "reviewer", team="south")
        found = admin.get("/admin/users?q=NORTH").text
        assert ("李敏" in found, "mei" in found) == (True, False)
        assert "mei" not in admin.get("/admin/users?role=admin").text
        assert 'value="reviewer" checked' in admin.get(f"/admin/users/{lee.id}").text
        changed = admin.post(f"/admin/users/{lee.id}", data={"role": "qa_lead", "name": "李敏", "leads": "north"})
        assert changed.status_code == 303
        assert (person(rooms, "lee").role, person(rooms, "lee").team) == ("qa_lead", None)
        admin.post(f"/admin/users/{lee.id}/disable")
        assert person(rooms, "lee").disabled_at is not None
        admin.post(f"/admin/users/{lee.id}/enable")
        assert person(rooms, "lee").disabled_at is None
        assert "lee" in admin.post(f"/admin/users/{lee.id}/password").text

    def test_the_last_admin_stays(self, rooms: Rooms) -> None:
        admin = rooms.browser("admin", "only")
        id_ = person(rooms, "only").id
        answer = admin.post(f"/admin/users/{id_}", data={"role": "reviewer"})
        assert (answer.status_code, "最后一位管理员" in answer.text) == (409, True)
        assert admin.post(f"/admin/users/{id_}/disable").status_code == 303
        assert "最后一位管理员" in admin.get(f"/admin/users/{id_}").text
        assert person(rooms, "only").disabled_at is None

    def test_another_clients_user_is_not_there(self, rooms: Rooms) -> None:
        lee = make(rooms.desk.database, "lee", client="another")
        admin = rooms.browser("admin")
        assert admin.get(f"/admin/users/{lee.id}").status_code == 404
        for what in ("", "/disable", "/enable", "/password"):
            assert admin.post(f"/admin/users/{lee.id}{what}", data={"role": "admin"}).status_code == 404

    def test_a_lead_sees_their_own_people_and_changes_none(self, rooms: Rooms) -> None:
        make(rooms.desk.database, "lee", "reviewer", team="sales-2")
        make(rooms.desk.database, "mei", "reviewer", team="south")
        lead = rooms.browser("qa_lead")
        text = lead.get("/admin/users").text
        assert ("lee" in text, "mei" in text, "/admin/users/new" in text) == (True, False, False)
        assert lead.get("/admin/users/new").status_code == 403
        assert "/admin/keys" not in text


class TestAgents:
    TABLE = "工号,姓名,班组\n8031,李敏,华北一组\n8032,王芳,华南\n".encode("gbk")

    def bring(self, rooms: Rooms, content: bytes) -> Any:
        return rooms.browser("admin").post("/admin/agents", files={"file": ("坐席.csv", content, "text/csv")})

    def test_a_table_is_brought_in_and_looked_through(self, rooms: Rooms) -> None:
        admin = rooms.browser("admin")
        assert "还没有坐席" in admin.get("/admin/agents").text
        assert self.bring(rooms, self.TABLE).status_code == 303
        text = admin.get("/admin/agents").text
        assert ("李敏" in text, "王芳" in text) == (True, True)
        assert "王芳" not in admin.get("/admin/agents?q=803&team=华北一组").text
        assert "没有符合的人" in admin.get("/admin/agents?q=nobody").text

    def test_a_fault_names_its_line_and_nothing_is_brought_in(self, rooms: Rooms) -> None:
        answer = self.bring(rooms, b"agent_id,name\n1,a\n2\n")
        assert (answer.status_code, "第 3 行" in answer.text) == (422, True)
        by = operator(rooms)
        with rooms.desk.database.reading() as session:
            assert list_agents(session, by) == []

    @pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n\x00\xff", b"x", b"agent_id\n"])
    def test_any_file_gets_an_answer(self, rooms: Rooms, content: bytes) -> None:
        assert self.bring(rooms, content).status_code == 422
        assert rooms.browser("admin").post("/admin/agents", data={}).status_code == 422

    def test_many_come_page_by_page(self, rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("callgrade.web.pages.agents.PAGE", 10)
        self.bring(rooms, ("agent_id\n" + "\n".join(f"{n:03}" for n in range(25))).encode())
        admin, url, seen = rooms.browser("admin"), "/admin/agents", []
        while url:
            text = admin.get(url).text
            seen += re.findall(r"<bdi>(\d{3})</bdi>", text)
            further = re.search(r'href="([^"]*after=[^"]*)" rel="next"', text)
            url = further[1].replace("&amp;", "&") if further else ""
        assert seen == [f"{n:03}" for n in range(25)]


class TestKeys:
    def test_one_is_made_shown_once_and_works_until_it_is_revoked(self, rooms: Rooms) -> None:
        admin = rooms.browser("admin")
        made = admin.post("/admin/keys", data={"name": "CRM", "scopes": ["calls:read", "calls:write"], "days": "30"})
        key = re.search(r"cg_[0-9a-f]{32}_[0-9a-f]{64}", made.text)
        assert key is not None
        headers = {"Authorization": f"Bearer {key[0]}"}
        assert rooms.service.http.get("/v1/calls", headers=headers).status_code == 200
        assert rooms.service.http.get("/v1/batches", headers=headers).status_code == 403
        listed = admin.get("/admin/keys").text
        assert ("CRM" in listed, key[0] in listed) == (True, False)
        (revoke,) = re.findall(r'action="(/admin/keys/[0-9a-f]+/revoke)"', listed)
        assert admin.post(revoke).status_code == 303
        assert rooms.service.http.get("/v1/calls", headers=headers).status_code == 401
        assert "已吊销" in admin.get("/admin/keys").text

    @pytest.mark.parametrize(
        "data",
        [
            {"name": ""},
            {"name": "x", "scopes": []},
            {"name": "x", "scopes": "calls:fly"},
            {"name": "x" * 81, "scopes": "calls:read"},
        ],
    )
    def test_what_cannot_be_makes_none(self, rooms: Rooms, data: dict[str, Any]) -> None:
        answer = rooms.browser("admin").post("/admin/keys", data=data)
        assert (answer.status_code, "cg_" in answer.text) == (422, False)

    def test_another_clients_key_is_not_there(self, rooms: Rooms) -> None:
        rooms.service.key(client="stranger")
        admin = rooms.browser("admin")
        assert "a test&#39;s" not in admin.get("/admin/keys").text
        id_ = rooms.service.keys["stranger:"].split("_")[1]
        assert admin.post(f"/admin/keys/{id_}/revoke").status_code == 404


class TestRecord:
    def test_what_was_done_is_there_with_names(self, rooms: Rooms) -> None:
        admin = rooms.browser("admin", "boss", name="李敏")
        admin.post("/admin/keys", data={"name": "CRM", "scopes": "calls:read"})
        make(rooms.desk.database, "stranger", client="another")
        text = admin.get("/admin/audit").text
        assert text.index("生成密钥</th>") < text.index("登录</th>")
        assert "李敏" in text
        only = admin.get("/admin/audit?about=key").text
        assert ("生成密钥" in only, '<th scope="row">登录</th>' in only) == (True, False)
        assert "没有记录" in admin.get("/admin/audit?about=webhook").text

    def test_it_is_verified_and_a_change_shows(self, rooms: Rooms) -> None:
        admin = rooms.browser("admin")
        with rooms.desk.database.writing() as session:
            audit.seal(session)
        assert "没有任何改动" in admin.post("/admin/audit/verify").text
        with rooms.desk.database.writing() as session:
            session.connection().exec_driver_sql("UPDATE audit_event SET actor = 'system' WHERE action LIKE 'user.%'")
        answer = admin.post("/admin/audit/verify").text
        assert ("没有任何改动" in answer, "changed" in answer) == (False, True)

    def test_it_goes_on(self, rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("callgrade.web.pages.record.PAGE", 3)
        admin = rooms.browser("admin")
        for number in range(5):
            admin.post("/admin/keys", data={"name": f"k{number}", "scopes": "calls:read"})
        text = admin.get("/admin/audit").text
        further = re.search(r'href="(/admin/audit\?before=\d+)" rel="next"', text)
        assert further is not None
        assert "生成密钥" in admin.get(further[1]).text

    def test_only_admins_read_it(self, rooms: Rooms) -> None:
        for role in ("qa_lead", "reviewer", "agent"):
            assert rooms.browser(role).get("/admin/audit").status_code == 403  # type: ignore[arg-type]
