"""The asynchronous client: as the blocking one in sync.py, where each method is told of with an example."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from types import TracebackType
from typing import Self, TypeVar

import httpx

from callgrade.client import asks
from callgrade.client.asks import Ask
from callgrade.client.batches import AsyncBatches
from callgrade.client.bodies import awatched
from callgrade.client.calls import AsyncCalls
from callgrade.client.errors import error_of, unreachable
from callgrade.client.evaluations import AsyncEvaluations
from callgrade.client.models import Page, Result
from callgrade.client.patience import Patience, headers_of, timeout_of
from callgrade.client.releases import AsyncReleases
from callgrade.client.sync import USER_AGENT
from callgrade.client.versions import AsyncVersions
from callgrade.client.webhooks import AsyncWebhooks
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
        self.rubrics = AsyncVersions(self, "rubrics")
        self.prompts = AsyncVersions(self, "prompts")
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
