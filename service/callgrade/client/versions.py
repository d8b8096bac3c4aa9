"""Drafts on their way to be published: `client.rubrics` and `client.prompts`."""

from typing import TYPE_CHECKING, Literal, TypeVar

from callgrade.client import asks
from callgrade.client.asks import Ask
from callgrade.client.errors import WaitTimeoutError
from callgrade.client.models import BackTest, GateDecision, Published, Version

if TYPE_CHECKING:
    from callgrade.client.asynchronous import AsyncClient
    from callgrade.client.sync import Client

Kind = Literal["rubrics", "prompts"]
POLL_S = 1.0
Tried = TypeVar("Tried", BackTest, GateDecision)


class Versions:
    """Rubrics, or prompts, on their way to be published. `draft` is the text of a file; of a prompt `rubric` names the
    form that it is tried on."""

    def __init__(self, client: "Client", kind: Kind):
        self._client, self._kind = client, kind

    def back_test(
        self,
        id_: str,
        draft: str,
        *,
        rubric: str | None = None,
        golden_set: str = "golden",
        again: bool = False,
        timeout_s: float = 3600.0,
        poll_s: float = POLL_S,
    ) -> BackTest:
        """Tries a draft beside the version in use, and waits until it is done or stopped: what flips stands in its
        `comparison`. `again` goes on with one that stopped. Asking once more for the same draft costs nothing.

        Raises InputError for a draft with errors, ConflictError, WaitTimeoutError.

        >>> found = client.rubrics.back_test("telesales-misconduct", draft, golden_set="sales-2026")
        >>> found.status, [flip["call"] for flip in found.comparison["flips"]]
        ('done', [])
        """
        told = (self._kind, id_, draft, rubric, golden_set)
        first, then = asks.back_test(*told, again), asks.back_test(*told, False)
        return self._done(first, then, timeout_s, poll_s)

    def gate(
        self,
        id_: str,
        draft: str,
        *,
        rubric: str | None = None,
        golden_set: str = "golden",
        again: bool = False,
        timeout_s: float = 3600.0,
        poll_s: float = POLL_S,
    ) -> GateDecision:
        """Puts a draft that was back-tested before the gate, and waits for what it says. The holdout is read once for
        each draft, and on record. Raises ConflictError for a draft that was not back-tested as it stands."""
        told = (self._kind, id_, draft, rubric, golden_set)
        first, then = asks.to_gate(*told, again), asks.to_gate(*told, False)
        return self._done(first, then, timeout_s, poll_s)

    def _done(self, ask: Ask[Tried], then: Ask[Tried], timeout_s: float, poll_s: float) -> Tried:
        """`then` only looks on."""
        for pause in asks.polls(timeout_s, poll_s):
            if (found := self._client.send(ask)).status != "under_way":
                return found
            self._client.sleep(pause)
            ask = then
        raise WaitTimeoutError(f"{ask.path} is still under way after {timeout_s:g} s")

    def publish(
        self,
        id_: str,
        draft: str,
        *,
        rubric: str | None = None,
        override: str | None = None,
        by: str | None = None,
        idempotency_key: str | None = None,
    ) -> Published:
        """Under the next number, once the gate let it through; with `override` (why) and `by` (a login), in spite of
        it. Raises ConflictError where it may not be."""
        return self._client.send(asks.publish(self._kind, id_, draft, rubric, override, by, idempotency_key))

    def retire(self, reference: str, *, by: str | None = None) -> Version:
        """Takes a version (`id@vN`) out of use. Raises ConflictError for what is not published."""
        return self._client.send(asks.retire(self._kind, reference, by))


class AsyncVersions:
    """As `Versions`."""

    def __init__(self, client: "AsyncClient", kind: Kind):
        self._client, self._kind = client, kind

    async def back_test(
        self,
        id_: str,
        draft: str,
        *,
        rubric: str | None = None,
        golden_set: str = "golden",
        again: bool = False,
        timeout_s: float = 3600.0,
        poll_s: float = POLL_S,
    ) -> BackTest:
        """As `Versions.back_test`."""
        told = (self._kind, id_, draft, rubric, golden_set)
        first, then = asks.back_test(*told, again), asks.back_test(*told, False)
        return await self._done(first, then, timeout_s, poll_s)

    async def gate(
        self,
        id_: str,
        draft: str,
        *,
        rubric: str | None = None,
        golden_set: str = "golden",
        again: bool = False,
        timeout_s: float = 3600.0,
        poll_s: float = POLL_S,
    ) -> GateDecision:
        """As `Versions.gate`."""
        told = (self._kind, id_, draft, rubric, golden_set)
        first, then = asks.to_gate(*told, again), asks.to_gate(*told, False)
        return await self._done(first, then, timeout_s, poll_s)

    async def _done(self, ask: Ask[Tried], then: Ask[Tried], timeout_s: float, poll_s: float) -> Tried:
        """`then` only looks on."""
        for pause in asks.polls(timeout_s, poll_s):
            if (found := await self._client.send(ask)).status != "under_way":
                return found
            await self._client.sleep(pause)
            ask = then
        raise WaitTimeoutError(f"{ask.path} is still under way after {timeout_s:g} s")

    async def publish(
        self,
        id_: str,
        draft: str,
        *,
        rubric: str | None = None,
        override: str | None = None,
        by: str | None = None,
        idempotency_key: str | None = None,
    ) -> Published:
        """As `Versions.publish`."""
        return await self._client.send(asks.publish(self._kind, id_, draft, rubric, override, by, idempotency_key))

    async def retire(self, reference: str, *, by: str | None = None) -> Version:
        """As `Versions.retire`."""
        return await self._client.send(asks.retire(self._kind, reference, by))
