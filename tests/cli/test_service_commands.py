"""`serve`, `worker`, `db`, `key` and `audit` as an operator meets them."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx
import pytest

from callgrade.access import audit
from callgrade.access.permissions import SCOPES
from callgrade.db import migrate
from callgrade.db.session import Database

HEAVY = ("fastapi", "uvicorn", "dbos", "sqlalchemy", "alembic", "prometheus_client", "psycopg")


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An upgraded database, without rubrics: to bring them in takes seconds, and one test does."""
    made = f"sqlite:///{tmp_path / 'callgrade.db'}"
    monkeypatch.setenv("CALLGRADE_DATABASE_URL", made)
    migrate.upgrade(made)
    return made


def test_help_imports_nothing_heavy() -> None:
    for words in (["--help"], ["serve", "--help"], ["key", "--help"], ["db", "--help"]):
        told = f"import sys; sys.argv = ['callgrade', *{words!r}]; from callgrade.cli.app import run; run(); "
        told += f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
        done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=60)
        assert done.stderr.strip() == "[]", words


def test_without_an_upgrade_it_says_so(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLGRADE_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    for words in (("key", "create", "first"), ("key", "list"), ("audit", "verify")):
        status, _, err = run(*words)
        assert status == 2
        assert "callgrade db upgrade" in err


def test_a_key_is_made_listed_and_revoked(run: Any, url: str) -> None:
    status, out, err = run("key", "create", "crm", "--client", "bank", "--scopes", "calls:write,evaluations:read")
    made = json.loads(out)
    assert (status, set(made)) == (0, {"id", "key"})
    assert re.fullmatch(rf"cg_{made['id']}_[0-9a-f]{{64}}", made["key"])
    assert "cannot be shown again" in err
    status, out, _ = run("key", "list", "--client", "bank", "--json")
    (shown,) = json.loads(out)
    assert (shown["id"], shown["name"], shown["scopes"]) == (made["id"], "crm", ["calls:write", "evaluations:read"])
    assert made["key"].rpartition("_")[2] not in out
    assert "crm" in run("key", "list")[1]
    assert run("key", "revoke", made["id"])[0] == 0
    assert json.loads(run("key", "list", "--json")[1])[0]["revoked_at"]


def test_a_plain_key_is_the_key_alone(run: Any, url: str) -> None:
    _, out, err = run("key", "create", "first", "--plain")
    assert re.fullmatch(r"cg_[0-9a-f]{32}_[0-9a-f]{64}\n", out)
    assert err == ""
    (shown,) = json.loads(run("key", "list", "--json")[1])
    assert "calls:erase" not in shown["scopes"]
    assert set(shown["scopes"]) < set(SCOPES)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("key", "create", "x", "--scopes", "calls:fly"), "calls:fly"),
        (("key", "create", ""), "name"),
        (("key", "revoke", "0" * 32), "no such key"),
        (("key", "list", "--client", "nobody"), "nobody"),
    ],
)
def test_what_cannot_be_is_said(run: Any, url: str, words: tuple[str, ...], told: str) -> None:
    status, _, err = run(*words)
    assert status == 1
    assert told in err


def test_the_audit_is_whole_until_somebody_changes_it(run: Any, url: str, tmp_path: Path) -> None:
    run("key", "create", "crm")
    database = Database(url)
    assert re.search(r"[1-9]\d* event\(s\) are not sealed yet", run("audit", "verify")[1])
    with database.writing() as session:
        assert audit.seal(session) > 0
    status, out, _ = run("audit", "verify", "--json")
    assert (status, json.loads(out)["faults"], json.loads(out)["unsealed"]) == (0, [], 0)
    assert "not sealed" not in run("audit", "verify")[1]
    noted = tmp_path / "heads.json"
    noted.write_text(run("audit", "heads")[1], "utf-8")
    assert run("audit", "verify", "--noted", noted)[0] == 0
    with database.writing() as session:
        session.connection().exec_driver_sql(
            "UPDATE audit_event SET actor = 'key:somebody' WHERE action = 'key.created'"
        )
    database.close()
    status, out, _ = run("audit", "verify")
    assert status == 1
    assert "changed" in out
    (tmp_path / "no.json").write_text("{}")
    assert run("audit", "verify", "--noted", tmp_path / "no.json")[0] == 1


