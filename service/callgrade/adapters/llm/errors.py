"""What went wrong with a request, in callgrade's own words.

    answer                                            error                    asked again
    429                                               RateLimitedError         after Retry-After, capped
    429 or 402 with a quota code                      QuotaExhaustedError      no
    5xx, 409, dropped connection, not JSON            ModelUnavailableError    yes
    408, no answer in time                            ModelTimeoutError        yes
    not the answer that was asked for                 BadAnswerError           yes
    finish_reason length                              AnswerCutError           once
    400 with a context-length code, 413               ContextTooLongError      no
    400 or finish_reason with a filter code           ContentFilteredError     no
    refusal                                           RefusedError             no
    401, 403                                          KeyRefusedError          no
    404                                               ModelNotFoundError       no
    another 4xx                                       BadRequestError          no

A truncated answer is asked for once more, because most are runaway repetitions that sampling does not repeat; a
second one means that the limit is too low, and more requests would only cost more. The provider's message is read
to tell these apart, and never repeated: it can hold parts of a prompt or a key.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time
from typing import Literal, NamedTuple

from pydantic import ValidationError

from callgrade.domain.errors import (
    AnswerCutError,
    BadAnswerError,
    BadRequestError,
    ContentFilteredError,
    ContextTooLongError,
    JudgeError,
    KeyRefusedError,
    ModelNotFoundError,
    ModelTimeoutError,
    ModelUnavailableError,
    QuotaExhaustedError,
    RateLimitedError,
    RefusedError,
)

Adaptation = Literal["output", "length", "temperature", "seed", "logprobs"]

_QUOTA = re.compile(
    r"insufficient[_ ](quota|balance)|exceeded_current_quota|billing_(hard_limit|not_active)|arrearage"
    r"|余额不足|欠费",
    re.I,
)
_QUOTA_PERHAPS = re.compile(r"exceeded your current quota", re.I)
"""OpenAI says it of money, Gemini also of a minute's rate; then it says when to come back."""
_COME_BACK = re.compile(r"retry in|retrydelay", re.I)
_CONTEXT = re.compile(
    r"context[_ ]length|context[_ ]window|maximum context|exceed_context_size|available context size"
    r"|range of input length|prompt is too long|input is too long|string_above_max_length|contextwindowexceeded",
    re.I,
)
_FILTER = re.compile(
    r"content[_ ]?filter|content management policy|data_?inspection_?failed|content_?policy|responsible_?ai"
    r"|content exists risk|inappropriate content|moderation|敏感",
    re.I,
)
_KEY = re.compile(r"invalid_api_key|api[_ ]key[_ ](not valid|invalid)|invalid api key", re.I)
_NO_MODEL = re.compile(r"model_not_found|model[^.]{0,80}(does not exist|not found|not exist)|no such model", re.I)
_OUTPUT = re.compile(r"response[_ ]format|schema|json_object|structured output|guided|grammar", re.I)
_LENGTH = re.compile(r"max_(completion_)?tokens", re.I)
_LENGTH_LIMIT = re.compile(r"at most (\d{2,7})|\[\s*1\s*,\s*(\d{2,7})\s*\]")
_CODE = re.compile(r"[A-Za-z0-9_.-]{1,60}")


class Fault(Exception):  # noqa: N818 - it carries the error and is never seen outside
    """A failed request: the error it would become, and what might help."""

    def __init__(
        self,
        error: JudgeError,
        *,
        retry_after: float | None = None,
        adapt: Adaptation | None = None,
        limit: int | None = None,
    ):
        super().__init__(error.type)
        self.error, self.retry_after, self.adapt, self.limit = error, retry_after, adapt, limit
        self.adapted = False
        """The request has been changed since, so that asking again makes sense."""

    @property
    def traced_as(self) -> str:
        return self.error.type


class Refusal(NamedTuple):
    """What an endpoint said when it said no. `said` is its code, type and message, for reading only."""

    status: int
    code: str
    said: str
    headers: Mapping[str, str]


def fault_from(error: BaseException, place: str) -> Fault:
    """The fault behind an exception of httpx, of the openai SDK, of litellm (whose classes derive from the SDK's), or a
    time-out."""
    import httpx
    import openai

    if isinstance(error, Fault):
        return error
    if isinstance(error, openai.APITimeoutError | httpx.TimeoutException | TimeoutError):
        return connection_lost(place) if _was_dropped(error) else _timed_out(place)
    if isinstance(error, openai.APIConnectionError | httpx.TransportError) or _was_dropped(error):
        return connection_lost(place)
    status = getattr(error, "status_code", None)
    if not isinstance(status, int):
        return Fault(ModelUnavailableError(f"the request to {place} failed ({type(error).__name__})"))
    code = str(getattr(error, "code", None) or getattr(error, "type", None) or "")
    response = getattr(error, "response", None)
    headers = getattr(error, "litellm_response_headers", None) or getattr(response, "headers", None) or {}
    said = f"{type(error).__name__} {code} {getattr(error, 'type', '')} {getattr(error, 'param', '')} {error}"[:8000]
    return fault_of(Refusal(status, code, said, headers), place)


