"""The LLM judge: one structured request a call, its quotes looked up, one repair at most, and a judgement for every
criterion."""

import asyncio
from dataclasses import replace
from types import TracebackType
from typing import Self

from pydantic import JsonValue

from callgrade.adapters.llm.asking import AnswerCache, Interviewer, UnderWay
from callgrade.adapters.llm.call import Call
from callgrade.adapters.llm.composer import Composer, Wording
from callgrade.adapters.llm.gate import Gate
from callgrade.adapters.llm.merging import merge
from callgrade.adapters.llm.part import PartJudge, failed
from callgrade.adapters.llm.questions import Questions
from callgrade.adapters.llm.retry import Sleep
from callgrade.adapters.llm.wire import Endpoint, Spent
from callgrade.adapters.llm.wording import said
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import JudgeError
from callgrade.domain.judgements import Judgement, cannot_assess
from callgrade.domain.rubrics import Rubric
from callgrade.ports import Redactor, Verdicts
from callgrade.settings import LLMSettings


class LLMJudge:
    """Implements `ports.Judge`. Close it: it holds connections, and perhaps a model in memory."""

    def __init__(
        self,
        endpoint: Endpoint,
        settings: LLMSettings,
        *,
        model: str,
        redactor: Redactor,
        wording: Wording,
        cache: AnswerCache | None = None,
        client: str = "",
        gate: Gate | None = None,
        under_way: UnderWay | None = None,
        sleep: Sleep = asyncio.sleep,
    ):
        self._endpoint, self._settings, self._cache = endpoint, settings, cache
        self._redactor, self._wording, self._model = redactor, wording, model
        self._composer = Composer(settings, wording)
        self._interviewer = Interviewer(
            endpoint,
            settings,
            model=model,
            cache=cache,
            client=client,
            gate=gate,
            under_way=under_way,
            sleep=sleep,
        )
        repair = wording.repair.template("user", wording.language)
        self._parts = PartJudge(self._interviewer, self._composer.questionnaire, repair, settings.samples)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._endpoint.aclose()
        if self._cache is not None:
            self._cache.close()

    async def judge(self, transcript: Transcript, rubric: Rubric) -> Verdicts:
        """Never raises for a model's failure: the criteria concerned come back `failed` with the error."""
        criteria = rubric.judged_by("llm")
        if not criteria:
            return Verdicts()
        if not any(turn.text.strip() for turn in transcript.turns):
            reason = said("silent", self._wording.language)
            return Verdicts(judgements=tuple(cannot_assess(c.id, "llm", reason) for c in criteria))
        spent = Spent()
        call = Call(transcript, self._redactor)
        groups = [self._judge_group(call, rubric, group, spent) for group in self._composer.groups(rubric)]
        judged = [await groups[0]] if len(groups) == 1 else await asyncio.gather(*groups)
        return Verdicts(
            judgements=tuple(judgement for group in judged for judgement in group),
            usage=spent.usage(),
            provenance=self._provenance(spent),
        )

    async def _judge_group(self, call: Call, rubric: Rubric, group: Questions, spent: Spent) -> list[Judgement]:
        try:
            composed = self._composer.compose(group, call.lines)
        except JudgeError as error:
            return [failed(criterion, error) for criterion in group.criteria]
        questions = [replace(question, call_id=call.id) for question in composed]
        parts = [self._parts.judge(call, rubric, question, spent) for question in questions]
        judged = [await parts[0]] if len(parts) == 1 else await asyncio.gather(*parts)
        language = self._wording.language
        return [
            merge(criterion, [part[place] for part in judged], language)
            for place, criterion in enumerate(group.criteria)
        ]

    def _provenance(self, spent: Spent) -> dict[str, JsonValue]:
        settings, wording = self._settings, self._wording
        models = list(spent.models)
        return {
            "prompt": {"id": wording.judge.id, "version": wording.judge.version, "digest": wording.judge.digest},
            "repair_prompt": {
                "id": wording.repair.id,
                "version": wording.repair.version,
                "digest": wording.repair.digest,
            },
            "model_requested": settings.model if self._model == settings.model else self._model,
            "model_reported": models[0] if len(models) == 1 else (list(models) or None),
            "parameters": {
                "temperature": settings.temperature,
                "seed": settings.seed,
                "samples": settings.samples,
                "output": self._interviewer.output,
                "max_tokens": settings.max_tokens,
                "language": wording.language,
            },
            "redaction": self._redactor.name,
        }
