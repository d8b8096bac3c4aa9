"""The command line as a user meets it: what is printed where, and the exit status."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUBRIC = "telesales-misconduct"


@pytest.fixture
def call(tmp_path):
    path = tmp_path / "call.txt"
    path.write_text((ROOT / "examples/calls/call.txt").read_text("utf-8"), "utf-8")
    return path


class TestScore:
    def test_json_is_one_document_with_grounded_evidence(self, run, call):
        status, out, err = run("score", call, "--rubric", RUBRIC, "--json")
        card = json.loads(out)
        assert (status, card["schema"], card["call_id"]) == (0, "callgrade.scorecard/1", "call")
        assert card["violations"]
        lines = [line.split("：", 1)[1] for line in call.read_text("utf-8").splitlines()]
        quotes = [item for judgement in card["judgements"] for item in judgement["evidence"]]
        assert quotes
        assert all(lines[item["turn"]][item["start"] : item["end"]] == item["quote"] for item in quotes)
        assert "no model is configured" in err

    def test_facts_that_the_call_does_not_bring(self, run, call):
        def verdict(*facts):
            status, out, _ = run("score", call, "--rubric", "insurance-telesales", "--judge", "rules", "--json", *facts)
            assert status == 0
            return next(j for j in json.loads(out)["judgements"] if j["criterion_id"] == "beneficiary")

        assert verdict()["points"] is None
        assert verdict("--fact", "outcome=closed")["points"] == 0
        assert verdict("--fact", "complaint=true", "--fact", "outcome=open")["status"] == "not_applicable"

    @pytest.mark.parametrize("fact", ["outcome", "=closed"])
    def test_a_fact_without_name_or_value_is_a_mistake(self, run, call, fact):
        status, _, err = run("score", call, "--rubric", RUBRIC, "--fact", fact)
        assert status == 2
        assert "write NAME=VALUE" in err

    def test_the_note_about_the_model_comes_once_for_many(self, run, call, tmp_path):
        (tmp_path / "second.txt").write_text("坐席：您好", "utf-8")
        status, out, err = run("score", tmp_path, "--rubric", RUBRIC, "--json")
        assert (status, len(out.splitlines()), err.count("no model is configured")) == (0, 2, 1)

    def test_one_bad_file_never_stops_the_rest(self, run, call, tmp_path):
        (tmp_path / "bad.txt").write_text("老板：哼", "utf-8")
        status, out, err = run("score", tmp_path, "--rubric", RUBRIC, "--json")
        rows = [json.loads(line) for line in out.splitlines()]
        failed = next(row for row in rows if "error" in row)
        assert status == 1
        assert failed["call_id"] == "bad.txt"
        assert failed["error"]["type"] == "transcript"
        assert "bad.txt:1" in failed["error"]["message"]
        assert "bad.txt:1" in err
        assert sum(row.get("schema") == "callgrade.scorecard/1" for row in rows) == 1

    def test_a_missing_recogniser_fails_the_recordings_and_nothing_else(self, run, call, tmp_path, monkeypatch):
        monkeypatch.setenv("CALLGRADE_ASR__MODEL", str(tmp_path / "no-such-model"))
        (tmp_path / "a.wav").write_bytes((ROOT / "golden_set/recordings/coercion.wav").read_bytes()[:20_000])
        status, out, err = run("score", tmp_path, "--rubric", RUBRIC, "--json")
        rows = {row["call_id"]: row for row in map(json.loads, out.splitlines())}
        assert status == 2
        assert rows["call"]["schema"] == "callgrade.scorecard/1"
        assert rows["a.wav"]["error"]["type"] == "model-not-installed"
        assert "no-such-model" in err

    def test_a_folder_of_results(self, run, call, tmp_path):
        out = tmp_path / "out"
        assert run("score", call, "--rubric", RUBRIC, "--out", out)[0] == 0
        assert json.loads((out / "call.json").read_text("utf-8"))["call_id"] == "call"
        assert "<!doctype html>" in (out / "call.html").read_text("utf-8").lower()

    def test_a_call_id_cannot_leave_the_folder(self, run, tmp_path):
        document = json.loads((ROOT / "examples/calls/call.json").read_text("utf-8"))
        document["call_id"] = "../../etc/passwd"
        (tmp_path / "c.json").write_text(json.dumps(document), "utf-8")
        out = tmp_path / "deep/out"
        assert run("score", tmp_path / "c.json", "--rubric", RUBRIC, "--out", out)[0] == 0
        assert len(list(out.iterdir())) == 2
        assert not (tmp_path / "etc").exists()

    def test_plain_when_piped(self, run, call):
        status, out, _ = run("score", call, "--rubric", RUBRIC)
        assert status == 0
        assert "\x1b[" not in out
        assert "随时取消" in out

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--rubric", "telesales-misconducts"), "did you mean 'telesales-misconduct'"),
            (("--rubric", "telesales-misconduct@v99"), "has no version v99"),
            (("--rubric", RUBRIC, "--judge", "llm"), "CALLGRADE_LLM__MODEL"),
            (("--rubric", RUBRIC, "--judge", "best"), "--judge"),
            ((), "--rubric"),
        ],
    )
    def test_wrong_usage_is_status_2_and_one_message(self, run, call, words, said):
        status, out, err = run("score", call, *words)
        assert (status, out) == (2, "")
        assert said in err
        assert "Traceback" not in err

    def test_an_input_that_is_not_there(self, run):
        status, _, err = run("score", "nothing.wav", "--rubric", RUBRIC)
        assert status == 2
        assert "nothing.wav: no such file or folder" in err

    def test_a_broken_rubric_names_every_fault(self, run, call, tmp_path):
        path = tmp_path / "v1.yaml"
        path.write_text("schema: callgrade.rubric/1\nid: x\ncriteria: [{id: a, jugde: llm}]\n")
        status, _, err = run("score", call, "--rubric", path)
        assert status == 2
        assert "v1.yaml:3" in err
        assert "jugde" in err

    def test_a_wrong_setting(self, run, call, monkeypatch):
        monkeypatch.setenv("CALLGRADE_LLM__MODLE", "x")
        status, _, err = run("score", call, "--rubric", RUBRIC)
        assert status == 2
        assert "Did you mean CALLGRADE_LLM__MODEL?" in err


class TestRubric:
    def test_list_show_and_schema(self, run):
        assert RUBRIC in run("rubric", "list")[1]
        assert json.loads(run("rubric", "show", RUBRIC, "--json")[1])["id"] == RUBRIC
        assert "monitoring-sheet-40@v1" in run("rubric", "show", "monitoring-sheet-40")[1]
        assert json.loads(run("rubric", "schema")[1]) == json.loads(
            (ROOT / "rubrics/rubric.schema.json").read_text("utf-8")
        )

    def test_lint(self, run, tmp_path):
        assert run("rubric", "lint", ROOT / "rubrics")[0] == 0
        bad = tmp_path / "v1.yaml"
        bad.write_text("schema: callgrade.rubric/1\nid: x\n")
        status, out, _ = run("rubric", "lint", bad)
        assert status == 1
        assert "v1.yaml" in out

    def test_total_of_judgements_made_by_hand(self, run, tmp_path):
        path = tmp_path / "judgements.json"
        path.write_text('{"judgements": {}}')
        card = json.loads(run("rubric", "total", RUBRIC, path, "--json")[1])
        assert all(j["status"] in ("cannot_assess", "not_applicable") for j in card["judgements"])
        path.write_text('{"judgements": {"ghost": {"answer": "yes"}}}')
        status, _, err = run("rubric", "total", RUBRIC, path)
        assert status == 1
        assert "'ghost'" in err


class TestGround:
    def test_quotes_come_back_in_order(self, run):
        status, out, _ = run("ground", ROOT / "examples/calls/call.json", ROOT / "examples/quotes.json")
        found = json.loads(out)
        assert status == 0
        assert [item["grounding"] for item in found] == ["normalised", "exact", "unfounded"]
        assert found[0]["quote"] == "不满意随时取消"
        assert found[2]["turn"] is None

    @pytest.mark.parametrize("content", ["{}", "[1]", '[{"quote": 1}]', '[{"quote": "x", "tern": 1}]', "nonsense"])
    def test_wrong_quotes_are_named(self, run, tmp_path, content):
        path = tmp_path / "quotes.json"
        path.write_text(content)
        status, out, err = run("ground", ROOT / "examples/calls/call.json", path)
        assert (status, out) == (1, "")
        assert "quotes.json" in err


def test_help_version_and_nothing(run):
    assert "score" in run("--help")[1]
    assert run("--version")[1].startswith("callgrade ")
    assert run("scroe")[0] == 2
    assert run()[0] in (0, 2)


def test_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -m callgrade rubric schema | head -1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "{"
    assert "Traceback" not in done.stderr
