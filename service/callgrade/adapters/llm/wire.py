"""What goes to an endpoint and what comes back, whoever carries it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol

from pydantic import JsonValue
from pydantic_core import to_json

from callgrade.adapters.llm.certainty import Told, read_told
from callgrade.adapters.llm.errors import Refusal, fault_of, not_json
from callgrade.ports import Usage
from callgrade.settings import LLMSettings

Message = dict[str, str]


@dataclass(frozen=True)
class Request:
    """A chat-completion request. `body` is the JSON that is sent."""

    body: dict[str, Any]

    @cached_property
    def payload(self) -> bytes:
        return to_json(self.body)


@dataclass(frozen=True, slots=True)
class Tokens:
    """Billed tokens as the endpoint reports them. `cached` are among `prompt`. `cost` is in US dollars, None where
    unknown."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The first choice of an answer."""

    content: str | None
    refusal: str | None
    finish_reason: str | None
    model: str
    tokens: Tokens
    told: Told = ()

    def priced(self, cost: Decimal | None) -> "Reply":
        return self if cost is None else replace(self, tokens=replace(self.tokens, cost=cost))


class Endpoint(Protocol):
    """Carries one request. Raises `errors.Fault`, and nothing else."""

    place: str
    """For messages: a host and no credentials."""
    identity: str
    """For the cache: answers of another endpoint, or of another file, are other answers."""

    async def send(self, request: Request) -> Reply: ...

    async def aclose(self) -> None: ...


_COUNTS = tuple(name for name in Usage.model_fields if name != "cost")


@dataclass(slots=True)
class Spent:
    """Counts what one call costs while it is judged. See `ports.Usage` for the meaning of the fields."""

    requests: int = 0
    repairs: int = 0
    retries: int = 0
    cache_hits: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal | None = None
    models: dict[str, None] = field(default_factory=dict)
    """The models that say they answered, in order."""

    def add(self, reply: Reply) -> None:
        tokens = reply.tokens
        self.prompt_tokens += tokens.prompt
        self.cached_tokens += tokens.cached
        self.completion_tokens += tokens.completion
        if tokens.cost is not None:
            self.cost = (self.cost or Decimal(0)) + tokens.cost
        if reply.model:
            self.models[reply.model] = None

    def include(self, other: "Spent") -> None:
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if other.cost is not None:
            self.cost = (self.cost or Decimal(0)) + other.cost
        self.models |= other.models

    def usage(self) -> Usage:
        return Usage(
            requests=self.requests,
            repairs=self.repairs,
            retries=self.retries,
            cache_hits=self.cache_hits,
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.cached_tokens,
            completion_tokens=self.completion_tokens,
            cost=self.cost,
        )


def read_reply(answer: dict[str, Any], place: str) -> Reply:
    """A chat completion's first choice, its cost unknown. Raises Fault for what is none, among it errors inside a
    200 (OpenRouter)."""
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        wrong = answer.get("error")
        if isinstance(wrong, dict):
            code = str(wrong.get("code") or wrong.get("type") or "")
            status = int(code) if code.isdigit() else 502
            raise fault_of(Refusal(status, code, f"{code} {wrong.get('message')}"[:8000], {}), place)
        raise not_json(place)
    message = choices[0].get("message") or {}
    content = message.get("content")
    return Reply(
        content=content if isinstance(content, str) else None,
        # litellm moves it there
        refusal=message.get("refusal") or (message.get("provider_specific_fields") or {}).get("refusal"),
        finish_reason=choices[0].get("finish_reason"),
        model=str(answer.get("model") or ""),
        tokens=read_tokens(answer.get("usage")),
        told=read_told(choices[0]),
    )


def read_refusal(status: int, body: Any, text: str, headers: Mapping[str, str]) -> Refusal:
    """What an endpoint said, in OpenAI's shape or another (`error` as a sentence, no `error` at all, no JSON)."""
    error = body.get("error", body) if isinstance(body, dict) else {}
    told = error if isinstance(error, dict) else {"message": error}
    code = str(told.get("code") or told.get("type") or "")
    said = f"{code} {told.get('type')} {told.get('param')} {told.get('message') or text}"[:8000]
    return Refusal(status, code, said, headers)


def read_tokens(usage: JsonValue) -> Tokens:
    """Cached tokens stand in `prompt_tokens_details.cached_tokens`, or in DeepSeek's `prompt_cache_hit_tokens`."""
    if not isinstance(usage, dict):
        return Tokens()
    details = usage.get("prompt_tokens_details")
    cached = details.get("cached_tokens") if isinstance(details, dict) else None
    prompt = _whole(usage.get("prompt_tokens"))
    return Tokens(
        prompt=prompt,
        cached=min(prompt, _whole(cached) or _whole(usage.get("prompt_cache_hit_tokens"))),
        completion=_whole(usage.get("completion_tokens")),
    )


def price(settings: LLMSettings, tokens: Tokens) -> Decimal | None:
    """US dollars by the configured prices; None without them."""
    if settings.price_prompt is None or settings.price_completion is None:
        return None
    cached_price = settings.price_prompt if settings.price_cached is None else settings.price_cached
    fresh = tokens.prompt - tokens.cached
    prompt = fresh * settings.price_prompt + tokens.cached * cached_price
    return (prompt + tokens.completion * settings.price_completion) / Decimal(1_000_000)


def _whole(value: JsonValue) -> int:
    return value if isinstance(value, int) and value > 0 else 0
