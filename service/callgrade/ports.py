"""What callgrade needs from the outside: a recogniser, judges, a redactor. One or two methods each.

Shipped fakes live in `adapters/scripted.py`; tests and demos use them, so a port's meaning is pinned by code that runs.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, BinaryIO, Literal, Protocol

from pydantic import Field, JsonValue, StringConstraints

from callgrade.domain.calls import Transcript
from callgrade.domain.frozen import Frozen
from callgrade.domain.judgements import Judgement
from callgrade.domain.rubrics import Rubric

AgentChannel = Literal["0", "1", "auto"]
Progress = Callable[[int, int], None]
"""Called with (milliseconds done, milliseconds in all)."""


def no_progress(done_ms: int, total_ms: int) -> None:
    """For callers who do not watch."""


class Transcriber(Protocol):
    """Turns a recording into a transcript."""

    def transcribe(
        self, path: Path, *, agent_channel: AgentChannel = "auto", progress: Progress = no_progress
    ) -> Transcript:
        """Raises RecordingError for a recording that cannot be read, TranscriptionError when the recogniser fails.

        Silence gives a transcript without turns and a note that says so.
        """
        ...


class StoredBlob(Frozen):
    """Bytes that are kept under the SHA-256 of what they are. `size` in bytes."""

    sha256: str
    size: int


class BlobStore(Protocol):
    """Keeps recordings and other large things, each once, under what it is. Who owns a blob is in the database."""

    def put(self, stream: BinaryIO) -> StoredBlob:
        """Keeps everything in `stream`, whole or not at all. Putting the same again changes nothing."""
        ...

    def open(self, sha256: str) -> BinaryIO:
        """A seekable stream. Raises UnknownResourceError where there is no such blob."""
        ...

    def delete(self, sha256: str) -> None: ...


class AnswerMemory(Protocol):
    """Keeps what models said about calls, on this machine."""

    def forget(self, client: str, call_ids: Iterable[str]) -> None:
        """Deletes what was said about these calls (the client's own ids) and takes no more of it. Forgetting again
        changes nothing. Raises NotReadyError where that cannot be done now.
        """
        ...


class WorkQueue(Protocol):
    """Hands work to whoever works it off, on this host or another. Handing the same in again changes nothing."""

    def enqueue_evaluation(self, id_: str, *, queue: Literal["asr", "score"], priority: int, attempt: int) -> None: ...

    def enqueue_chunk(self, batch_id: str, number: int) -> None: ...

    def enqueue_fetch(self, id_: str, *, call_id: str, priority: int, number: int = 0, delay_s: float = 0.0) -> None:
        """The recording that is awaited under `id_`; `number` counts the tries before, `call_id` is the server's."""
        ...

    def enqueue_calibration(self, run_id: str, *, by: str, why: str | None = None) -> None:
        """`by` is the actor in whose name it is, `why` what they read the holdout for."""
        ...

    def cancel_evaluation(self, id_: str, *, attempt: int) -> None: ...


HeaderText = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f\u2028\u2029]+$", max_length=500)]
"""On one line: what could begin another header is refused."""
Address = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$", max_length=254),
]
"""Somebody's e-mail address, as RFC 5322 has it without its comments and quotes."""


class Note(Frozen):
    """A message to people. The same `id` is the same message, sent again."""

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
    to: Annotated[tuple[Address, ...], Field(min_length=1)]
    subject: HeaderText
    text: str


class Notifier(Protocol):
    """Tells people something outside of the pages."""

    def send(self, note: Note) -> tuple[str, ...]:
        """Says which of the addresses are to be tried again later; the others have it, or never will.

        Raises NotReadyError where nobody was told and it may be tried again, InputError where that is of no use.
        """
        ...


class Usage(Frozen):
    """What judging one call cost. Tokens are summed over all attempts, failed ones included where reported.

    `requests` counts what was sent to a model, repairs and retries included; `repairs` the ones that asked again
    for unfounded quotes; `cache_hits` answers taken from the cache instead of a request. `cost` is in US dollars, or
    None where the price is not known.
    """

    requests: int = 0
    repairs: int = 0
    retries: int = 0
    cache_hits: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal | None = None


class Verdicts(Frozen):
    """A judge's answer for one call: one judgement per criterion it was responsible for, in rubric order.

    `provenance` names what made them (prompt, model_requested, model_reported, parameters, redaction) and is merged
    into the scorecard's.
    """

    judgements: tuple[Judgement, ...] = ()
    usage: Usage = Usage()
    provenance: dict[str, JsonValue] = Field(default_factory=dict)


class Judge(Protocol):
    """Judges the criteria of a rubric that name it in `judge:`; its evidence is already grounded."""

    async def judge(self, transcript: Transcript, rubric: Rubric) -> Verdicts:
        """Never raises for a model's failure: the criteria concerned come back `failed` with the error."""
        ...


class Redaction(Protocol):
    """The redacted texts of one call, in order, and the way back."""

    @property
    def texts(self) -> Sequence[str]: ...

    def restore(self, text: str, *, turn: int | None = None) -> str:
        """`text` with this call's placeholders replaced by what they stand for, in the wording of `turn` if known.

        A number may be said in one writing in one turn and in another elsewhere.
        """
        ...


class Redactor(Protocol):
    """Takes personal data out of texts before they leave the process."""

    @property
    def name(self) -> str:
        """Goes into the provenance, with a version: `rules/1`, `off`."""
        ...

    def redact(self, texts: Sequence[str]) -> Redaction:
        """The same person, number or address gets the same placeholder throughout the call."""
        ...
