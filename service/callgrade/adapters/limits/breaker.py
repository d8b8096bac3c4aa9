"""A circuit breaker: while the model is away, requests are not sent and not waited for.

closed ──(so many failures in a row, or one that only a person can mend)──▶ open
open ──(a pause later, one request is let through)──▶ half-open
half-open ──(it is answered)──▶ closed      ──(it fails)──▶ open, for twice as long
"""

import asyncio
from collections.abc import Callable
from time import monotonic

from callgrade.domain.errors import (
    JudgeError,
    KeyRefusedError,
    ModelNotFoundError,
    ModelTimeoutError,
    ModelUnavailableError,
    QuotaExhaustedError,
    RateLimitedError,
)

IN_A_ROW = 10
PAUSE_S, LONGEST_PAUSE_S = 5.0, 60.0
TRY_S = 30.0
"""How long a call that was called back may take until it asks; then the next one is called."""
PASSING = (ModelUnavailableError, ModelTimeoutError, RateLimitedError)
"""So many of them in a row, and the model is away. One in ten is weather."""
LASTING = (KeyRefusedError, QuotaExhaustedError, ModelNotFoundError)
"""The next request would fail alike: somebody has to mend a setting or an account."""


class CircuitOpenError(ModelUnavailableError):
    """Not sent, because the requests before it failed."""

    retryable = False


class Breaker:
    """For one event loop. `clock` counts seconds and never jumps."""

    def __init__(
        self,
        *,
        in_a_row: int = IN_A_ROW,
        pause_s: float = PAUSE_S,
        longest_s: float = LONGEST_PAUSE_S,
        lasting: tuple[type[JudgeError], ...] = LASTING,
        clock: Callable[[], float] = monotonic,
    ):
        self.answers = 0
        self._in_a_row, self._shortest, self._longest, self._clock = in_a_row, pause_s, longest_s, clock
        self._lasting = lasting
        self._failures = 0
        self._pause = pause_s
        self._until: float | None = None
        """While open: when the next request may be let through."""
        self._reason = ""
        self._trying = False
        self._called_until = 0.0
        self._closed = asyncio.Event()
        self._closed.set()

    @property
    def is_open(self) -> bool:
        return self._until is not None

    @property
    def reason(self) -> str:
        """The type of the error that opened it; empty while closed."""
        return self._reason

    def check(self) -> None:
        """Raises CircuitOpenError where a request would not be let through."""
        if self._until is not None and (self._trying or self._clock() < self._until):
            raise CircuitOpenError(f"the model is away ({self._reason}); nothing was sent")

    def admit(self) -> None:
        """Lets a request through, or raises CircuitOpenError. Half-open, it is the only one until it is over."""
        self.check()
        self._trying = self.is_open

    def answered(self) -> None:
        """The model said something, be it that it refuses this call."""
        self.answers += 1
        self._failures = 0
        if self._until is not None:
            self._until, self._reason, self._trying, self._pause = None, "", False, self._shortest
            self._closed.set()

    def failed(self, error: JudgeError, retry_after: float | None = None) -> None:
        """`retry_after` in seconds, where the endpoint said when to come back."""
        if not isinstance(error, PASSING + self._lasting):
            self.answered()
            return
        if self._until is not None:
            # what was under way when it opened tells nothing new; the one that was let through does
            if self._trying:
                self._pause = min(2 * self._pause, self._longest)
                self._open(error, retry_after)
            return
        self._failures += 1
        if isinstance(error, self._lasting) or self._failures >= self._in_a_row:
            self._open(error, retry_after)

    def called_off(self) -> None:
        """A request that was let through ended without telling anything."""
        self._trying = False

    async def over(self) -> None:
        """Returns when the circuit is closed, or when it is the caller's turn to try the model."""
        while self._until is not None:
            now = self._clock()
            if now >= self._until and now >= self._called_until and not self._trying:
                self._called_until = now + TRY_S
                return
            wait = max(self._until - now, min(self._called_until - now, 1.0), 0.05)
            try:
                async with asyncio.timeout(wait):
                    await self._closed.wait()
            except TimeoutError:
                continue

    def _open(self, error: JudgeError, retry_after: float | None) -> None:
        self._until = self._clock() + min(max(self._pause, retry_after or 0.0), self._longest)
        self._reason = error.type
        self._trying, self._called_until = False, 0.0
        self._failures = 0
        self._closed.clear()
