"""A batch while it comes in: chunk by chunk into the blob store, in constant memory, and worked off at once.

Lines are not read here: what is wrong with one is found when its chunk is worked off, and becomes its BatchFault.
Only a line too long to hold is one right away; an empty line stands in its place, so that the others keep their
numbers.

A batch that stops coming in is `incomplete`: at once where its receiver lives, and where it died, as soon as somebody
sees that (see receivers). Sent again with its Idempotency-Key it begins anew.
"""

import hashlib
import io
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import cast

from sqlalchemy import insert, select, update
from sqlmodel import Session

from callgrade.access import audit, requests
from callgrade.access.principals import Principal
from callgrade.access.requests import AtWork
from callgrade.calls.service import claim_blob
from callgrade.db.session import Database
from callgrade.db.tables import Batch
from callgrade.domain.errors import CallgradeError, ConflictError, TooLargeError, TranscriptError
from callgrade.evaluations import chunks, receivers
from callgrade.evaluations.failures import told
from callgrade.evaluations.intake import Once, answered, chosen
from callgrade.evaluations.tables import BATCH, BATCH_CHUNK, BATCH_FAULT
from callgrade.ports import BlobStore, WorkQueue
from callgrade.tracing import note

CHUNK_BYTES = 8_000_000
LONGEST_LINE = 10_000_000
AGAIN_S = 5.0
_LOG = logging.getLogger(__name__)

Lines = Iterable[tuple[int, bytes | None]]
"""(number from 1, the line without its end; None for one longer than LONGEST_LINE). Blank lines are left out."""
Pull = Callable[[], bytes]
"""The next piece of the body; empty at its end."""


class Reception:
    """One a process; threads share it."""

    def __init__(
        self,
        database: Database,
        blobs: BlobStore,
        queue: WorkQueue,
        *,
        chunk_lines: int,
        most_lines: int,
        receiver: str = "",
    ):
        """`receiver` is the name of this process's executor."""
        self._database, self._blobs, self._queue = database, blobs, queue
        self._chunk_lines, self._most_lines, self._receiver = chunk_lines, most_lines, receiver

    def begin(self, principal: Principal, rubric: str, once: Once | None) -> "Batch | dict[str, object]":
        """The new batch, or the answer that was given before to the same request."""
        with self._database.writing() as session:
            if once is not None:
                before = answered(session, principal, once, lambda first: _is_alive(session, first))
                if before is not None:
                    return before
            version, _ = chosen(session, principal.client_id, rubric)
            batch = Batch(
                client_id=principal.client_id,
                rubric_id=version.id,
                rubric_version=version.version,
                status="receiving",
                receiver=self._receiver,
            )
            session.add(batch)
            session.flush()
            if once is not None:
                requests.note(session, principal.client_id, once.key, {"batch_id": batch.id})
            audit.record(session, principal, "batch.begun", batch.id, {"rubric": version.digest})
            return batch

    def receive(
        self, batch: Batch, lines: Lines, once: Once | None = None, body: Callable[[], str] = str
    ) -> dict[str, object]:
        """Takes all lines: {batch_id, total}. Whatever stops it leaves the batch `incomplete`. `body` is asked for the
        digest of what came, when all has come."""
        try:
            note(batch_id=batch.id)
            answer: dict[str, object] = {"batch_id": batch.id, "total": self._take(batch, lines)}
            with self._database.writing() as session:
                chunks.received(session, batch.id, cast("int", answer["total"]))
                if once is not None:
                    requests.finish(session, batch.client_id, once.key, 202, {**answer, "body": body()})
        except BaseException:
            self._leave_incomplete(batch, once)
            raise
        return answer

    def _take(self, batch: Batch, lines: Lines) -> int:
        chunk = _Chunk(0, 1)
        last = 0
        for number, line in lines:
            if number > self._most_lines:
                raise TooLargeError(f"a batch has at most {self._most_lines} lines; send the rest as another one")
            # blank lines between others stay: lines keep their numbers
            for _ in range(last + 1, number):
                chunk = self._add(batch, chunk, b"")
            chunk = self._add(batch, chunk, line)
            last = number
        if chunk.count:
            self._store(batch, chunk)
        return last

    def _add(self, batch: Batch, chunk: "_Chunk", line: bytes | None) -> "_Chunk":
        chunk.add(line)
        if chunk.count < self._chunk_lines and chunk.size < CHUNK_BYTES:
            return chunk
        self._store(batch, chunk)
        return _Chunk(chunk.number + 1, chunk.first_line + chunk.count)

    def _store(self, batch: Batch, chunk: "_Chunk") -> None:
        blob = self._blobs.put(chunk.content())
        with self._database.writing() as session:
            claim_blob(session, self._blobs, blob.sha256)
            status = session.execute(select(BATCH.c.status).where(BATCH.c.id == batch.id)).scalar_one()
            if status != "receiving":
                raise ConflictError(f"the batch is {status}; no more lines are taken")
            row = {"batch_id": batch.id, "number": chunk.number, "first_line": chunk.first_line, "lines": chunk.count}
            session.execute(insert(BATCH_CHUNK).values(**row, blob=blob.sha256, status="queued"))
            for line in chunk.too_long:
                error = told(TranscriptError(f"is longer than {LONGEST_LINE} bytes", source=f"line {line}"))
                session.execute(insert(BATCH_FAULT).values(batch_id=batch.id, line=line, error=error))
            counted = {
                "total": chunk.first_line + chunk.count - 1,
                "faulty": BATCH.c.faulty + len(chunk.too_long),
            }
            session.execute(update(BATCH).where(BATCH.c.id == batch.id).values(**counted))
        self._hand_over(lambda: self._queue.enqueue_chunk(batch.id, chunk.number))

    def _hand_over(self, hand_over: Callable[[], None]) -> None:
        try:
            hand_over()
        except Exception as error:
            # it is stored; the sweep hands it over
            _LOG.warning("the queue took nothing for the moment (%s)", type(error).__name__)

    def _leave_incomplete(self, batch: Batch, once: Once | None) -> None:
        try:
            self._give_up(batch, once)
        except CallgradeError as error:
            _LOG.warning("batch %s could not be marked incomplete yet (%s)", batch.id, error.type)
            # nobody else will as long as this process lives; where it ends first, its successor does
            threading.Thread(target=self._give_up_later, args=(batch, once), daemon=True).start()

    def _give_up_later(self, batch: Batch, once: Once | None) -> None:
        while True:
            time.sleep(AGAIN_S)
            try:
                self._give_up(batch, once)
                return
            except CallgradeError:
                continue

    def _give_up(self, batch: Batch, once: Once | None) -> None:
        with self._database.writing() as session:
            receivers.give_up(session, batch.id)
            if once is not None:
                requests.abandon(session, batch.client_id, once.key)


