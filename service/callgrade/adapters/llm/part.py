"""Judges one part of a call (nearly always the whole of it): asks, lets samples vote, finds the quotes, repairs
once."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace

from callgrade.adapters.llm.asking import Interviewer
from callgrade.adapters.llm.call import Call, Quoted
from callgrade.adapters.llm.claims import Claim, read_claims, vote
from callgrade.adapters.llm.questions import Question, Questionnaire, Questions
from callgrade.adapters.llm.support import count_of, places_found, places_needed, reduced
from callgrade.adapters.llm.wire import Spent
from callgrade.adapters.llm.wording import said
from callgrade.catalog.prompts import Template
from callgrade.domain.errors import JudgeError
from callgrade.domain.judgements import Evidence, JudgeFailure, Judgement, cannot_assess
from callgrade.domain.rubrics import Criterion, Rubric

Found = tuple[Claim, tuple[Quoted, ...]]


class PartJudge:
    def __init__(self, interviewer: Interviewer, questionnaire: Questionnaire, repair: Template, samples: int):
        self._interviewer, self._questionnaire, self._repair = interviewer, questionnaire, repair
        self._samples, self._language = samples, questionnaire.language

    async def judge(self, call: Call, rubric: Rubric, question: Question, spent: Spent) -> list[Judgement]:
        """A judgement for every criterion of the question, in order."""
        claims = await self._claims(rubric, question, spent)
        found = [c if isinstance(c, Judgement) else (c, call.ground(c.criterion, c.quotes)) for c in claims]
        short = [f for f in found if not isinstance(f, Judgement) and _is_short(f)]
        mended = await self._mend(call, rubric, question, short, spent) if short else {}
        return [
            item if isinstance(item, Judgement) else mended.get(item[0].criterion.id) or _judgement(item)
            for item in found
        ]

    async def _claims(self, rubric: Rubric, question: Question, spent: Spent) -> list[Claim | Judgement]:
        """What the model claims of each criterion; a failed judgement where no answer came."""
        criteria = question.questions.criteria
        critical = tuple(c for c in criteria if c.critical) if self._samples > 1 else ()
        questions = [question]
        if critical:
            fewer = self._questionnaire.about(rubric, critical)
            questions += [replace(question, questions=fewer, sample=sample) for sample in range(1, self._samples)]
        if len(questions) == 1:
            answers = [await self._interviewer.ask(question, spent)]
        else:
            answers = await asyncio.gather(*(self._interviewer.ask(asked, spent) for asked in questions))
        claims: dict[str, list[Claim]] = {criterion.id: [] for criterion in criteria}
        for asked, answer in zip(questions, answers, strict=True):
            if not isinstance(answer, JudgeError):
                for claim in read_claims(asked.questions.criteria, answer, self._language):
                    claims[claim.criterion.id].append(claim)
        error = next((answer for answer in answers if isinstance(answer, JudgeError)), None)
        return [
            vote(claims[criterion.id], self._language) if claims[criterion.id] else failed(criterion, error)
            for criterion in criteria
        ]

    async def _mend(
        self, call: Call, rubric: Rubric, question: Question, short: Sequence[Found], spent: Spent
    ) -> dict[str, Judgement]:
        """One request for all claims that lack words; what still lacks them afterwards is abstained from, or
        counted as far as it is founded."""
        criteria = tuple(claim.criterion for claim, _ in short)
        fewer = self._questionnaire.about(rubric, criteria)
        again = replace(
            question,
            questions=_with_prefix_of(question.questions, fewer),
            follow_up=self._follow_up([claim for claim, _ in short]),
        )
        answer = await self._interviewer.ask(again, spent)
        if isinstance(answer, JudgeError):
            note = said("unrepaired", self._language, error=answer.type)
            return {claim.criterion.id: self._settled(claim, quoted, note) for claim, quoted in short}
        mended: dict[str, Judgement] = {}
        note = said("unfounded", self._language)
        for (_, before), claim in zip(short, read_claims(criteria, answer, self._language), strict=True):
            quoted = call.ground(claim.criterion, claim.quotes)
            if not _is_short((claim, quoted)):
                mended[claim.criterion.id] = _judgement((claim, quoted))
                continue
            kept = tuple(dict.fromkeys((*quoted, *before)))
            mended[claim.criterion.id] = self._settled(claim, kept, note)
        return mended

    def _settled(self, claim: Claim, quoted: tuple[Quoted, ...], note: str) -> Judgement:
        """A claim that stays short of words: a count shrinks to what was found, anything else is an abstention."""
        founded = places_found(quoted)
        assert claim.outcome is not None
        claimed = count_of(claim.outcome)
        if claimed is None or founded == 0:
            return cannot_assess(claim.criterion.id, "llm", f"{claim.reason}{note}", _flat(quoted))
        note = said("reduced", self._language, claimed=claimed, founded=founded)
        outcome = reduced(claim.outcome, min(founded, claimed))
        return _judgement((replace(claim, outcome=outcome, reason=f"{claim.reason}{note}"), quoted))

    def _follow_up(self, claims: Sequence[Claim]) -> tuple[dict[str, str], ...]:
        """The model's own answer to the criteria concerned, and the request to mend it."""
        ids = [claim.criterion.id for claim in claims]
        answer = {claim.criterion.id: claim.item and claim.item.model_dump(mode="json") for claim in claims}
        separator = "、" if self._language == "zh" else ", "
        return (
            {"role": "assistant", "content": json.dumps(answer, ensure_ascii=False, separators=(",", ":"))},
            {"role": "user", "content": self._repair.render({"criteria": separator.join(ids)})},
        )


def failed(criterion: Criterion, error: JudgeError | None) -> Judgement:
    assert error is not None, "no answer and no error"
    failure = JudgeFailure(type=error.type, message=str(error), retryable=error.retryable)
    return Judgement(criterion_id=criterion.id, status="failed", method="llm", error=failure)


def _flat(quoted: tuple[Quoted, ...]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(item for quote in quoted for item in quote))


def _is_short(found: Found) -> bool:
    claim, quoted = found
    return places_found(quoted) < places_needed(claim.criterion, claim.outcome)


def _judgement(found: Found) -> Judgement:
    claim, quoted = found
    return Judgement(
        criterion_id=claim.criterion.id,
        status=claim.status,
        outcome=claim.outcome,
        reason=claim.reason,
        method="llm",
        confidence=claim.confidence,
        logprob=claim.logprob,
        evidence=_flat(quoted),
    )


def _with_prefix_of(asked: Questions, fewer: Questions) -> Questions:
    """The same beginning as the first request, so that a provider's prompt cache holds it; only the answer is for
    fewer criteria."""
    return fewer._replace(system=asked.system, plain=asked.plain)
