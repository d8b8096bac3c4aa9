"""`release create | list | show` as an operator meets them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from callgrade.access.keys import ensure_client
from callgrade.db import migrate
from callgrade.db.session import Database
from callgrade.db.tables import PromptVersion, RubricVersion
from tests.api.made import RUBRIC, prompt, rubrics


@pytest.fixture(autouse=True)
def _registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'callgrade.db'}"
    monkeypatch.setenv("CALLGRADE_DATABASE_URL", url)
    migrate.upgrade(url)
    database = Database(url)
    with database.writing() as session:
        session.add_all([RubricVersion(**row) for row in rubrics()])
        session.add(PromptVersion(**prompt()))
        ensure_client(session, "bank")
    database.close()


def test_one_is_made_listed_and_shown(run: Any) -> None:
    words = ["release", "create", RUBRIC, "--client", "bank", "--team", "销售二组", "--prompt", "judge@v1"]
    words += ["--parameter", "temperature=0.2", "--parameter", "samples=3", "--parameter", "output=json"]
    words += ["--from", "2999-12-01T00:00:00+08:00", "--json"]
    status, out, err = run(*words)
    assert status == 0, err
    made = json.loads(out)
    assert (made["rubric"], made["team"], made["prompt"]["id"]) == (f"{RUBRIC}@v1", "销售二组", "judge")
    assert made["parameters"] == {"temperature": 0.2, "samples": 3, "output": "json"}
    assert made["active_from"] == "2999-11-30T16:00:00+00:00"
    assert json.loads(run("release", "show", made["id"])[1]) == made
    assert run("release", "create", RUBRIC, "--everybody")[0] == 0
    mine = json.loads(run("release", "list", "--client", "bank", "--json")[1])
    assert [(one["client"] is None, one["rubric"]) for one in mine] == [(True, f"{RUBRIC}@v1"), (False, f"{RUBRIC}@v1")]
    shown = run("release", "list")[1]
    assert made["id"] in shown
    assert "everybody" in shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("no-such",), f"{RUBRIC}@v1"),
        ((RUBRIC, "--prompt", "nothing"), "there are judge@v1"),
        ((RUBRIC, "--client", "bnak"), "there is no client 'bnak'"),
        ((RUBRIC, "--model", "m"), "CALLGRADE_LLM__BASE_URL"),
        ((RUBRIC, "--redaction", "none"), "there are off, rules/1"),
        ((RUBRIC, "--parameter", "top_p=1"), "there is no top_p; there are temperature, seed, samples"),
        ((RUBRIC, "--parameter", "temperature"), "NAME=VALUE"),
        ((RUBRIC, "--parameter", "temperature=warm"), "temperature: must be a number"),
        ((RUBRIC, "--parameter", "temperature=3"), "parameters.temperature"),
        ((RUBRIC, "--from", "2026-11-01T00:00:00"), "active_from"),
        ((RUBRIC, "--from", "2020-11-01T00:00:00Z"), "lies in the past"),
    ],
)
def test_what_cannot_be_is_said(run: Any, words: tuple[str, ...], told: str) -> None:
    status, _, err = run("release", "create", *words)
    assert (status, told in err) == (1, True), err
    assert json.loads(run("release", "list", "--json")[1]) == []


def test_what_is_not_there(run: Any) -> None:
    assert "no such release" in run("release", "show", "0" * 32)[2]
    assert "nobody" in run("release", "list", "--client", "nobody")[2]


def test_help_shows_an_example_and_loads_nothing_heavy() -> None:
    words = ["release", "create", "--help"]
    told = f"import sys; sys.argv = ['callgrade', *{words!r}]; from callgrade.cli.app import run; run(); "
    told += (
        "print([name for name in ('sqlalchemy', 'openai', 'fastapi', 'dbos') if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=60)
    assert done.stderr.strip() == "[]"
    assert "callgrade release create telesales-misconduct --team" in done.stdout
