"""The exact request that a call would be judged with, and what it weighs. Sends nothing: for `prompt render` and
the benchmark."""

import json
from decimal import Decimal
from typing import Any

from callgrade.adapters.llm.asking import request_body
from callgrade.adapters.llm.call import Call
from callgrade.adapters.llm.composer import Composer, Wording
from callgrade.adapters.llm.dialect import Spoken
from callgrade.adapters.llm.prompt import FENCE_CLOSE, FENCE_OPEN
from callgrade.adapters.llm.questions import Question
from callgrade.adapters.llm.tokens import best_counter
from callgrade.adapters.llm.wire import Tokens, price
from callgrade.domain.calls import Transcript
from callgrade.domain.frozen import Frozen
from callgrade.domain.rubrics import Rubric
from callgrade.ports import Redactor
from callgrade.settings import LLMSettings


class PromptTokens(Frozen):
    """Tokens by part, counted by the tokenizer `counter`.

    `instructions` is what is neither rubric nor call, the fence included. The schema travels beside the messages;
    most providers bill it as well.
    """

    counter: str
    output_schema: int
    instructions: int
    rubric: int
    transcript: int

    @property
    def prompt(self) -> int:
        return self.instructions + self.rubric + self.transcript


class RenderedRequest(Frozen):
    """One request as it would be sent first; `part` of `parts` when the call does not fit the window, or the rubric
    one request."""

    body: dict[str, Any]
    tokens: PromptTokens
    cost: Decimal | None = None
    """US dollars for prompt and schema by the configured prices, before the answer; None without them."""
    part: int = 1
    parts: int = 1

    @property
    def messages(self) -> list[dict[str, str]]:
        return list(self.body["messages"])

    @property
    def response_format(self) -> dict[str, Any] | None:
        """None where the endpoint is asked for plain JSON."""
        return self.body.get("response_format")


def render_requests(
    rubric: Rubric, transcript: Transcript, redactor: Redactor, settings: LLMSettings, wording: Wording
) -> tuple[RenderedRequest, ...]:
    """Every first request for a call: samples and repairs come on top. Raises ContextTooLongError."""
    composer = Composer(settings, wording)
    call = Call(transcript, redactor)
    if not rubric.judged_by("llm"):
        return ()
    questions = [question for group in composer.groups(rubric) for question in composer.compose(group, call.lines)]
    return tuple(_rendered(question, settings, place, len(questions)) for place, question in enumerate(questions, 1))


def _rendered(question: Question, settings: LLMSettings, part: int, parts: int) -> RenderedRequest:
    dialect = Spoken(settings).now
    body = request_body(question, settings.model or "", settings, dialect)
    if dialect.output == "schema":
        body["response_format"] = question.questions.response_format
    elif dialect.output == "json_object":
        body["response_format"] = {"type": "json_object"}
    tokens = _weigh(question, dialect.output == "schema")
    cost = price(settings, Tokens(prompt=tokens.prompt + tokens.output_schema))
    return RenderedRequest(body=body, tokens=tokens, cost=cost, part=part, parts=parts)


def _weigh(question: Question, beside: bool) -> PromptTokens:
    counter = best_counter()
    questions, user = question.questions, question.user
    start = user.index(FENCE_OPEN) + len(FENCE_OPEN)
    turns = user[start : user.rindex(FENCE_CLOSE)].strip("\n")
    schema = counter.count(json.dumps(questions.schema, ensure_ascii=False, separators=(",", ":")))
    rubric, transcript = counter.count(questions.rubric_text), counter.count(turns)
    # in JSON mode the schema stands in the prompt; it is shown as what it is either way
    prompt = counter.count(questions.system if beside else questions.plain) + counter.count(user)
    instructions = prompt - rubric - transcript - (0 if beside else schema)
    return PromptTokens(
        counter=counter.name, output_schema=schema, instructions=instructions, rubric=rubric, transcript=transcript
    )
