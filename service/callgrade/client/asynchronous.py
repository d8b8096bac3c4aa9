"""The asynchronous client: as the blocking one in sync.py, where each method is told of with an example."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from callgrade.client import asks
from callgrade.client.asks import Ask, Documents, Filter
from callgrade.client.bodies import Audio, Document, Progress, awatched
from callgrade.client.errors import WaitTimeoutError, error_of, unreachable
from callgrade.client.models import (
    Batch,
    BatchAccepted,
    Call,
    Delivery,
    Erased,
    Evaluation,
    EvaluationSummary,
    NewWebhook,
    Page,
    RecordingMetadata,
    Result,
    Submitted,
    Webhook,
)
from callgrade.client.patience import Patience, headers_of, timeout_of
from callgrade.client.releases import AsyncReleases
from callgrade.client.sync import USER_AGENT
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import CallgradeError

T = TypeVar("T")


class AsyncClient:
    """`callgrade.client.Client` for asyncio: the same parts, methods and errors, to be awaited. Lists and results are
    asynchronous iterators; `batches.submit` takes asynchronous ones too. For many calls in one event loop.

    >>> async def main() -> None:
    ...     async with AsyncClient("https://callgrade.example.com", key) as client:
    ...         made = await client.calls.submit_transcript(transcript, rubric="telesales-misconduct")
    ...         evaluation = await client.evaluations.wait(made.evaluation_id)
    ...         print(evaluation.status)
    ...         async for call in client.calls.list(agent="8031"):
    ...             print(call.call_id)
    >>> asyncio.run(main())
    proposed
    C-00002.wav
    C-00001
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout_s: float = 60.0,
        attempts: int = 5,
        max_wait_s: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ):
        """`transport` and `sleep` are for tests."""
        self.sleep = sleep
        self._timeout_s, self._patience = timeout_s, Patience(attempts, max_wait_s)
        self._http = httpx.AsyncClient(
            base_url=base_url,
            headers={"Authorization": f"Bearer {key}", "User-Agent": USER_AGENT, "Accept": "application/json"},
            transport=transport,
        )
        self.calls = AsyncCalls(self)
        self.evaluations = AsyncEvaluations(self)
        self.batches = AsyncBatches(self)
        self.releases = AsyncReleases(self)
        self.webhooks = AsyncWebhooks(self)

    def __repr__(self) -> str:
        return f"AsyncClient({str(self._http.base_url)!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def send(self, ask: Ask[T]) -> T:
        """The answer to one request, sent as often as it takes."""
        try:
            for attempt in count(1):
                try:
                    async with self._answer(ask) as response:
                        return ask.read(await response.aread())
                except CallgradeError as error:
                    pause = self._patience.pause_s(attempt, error)
                    if pause is None:
                        raise
                await self.sleep(pause)
        finally:
            if ask.body:
                ask.body.close()
        raise AssertionError("unreachable")

    async def all(self, ask: Ask[Page[T]]) -> AsyncIterator[T]:
        """The items of all pages, each page asked for when the one before has been gone through."""
        while True:
            page = await self.send(ask)
            for item in page.items:
                yield item
            if page.next_cursor is None:
                return
            ask = asks.on_page(ask, page.next_cursor)

    async def lines(self, ask_after: Callable[[int], Ask[Result]], after: int) -> AsyncIterator[Result]:
        """A stream of lines. Where it breaks it is taken up again behind the last line that came."""
        attempt = 1
        while True:
            ask = ask_after(after)
            try:
                async with self._answer(ask) as response:
                    async for content in _lines_of(response):
                        result = ask.read(content)
                        after, attempt = result.line, 1
                        yield result
                return
            except CallgradeError as error:
                pause = self._patience.pause_s(attempt, error)
                if pause is None:
                    raise
            attempt += 1
            await self.sleep(pause)

    @asynccontextmanager
    async def _answer(self, ask: Ask[T]) -> AsyncIterator[httpx.Response]:
        """A good answer whose body is still to be read. Raises whatever else it was."""
        body = ask.body
        try:
            async with self._http.stream(
                ask.method,
                ask.path,
                params=ask.params or None,
                content=awatched(body.apieces(), body.length, ask.progress) if body else None,
                headers=headers_of(ask),
                timeout=timeout_of(ask, self._timeout_s),
            ) as response:
                if not response.is_success:
                    await response.aread()
                    raise error_of(response)
                yield response
        except httpx.TransportError as error:
            raise unreachable(error) from None


async def _lines_of(response: httpx.Response) -> AsyncIterator[bytes]:
    lines = asks.Lines()
    async for piece in response.aiter_bytes():
        for line in lines.fed(piece):
            yield line
    for line in lines.rest():
        yield line


