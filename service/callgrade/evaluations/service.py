"""Evaluating one call: every judge asked, every judgement collected, one scorecard made."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal

from pydantic import JsonValue

from callgrade import __version__
from callgrade.catalog import digest
from callgrade.domain.calls import Transcript
from callgrade.domain.conditions import holds
from callgrade.domain.judgements import AWAITING_HUMAN, NO_MODEL, Judgement, cannot_assess
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Provenance, Scorecard, score
from callgrade.ports import Judge, Usage, Verdicts

NOT_MEANT_FOR_THIS_CALL = "rubric_not_meant_for_this_call"
SPEAKERS_UNCERTAIN = "speakers_uncertain"


class Evaluator:
    """Scores calls against one rubric with the judges at hand."""

    def __init__(self, rubric: Rubric, judges: Sequence[Judge]):
        self.rubric = rubric
        self.digest = digest(rubric)
        self._judges = tuple(judges)

    async def evaluate(self, transcript: Transcript) -> Scorecard:
        """The scorecard of one call. A judge that fails leaves `failed` judgements, never an exception."""
        answers = await asyncio.gather(*(judge.judge(transcript, self.rubric) for judge in self._judges))
        judgements = {j.criterion_id: j for answer in answers for j in answer.judgements}
        judgements |= _abstentions(self.rubric, judgements)
        facts = known_facts(transcript)
        card = score(self.rubric, judgements, facts, call_id=transcript.call_id, digest=self.digest)
        return card.model_copy(
            update={
                "flags": _flags(card.flags, self.rubric, transcript, facts),
                "provenance": _provenance(self.rubric, self.digest, transcript, answers),
            }
        )


def known_facts(transcript: Transcript) -> dict[str, JsonValue]:
    """The call's facts, with what the transcript itself says of the call."""
    return {"channel": transcript.channel, **transcript.facts}


def _abstentions(rubric: Rubric, judgements: Mapping[str, Judgement]) -> dict[str, Judgement]:
    """What no judge answered for is left open, with the reason."""
    reasons = {"human": AWAITING_HUMAN, "llm": NO_MODEL}
    return {
        c.id: cannot_assess(c.id, c.judge, reasons.get(c.judge, "no judge answered"))
        for c in rubric.criteria
        if c.id not in judgements
    }


def _flags(
    flags: tuple[str, ...], rubric: Rubric, transcript: Transcript, facts: Mapping[str, JsonValue]
) -> tuple[str, ...]:
    raised = list(flags)
    if holds(rubric.applies_when, facts) is False:
        raised.append(NOT_MEANT_FOR_THIS_CALL)
    if any(turn.speaker == "unknown" for turn in transcript.turns):
        raised.append(SPEAKERS_UNCERTAIN)
    return tuple(dict.fromkeys(["needs_review", *raised])) if raised else ()


def _provenance(rubric: Rubric, digest_: str, transcript: Transcript, answers: Sequence[Verdicts]) -> Provenance:
    named: dict[str, JsonValue] = {}
    for answer in answers:
        named |= answer.provenance
    usage = total_usage([answer.usage for answer in answers])
    return Provenance.model_validate(
        {
            **named,
            "rubric": f"{rubric.reference} {digest_}",
            "recogniser": transcript.recogniser,
            "callgrade": __version__,
            "requests": usage.requests,
            "repairs": usage.repairs,
            "retries": usage.retries,
            "cache_hits": usage.cache_hits,
            "tokens": {
                "prompt": usage.prompt_tokens,
                "cached": usage.cached_tokens,
                "completion": usage.completion_tokens,
            },
            "cost": None if usage.cost is None else float(usage.cost),
        }
    )


def total_usage(usages: Sequence[Usage]) -> Usage:
    """The sum. The cost is None as soon as one part that sent requests does not know its own."""
    asked = [usage for usage in usages if usage.requests]
    costs = [usage.cost for usage in asked]
    known = [cost for cost in costs if cost is not None]
    return Usage(
        requests=sum(u.requests for u in usages),
        repairs=sum(u.repairs for u in usages),
        retries=sum(u.retries for u in usages),
        cache_hits=sum(u.cache_hits for u in usages),
        prompt_tokens=sum(u.prompt_tokens for u in usages),
        cached_tokens=sum(u.cached_tokens for u in usages),
        completion_tokens=sum(u.completion_tokens for u in usages),
        cost=sum(known, Decimal()) if known and len(known) == len(costs) else None,
    )
