"""`calibrate` as somebody at a terminal meets it, on the shipped set, with rules alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from callgrade.catalog import golden
from callgrade.db import migrate
from callgrade.db.session import Database
from callgrade.domain.golden import GoldenSet
from callgrade.evaluations.registry import sync_shipped

RUBRIC = "telesales-misconduct"
WHOLE = golden.load()
SOME = [call for call in WHOLE.calls if call.split == "dev"][:12] + [c for c in WHOLE.calls if c.split == "holdout"][:2]
SMALL = GoldenSet(
    id=WHOLE.id,
    title=WHOLE.title,
    synthetic=True,
    calls=tuple(SOME),
    labels=tuple(label for label in WHOLE.labels if label.call in {call.id for call in SOME}),
)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database, with the first calls of the shipped set in the place of all of them."""
    url = f"sqlite:///{tmp_path / 'callgrade.db'}"
    monkeypatch.setenv("CALLGRADE_DATABASE_URL", url)
    monkeypatch.delenv("CALLGRADE_LLM__MODEL", raising=False)
    monkeypatch.setattr(golden, "load", lambda folder=None: SMALL)
    migrate.upgrade(url)
    database = Database(url)
    with database.writing() as session:
        sync_shipped(session)
    database.close()
    return tmp_path


def test_a_data_folder_that_is_new_needs_nothing_done_before(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLGRADE_DATA_DIR", str(tmp_path / "new"))
    monkeypatch.setattr(golden, "load", lambda folder=None: SMALL)
    status, out, err = run("calibrate", "run", "--rubric", RUBRIC, "--judge", "rules", "--json")
    assert (status, json.loads(out)["calls"]) == (0, 12), err
    # what only reads goes on saying what to do
    monkeypatch.setenv("CALLGRADE_DATA_DIR", str(tmp_path / "other"))
    status, _, err = run("calibrate", "show", "0" * 32)
    assert (status, "callgrade db upgrade" in err) == (2, True)
    assert not (tmp_path / "other").exists()


def test_run_list_show_and_compare(run: Any, desk: Path) -> None:
    status, out, err = run("calibrate", "run", "--rubric", RUBRIC, "--json", "--out", desk / "reports", language="en")
    assert status == 0, err
    report = json.loads(out)
    assert report["schema"] == "callgrade.calibration/1"
    assert (report["calls"], report["items"], report["split"]) == (12, 12, "dev")
    assert "WILL NOT BE JUDGED" in err
    kinds = {one["criterion_id"]: one["verdict"]["kind"] for one in report["criteria"]}
    assert kinds["misrepresentation"] == "not_judged"
    assert kinds["insult"] == "insufficient_data"
    assert sorted(path.suffix for path in (desk / "reports").iterdir()) == [".html", ".json"]

    _, out, _ = run("calibrate", "run", "--rubric", RUBRIC, "--json")
    other = json.loads(out)
    assert other["run"] != report["run"]
    _, out, _ = run("calibrate", "list", "--json")
    assert [one["id"] for one in json.loads(out)] == [other["run"], report["run"]]
    _, out, _ = run("calibrate", "show", report["run"], "--json")
    assert json.loads(out) == report

    status, out, _ = run("calibrate", "show", report["run"], language="en")
    assert status == 0
    assert "Synthetic data" in out
    assert "more labelled calls" in out
    status, out, err = run("calibrate", "show", report["run"], "--again", "--html", desk / "page.html")
    assert (status, out) == (0, "")
    assert "校准报告" in (desk / "page.html").read_text("utf-8")

    _, out, _ = run("calibrate", "compare", report["run"], other["run"], "--json")
    found = json.loads(out)
    assert found["flips"] == []
    assert {one["change"] for one in found["criteria"]} == {"same", "unknown"}
    status, out, _ = run("calibrate", "compare", report["run"], other["run"], language="en")
    assert status == 0
    assert "No change shown" in out

    status, out, err = run(
        "calibrate", "run", "--rubric", RUBRIC, "--split", "holdout", "--why", "gate of v1", "--json"
    )
    assert status == 0, err
    assert json.loads(out)["disagreements"] == []


def test_what_cannot_be_is_said_plainly(run: Any, desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, err = run("calibrate", "run", "--rubric", RUBRIC, "--split", "holdout")
    assert "--why" in err
    status, _, err = run("calibrate", "run", "--rubric", "telesale-misconduct")
    assert status == 2
    assert "telesales-misconduct" in err
    status, _, err = run("calibrate", "run", "--rubric", RUBRIC, "--prompt", "judge")
    assert status == 2
    assert "CALLGRADE_LLM__MODEL" in err
    status, _, err = run("calibrate", "run", "--rubric", RUBRIC, "--set", "mine")
    assert status == 1
    assert "no golden set 'mine'" in err
    status, _, err = run("calibrate", "show", "0" * 32)
    assert status == 1
    assert "no client" in err or "no such calibration run" in err
    monkeypatch.setenv("CALLGRADE_DATABASE_URL", f"sqlite:///{desk / 'new.db'}")
    status, _, err = run("calibrate", "list")
    assert status == 2
    assert "db upgrade" in err
