"""The blocking client."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from types import TracebackType
from typing import Self, TypeVar

import httpx

from callgrade.client import asks
from callgrade.client.asks import Ask
from callgrade.client.batches import Batches
from callgrade.client.bodies import watched
from callgrade.client.calls import Calls
from callgrade.client.errors import error_of, unreachable
from callgrade.client.evaluations import Evaluations
from callgrade.client.models import Page, Result
from callgrade.client.patience import Patience, headers_of, timeout_of
from callgrade.client.releases import Releases
from callgrade.client.versions import Versions
from callgrade.client.webhooks import Webhooks
from callgrade.domain.errors import CallgradeError

T = TypeVar("T")
USER_AGENT = "callgrade-client"


class Client:
    """A connection to a callgrade service, for one API key. Threads may share it; close it, or use it in a `with`.

    Requests are sent again when the line breaks, when the service is busy (429, Retry-After honoured) or away (502,
    503, 504): at most `attempts` times in all, at most `max_wait_s` apart. Whatever creates something carries an
    Idempotency-Key, so sending it again does nothing twice. Errors are those of `callgrade.domain.errors`;
    `problem_of(error)` tells more. `timeout_s` is that of each wait on the line, not of a whole upload.

    >>> with Client("https://callgrade.example.com", key) as client:
    ...     made = client.calls.submit_transcript(transcript, rubric="telesales-misconduct")
    ...     evaluation = client.evaluations.wait(made.evaluation_id)
    ...     print(evaluation.status, evaluation.scorecard.flags)
    proposed ('needs_review', 'incomplete')
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout_s: float = 60.0,
        attempts: int = 5,
        max_wait_s: float = 60.0,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ):
        """`transport` and `sleep` are for tests."""
        self.sleep = sleep
        self._timeout_s, self._patience = timeout_s, Patience(attempts, max_wait_s)
        self._http = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {key}", "User-Agent": USER_AGENT, "Accept": "application/json"},
            transport=transport,
        )
        self.calls = Calls(self)
        self.evaluations = Evaluations(self)
        self.batches = Batches(self)
        self.releases = Releases(self)
        self.rubrics = Versions(self, "rubrics")
        self.prompts = Versions(self, "prompts")
        self.webhooks = Webhooks(self)

    def __repr__(self) -> str:
        return f"Client({str(self._http.base_url)!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def send(self, ask: Ask[T]) -> T:
        """The answer to one request, sent as often as it takes."""
        try:
            for attempt in count(1):
                try:
                    with self._answer(ask) as response:
                        return ask.read(response.read())
                except CallgradeError as error:
                    pause = self._patience.pause_s(attempt, error)
                    if pause is None:
                        raise
                self.sleep(pause)
        finally:
            if ask.body:
                ask.body.close()
        raise AssertionError("unreachable")

    def all(self, ask: Ask[Page[T]]) -> Iterator[T]:
        """The items of all pages, each page asked for when the one before has been gone through."""
        while True:
            page = self.send(ask)
            yield from page.items
            if page.next_cursor is None:
                return
            ask = asks.on_page(ask, page.next_cursor)

    def lines(self, ask_after: Callable[[int], Ask[Result]], after: int) -> Iterator[Result]:
        """A stream of lines. Where it breaks it is taken up again behind the last line that came."""
        attempt = 1
        while True:
            ask = ask_after(after)
            try:
                with self._answer(ask) as response:
                    for content in _lines_of(response):
                        result = ask.read(content)
                        after, attempt = result.line, 1
                        yield result
                return
            except CallgradeError as error:
                pause = self._patience.pause_s(attempt, error)
                if pause is None:
                    raise
            attempt += 1
            self.sleep(pause)

    @contextmanager
    def _answer(self, ask: Ask[T]) -> Iterator[httpx.Response]:
        """A good answer whose body is still to be read. Raises whatever else it was."""
        body = ask.body
        try:
            with self._http.stream(
                ask.method,
                ask.path,
                params=ask.params or None,
                content=watched(body.pieces(), body.length, ask.progress) if body else None,
                headers=headers_of(ask),
                timeout=timeout_of(ask, self._timeout_s),
            ) as response:
                if not response.is_success:
                    response.read()
                    raise error_of(response)
                yield response
        except httpx.TransportError as error:
            raise unreachable(error) from None


def _lines_of(response: httpx.Response) -> Iterator[bytes]:
    lines = asks.Lines()
    for piece in response.iter_bytes():
        yield from lines.fed(piece)
    yield from lines.rest()
