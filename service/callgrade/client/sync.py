"""The blocking client."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from callgrade.client import asks
from callgrade.client.asks import Ask, Filter
from callgrade.client.bodies import Audio, Document, Progress, watched
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
from callgrade.client.releases import Releases
from callgrade.domain.calls import Transcript
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


class Calls:
    """Handing calls in, finding them again, erasing them."""

    def __init__(self, client: Client):
        self._client = client

    def submit_transcript(
        self, transcript: Transcript | Document, *, rubric: str | None = None, idempotency_key: str | None = None
    ) -> Submitted:
        """A call as text. It is stored when this returns; with a `rubric` (`id` or `id@vN`) its evaluation follows.

        The same call once more gives the same ids and costs nothing. Raises TranscriptError for what is no transcript,
        ConflictError for other content under a `call_id` that was used before.

        >>> made = client.calls.submit_transcript(
        ...     {
        ...         "call_id": "C-00001",
        ...         "turns": [
        ...             {"speaker": "agent", "text": "您好，请问有什么可以帮您？"},
        ...             {"speaker": "customer", "text": "我想问一下套餐。"},
        ...         ],
        ...     },
        ...     rubric="telesales-misconduct",
        ... )
        >>> made.call_id
        'C-00001'
        """
        return self._client.send(asks.submit_transcript(transcript, rubric, idempotency_key))

    def submit_recording(
        self,
        audio: Audio,
        metadata: RecordingMetadata | Mapping[str, Any] | None = None,
        *,
        rubric: str | None = None,
        file_name: str | None = None,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
    ) -> Submitted:
        """A call as sound: a path, bytes, or a file opened as bytes. It is sent in pieces, however large it is.

        `progress` is called with (bytes sent, bytes in all), and begins again at 0 where the upload is repeated. Raises
        TooLargeError, ConflictError.

        >>> made = client.calls.submit_recording(
        ...     "C-00002.wav",
        ...     {"agent": {"id": "8031", "team": "sales-2"}, "agent_channel": "0"},
        ...     rubric="telesales-misconduct",
        ...     progress=lambda sent, total: print(f"{sent / total:.0%}"),
        ... )
        0%
        62%
        100%
        >>> made.call_id
        'C-00002.wav'
        """
        return self._client.send(asks.submit_recording(audio, metadata, rubric, file_name, progress, idempotency_key))

    def get(self, id_: str) -> Call:
        """By the service's id. Raises UnknownResourceError, GoneError for one that was erased."""
        return self._client.send(asks.get_call(id_))

    def list(self, **filters: Filter) -> Iterator[Call]:
        """The newest first, all pages one after the other. Filters: call_id, agent, team, queue, channel, since, until.

        >>> [call.call_id for call in client.calls.list(agent="8031")]
        ['C-00002.wav', 'C-00001']
        """
        return self._client.all(asks.list_calls(filters))

    def transcript(self, id_: str, version: int | None = None) -> Transcript:
        """What was said; the newest version where none is named."""
        return self._client.send(asks.transcript_of(id_, version))

    def erase(self, id_: str, reason: str) -> Erased:
        """For good. The ids, the moments and the reason stay on record; name nobody in it."""
        return self._client.send(asks.erase_call(id_, reason))

    def evaluate(
        self,
        id_: str,
        *,
        rubric: str | None = None,
        release: str | None = None,
        priority: int = 0,
        idempotency_key: str | None = None,
    ) -> Submitted:
        """By another rubric or release. What was evaluated so before is not evaluated again."""
        return self._client.send(asks.evaluate(id_, rubric, release, priority, idempotency_key))


class Evaluations:
    """What became of the calls."""

    def __init__(self, client: Client):
        self._client = client

    def get(self, id_: str) -> Evaluation:
        """With its scorecard, once there is one. Raises UnknownResourceError.

        >>> client.evaluations.get(evaluation_id).status
        'proposed'
        """
        return self._client.send(asks.get_evaluation(id_))

    def wait(self, id_: str, *, timeout_s: float = 600.0, poll_s: float = 0.5) -> Evaluation:
        """When the machine's part is over: proposed, failed or cancelled. Looks after `poll_s`, and then less and less
        often. Raises WaitTimeoutError. For many calls a webhook costs less.

        >>> evaluation = client.evaluations.wait(evaluation_id, timeout_s=60)
        >>> evaluation.is_done, evaluation.scorecard.rubric.id
        (True, 'telesales-misconduct')
        """
        for pause in asks.polls(timeout_s, poll_s):
            if (found := self.get(id_)).is_done:
                return found
            self._client.sleep(pause)
        if (found := self.get(id_)).is_done:
            return found
        raise WaitTimeoutError(f"evaluation {id_} is still {found.status} after {timeout_s:g} s")

    def list(self, **filters: Filter) -> Iterator[EvaluationSummary]:
        """All pages one after the other, without scorecards. Filters: agent, team, rubric, status, flag, batch, call,
        since, until, min_score, max_score; order is newest (the default), oldest or lowest.

        >>> from datetime import UTC, datetime
        >>> since = datetime(2026, 11, 1, tzinfo=UTC)
        >>> [e.call_id for e in client.evaluations.list(flag="needs_review", since=since)]
        ['C-00001']
        """
        return self._client.all(asks.list_evaluations(filters))

    def cancel(self, id_: str) -> EvaluationSummary:
        """Raises ConflictError where the machine's part is over."""
        return self._client.send(asks.change_evaluation(id_, "cancel"))

    def retry(self, id_: str) -> EvaluationSummary:
        """The next attempt of a failed or cancelled one. Raises ConflictError for others."""
        return self._client.send(asks.change_evaluation(id_, "retry"))


