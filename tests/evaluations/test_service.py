from decimal import Decimal

from callgrade.adapters.rules import RuleJudge
from callgrade.adapters.scripted import ScriptedJudge
from callgrade.domain.calls import Transcript
from callgrade.domain.judgements import Judgement
from callgrade.evaluations.service import Evaluator, total_usage
from callgrade.ports import Usage
from tests.domain.forms import answer, judged, rubric, violation

RULE = {"find": {"phrases": ["随时取消"]}}
FORM = rubric(
    answer("warm", 6, not_applicable="forbidden"),
    violation("bait", "flag", judge="rules", rule=RULE),
    answer("tone", 4, judge="human", not_applicable="forbidden"),
)
CALL = Transcript.model_validate(
    {
        "schema": "callgrade.transcript/1",
        "call_id": "C-1",
        "recogniser": "tiny",
        "turns": [{"speaker": "agent", "text": "不满意随时取消", "start_ms": 0, "end_ms": 1400}],
    }
)


async def evaluate(*judges, form=FORM, call=CALL):
    return await Evaluator(form, judges).evaluate(call)


async def test_every_judges_answers_meet_on_one_scorecard():
    model = ScriptedJudge({"C-1": list(judged(warm={"answer": "yes"}).values())}, Usage(requests=1, prompt_tokens=900))
    card = await evaluate(RuleJudge(), model)
    assert [j.status for j in card.judgements] == ["judged", "judged", "cannot_assess"]
    assert card.violations[0].criterion_id == "bait"
    assert card.judgements[1].evidence[0].quote == "随时取消"
    assert (card.total.low, card.total.high, card.assessed.value) == (6, 10, 6)
    assert (card.provenance.requests, card.provenance.tokens["prompt"]) == (1, 900)
    assert (card.provenance.recogniser, model.asked) == ("tiny", ["C-1"])


async def test_without_a_model_what_is_left_open_says_why():
    card = await evaluate(RuleJudge())
    assert {j.criterion_id: j.reason for j in card.judgements if j.status == "cannot_assess"} == {
        "warm": "no_model",
        "tone": "awaiting_human",
    }
    assert {"needs_review", "incomplete", "violation", "awaiting_human"} <= set(card.flags)


async def test_a_failed_judge_is_a_fourth_thing():
    failed = Judgement.model_validate(
        {
            "criterion_id": "warm",
            "status": "failed",
            "method": "llm",
            "error": {"type": "rate-limited", "message": "429", "retryable": True},
        }
    )
    card = await evaluate(ScriptedJudge({"C-1": [failed]}))
    assert (card.judgements[0].status, card.judgements[0].points) == ("failed", None)
    assert "judge_failed" in card.flags
    assert card.total.value is None


async def test_a_call_the_rubric_is_not_meant_for_is_flagged():
    form = FORM.model_copy(update={"applies_when": {"channel": ("chat",)}})
    assert "rubric_not_meant_for_this_call" in (await evaluate(form=form)).flags


async def test_unknown_speakers_are_flagged():
    call = CALL.model_copy(update={"turns": (CALL.turns[0].model_copy(update={"speaker": "unknown"}),)})
    assert "speakers_uncertain" in (await evaluate(RuleJudge(), call=call)).flags


def test_a_cost_is_known_only_when_every_part_is():
    known, unknown, free = Usage(requests=1, cost=Decimal("0.2")), Usage(requests=1), Usage()
    assert total_usage([known, known, free]).cost == Decimal("0.4")
    assert total_usage([known, unknown]).cost is None
    assert total_usage([free]).cost is None