def fault_of(refusal: Refusal, place: str) -> Fault:
    """The table above, by status and code."""
    status, said = refusal.status, refusal.said
    what = f"{place} answered {status}" + (f" ({refusal.code})" if _CODE.fullmatch(refusal.code) else "")
    if status == 402 or (status in (400, 403, 429, 502) and _is_quota(refusal)):
        return Fault(QuotaExhaustedError(f"{what}: the account's quota is used up; add credit or use another key"))
    if status == 429:
        mend = "lower CALLGRADE_LLM__CONCURRENCY or raise CALLGRADE_LLM__ATTEMPTS"
        return Fault(RateLimitedError(f"{what}: too many requests; {mend}"), retry_after=retry_after(refusal.headers))
    if status == 408:
        return Fault(ModelTimeoutError(f"{what}: it gave up waiting"))
    if status >= 500 or status == 409:
        return Fault(ModelUnavailableError(f"{what}: try again later"), retry_after=retry_after(refusal.headers))
    if status in (401, 403) and not _FILTER.search(said):
        return Fault(KeyRefusedError(f"{what}: it refuses the key; set CALLGRADE_LLM__API_KEY to a valid one"))
    if status == 404:
        mend = "check CALLGRADE_LLM__MODEL and CALLGRADE_LLM__BASE_URL"
        return Fault(ModelNotFoundError(f"{what}: no such model or path; {mend}"))
    return _bad_request(status, said, what)


def _is_quota(refusal: Refusal) -> bool:
    if _QUOTA.search(refusal.said):
        return True
    waiting_helps = _COME_BACK.search(refusal.said) or retry_after(refusal.headers) is not None
    return bool(_QUOTA_PERHAPS.search(refusal.said)) and not waiting_helps


def _bad_request(status: int, said: str, what: str) -> Fault:
    if status == 413 or _CONTEXT.search(said):
        return Fault(
            ContextTooLongError(
                f"{what}: the call does not fit the model's window; set CALLGRADE_LLM__CONTEXT_TOKENS to its real size"
            )
        )
    if _FILTER.search(said):
        return Fault(ContentFilteredError(f"{what}: its content filter refuses the call"))
    if _KEY.search(said):
        return Fault(KeyRefusedError(f"{what}: it refuses the key; set CALLGRADE_LLM__API_KEY to a valid one"))
    if _NO_MODEL.search(said):
        return Fault(ModelNotFoundError(f"{what}: no such model; check CALLGRADE_LLM__MODEL"))
    error = BadRequestError(
        f"{what}: it does not take the request; check CALLGRADE_LLM__MODEL and CALLGRADE_LLM__OUTPUT"
    )
    if "logprobs" in said:
        return Fault(error, adapt="logprobs")
    if _OUTPUT.search(said):
        return Fault(error, adapt="output")
    if _LENGTH.search(said):
        found = _LENGTH_LIMIT.search(said)
        return Fault(error, adapt="length", limit=int(found[1] or found[2]) if found else None)
    if "temperature" in said:
        return Fault(error, adapt="temperature")
    return Fault(error, adapt="seed" if "seed" in said else None)


def fault_of_finish(finish_reason: str | None, refusal: str | None) -> Fault | None:
    """An answer that came and is none."""
    if finish_reason == "content_filter":
        return Fault(ContentFilteredError("the provider's content filter cut the answer off"))
    if refusal:
        return Fault(RefusedError("the model refused to judge this call"))
    if finish_reason == "length":
        mend = "raise CALLGRADE_LLM__MAX_TOKENS"
        return Fault(AnswerCutError(f"the answer was cut off at the length limit; {mend}"))
    return None


def fault_of_answer(error: ValidationError) -> Fault:
    """Says where the answer departs from what was asked for, and nothing of what it said."""
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    first = faults[0]
    where = ".".join(str(step) for step in first["loc"]) or "the answer"
    more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    mend = "a larger model may, or CALLGRADE_LLM__OUTPUT=json"
    message = f"the model did not answer with the JSON that was asked for: {where} ({first['type']}){more}; {mend}"
    return Fault(BadAnswerError(message))


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from `retry-after-ms` or `retry-after` (seconds or a date); None where neither can be read."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(0.0, float(milliseconds) / 1000)
        if not (value := headers.get("retry-after")):
            return None
        if value.replace(".", "", 1).isdigit():
            return float(value)
        return max(0.0, parsedate_to_datetime(value).timestamp() - time())
    except (ValueError, TypeError):
        return None


def connection_lost(place: str) -> Fault:
    return Fault(
        ModelUnavailableError(f"the connection to {place} failed; check CALLGRADE_LLM__BASE_URL and the network")
    )


def not_json(place: str) -> Fault:
    return Fault(ModelUnavailableError(f"{place} did not answer with JSON; check CALLGRADE_LLM__BASE_URL"))


def _timed_out(place: str) -> Fault:
    return Fault(ModelTimeoutError(f"{place} did not answer in time; raise CALLGRADE_LLM__TIMEOUT_S"))


def _was_dropped(error: BaseException) -> bool:
    """The aiohttp transport calls every lost connection a connect time-out; the cause below tells."""
    import aiohttp

    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, aiohttp.ClientConnectionError | ConnectionError) and not isinstance(cause, TimeoutError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
