"""Handing calls in, finding them again, erasing them: `client.calls`."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from callgrade.client import asks
from callgrade.client.asks import Filter
from callgrade.client.bodies import Audio, Document, Progress
from callgrade.client.models import Call, Erased, RecordingMetadata, Submitted
from callgrade.domain.calls import Transcript

if TYPE_CHECKING:
    from callgrade.client.asynchronous import AsyncClient
    from callgrade.client.sync import Client


class Calls:
    """Handing calls in, finding them again, erasing them."""

    def __init__(self, client: "Client"):
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


class AsyncCalls:
    """As `Calls`."""

    def __init__(self, client: "AsyncClient"):
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
