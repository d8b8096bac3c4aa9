"""`score` against a model server on loopback: what it sends, and that nothing is lost when the server misbehaves."""

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from evals.mock_openai.process import Mock, running
from evals.synthetic_calls import write_calls

RUBRIC = Path(__file__).parents[2] / "evals/bench-rubric.yaml"
QUICK = ("--latency-ms", "5", "--retry-after", "0.02")


@dataclass(frozen=True)
class Outcome:
    """What one run of the command line printed, and what the server saw of it."""

    status: int
    cards: list[dict[str, Any]]
    errors: list[dict[str, Any]]
    seen: dict[str, Any]

    def sum_of(self, name: str) -> int:
        return sum(card["provenance"][name] for card in self.cards)

    @property
    def judgements(self) -> list[dict[str, Any]]:
        return [judgement for card in self.cards for judgement in card["judgements"]]

    @property
    def groundings(self) -> Counter[str]:
        return Counter(item["grounding"] for judgement in self.judgements for item in judgement["evidence"])


def score(mock: Mock, calls: list[Path], data_dir: Path, **settings: object) -> Outcome:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CALLGRADE_")} | {
        "CALLGRADE_LLM__MODEL": "mock",
        "CALLGRADE_LLM__BASE_URL": mock.base_url,
        "CALLGRADE_LLM__MAX_WAIT_S": "0.05",
        "CALLGRADE_DATA_DIR": str(data_dir),
        **{f"CALLGRADE_LLM__{name.upper()}": str(value) for name, value in settings.items()},
    }
    command = [sys.executable, "-m", "callgrade", "score", *map(str, calls), "--rubric", str(RUBRIC), "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return Outcome(
        status=done.returncode,
        cards=[line for line in lines if "error" not in line],
        errors=[line for line in lines if "error" in line],
        seen=mock.stats(),
    )


@pytest.fixture
def calls(tmp_path: Path) -> list[Path]:
    return write_calls(range(60), tmp_path / "calls", tokens=400)


def test_one_request_a_call_with_real_quotes_and_none_from_the_cache(calls, tmp_path):
    with running("--quotes", *QUICK) as mock:
        first = score(mock, calls, tmp_path / "data")
        again = score(mock, calls, tmp_path / "data")
    assert (first.status, len(first.cards)) == (0, 60)
    assert (first.seen["requests"], first.seen["most_sends_of_one_body"]) == (60, 1)
    assert (first.sum_of("requests"), first.sum_of("repairs"), first.sum_of("retries")) == (60, 0, 0)
    assert first.groundings.keys() <= {"exact", "normalised"}
    assert sum(first.groundings.values()) >= 60
    # the second run asks nobody, and says the same
    assert again.seen["requests"] == 60
    assert (again.sum_of("requests"), again.sum_of("cache_hits")) == (0, 60)
    assert by_id(again) == by_id(first)


def test_quotes_that_were_never_said_are_repaired_once_and_then_carry_nothing(calls, tmp_path):
    with running(*QUICK) as mock:
        outcome = score(mock, calls, tmp_path / "data")
    repairs = outcome.sum_of("repairs")
    assert (outcome.status, len(outcome.cards)) == (0, 60)
    assert 0 < repairs <= 60
    assert max(card["provenance"]["repairs"] for card in outcome.cards) == 1
    assert outcome.seen["requests"] == outcome.sum_of("requests") == 60 + repairs
    assert outcome.seen["most_sends_of_one_body"] == 1
    assert set(outcome.groundings) == {"unfounded"}
    # no verdict that needs words has kept its outcome
    for judgement in outcome.judgements:
        if judgement["status"] == "judged":
            assert (judgement["outcome"].get("occurrences", 0), costs(judgement)) == (0, False), judgement
    assert any("unfounded_evidence" in card["flags"] for card in outcome.cards)
    assert not any(card["violations"] for card in outcome.cards)


def test_with_every_kind_of_fault_no_call_is_lost_and_no_question_sent_too_often(calls, tmp_path):
    shares = ("--p429=0.1", "--p500=0.05", "--pmalformed=0.05", "--ptruncate=0.02", "--pdrop=0.02")
    with running("--quotes", *QUICK, *shares) as mock:
        outcome = score(mock, calls, tmp_path / "data")
    assert sum(outcome.seen["by_fault"].values()) > 0
    assert Counter(line["call_id"] for line in (*outcome.cards, *outcome.errors)) == Counter(p.stem for p in calls)
    assert outcome.status == (1 if outcome.errors else 0)
    for reason in (*outcome.errors, *(j for j in outcome.judgements if j["status"] == "failed")):
        assert reason["error"]["type"] not in ("", "unexpected")
        assert reason["error"]["message"]
    assert outcome.seen["requests"] == outcome.sum_of("requests")
    assert outcome.sum_of("requests") == 60 + outcome.sum_of("repairs") + outcome.sum_of("retries")
    assert outcome.seen["most_sends_of_one_body"] <= 5
    whole = [c for c in outcome.cards if all(j["status"] != "failed" for j in c["judgements"])]
    assert len(whole) >= 50


def test_a_server_that_only_fails_is_asked_as_often_as_set_and_named(calls, tmp_path):
    with running(*QUICK, "--p500=1") as mock:
        outcome = score(mock, calls[:10], tmp_path / "data", attempts=3)
    assert outcome.seen["requests"] == 30
    assert outcome.seen["most_sends_of_one_body"] == 3
    assert len(outcome.cards) == 10
    assert {j["error"]["type"] for j in outcome.judgements} == {"model-unavailable"}
    assert all(card["total"]["value"] is None and "judge_failed" in card["flags"] for card in outcome.cards)


def by_id(outcome: Outcome) -> dict[str, dict[str, Any]]:
    return {card["call_id"]: {key: card[key] for key in ("total", "judgements")} for card in outcome.cards}


def costs(judgement: dict[str, Any]) -> bool:
    return judgement["points"] is not None and judgement["points"] < judgement["max_points"]
