"""The one place where a request is sent again. Every other layer's retries are off.

What is retried, and how often, stands in `errors.py`. Waits double with full jitter from half a second, or follow
Retry-After; neither exceeds `max_wait_s`.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, stop_after_attempt, wait_random_exponential

from callgrade.adapters.llm.errors import Fault
from callgrade.adapters.llm.wire import Spent
from callgrade.domain.errors import AnswerCutError
from callgrade.settings import LLMSettings

Answer = TypeVar("Answer")
Sleep = Callable[[float], Awaitable[None]]
CUTS_FORGIVEN = 1


class Patience:
    """How long one question is worth asking: decides on another request, waits before it."""

    def __init__(self, settings: LLMSettings, sleep: Sleep = asyncio.sleep):
        self._most = settings.attempts
        self._longest = settings.max_wait_s
        self._backoff = wait_random_exponential(multiplier=0.5, max=settings.max_wait_s)
        self._sleep = sleep

    async def ask(self, once: Callable[[], Awaitable[Answer]], spent: Spent) -> Answer:
        """`once` until it answers, raising the last Fault when it does not. Retries are counted in `spent` here."""
        cuts = 0

        def again(state: RetryCallState) -> bool:
            nonlocal cuts
            fault = _fault(state)
            if fault is None:
                return False
            if isinstance(fault.error, AnswerCutError):
                cuts += 1
                return cuts <= CUTS_FORGIVEN
            return fault.error.retryable or fault.adapted

        async def tried() -> Answer:
            # what is no coroutine function itself would not be awaited
            return await once()

        def noted(_: RetryCallState) -> None:
            spent.retries += 1

        retrying = AsyncRetrying(
            sleep=self._sleep,
            stop=stop_after_attempt(self._most),
            wait=self._wait,
            retry=again,
            before_sleep=noted,
            reraise=True,
        )
        return await retrying(tried)

    def _wait(self, state: RetryCallState) -> float:
        fault = _fault(state)
        if fault and fault.adapted:
            return 0.0
        asked = fault.retry_after if fault else None
        if asked is None:
            return self._backoff(state)
        # all that were refused in the same second must not come back in the same second
        return min(asked * random.uniform(1.0, 1.2), self._longest)  # noqa: S311


def _fault(state: RetryCallState) -> Fault | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, Fault) else None
