"""The gate that all requests of a process pass on their way to the model."""

from callgrade.adapters.limits.breaker import Breaker, CircuitOpenError
from callgrade.adapters.limits.leases import Leases
from callgrade.adapters.limits.window import Window
from callgrade.adapters.llm.errors import Fault
from callgrade.adapters.llm.wire import Reply, Request
from callgrade.domain.errors import RateLimitedError

BYTES_A_TOKEN = 3.5
ANSWER_TOKENS = 400
"""What a request will have used, before it is known: Chinese is about three bytes a character, a token less than one
and a half of them; the endpoint's own count settles it."""


class ModelGate:
    """Implements adapters.llm.gate.Gate."""

    def __init__(self, window: Window, breaker: Breaker, leases: Leases | None = None):
        self._window, self._breaker, self._leases = window, breaker, leases

    async def enter(self, request: Request) -> None:
        self._check()
        await self._window.enter()
        try:
            if self._leases is not None:
                await self._leases.take(expected_tokens(request))
            self._admit()
        except BaseException:
            self._window.leave()
            raise

    def leave(self, request: Request, outcome: Reply | Fault | None) -> None:
        if isinstance(outcome, Reply):
            self._window.answered()
            self._breaker.answered()
            if self._leases is not None:
                used = outcome.tokens.prompt + outcome.tokens.completion
                self._leases.settle(expected_tokens(request), used)
        elif isinstance(outcome, Fault):
            if isinstance(outcome.error, RateLimitedError):
                self._window.refused()
            self._breaker.failed(outcome.error, outcome.retry_after)
        else:
            self._breaker.called_off()
        self._window.leave()

    def _check(self) -> None:
        try:
            self._breaker.check()
        except CircuitOpenError as error:
            raise Fault(error) from None

    def _admit(self) -> None:
        try:
            self._breaker.admit()
        except CircuitOpenError as error:
            raise Fault(error) from None


def expected_tokens(request: Request) -> int:
    return int(len(request.payload) / BYTES_A_TOKEN) + ANSWER_TOKENS
