"""A rubric and a prompt from a file into the registry, as somebody at a terminal does it."""

import json
from pathlib import Path
from typing import Any

import pytest

from callgrade.catalog.rubrics import find_rubric
from callgrade.db.session import Database
from callgrade.evaluations import registry
from tests.cli.test_calibrate import desk as desk
from tests.db.rows import everything

RUBRIC = "telesales-misconduct"


@pytest.fixture
def draft(desk: Path) -> Path:
    """Nobody may say "hello?" any more: what was contempt to the version in use is none to this one."""
    path = desk / "draft.yaml"
    text = find_rubric(f"{RUBRIC}@v1").read_text("utf-8").replace("version: v1", "version: v7")
    path.write_text(text.replace("lists: [impatience, forbidden-words]", "lists: [impatience]"), "utf-8")
    return path


def rows(desk: Path, table: str) -> list[dict[str, Any]]:
    database = Database(f"sqlite:///{desk / 'callgrade.db'}")
    with database.reading() as session:
        found = everything(session)[table]
    database.close()
    return found


def test_back_test_gate_override_export_and_retire(run: Any, desk: Path, draft: Path) -> None:
    status, _, err = run("rubric", "publish", draft, language="en")
    assert (status, "was not back-tested as it stands" in err) == (1, True)
    status, out, err = run("rubric", "back-test", draft, "--json", language="en")
    assert status == 0, err
    assert "5 of 17 criteria are for a model, and WERE NOT TRIED" in err
    found = json.loads(out)
    assert (found["version"], found["kind"]) == ("v2", "rubric"), "the next free number, whatever the file says"
    flips = found["comparison"]["flips"]
    assert flips
    assert {flip["criterion_id"] for flip in flips} == {"contempt"}

    status, out, err = run("rubric", "publish", draft, "--json", language="en")
    gate = json.loads(out)
    assert (status, gate["outcome"]) == (0, "insufficient_data"), err
    assert "contempt" in gate["result"]["human_only"]
    assert [row["version"] for row in rows(desk, "rubric_version") if row["id"] == RUBRIC] == ["v1", "v2"]
    assert len(rows(desk, "holdout_reading")) == 1

    status, out, _ = run("rubric", "export", f"{RUBRIC}@v2")
    assert status == 0
    assert "status: published" in out
    assert "version: v2" in out
    assert run("rubric", "retire", f"{RUBRIC}@v2")[0] == 0
    status, _, err = run("rubric", "retire", f"{RUBRIC}@v2")
    assert (status, "is retired" in err) == (1, True)


def test_an_override_has_a_name_and_a_reason(run: Any, desk: Path, draft: Path) -> None:
    run("rubric", "back-test", draft)
    assert run("rubric", "publish", draft, "--override", "why")[0] == 2
    status, out, err = run("rubric", "publish", draft, "--override", "词表已核对", "--by", "lin", language="en")
    assert status == 0, err
    assert out.startswith(f"Overridden: {RUBRIC}@v2")
    (gate,) = rows(desk, "gate")
    assert (gate["outcome"], gate["reason"], gate["details"]["name"]) == ("overridden", "词表已核对", "lin")
    assert rows(desk, "holdout_reading") == [], "whoever overrides needs no look at it"


def test_a_prompt_is_tried_out_on_a_model(run: Any, desk: Path) -> None:
    folder = desk / "judge"
    folder.mkdir()
    text = find_rubric(f"{RUBRIC}@v1").parents[2] / "prompts" / "judge" / "v1.md"
    (folder / "v2.md").write_text(text.read_text("utf-8").replace("version: v1", "version: v2"), "utf-8")
    status, _, err = run("prompt", "back-test", folder / "v2.md", "--rubric", RUBRIC)
    assert (status, "a prompt is tried out on a model, and none is set up" in err) == (1, True)
    status, _, err = run("prompt", "back-test", folder / "v2.md", "--rubric", "hotline-400")
    assert status == 1


def test_upgrading_leaves_what_was_published_and_retired_here(run: Any, desk: Path, draft: Path) -> None:
    run("rubric", "back-test", draft)
    run("rubric", "publish", draft, "--override", "why", "--by", "lin")
    run("rubric", "retire", f"{RUBRIC}@v2")
    database = Database(f"sqlite:///{desk / 'callgrade.db'}")
    with database.writing() as session:
        assert registry.sync_shipped(session) == (0, 0)
        assert registry.rubric_version(session, f"{RUBRIC}@v2").status == "retired"
    database.close()
