"""`eval` as somebody at a terminal meets it."""

import json
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def worse(tmp_path: Path) -> Path:
    """A folder with a baseline of robustness that the rules cannot keep up with."""
    from callgrade.calibration.suite_cases import cases_of
    from callgrade.catalog.eval_suites import digest, load_suite

    suite = load_suite("robustness")
    told = {"schema": "callgrade.eval-baseline/1", "suite": "robustness", "judge": "rules", "callgrade": "0"}
    ids = {"passed": [case.id for case in cases_of(suite)], "failed": [], "not_judged": []}
    (tmp_path / "robustness.rules.json").write_text(json.dumps({**told, **ids, "digest": digest(suite)}))
    return tmp_path


def test_list_and_show(run: Any) -> None:
    status, out, _ = run("eval", "list", "--json")
    rows = json.loads(out)
    assert status == 0
    assert [row["id"] for row in rows] == [
        "abstention",
        "evidence",
        "fairness",
        "injection",
        "misconduct",
        "robustness",
    ]
    assert all(row["cases"] > 20 and row["baselines"] == ["rules"] for row in rows)
    assert "提示注入" in run("eval", "list")[1]
    assert "Prompt injection" in run("eval", "list", language="en")[1]
    assert "customer-accuses" in run("eval", "show", "injection")[1]
    assert json.loads(run("eval", "show", "injection", "--json")[1])["kind"] == "injection"


def test_run_tells_what_nobody_judged_in_either_language(run: Any) -> None:
    status, out, _ = run("eval", "run", "injection", language="en")
    assert status == 0
    assert "NOT JUDGED" in out
    assert "misrepresentation" in out
    assert "未评判不等于通过" in run("eval", "run", "injection")[1]


def test_json_goes_to_standard_output_and_to_a_file(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "evals.json"
    status, out, _ = run("eval", "run", "evidence", "robustness", "--json", "--out", file)
    document = json.loads(out)
    assert status == 0
    assert [suite["suite"] for suite in document["suites"]] == ["evidence", "robustness"]
    assert document["judge"] == "rules"
    assert json.loads(file.read_text("utf-8")) == document


def test_check_holds_what_ships_and_fails_on_a_regression(run: Any, worse: Path) -> None:
    status, out, _ = run("eval", "run", "robustness", "--check", language="en")
    assert (status, "no worse than its baseline" in out) == (0, True)
    status, out, _ = run("eval", "run", "robustness", "--check", "--baselines", worse, language="en")
    assert status == 1
    assert "WORSE, 100% → 93%" in out
    assert "rude/misheard/神精病" in out
    told = json.loads(run("eval", "run", "robustness", "--check", "--baselines", worse, "--json")[1])
    assert told["comparisons"][0]["regressed"] is True


def test_a_renewed_baseline_is_kept(run: Any, worse: Path) -> None:
    assert run("eval", "run", "robustness", "--write-baseline", "--baselines", worse)[0] == 0
    assert run("eval", "run", "robustness", "--check", "--baselines", worse)[0] == 0


def test_what_cannot_be_done_is_said(run: Any, tmp_path: Path) -> None:
    status, _, err = run("eval", "run", "injektion")
    assert (status, "did you mean 'injection'?" in err) == (2, True)
    status, _, err = run("eval", "run", "evidence", "--check", "--baselines", tmp_path)
    assert (status, "--write-baseline" in err) == (2, True)
    status, out, _ = run("eval", "run", "evidence", "nothing-there", "--check")
    assert (status, out) == (2, "")
    status, _, err = run("eval", "run", "evidence", "--judge", "llm")
    assert (status, "CALLGRADE_LLM__MODEL" in err) == (2, True)


def test_a_local_model_goes_by_its_files_name(monkeypatch: Any) -> None:
    from callgrade.cli.evals import _judge_name
    from callgrade.settings import load_settings

    for model, name in {"gguf:/home/li/qwen3.gguf": "qwen3.gguf", "qwen/qwen3:32b": "qwen/qwen3:32b"}.items():
        monkeypatch.setenv("CALLGRADE_LLM__MODEL", model)
        assert _judge_name(load_settings(), "auto") == name
        assert _judge_name(load_settings(), "rules") == "rules"


def test_a_model_that_does_not_answer_leaves_no_baseline(run: Any, tmp_path: Path, monkeypatch: Any) -> None:
    for name, value in {"MODEL": "m", "API_KEY": "k", "BASE_URL": "http://127.0.0.1:9/v1", "ATTEMPTS": "1"}.items():
        monkeypatch.setenv(f"CALLGRADE_LLM__{name}", value)
    monkeypatch.setenv("CALLGRADE_DATA_DIR", str(tmp_path / "data"))
    words = ("eval", "run", "evidence", "--write-baseline", "--baselines", tmp_path / "made", "--json")
    status, out, err = run(*words)
    (suite,) = json.loads(out)["suites"]
    assert (status, "judgement(s) failed" in err) == (1, True)
    assert suite["judge"] == "m"
    assert suite["judge_failures"] == 15  # five criteria of three calls
    assert not (tmp_path / "made").exists()