def _is_alive(session: Session, first: AtWork) -> bool:
    return receivers.is_coming_in(session, str(first.noted.get("batch_id", "")))


def receive_once(
    reception: Reception, principal: Principal, rubric: str, pull: Pull, once: Once | None
) -> dict[str, object]:
    """{batch_id, total}; for a repeated request that of the first. Its body is read and compared: another one is a
    ConflictError."""
    digest = hashlib.sha256()

    def seen() -> bytes:
        piece = pull()
        digest.update(piece)
        return piece

    begun = reception.begin(principal, rubric, once)
    if not isinstance(begun, Batch):
        while seen():
            pass
        if begun.pop("body", None) != digest.hexdigest():
            raise ConflictError("Idempotency-Key: was used for another body; take a new key for a new batch")
        return begun
    return reception.receive(begun, lines_of(seen), once, digest.hexdigest)


def lines_of(pull: Pull, *, longest: int = LONGEST_LINE) -> Lines:
    """(line number from 1, line without its end); None in the place of a line of more than `longest` bytes.

    Blank lines are passed over and counted. Memory stays below two pieces and one line.
    """
    number, parts, size = 1, list[bytes](), 0
    while piece := pull():
        begin = 0
        while (end := piece.find(b"\n", begin)) >= 0:
            size += end - begin
            line = None if size > longest else b"".join((*parts, piece[begin:end])).strip()
            if line != b"":
                yield number, line
            number, parts, size, begin = number + 1, [], 0, end + 1
        size += len(piece) - begin
        parts = [] if size > longest else [*parts, piece[begin:]]
    line = None if size > longest else b"".join(parts).strip()
    if line != b"":
        yield number, line


class _Chunk:
    """The lines of one piece of work, before they are stored."""

    def __init__(self, number: int, first_line: int):
        self.number, self.first_line = number, first_line
        self.count, self.size = 0, 0
        self.too_long: list[int] = []
        self._lines: list[bytes] = []

    def add(self, line: bytes | None) -> None:
        if line is None:
            self.too_long.append(self.first_line + self.count)
        self._lines.append(line or b"")
        self.count += 1
        self.size += len(line or b"") + 1

    def content(self) -> io.BytesIO:
        return io.BytesIO(b"\n".join(self._lines) + b"\n")
