"""When a request is sent again, and after which pause. The one place that decides it."""

import random
from typing import Any

import httpx

from callgrade.client.asks import Ask
from callgrade.client.errors import asked_pause_s, may_be_repeated
from callgrade.domain.errors import CallgradeError

FIRST_PAUSE_S = 0.5


class Patience:
    """`attempts` counts the first one too. Pauses double with full jitter, up to `max_wait_s`; where the service asks
    for a longer one than that, it is not waited for."""

    def __init__(self, attempts: int, max_wait_s: float):
        if attempts < 1:
            raise ValueError("attempts: at least 1, the first request")
        self._attempts, self._max_wait_s = attempts, max_wait_s

    def pause_s(self, attempt: int, error: CallgradeError) -> float | None:
        """Seconds to wait before the request is sent again; None where it is not. `attempt` counts from 1."""
        if attempt >= self._attempts or not may_be_repeated(error):
            return None
        asked = asked_pause_s(error)
        if asked is not None:
            # all that were refused in the same second must not come back in the same second
            return asked * random.uniform(1.0, 1.2) if asked <= self._max_wait_s else None  # noqa: S311
        pause: float = min(self._max_wait_s, FIRST_PAUSE_S * 2 ** (attempt - 1))
        return pause * random.uniform(0.5, 1.0)  # noqa: S311


def headers_of(ask: Ask[Any]) -> dict[str, str]:
    headers = dict(ask.headers)
    if ask.body:
        headers["Content-Type"] = ask.body.media_type
        if ask.body.length is not None:
            headers["Content-Length"] = str(ask.body.length)
    return headers


def timeout_of(ask: Ask[Any], usual_s: float) -> httpx.Timeout:
    """Of each wait on the line, not of the whole: an upload may take as long as it moves."""
    return httpx.Timeout(usual_s, connect=min(usual_s, 10.0), read=max(usual_s, ask.timeout_s or 0.0))
