"""`user` and `agents` as an operator meets them."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from callgrade.access.signing_in import PasswordDueError, SignIns
from callgrade.db import migrate
from callgrade.db.session import Database


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    made = f"sqlite:///{tmp_path / 'callgrade.db'}"
    monkeypatch.setenv("CALLGRADE_DATABASE_URL", made)
    migrate.upgrade(made)
    return made


@pytest.fixture
def sign_ins(url: str) -> Any:
    database = Database(url)
    yield SignIns(database)
    database.close()


def types(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    """Somebody sits at the terminal."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(typer, "prompt", lambda *_, **how: password if how["hide_input"] else "")


def test_the_first_admin_is_made_with_a_password_of_their_own(
    run: Any, sign_ins: SignIns, monkeypatch: pytest.MonkeyPatch
) -> None:
    types(monkeypatch, "three small boats")
    status, out, err = run("user", "create", "Boss", "--role", "admin", "--name", "李敏")
    assert (status, out, err) == (0, "boss (admin)\n", "")
    assert sign_ins.admit(sign_ins.sign_in("boss", "three small boats")).role == "admin"


def test_a_bad_password_is_refused_and_nobody_is_made(run: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    types(monkeypatch, "password123")
    status, _, err = run("user", "create", "boss", "--role", "admin")
    assert (status, "tried first" in err, "password123" in err) == (1, True, False)
    assert run("user", "list")[0] == 1  # not even the client was made


def test_where_nobody_can_answer_a_password_is_made_that_is_good_once(run: Any, sign_ins: SignIns) -> None:
    status, out, _ = run("user", "create", "lee", "--role", "qa_lead", "--leads", "north", "--leads", "南区", "--json")
    made = json.loads(out)
    assert (status, set(made), made["role"]) == (0, {"id", "login", "role", "password"}, "qa_lead")
    with pytest.raises(PasswordDueError):
        sign_ins.sign_in("lee", made["password"])
    lee = sign_ins.admit(sign_ins.sign_in("lee", made["password"], new_password="three small boats"))
    assert lee.teams == {"north", "南区"}
    status, out, err = run("user", "password", "lee")
    assert (status, "good once" in err) == (0, True)
    with pytest.raises(PasswordDueError):
        sign_ins.sign_in("lee", out.split()[-1])


def test_who_signs_in_elsewhere_needs_no_password(run: Any, url: str) -> None:
    made = json.loads(run("user", "create", "lee", "--role", "reviewer", "--elsewhere", "--json")[1])
    assert made["password"] is None
    assert json.loads(run("user", "list", "--json")[1])[0]["elsewhere"] is True


def test_users_are_listed_disabled_and_enabled(run: Any, url: str) -> None:
    run("user", "create", "boss", "--role", "admin", "--json")
    run("user", "create", "ann", "--role", "agent", "--agent-id", "8031", "--team", "north", "--json")
    assert run("user", "disable", "ann")[:2] == (0, "ann is disabled\n")
    listed = run("user", "list")[1]
    assert "8031" in listed
    shown = {it["login"]: it for it in json.loads(run("user", "list", "--json")[1])}
    assert (shown["ann"]["disabled_at"] is None, shown["boss"]["disabled_at"]) == (False, None)
    assert "password" not in json.dumps(shown)
    assert run("user", "enable", "ann")[:2] == (0, "ann may sign in again\n")
    status, _, err = run("user", "disable", "boss")
    assert (status, "last admin" in err) == (1, True)


def test_teams_are_given_and_taken(run: Any, url: str) -> None:
    run("user", "create", "lee", "--role", "qa_lead", "--name", "李敏", "--json")
    assert run("user", "teams", "lee", "north", "south")[1] == "lee: north, south\n"
    assert run("user", "teams", "lee")[1] == "lee: no team\n"
    assert json.loads(run("user", "list", "--json")[1])[0]["name"] == "李敏"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("user", "create", "lee", "--role", "boss"), "no such role"),
        (("user", "create", "lee", "--role", "client"), "no such role"),
        (("user", "create", "a b", "--role", "admin", "--json"), "without blanks"),
        (("user", "create", "lee", "--role", "agent", "--json"), "agent_id"),
        (("user", "disable", "nobody"), "there is no"),
        (("user", "list", "--client", "nobody"), "there is no client 'nobody'"),
        (("agents", "import", "none.csv"), "none.csv: cannot be read"),
    ],
)
def test_what_cannot_be_is_said(run: Any, url: str, words: tuple[str, ...], said: str) -> None:
    status, _, err = run(*words)
    assert status == 1
    assert said in err


def test_agents_come_from_a_table(run: Any, url: str, tmp_path: Path) -> None:
    file = tmp_path / "坐席.csv"
    file.write_bytes("工号,姓名,班组\r\n8031,李敏,华北一组\r\n8032,王芳,\r\n".encode("gbk"))
    assert run("agents", "import", file)[:2] == (0, "2 new, 0 replaced\n")
    assert json.loads(run("agents", "import", file, "--json")[1]) == {"made": 0, "changed": 2}
    shown = json.loads(run("agents", "list", "--json")[1])
    assert [(it["agent_id"], it["name"], it["team"]) for it in shown] == [
        ("8031", "李敏", "华北一组"),
        ("8032", "王芳", None),
    ]
    assert "华北一组" in run("agents", "list")[1]
    file.write_bytes(b"agent_id,name\n1,a\n2\n")
    status, _, err = run("agents", "import", file)
    assert (status, err) == (1, f"error: {file}:3: has 1 cells, the header 2\n")