class AsyncCalls:
    """As `Calls`."""

    def __init__(self, client: AsyncClient):
        self._client = client

    async def submit_transcript(
        self, transcript: Transcript | Document, *, rubric: str | None = None, idempotency_key: str | None = None
    ) -> Submitted:
        """As `Calls.submit_transcript`."""
        return await self._client.send(asks.submit_transcript(transcript, rubric, idempotency_key))

    async def submit_recording(
        self,
        audio: Audio,
        metadata: RecordingMetadata | Mapping[str, Any] | None = None,
        *,
        rubric: str | None = None,
        file_name: str | None = None,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
    ) -> Submitted:
        """As `Calls.submit_recording`; the file is read in a thread."""
        return await self._client.send(
            asks.submit_recording(audio, metadata, rubric, file_name, progress, idempotency_key)
        )

    async def get(self, id_: str) -> Call:
        """As `Calls.get`."""
        return await self._client.send(asks.get_call(id_))

    def list(self, **filters: Filter) -> AsyncIterator[Call]:
        """As `Calls.list`."""
        return self._client.all(asks.list_calls(filters))

    async def transcript(self, id_: str, version: int | None = None) -> Transcript:
        """As `Calls.transcript`."""
        return await self._client.send(asks.transcript_of(id_, version))

    async def erase(self, id_: str, reason: str) -> Erased:
        """As `Calls.erase`."""
        return await self._client.send(asks.erase_call(id_, reason))

    async def evaluate(
        self,
        id_: str,
        *,
        rubric: str | None = None,
        release: str | None = None,
        priority: int = 0,
        idempotency_key: str | None = None,
    ) -> Submitted:
        """As `Calls.evaluate`."""
        return await self._client.send(asks.evaluate(id_, rubric, release, priority, idempotency_key))


class AsyncEvaluations:
    """As `Evaluations`."""

    def __init__(self, client: AsyncClient):
        self._client = client

    async def get(self, id_: str) -> Evaluation:
        """As `Evaluations.get`."""
        return await self._client.send(asks.get_evaluation(id_))

    async def wait(self, id_: str, *, timeout_s: float = 600.0, poll_s: float = 0.5) -> Evaluation:
        """As `Evaluations.wait`."""
        for pause in asks.polls(timeout_s, poll_s):
            if (found := await self.get(id_)).is_done:
                return found
            await self._client.sleep(pause)
        if (found := await self.get(id_)).is_done:
            return found
        raise WaitTimeoutError(f"evaluation {id_} is still {found.status} after {timeout_s:g} s")

    def list(self, **filters: Filter) -> AsyncIterator[EvaluationSummary]:
        """As `Evaluations.list`."""
        return self._client.all(asks.list_evaluations(filters))

    async def cancel(self, id_: str) -> EvaluationSummary:
        """As `Evaluations.cancel`."""
        return await self._client.send(asks.change_evaluation(id_, "cancel"))

    async def retry(self, id_: str) -> EvaluationSummary:
        """As `Evaluations.retry`."""
        return await self._client.send(asks.change_evaluation(id_, "retry"))


class AsyncBatches:
    """As `Batches`."""

    def __init__(self, client: AsyncClient):
        self._client = client

    async def submit(
        self,
        transcripts: Documents,
        *,
        rubric: str,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
    ) -> BatchAccepted:
        """As `Batches.submit`; `transcripts` may be an asynchronous iterator too."""
        return await self._client.send(asks.submit_batch(transcripts, rubric, progress, idempotency_key))

    async def get(self, id_: str) -> Batch:
        """As `Batches.get`."""
        return await self._client.send(asks.get_batch(id_))

    def list(self) -> AsyncIterator[Batch]:
        """As `Batches.list`."""
        return self._client.all(asks.list_batches())

    async def wait(self, id_: str, *, timeout_s: float = 86_400.0, poll_s: float = 1.0) -> Batch:
        """As `Batches.wait`."""
        for pause in asks.polls(timeout_s, poll_s):
            if (found := await self.get(id_)).is_done:
                return found
            await self._client.sleep(pause)
        if (found := await self.get(id_)).is_done:
            return found
        raise WaitTimeoutError(f"batch {id_} has {found.pending} of {found.total} to go after {timeout_s:g} s")

    def results(self, id_: str, *, after: int = 0) -> AsyncIterator[Result]:
        """As `Batches.results`."""
        return self._client.lines(lambda last: asks.results_of(id_, last), after)

    async def cancel(self, id_: str) -> Batch:
        """As `Batches.cancel`."""
        return await self._client.send(asks.cancel_batch(id_))


class AsyncWebhooks:
    """As `Webhooks`."""

    def __init__(self, client: AsyncClient):
        self._client = client

    async def create(self, url: str, events: Sequence[str] = ("evaluation.proposed",)) -> NewWebhook:
        """As `Webhooks.create`."""
        return await self._client.send(asks.create_webhook(url, events))

    async def get(self, id_: str) -> Webhook:
        """As `Webhooks.get`."""
        return await self._client.send(asks.get_webhook(id_))

    def list(self) -> AsyncIterator[Webhook]:
        """As `Webhooks.list`."""
        return self._client.all(asks.list_webhooks())

    async def remove(self, id_: str) -> None:
        """As `Webhooks.remove`."""
        await self._client.send(asks.remove_webhook(id_))

    def deliveries(self, id_: str) -> AsyncIterator[Delivery]:
        """As `Webhooks.deliveries`."""
        return self._client.all(asks.list_deliveries(id_))

    async def test(self, id_: str) -> Delivery:
        """As `Webhooks.test`."""
        return await self._client.send(asks.test_webhook(id_))

    async def redeliver(self, id_: str, delivery_id: str) -> Delivery:
        """As `Webhooks.redeliver`."""
        return await self._client.send(asks.redeliver(id_, delivery_id))