class Batches:
    """Many calls at once."""

    def __init__(self, client: Client):
        self._client = client

    def submit(
        self,
        transcripts: Iterable[Document | str | bytes],
        *,
        rubric: str,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
    ) -> BatchAccepted:
        """Transcripts as they come: a list, a generator, an open file of NDJSON. They are sent while they are made, so
        a million of them need no memory; what can be gone through once only is also kept in a temporary file until the
        service has it, for the case that the line breaks. Texts are taken as lines of JSON.

        A line that is no transcript is reported in the results and stops nothing. `progress` is called with (bytes
        sent, None). An error of `transcripts` itself ends the upload and comes out here.

        >>> made = client.batches.submit(
        ...     ({"call_id": f"C-{n}", "turns": [{"speaker": "agent", "text": "您好"}]} for n in range(3)),
        ...     rubric="telesales-misconduct",
        ... )
        >>> made.total
        3
        """
        return self._client.send(asks.submit_batch(transcripts, rubric, progress, idempotency_key))

    def get(self, id_: str) -> Batch:
        return self._client.send(asks.get_batch(id_))

    def list(self) -> Iterator[Batch]:
        """The newest first."""
        return self._client.all(asks.list_batches())

    def wait(self, id_: str, *, timeout_s: float = 86_400.0, poll_s: float = 1.0) -> Batch:
        """When nothing more will come of it: done, cancelled, or incomplete. Raises WaitTimeoutError.

        >>> batch = client.batches.wait(batch_id)
        >>> batch.status, batch.proposed, batch.failed
        ('done', 2, 1)
        """
        for pause in asks.polls(timeout_s, poll_s):
            if (found := self.get(id_)).is_done:
                return found
            self._client.sleep(pause)
        if (found := self.get(id_)).is_done:
            return found
        raise WaitTimeoutError(f"batch {id_} has {found.pending} of {found.total} to go after {timeout_s:g} s")

    def results(self, id_: str, *, after: int = 0) -> Iterator[Result]:
        """What came of each line behind `after`, in the order of the lines, as far as there are results by now. Read
        as they come; where the connection breaks it is taken up again behind the last line.

        >>> for result in client.batches.results(batch_id):
        ...     print(result.line, result.call_id, result.status, result.error and result.error.type)
        1 C-0 proposed None
        2 C-1 proposed None
        3 None failed transcript
        """
        return self._client.lines(lambda last: asks.results_of(id_, last), after)

    def cancel(self, id_: str) -> Batch:
        """What has a result keeps it; the rest will not be evaluated."""
        return self._client.send(asks.cancel_batch(id_))


class Webhooks:
    """Being told instead of asking."""

    def __init__(self, client: Client):
        self._client = client

    def create(self, url: str, events: Sequence[str] = ("evaluation.proposed",)) -> NewWebhook:
        """Events: evaluation.proposed, evaluation.failed, batch.done. The answer's `secret` is shown this once.

        >>> hook = client.webhooks.create("https://crm.example.com/hooks/callgrade", ["batch.done"])
        >>> hook.secret.startswith("whsec_")
        True
        """
        return self._client.send(asks.create_webhook(url, events))

    def get(self, id_: str) -> Webhook:
        return self._client.send(asks.get_webhook(id_))

    def list(self) -> Iterator[Webhook]:
        return self._client.all(asks.list_webhooks())

    def remove(self, id_: str) -> None:
        """With the log of its deliveries."""
        self._client.send(asks.remove_webhook(id_))

    def deliveries(self, id_: str) -> Iterator[Delivery]:
        """The newest first."""
        return self._client.all(asks.list_deliveries(id_))

    def test(self, id_: str) -> Delivery:
        """Sends the event `webhook.test`."""
        return self._client.send(asks.test_webhook(id_))

    def redeliver(self, id_: str, delivery_id: str) -> Delivery:
        """Sends a past delivery once more, with the same event id."""
        return self._client.send(asks.redeliver(id_, delivery_id))
