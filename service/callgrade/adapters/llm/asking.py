"""Asks one question: the answer cache, whoever is asking the same, the endpoint's dialect, the request, and the
answer's checks."""

import asyncio
import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from pydantic import ValidationError

from callgrade.adapters.llm.certainty import apart, kept_with
from callgrade.adapters.llm.dialect import Dialect, Spoken
from callgrade.adapters.llm.errors import Fault, fault_from, fault_of_answer, fault_of_finish
from callgrade.adapters.llm.flights import Flights
from callgrade.adapters.llm.gate import Gate, Slots
from callgrade.adapters.llm.instructed import ask_through_instructor
from callgrade.adapters.llm.questions import Question
from callgrade.adapters.llm.retry import Patience, Sleep
from callgrade.adapters.llm.schema import AnswerSheet
from callgrade.adapters.llm.wire import Endpoint, Reply, Request, Spent, Tokens, price
from callgrade.domain.errors import JudgeError
from callgrade.pacing import Turnstile
from callgrade.settings import LLMSettings


class AnswerCache(Protocol):
    """Keeps validated answers. No method raises: a cache that is broken is a cache that is empty."""

    def get(self, key: str) -> tuple[str, str] | None:
        """(answer, the model that gave it), or None."""
        ...

    def put(
        self, key: str, answer: str, model: str, usage: dict[str, Any], *, client: str = "", call_id: str = ""
    ) -> None:
        """`client` and `call_id` say which call it is about, so that erasing the call finds it."""
        ...

    def close(self) -> None: ...


class Draft(NamedTuple):
    """A question as one dialect puts it: the whole request, schema included, and the key its answer is kept under."""

    dialect: Dialect
    request: Request
    key: str


class Kept(NamedTuple):
    """An answer from the cache, as it was said and as it was read."""

    content: str
    model: str
    answer: AnswerSheet


class Answered(NamedTuple):
    """What came of a request, and what it cost."""

    answer: AnswerSheet | JudgeError
    spent: Spent


UnderWay = Flights[Answered]
"""The questions that are under way, to be shared by all who ask the same endpoint."""


