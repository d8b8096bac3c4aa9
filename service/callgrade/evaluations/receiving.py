"""A batch while it comes in: chunk by chunk into the blob store, in constant memory, and worked off at once.

Lines are not read here but by incoming.py, which may find that one is none: that is its BatchFault right away, and an
empty line stands in its place, so that the others keep their numbers. All else that is wrong with a line is found when
its chunk is worked off.

A batch that stops coming in is `incomplete`: at once where its receiver lives, and where it died, as soon as somebody
sees that (see receivers). Sent again with its Idempotency-Key it begins anew.
"""

import hashlib
import io
import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import cast

from sqlalchemy import insert, select, update

from callgrade.access import audit, requests
from callgrade.access.principals import Principal
from callgrade.calls.service import claim_blob
from callgrade.db.session import Database
from callgrade.db.tables import Batch
from callgrade.domain.errors import CallgradeError, ConflictError, InputError, NotReadyError, TooLargeError
from callgrade.evaluations import chunks, receivers, releases
from callgrade.evaluations.incoming import Lines, Pull, Reads, read_ndjson
from callgrade.evaluations.intake import Once, answered
from callgrade.evaluations.tables import BATCH, BATCH_CHUNK
from callgrade.evaluations.traces import insert_faults
from callgrade.ports import BlobStore, StoredBlob, WorkQueue
from callgrade.tracing import note

CHUNK_BYTES = 8_000_000
TRIES = 3
AGAIN_S = 5.0
_LOG = logging.getLogger(__name__)


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
                before = answered(session, principal, once, partial(receivers.is_alive, session))
                if before is not None:
                    return before
            choice = releases.choose_for_all(session, principal.client_id, rubric)
            batch = Batch(
                client_id=principal.client_id,
                rubric_id=choice.others.rubric_id,
                rubric_version=choice.others.rubric_version,
                releases=releases.pins_of(choice),
                status="receiving",
                receiver=self._receiver,
            )
            session.add(batch)
            session.flush()
            if once is not None:
                requests.note(session, principal.client_id, once.key, {"batch_id": batch.id})
            audit.record(session, principal, "batch.begun", batch.id, {"rubric": choice.others.rubric_digest})
            return batch

    def receive(
        self, batch: Batch, lines: Lines, once: Once | None = None, body: Callable[[], str] = str, *, first: int = 1
    ) -> dict[str, object]:
        """Takes all lines, from the number `first` on: {batch_id, total}. Whatever stops it leaves the batch
        `incomplete`. `body` is asked for the digest of what came, when all has come."""
        try:
            note(batch_id=batch.id)
            answer: dict[str, object] = {"batch_id": batch.id, "total": self._take(batch, lines, first)}
            with self._database.writing() as session:
                chunks.received(session, batch.id, cast("int", answer["total"]))
                if once is not None:
                    requests.finish(session, batch.client_id, once.key, 202, {**answer, "body": body()})
        except BaseException:
            self._leave_incomplete(batch, once)
            raise
        return answer

    def _take(self, batch: Batch, lines: Lines, first: int) -> int:
        before = first - 1
        chunk, last = _Chunk(0, first, before), before
        for number, line in lines:
            if number - before > self._most_lines:
                raise TooLargeError(f"a batch has at most {self._most_lines} lines; send the rest as another one")
            # blank lines between others stay: lines keep their numbers
            for _ in range(last + 1, number):
                chunk = self._add(batch, chunk, b"")
            chunk = self._add(batch, chunk, line)
            last = number
        if chunk.count:
            self._store(batch, chunk)
        return last - before

    def _add(self, batch: Batch, chunk: "_Chunk", line: bytes | InputError) -> "_Chunk":
        chunk.add(line)
        if chunk.count < self._chunk_lines and chunk.size < CHUNK_BYTES:
            return chunk
        self._store(batch, chunk)
        return _Chunk(chunk.number + 1, chunk.first_line + chunk.count, chunk.before)

    def _store(self, batch: Batch, chunk: "_Chunk") -> None:
        for left in reversed(range(TRIES)):
            blob = self._blobs.put(chunk.content())
            try:
                self._keep(batch, chunk, blob)
                break
            except NotReadyError:
                # the same lines may just have been worked off as another batch's, and deleted under our hands
                if not left:
                    raise
        self._hand_over(lambda: self._queue.enqueue_chunk(batch.id, chunk.number))

    def _keep(self, batch: Batch, chunk: "_Chunk", blob: StoredBlob) -> None:
        with self._database.writing() as session:
            claim_blob(session, self._blobs, blob.sha256)
            status = session.execute(select(BATCH.c.status).where(BATCH.c.id == batch.id)).scalar_one()
            if status != "receiving":
                raise ConflictError(f"the batch is {status}; no more lines are taken")
            row = {"batch_id": batch.id, "number": chunk.number, "first_line": chunk.first_line, "lines": chunk.count}
            session.execute(insert(BATCH_CHUNK).values(**row, blob=blob.sha256, status="queued"))
            insert_faults(session, batch.id, chunk.faults)
            so_far = chunk.first_line + chunk.count - 1 - chunk.before
            session.execute(update(BATCH).where(BATCH.c.id == batch.id).values(total=so_far))

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


def receive_once(
    reception: Reception,
    principal: Principal,
    rubric: str,
    pull: Pull,
    once: Once | None,
    reads: Reads = read_ndjson,
) -> dict[str, object]:
    """{batch_id, total}; for a repeated request that of the first. Its body is read and compared: another one is a
    ConflictError. A body that `reads` refuses begins no batch."""
    digest = hashlib.sha256()

    def seen() -> bytes:
        piece = pull()
        digest.update(piece)
        return piece

    incoming = reads(seen)
    begun = reception.begin(principal, rubric, once)
    if not isinstance(begun, Batch):
        while seen():
            pass
        if begun.pop("body", None) != digest.hexdigest():
            raise ConflictError("Idempotency-Key: was used for another body; take a new key for a new batch")
        return begun
    return reception.receive(begun, incoming.lines, once, digest.hexdigest, first=incoming.first)


class _Chunk:
    """The lines of one piece of work, before they are stored. `before` lines of the body are none of the batch."""

    def __init__(self, number: int, first_line: int, before: int):
        self.number, self.first_line, self.before = number, first_line, before
        self.count, self.size = 0, 0
        self.faults: list[tuple[int, InputError]] = []
        self._lines: list[bytes] = []

    def add(self, line: bytes | InputError) -> None:
        if isinstance(line, InputError):
            self.faults.append((self.first_line + self.count, line))
            line = b""
        self._lines.append(line)
        self.count += 1
        self.size += len(line) + 1

    def content(self) -> io.BytesIO:
        return io.BytesIO(b"\n".join(self._lines) + b"\n")
