"""Figures that a call brings with it, judged by bands as measured ones are."""

import asyncio

import pytest

from callgrade.adapters.speech import SpeechJudge
from callgrade.domain.calls import Transcript
from tests.domain.forms import rubric

WAIT = rubric(
    {
        "id": "answered",
        "judge": "speech",
        "evidence": "none",
        "scale": {"kind": "answer", "yes": 1, "no": 0},
        "speech": {
            "fact": "call.answer_wait_ms",
            "bands": [{"up_to": 30000, "outcome": {"answer": "yes"}}, {"outcome": {"answer": "no"}}],
        },
    }
)


def judged(facts):
    transcript = Transcript.model_validate(
        {
            "schema": "callgrade.transcript/1",
            "call_id": "c",
            "turns": [{"speaker": "agent", "start_ms": 0, "end_ms": 900, "text": "您好"}],
            "facts": facts,
        }
    )
    return asyncio.run(SpeechJudge().judge(transcript, WAIT)).judgements[0]


@pytest.mark.parametrize(("wait", "answer"), [(0, "yes"), (30000, "yes"), (30000.5, "no"), (31000, "no")])
def test_a_fact_of_the_call_is_judged_by_bands(wait, answer):
    judgement = judged({"answer_wait_ms": wait})
    assert judgement.outcome.model_dump() == {"answer": answer}
    assert judgement.reason == f"call.answer_wait_ms = {wait:g}"


@pytest.mark.parametrize("facts", [{}, {"answer_wait_ms": None}, {"answer_wait_ms": True}, {"answer_wait_ms": "20 s"}])
def test_a_fact_that_is_absent_or_no_number_is_an_abstention(facts):
    judgement = judged(facts)
    assert judgement.status == "cannot_assess"
    assert "call.answer_wait_ms" in judgement.reason