class Interviewer:
    """Puts questions to one endpoint, as `gate` lets them: at most `concurrency` at a time where there is none.

    What is asked by several at the same moment (the same client, request and sample) is asked once: see `flights`.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        settings: LLMSettings,
        *,
        model: str,
        cache: AnswerCache | None,
        client: str,
        gate: Gate | None = None,
        under_way: UnderWay | None = None,
        sleep: Sleep = asyncio.sleep,
    ):
        self._endpoint, self._settings, self._model = endpoint, settings, model
        self._cache, self._client = cache, client
        self._under_way: UnderWay = under_way or Flights()
        self._scope = f"{client}\0{endpoint.identity}\0{settings.run_salt}"
        self._spoken = Spoken(settings)
        self._gate: Gate = gate or Slots(settings.concurrency)
        self._patience = Patience(settings, sleep)
        self._turnstile = Turnstile()

    @property
    def output(self) -> str:
        """How JSON is asked for now: `schema`, `json_object` or `text`."""
        return self._spoken.now.output

    async def ask(self, question: Question, spent: Spent) -> AnswerSheet | JudgeError:
        """The answer, or why there is none. What it cost is added to `spent` either way, and once: for those who asked
        the same at the same moment the answer was at hand."""
        draft = self._draft(question, self._spoken.now)
        if kept := self._kept(question, draft.key):
            _take(kept, spent)
            return kept.answer
        came, bears_cost = await self._under_way.join(draft.key, lambda: self._answered(question, draft))
        if bears_cost:
            spent.include(came.spent)
        elif not isinstance(came.answer, JudgeError):
            spent.cache_hits += 1
            spent.models |= came.spent.models
        return came.answer

    async def _answered(self, question: Question, draft: Draft) -> Answered:
        # its own count: other questions of the same call are asked at the same time
        spent = Spent()
        answer: AnswerSheet | JudgeError
        try:
            answer = await self._patience.ask(lambda: self._once(question, draft, spent), spent)
        except Fault as fault:
            fault.error.requests = spent.requests
            answer = fault.error
        if question.is_repair:
            spent.repairs = spent.requests
        return Answered(answer, spent)

    async def _once(self, question: Question, draft: Draft, spent: Spent) -> AnswerSheet:
        if draft.dialect != self._spoken.now:
            draft = self._draft(question, self._spoken.now)
        try:
            return await self._asked(question, draft, spent)
        except Fault as fault:
            fault.adapted = self._spoken.learn(draft.dialect, fault)
            raise

    async def _asked(self, question: Question, draft: Draft, spent: Spent) -> AnswerSheet:
        """The place at the gate is given back when the answer is kept and not before: a process that dies loses no more
        answers than it may have requests under way."""
        place = _Place(self._gate)
        content = model = ""
        bare = not question.is_repair and draft.dialect.output == "schema"

        async def send(request: Request) -> Reply:
            nonlocal content, model
            reply = await self._send(request, spent, place, lambda: self._kept(question, draft.key))
            content, model = reply.content or "", reply.model
            content = kept_with(content, reply.told) if bare else content
            return reply

        sheet = question.questions.sheet
        try:
            if not bare:
                body = request_body(question, self._model, self._settings, draft.dialect)
                answer = await ask_through_instructor(send, body, sheet, draft.dialect.output)
            else:
                await send(draft.request)
                answer = parse(sheet, content)
            self._spoken.answered()
            if self._cache is not None:
                used = spent.usage().model_dump(mode="json")
                self._cache.put(draft.key, content, model, used, client=self._client, call_id=question.call_id)
        finally:
            place.leave()
        return answer

    async def _send(
        self, request: Request, spent: Spent, place: "_Place", look_again: Callable[[], Kept | None]
    ) -> Reply:
        await place.enter(request)
        # while it waited for its place another process may have asked the same
        if kept := look_again():
            _take(kept, spent)
            return Reply(kept.content, None, "stop", kept.model, Tokens())
        spent.requests += 1
        try:
            # the endpoint's own time-out restarts with every byte
            async with asyncio.timeout(self._settings.timeout_s):
                place.outcome = reply = await self._endpoint.send(request)
        except TimeoutError as error:
            place.outcome = fault_from(error, self._endpoint.place)
            raise place.outcome from None
        except Fault as refusal:
            place.outcome = refusal
            raise
        await self._turnstile.pass_through()
        # the price that was set goes before what the endpoint may know of it
        spent.add(reply.priced(price(self._settings, reply.tokens)))
        if fault := fault_of_finish(reply.finish_reason, reply.refusal):
            raise fault
        return reply

    def _kept(self, question: Question, key: str) -> Kept | None:
        """What is in the cache, where it is an answer to this question."""
        kept = self._cache.get(key) if self._cache is not None else None
        if kept is None:
            return None
        try:
            return Kept(*kept, parse(question.questions.sheet, kept[0]))
        except Fault:
            return None

    def _draft(self, question: Question, dialect: Dialect) -> Draft:
        """The key is the SHA-256 of client, endpoint, salt, sample and the whole request."""
        body = request_body(question, self._model, self._settings, dialect)
        request = Request({**body, "response_format": question.questions.response_format})
        digest = hashlib.sha256(f"{self._scope}\0{question.sample}\0".encode())
        digest.update(request.payload)
        return Draft(dialect, request, digest.hexdigest())


class _Place:
    """A request's place at the gate, from when it is let in until what came of it is kept."""

    def __init__(self, gate: Gate):
        self._gate = gate
        self._request: Request | None = None
        self.outcome: Reply | Fault | None = None

    async def enter(self, request: Request) -> None:
        # an answer that has to be asked for again leaves the place it had
        self.leave()
        await self._gate.enter(request)
        self._request, self.outcome = request, None

    def leave(self) -> None:
        if self._request is not None:
            request, self._request = self._request, None
            self._gate.leave(request, self.outcome)


def request_body(question: Question, model: str, settings: LLMSettings, dialect: Dialect) -> dict[str, Any]:
    """The request as an endpoint of this dialect takes it, without its response format."""
    questions = question.questions
    parameters = dialect.parameters(settings, sample=question.sample, answer_tokens=question.answer_tokens)
    if question.is_repair:
        parameters.pop("logprobs", None)
    system = questions.system if dialect.output == "schema" else questions.plain
    return {
        "model": model,
        "messages": [
            {"role": "system", "content": system},
            {"role": "user", "content": question.user},
            *question.follow_up,
        ],
        **parameters,
    }


def _take(kept: Kept, spent: Spent) -> None:
    spent.cache_hits += 1
    if kept.model:
        spent.models[kept.model] = None


def parse(sheet: type[AnswerSheet], kept: str) -> AnswerSheet:
    """An answer, with how sure the model was where that is known."""
    content, sure = apart(kept)
    try:
        answer = sheet.model_validate_json(content)
        answer.sure.update(sure)
        return answer
    except ValidationError as error:
        raise fault_of_answer(error) from None
