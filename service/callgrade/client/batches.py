"""Many calls at once: `client.batches`."""

from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING

from callgrade.client import asks
from callgrade.client.asks import Documents
from callgrade.client.bodies import Content, Document, Progress
from callgrade.client.errors import WaitTimeoutError
from callgrade.client.models import Batch, BatchAccepted, Result

if TYPE_CHECKING:
    from callgrade.client.asynchronous import AsyncClient
    from callgrade.client.sync import Client


class Batches:
    """Many calls at once."""

    def __init__(self, client: "Client"):
        self._client = client

    def submit(
        self,
        calls: Iterable[Document | str | bytes],
        *,
        rubric: str,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
    ) -> BatchAccepted:
        """Calls as they come: a list, a generator, an open file of NDJSON. They are sent while they are made, so a
        million of them need no memory; what can be gone through once only is also kept in a temporary file until the
        service has it, for the case that the line breaks. Each is a transcript, or a RemoteRecording (or a mapping with
        its `audio_url`), which the service fetches; texts are taken as lines of JSON.

        A line that is no call is reported in the results and stops nothing. `progress` is called with (bytes sent,
        None). An error of `calls` itself ends the upload and comes out here.

        >>> made = client.batches.submit(
        ...     ({"call_id": f"C-{n}", "turns": [{"speaker": "agent", "text": "您好"}]} for n in range(3)),
        ...     rubric="telesales-misconduct",
        ... )
        >>> made.total
        3
        >>> from callgrade.client import RemoteRecording
        >>> recording = RemoteRecording(audio_url="https://storage.example.com/C-3.wav?signature=5a1e", call_id="C-3")
        >>> client.batches.submit([recording], rubric="telesales-misconduct").total
        1
        """
        return self._client.send(asks.submit_batch(calls, rubric, progress, idempotency_key))

    def submit_manifest(
        self,
        manifest: Content,
        *,
        rubric: str,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
    ) -> BatchAccepted:
        """A list of recordings as CSV: a path, bytes, or a file opened as bytes. Its header names audio_url, call_id
        and any of started_at, ended_at, agent.id, agent.team, customer.id, queue, channel, language, agent_channel,
        priority and facts.<name>; lines of the results count from the header's, which is 1. Raises InputError for a
        header that makes no sense; a row that makes none is reported in the results.

        >>> made = client.batches.submit_manifest(
        ...     b"audio_url,call_id,agent.id\\nhttps://storage.example.com/C-4.wav,C-4,8031\\n",
        ...     rubric="telesales-misconduct",
        ... )
        >>> made.total
        1
        """
        return self._client.send(asks.submit_manifest(manifest, rubric, progress, idempotency_key))

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


class AsyncBatches:
    """As `Batches`."""

    def __init__(self, client: "AsyncClient"):
        self._client = client

    async def submit(
        self,
        calls: Documents,
        *,
        rubric: str,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
    ) -> BatchAccepted:
        """As `Batches.submit`; `calls` may be an asynchronous iterator too."""
        return await self._client.send(asks.submit_batch(calls, rubric, progress, idempotency_key))

    async def submit_manifest(
        self,
        manifest: Content,
        *,
        rubric: str,
        progress: Progress | None = None,
        idempotency_key: str | None = None,
    ) -> BatchAccepted:
        """As `Batches.submit_manifest`; the file is read in a thread."""
        return await self._client.send(asks.submit_manifest(manifest, rubric, progress, idempotency_key))

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
