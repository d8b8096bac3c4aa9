"""Faults by name, one for each way in which an endpoint has been seen to let its callers down.

A call asks for one in its own words, by a turn that says `fault-case-refusal`: it meets that fault and no other, as
often as it is sent. `POST /case/quota` lays one on everybody, as when an account runs dry, until `POST /case/none`.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

Spoil = Callable[[str], str]
"""A good answer → what comes instead."""
_ASKED = re.compile(r"fault-case-([a-z]+)")
# no digits: they are for redaction to take for a number


@dataclass(frozen=True)
class Case:
    """An HTTP error, or (with status 200) an answer that is late, spoilt, cut off or refused."""

    status: int = 200
    code: str = ""
    message: str = ""
    retry_after_s: float | None = None
    spoil: Spoil | None = None
    readable: bool = False
    """With some good will what comes instead can be read as what was asked for."""
    invented: bool = False
    """Quotes that nobody said."""
    finish: str = "stop"
    refusal: str | None = None
    drop: bool = False
    late_s: float = 0.0
    first: int | None = None
    """Only the first so many requests of a body meet it."""
    but_repairs: bool = False
    """Whoever is asked to mend the answer does."""

    @property
    def is_good(self) -> bool:
        """Whether its answer is what was asked for."""
        return self.status == 200 and self.finish == "stop" and (self.spoil is None or self.readable) and not self.drop


def _cut(text: str) -> str:
    return text[: len(text) * 6 // 10]


def _empty(text: str) -> str:
    return ""


def _shape(text: str) -> str:
    return '{"unexpected": [1, 2, 3]}'


def _escaped(text: str) -> str:
    return json.dumps(json.loads(text))


_LIMIT = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
_FILTER = "The response was filtered due to the prompt triggering the content management policy. content_filter"
_RATE = Case(429, "rate_limit_exceeded", "Rate limit reached", retry_after_s=0.05)
_DOWN = Case(500, "server_error", "The server had an error")

CASES = {
    "rate": _RATE,
    "ratetwice": Case(429, "rate_limit_exceeded", "Rate limit reached", retry_after_s=0.05, first=2),
    "quota": Case(429, "insufficient_quota", "You exceeded your current quota"),
    "down": _DOWN,
    "downtwice": Case(500, "server_error", "The server had an error", first=2),
    "overloaded": Case(503, "overloaded", "overloaded"),
    "auth": Case(401, "invalid_api_key", "Incorrect API key provided"),
    "notfound": Case(404, "model_not_found", "The model does not exist"),
    "slow": Case(late_s=30.0),
    "drop": Case(drop=True),
    "droptwice": Case(drop=True, first=2),
    "ctx": Case(400, "context_length_exceeded", _LIMIT),
    "filter": Case(400, "content_filter", _FILTER),
    "inspection": Case(400, "data_inspection_failed", "Input data may contain inappropriate content."),
    "filterfinish": Case(spoil=_empty, finish="content_filter"),
    "refusal": Case(spoil=_empty, refusal="抱歉，我无法协助。"),
    "length": Case(spoil=_cut, finish="length"),
    "badjson": Case(spoil=lambda text: f"好的，以下是评分：{_cut(text)}"),
    "badjsononce": Case(spoil=lambda text: f"好的，以下是评分：{_cut(text)}", first=1),
    "badshape": Case(spoil=_shape),
    "badquote": Case(invented=True),
    "badquoteonce": Case(invented=True, but_repairs=True),
    "escaped": Case(spoil=_escaped, readable=True),
    "think": Case(readable=True, spoil=lambda text: f"<think>先看开场白…</think>{text}"),
    "fence": Case(readable=True, spoil=lambda text: f"```json\n{text}\n```"),
}


def case_asked_for(prompt: str) -> Case | None:
    found = _ASKED.search(prompt)
    return CASES.get(found[1]) if found else None