def test_upgrade_brings_the_shipped_rubrics_and_a_backup_comes_back(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLGRADE_DATABASE_URL", f"sqlite:///{tmp_path / 'a.db'}")
    status, out, _ = run("db", "upgrade", "--json")
    first = json.loads(out)
    assert (status, first["before"], first["revision"]) == (0, None, migrate.head())
    assert first["added"] >= 19
    again = json.loads(run("db", "upgrade", "--json")[1])
    assert (again["before"], again["added"], again["updated"]) == (migrate.head(), 0, 0)
    run("key", "create", "crm", "--client", "bank")
    status, out, err = run("db", "backup", tmp_path / "b.backup")
    assert status == 0
    assert "rows" in out
    assert "Recordings are not in it" in err
    assert run("db", "backup", tmp_path / "b.backup")[0] == 2
    monkeypatch.setenv("CALLGRADE_DATABASE_URL", f"sqlite:///{tmp_path / 'c.db'}")
    assert run("db", "restore", tmp_path / "b.backup")[0] == 0
    assert [key["name"] for key in json.loads(run("key", "list", "--json")[1])] == ["crm"]
    assert run("db", "restore", tmp_path / "b.backup")[0] == 2


def test_a_port_in_use_is_said_and_nothing_is_made(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = tmp_path / "data"
    monkeypatch.setenv("CALLGRADE_DATA_DIR", str(data))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, _, err = run("serve", "--port", taken.getsockname()[1])
    assert status == 2
    assert "--port" in err
    assert not data.exists()


def test_a_worker_without_queues_or_tables_says_so(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLGRADE_QUEUES", "")
    assert run("worker")[0] == 2
    monkeypatch.setenv("CALLGRADE_QUEUES", "score")
    monkeypatch.setenv("CALLGRADE_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    status, _, err = run("worker")
    assert status == 2
    assert "callgrade db upgrade" in err


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("CALLGRADE_QUEUES", "wrong", "there is no queue 'wrong'"),
        ("CALLGRADE_BLOB_URL", "gopher://x", "CALLGRADE_BLOB_URL"),
        ("CALLGRADE_BLOB_URL", "s3://recordings/calls", r"pip install 'callgrade[s3]'"),
    ],
)
def test_what_is_set_up_wrongly_is_said_in_one_line(
    name: str, value: str, told: str, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(import_module("fsspec.registry")._registry, "s3", raising=False)
    monkeypatch.setenv(name, value)
    for words in (("serve", "--port", "0"), ("worker",)):
        status, _, err = run(*words)
        (line,) = (line for line in err.splitlines() if not line.startswith("{"))
        assert (status, line[:7]) == (2, "error: ")
        assert told in line
        assert "Traceback" not in err


class Running:
    """`callgrade serve` in a process of its own, on a free port."""

    def __init__(self, data: Path, language: str = "zh", *words: str):
        environment = {**os.environ, "CALLGRADE_DATA_DIR": str(data), "CALLGRADE_LANGUAGE": language}
        self.log = (data.parent / f"log-{time.monotonic_ns()}").open("w+b")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "callgrade", "serve", "--port", "0", *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        assert self.process.stdout is not None
        self.welcome = ""
        for line in self.process.stdout:
            self.welcome += line
            if "/readyz" in line:
                break
        found = re.search(r"http://[0-9.]+:[0-9]+", self.welcome)
        assert found, self.log_text()
        self.address = found[0]

    def log_text(self) -> str:
        return Path(self.log.name).read_text("utf-8")

    def end(self, asked: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(asked)
        status = self.process.wait(timeout=60)
        self.log.close()
        return status


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    shutil.rmtree(tmp_path / "data", ignore_errors=True)


def test_serve_on_a_new_machine_says_what_to_do_and_that_works(data: Path) -> None:
    server = Running(data)
    try:
        for word in (str(data), "callgrade key create first --plain", "curl", "CALLGRADE_LLM__MODEL"):
            assert word in server.welcome
        assert oct(data.stat().st_mode)[-3:] == "700"
        assert httpx.get(f"{server.address}/readyz").json()["checks"]["engine"] == "ok"
        # the lines of the welcome themselves
        ours = f"{sys.executable} -m callgrade key"
        make_key, send, look = (part.replace("callgrade key", ours) for part in _commands(server.welcome))
        wait = f'for i in $(seq 90); do found=$({look}); case "$found" in *proposed*) break;; esac; sleep 0.3; done'
        done = subprocess.run(
            ["bash", "-c", f'{make_key}; {send}; echo; {wait}; echo "$found"'],
            capture_output=True,
            text=True,
            timeout=60,
        )
        first, second = done.stdout.splitlines()
        assert json.loads(first)["call_id"] == "first", done.stdout + done.stderr
        assert json.loads(second)["items"][0]["status"] == "proposed"
        assert server.end() == 0
    finally:
        server.process.kill()
    lines = [json.loads(line) for line in server.log_text().splitlines()]
    assert {"POST /v1/calls", "GET /v1/evaluations"} <= {f"{x.get('method')} {x.get('route')}" for x in lines}


def _commands(welcome: str) -> list[str]:
    joined = welcome.replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.startswith(("  CG_KEY", "  curl"))]


def test_after_kill_minus_9_what_was_accepted_is_done(data: Path) -> None:
    server = Running(data, "en", "--demo")
    assert "Then send a call in" in server.welcome
    server.end(signal.SIGKILL)
    again = Running(data, "en", "--demo")
    try:
        key = subprocess.run(
            [sys.executable, "-m", "callgrade", "key", "create", "k", "--plain"],
            env={**os.environ, "CALLGRADE_DATA_DIR": str(data)},
            capture_output=True,
            text=True,
            timeout=60,
        ).stdout.strip()
        headers = {"Authorization": f"Bearer {key}"}
        for _ in range(300):
            items = httpx.get(f"{again.address}/v1/evaluations", headers=headers).json()["items"]
            if len(items) == 8 and all(item["status"] == "proposed" for item in items):
                break
            time.sleep(0.2)
        assert sorted(item["status"] for item in items) == ["proposed"] * 8
        assert again.end() == 0
    finally:
        again.process.kill()
