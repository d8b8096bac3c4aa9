"""What a user sees when the model cannot be asked: one clear message, and an exit status that says which kind it is."""

import json
from pathlib import Path

import pytest

from callgrade.adapters.scripted import ScriptedJudge
from callgrade.catalog import load_rubric
from callgrade.cli import scoring
from callgrade.cli.scoring import Delivery, score_all
from callgrade.domain.errors import SettingsError
from callgrade.domain.judgements import Judgement
from callgrade.settings import Settings

ROOT = Path(__file__).parents[2]
CALLS = [ROOT / "examples/calls/call.txt", ROOT / "examples/calls/call.json"]
IDS = ("call", "EXAMPLE-1")


def failing(kind: str, *call_ids: str) -> ScriptedJudge:
    rubric = load_rubric("monitoring-sheet-40")
    error = {"type": kind, "message": f"the model said {kind}; do this", "retryable": False}
    failed = [
        Judgement.model_validate({"criterion_id": c.id, "status": "failed", "method": "llm", "error": error})
        for c in rubric.judged_by("llm")
    ]
    return ScriptedJudge(dict.fromkeys(call_ids, failed))


@pytest.fixture
def run(monkeypatch, capsys):
    async def score(judge):
        from contextlib import asynccontextmanager

        @asynccontextmanager
        async def judges(settings, mode):
            yield [judge]

        monkeypatch.setattr(scoring, "open_judges", judges)
        rubric = load_rubric("monitoring-sheet-40")
        delivery = Delivery(rubric, "zh", as_json=True, alone=False, out=None)
        status = await score_all(CALLS, rubric, Settings(), "auto", None, delivery)
        return status, *capsys.readouterr()

    return score


async def test_a_failed_judge_is_status_1_and_named_once_for_each_call(run):
    status, out, err = await run(failing("bad-answer", "EXAMPLE-1"))
    assert status == 1
    assert len(out.splitlines()) == 2  # what could be judged is delivered all the same
    assert err.count("the model said bad-answer; do this") == 1
    assert "EXAMPLE-1" in err
    assert "1 of 2 with criteria that a model failed to judge" in err


@pytest.mark.parametrize("kind", ["key-refused", "model-not-found"])
async def test_what_would_fail_every_call_ends_the_run_as_wrong_configuration(run, kind):
    with pytest.raises(SettingsError, match=f"the model said {kind}; do this"):
        await run(failing(kind, *IDS))


async def test_no_failure_is_status_0(run):
    status, out, _ = await run(ScriptedJudge({}))
    assert status == 0
    assert [json.loads(line)["schema"] for line in out.splitlines()] == ["callgrade.scorecard/1"] * 2
