"""Judges by language model. Only this package imports openai, instructor, litellm and xllamacpp, each where it is
first used."""

import asyncio
from typing import TYPE_CHECKING

from callgrade.adapters.llm.asking import AnswerCache, UnderWay
from callgrade.adapters.llm.composer import Wording
from callgrade.adapters.llm.gate import Gate
from callgrade.adapters.llm.judge import LLMJudge
from callgrade.adapters.llm.local import smollm2_path
from callgrade.adapters.llm.offered import has_endpoint, require_offered, require_reachable
from callgrade.adapters.llm.render import PromptTokens, RenderedRequest, render_requests
from callgrade.adapters.llm.retry import Sleep
from callgrade.adapters.llm.wire import Endpoint
from callgrade.catalog.prompts import Prompt, load_prompt
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import SettingsError
from callgrade.domain.rubrics import Rubric
from callgrade.ports import Redactor
from callgrade.settings import LLMSettings

if TYPE_CHECKING:
    import httpx

__all__ = [
    "AnswerCache",
    "Endpoint",
    "Gate",
    "LLMJudge",
    "PromptTokens",
    "RenderedRequest",
    "UnderWay",
    "Wording",
    "default_wording",
    "has_endpoint",
    "is_local",
    "open_endpoint",
    "open_judge",
    "render_request",
    "render_requests",
    "require_offered",
    "require_reachable",
    "smollm2_path",
]

GGUF, LITELLM = "gguf:", "litellm:"


def is_local(settings: LLMSettings) -> bool:
    """Whether the model runs in this very process: nothing that is said in a call leaves the machine."""
    return (settings.model or "").startswith(GGUF)


def default_wording(settings: LLMSettings, language: str = "zh", judge: Prompt | None = None) -> Wording:
    """The newest shipped prompts, or another one to judge with. `language` is that of the rubric's names and the
    instructions: zh or en."""
    return Wording(judge or load_prompt("judge"), load_prompt("repair"), language, fold_special=is_local(settings))


def open_judge(
    settings: LLMSettings,
    *,
    redactor: Redactor,
    language: str = "zh",
    wording: Wording | None = None,
    cache: AnswerCache | None = None,
    client: str = "",
    endpoint: Endpoint | None = None,
    gate: Gate | None = None,
    under_way: UnderWay | None = None,
    http_client: "httpx.AsyncClient | None" = None,
    sleep: Sleep = asyncio.sleep,
) -> LLMJudge:
    """The judge that `settings.model` names. `client` (an organisation) scopes the cache. Judges may share an
    `endpoint` (see `open_endpoint`; whoever opened it closes it, and not the judges), the `gate` before it, and what is
    `under_way` to it.

    Raises SettingsError without a model or a key, MissingExtraError, ModelNotInstalledError. `http_client` and
    `sleep` are for tests.
    """
    if settings.model is None:
        raise SettingsError("no model is configured; set CALLGRADE_LLM__MODEL")
    return LLMJudge(
        endpoint or open_endpoint(settings, http_client),
        settings,
        model=_wire_name(settings.model),
        redactor=redactor,
        wording=wording or default_wording(settings, language),
        cache=cache if settings.cache else None,
        client=client,
        gate=gate,
        under_way=under_way,
        sleep=sleep,
    )


def render_request(
    rubric: Rubric, transcript: Transcript, redactor: Redactor, settings: LLMSettings, language: str = "zh"
) -> RenderedRequest:
    """The (first) request a call would be judged with. Needs no model and no key. Raises SettingsError for a rubric
    without LLM criteria, ContextTooLongError."""
    rendered = render_requests(rubric, transcript, redactor, settings, default_wording(settings, language))
    if not rendered:
        raise SettingsError(f"{rubric.reference} has no criterion with `judge: llm`, so no request is sent for it")
    return rendered[0]


def open_endpoint(settings: LLMSettings, http_client: "httpx.AsyncClient | None" = None) -> Endpoint:
    """The endpoint of `settings.model`, to be shared by several judges. Close it."""
    model = settings.model or ""
    if model.startswith(GGUF):
        from callgrade.adapters.llm.local import LocalEndpoint

        return LocalEndpoint(settings)
    if model.startswith(LITELLM):
        from callgrade.adapters.llm.litellm import LiteLLMEndpoint

        return LiteLLMEndpoint(settings)
    from callgrade.adapters.llm.client import OpenAIEndpoint

    return OpenAIEndpoint(settings, http_client=http_client)


def _wire_name(model: str) -> str:
    """Names go out verbatim, but for the two prefixes that are ours. A local file goes by its name: paths stay at
    home."""
    if model.startswith(GGUF):
        return model.removeprefix(GGUF).replace("\\", "/").rsplit("/", 1)[-1]
    return model.removeprefix(LITELLM)
