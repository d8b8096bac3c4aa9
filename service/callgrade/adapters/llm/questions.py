"""What is the same for every call judged by a rubric, built once: rubric text, schema, parser."""

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import JsonValue

from callgrade.adapters.llm.prompt import render_rubric
from callgrade.adapters.llm.schema import AnswerSheet, JsonSchema, build_schema, build_sheet
from callgrade.adapters.llm.tokens import estimate
from callgrade.adapters.llm.wire import Message
from callgrade.catalog.prompts import Prompt, Template
from callgrade.domain.rubrics import Criterion, Rubric

KEPT = 128


class Questions(NamedTuple):
    """The criteria of one request. `system` is the prefix that providers can cache; `plain` replaces it for
    endpoints without schemas."""

    criteria: tuple[Criterion, ...]
    rubric_text: str
    system: str
    plain: str
    schema: JsonSchema
    sheet: type[AnswerSheet]
    response_format: dict[str, JsonValue]
    tokens: int
    """An estimate for the prefix, the schema included."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a model: `user` holds the fenced call, `follow_up` the exchange after it (repairs only)."""

    questions: Questions
    user: str
    answer_tokens: int
    sample: int = 0
    follow_up: tuple[Message, ...] = ()
    call_id: str = ""
    """Never part of the request: which call the answer is about, for those who must find it again."""

    @property
    def is_repair(self) -> bool:
        return bool(self.follow_up)


class Questionnaire:
    """Builds `Questions` and keeps them, by rubric and criteria."""

    def __init__(self, prompt: Prompt, language: str):
        self.language = language
        self._system = prompt.template("system", language)
        self._plain = prompt.template("json", language)
        self._kept: OrderedDict[tuple[int, tuple[str, ...] | None], tuple[Rubric, Questions]] = OrderedDict()

    def about(self, rubric: Rubric, criteria: Sequence[Criterion] | None = None) -> Questions:
        """On all the rubric's LLM criteria, or on some of them."""
        # by identity: a frozen model's hash would walk all of it; the rubric is kept, so its id cannot be another's
        key = (id(rubric), tuple(c.id for c in criteria) if criteria is not None else None)
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
            return kept[1]
        chosen = tuple(criteria if criteria is not None else rubric.judged_by("llm"))
        questions = build_questions(rubric, chosen, self._system, self._plain, self.language)
        self._kept[key] = (rubric, questions)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return questions


def build_questions(
    rubric: Rubric, criteria: tuple[Criterion, ...], system: Template, plain: Template, language: str
) -> Questions:
    text = render_rubric(rubric.title.in_language(language), criteria, language)
    schema = build_schema(criteria)
    schema_text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
    prefix = system.render({"rubric": text})
    return Questions(
        criteria=criteria,
        rubric_text=text,
        system=prefix,
        plain=f"{prefix}\n{plain.render({'schema': schema_text})}",
        schema=schema,
        sheet=build_sheet(criteria, schema),
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "judgements", "strict": True, "schema": schema},
        },
        tokens=estimate(prefix) + estimate(schema_text),
    )
