"""The demo, whole: real FunASR on every sample recording, held against the script that made the sound."""

import asyncio

import pytest

from callgrade.catalog import load_rubric
from callgrade.cli.demo import DemoCall, character_errors, check_planted, evaluate_samples, hear_samples
from callgrade.settings import Settings

FOUND = {
    "mis-selling": {"vague-inducement"},
    "coercion": {"coercion"},
    "missing-identity": {"missing-identity-check"},
    "rude-agent": {"insult"},
    "unauthorised-opening": {"false-promise", "missing-consent"},
}
"""What must be found without a model, by the planted call. More may be."""


@pytest.fixture(scope="module")
def calls() -> dict[str, DemoCall]:
    settings = Settings.model_validate({"asr": {"model": "tiny"}})
    rubric = load_rubric("telesales-misconduct")
    return {call.sample.id: call for call in asyncio.run(evaluate_samples(hear_samples(settings), rubric, settings))}


def test_at_least_six_synthetic_calls(calls):
    assert len(calls) >= 6
    assert all(call.sample.synthetic for call in calls.values())
    assert all(any("demo recogniser" in note for note in call.heard.notes) for call in calls.values())


@pytest.mark.parametrize("id_", FOUND)
def test_planted_misconduct_is_found(calls, id_):
    assert {v.criterion_id for v in calls[id_].card.violations} >= FOUND[id_]


@pytest.mark.parametrize("id_", ["polite-sale", "good-empathy"])
def test_good_calls_stay_clean(calls, id_):
    assert calls[id_].card.violations == ()


def test_quotes_are_what_was_heard_and_come_within_300_ms_of_the_script(calls):
    checks = [check_planted(call) for call in calls.values()]
    assert max(check.latest_ms for check in checks) <= 300
    assert sum(check.found for check in checks) >= 0.7 * sum(check.planted for check in checks)
    for call in calls.values():
        for judgement in call.card.judgements:
            for item in judgement.evidence:
                assert item.grounding == "exact"
                assert call.heard.turns[item.turn].text[item.start : item.end] == item.quote
                assert item.time == "exact"


def test_turns_begin_where_the_script_says(calls):
    """Nine of ten turns of the script have a heard turn of the same speaker that begins within 300 ms."""
    late = [
        (id_, index, off)
        for id_, call in calls.items()
        for index, turn in enumerate(call.truth.turns)
        if (off := _off(turn, call.heard.turns)) > 300
    ]
    assert len(late) <= 0.1 * sum(len(call.truth.turns) for call in calls.values()), late


def _off(turn, heard) -> int:
    same = [other for other in heard if other.speaker == turn.speaker]
    return min(min(abs(other.start_ms - turn.start_ms) for other in same), 10_000)


def test_character_errors_stay_low(calls):
    errors, said = map(sum, zip(*(character_errors(call) for call in calls.values()), strict=True))
    assert said > 1000
    assert errors / said <= 0.03
