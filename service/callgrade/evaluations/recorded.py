"""Lines of a batch that name a recording, in the database: each becomes a call whose recording is awaited, and an
evaluation that is queued until it is there. From then on it goes as a single call does.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlmodel import Session

from callgrade.calls import awaiting
from callgrade.calls.manifest import Entry, Fault, ManifestEntry
from callgrade.db.tables import Release, RubricVersion
from callgrade.domain.errors import CallgradeError, ConflictError, GoneError, InputError
from callgrade.evaluations import chunks, releases, repository
from callgrade.evaluations.chunks import Chunk
from callgrade.evaluations.failures import DuplicateError
from callgrade.evaluations.statuses import RETRYABLE
from callgrade.evaluations.traces import CancelledError, insert_faults, traced


class Stored(NamedTuple):
    """What a group of lines asks for: recordings to be fetched, as (id, the server's id of the call, priority), and
    calls whose evaluations can go on, because their recording or their words are here."""

    fetches: list[tuple[str, str, int]]
    calls: list[str]


def store(session: Session, chunk: Chunk, lines: Sequence[Entry | Fault]) -> Stored:
    """Stores a group of lines, those that were stored before not again. Raises CancelledError where nothing is to come
    of the chunk any more."""
    if not chunks.hold_wanted(session, chunk.batch_id, chunk.number):
        raise CancelledError
    before = traced(session, chunk.batch_id, [line.line for line in lines])
    group = _Group(session, chunk)
    # calls are held in one order by everybody
    for line in sorted((line for line in lines if line.line not in before), key=_call_id):
        if isinstance(line, Fault):
            group.faults.append((line.line, line.error))
        else:
            group.add(line.line, line.entry)
    insert_faults(session, chunk.batch_id, group.faults)
    return group.stored


def _call_id(line: Entry | Fault) -> str:
    return line.entry.call_id if isinstance(line, Entry) else ""


class _Group:
    def __init__(self, session: Session, chunk: Chunk):
        self._session, self._chunk = session, chunk
        self._rows: dict[str | None, tuple[RubricVersion, Release | None]] = {}
        self.stored = Stored([], [])
        self.faults: list[tuple[int, CallgradeError]] = []

    def add(self, line: int, entry: ManifestEntry) -> None:
        session, chunk = self._session, self._chunk
        try:
            call, awaited = awaiting.submit_url(session, chunk.client_id, entry)
        except (ConflictError, GoneError, InputError) as error:
            self.faults.append((line, error))
            return
        rubric, release = self._graded_by(call.team)
        row, new = repository.create_evaluation(
            session,
            chunk,
            call,
            rubric,
            release,
            batch_id=chunk.batch_id,
            line=line,
            priority=entry.priority,
        )
        if not new:
            if (row.batch_id, row.line) == (chunk.batch_id, line):
                # another worker on the same chunk was faster
                return
            if awaited is not None and row.status in RETRYABLE:
                # its recording did not come the last time, and now there is another URL
                repository.retry(session, chunk.client_id, row.id)
            self.faults.append((line, DuplicateError(row.id)))
        if awaited is not None:
            self.stored.fetches.append((awaited, call.id, entry.priority))
        elif awaiting.of_call(session, call.id) is None:
            self.stored.calls.append(call.id)

    def _graded_by(self, team: str | None) -> tuple[RubricVersion, Release | None]:
        graded = self._chunk.choice.of(team)
        if graded.release_id not in self._rows:
            self._rows[graded.release_id] = releases.rows_of(self._session, graded)
        return self._rows[graded.release_id]
