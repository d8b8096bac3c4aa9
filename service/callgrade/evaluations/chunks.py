"""Batches, their chunks and what came of each line, in the database. All SQL of bulk scoring.

A line leaves exactly one trace: an evaluation (`proposed` or `failed`) or a BatchFault. What a group of lines comes to
is stored in one transaction, as rows by the dozen.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import func, insert, select, update
from sqlmodel import Session

from callgrade.calls.service import CLIENT, stored_form
from callgrade.db.tables import Batch
from callgrade.db.types import new_id, now
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import CallgradeError, ConflictError, GoneError, UnknownResourceError
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations import outbox, registry, repository
from callgrade.evaluations.failures import DuplicateError, told
from callgrade.evaluations.outbox import BATCH_DONE, FAILED, PROPOSED, Event, evaluation_event
from callgrade.evaluations.repository import dedupe_key, insert_new
from callgrade.evaluations.tables import (
    BATCH,
    BATCH_CHUNK,
    BATCH_FAULT,
    CALL,
    EVALUATION,
    FLAG,
    SCORECARD,
    TRANSCRIPT,
)

IDS_A_QUERY = 500
WORKING = ("receiving", "running")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk that is to be worked off. `done` are the lines that have left their trace already."""

    batch_id: str
    number: int
    client_id: str
    blob: str
    first_line: int
    lines: int
    rubric_id: str
    rubric_version: str
    rubric_digest: str
    release_id: str | None
    release_model: str | None
    done: frozenset[int]

    @property
    def numbers(self) -> range:
        return range(self.first_line, self.first_line + self.lines)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one line. Without a transcript it is a fault; without a card the error says why."""

    line: int
    transcript: Transcript | None
    card: Scorecard | None
    error: CallgradeError | None


class Known(NamedTuple):
    """A call that is in the database already."""

    id: str
    digests: Mapping[str, int]
    """Of its transcripts' content → their version."""
    erased: bool


class Progress(NamedTuple):
    """How far a batch is. `total` grows until everything has come in. `faulty` lines were no calls, or no new ones."""

    status: str
    total: int
    proposed: int
    failed: int
    faulty: int
    pending: int


class CancelledError(Exception):
    """The batch was cancelled meanwhile."""


def open_chunk(session: Session, batch_id: str, number: int) -> Chunk | None:
    """None where there is nothing to do any more."""
    row = session.execute(
        select(BATCH, BATCH_CHUNK.c.blob, BATCH_CHUNK.c.first_line, BATCH_CHUNK.c.lines)
        .join(BATCH_CHUNK, BATCH_CHUNK.c.batch_id == BATCH.c.id)
        .where(BATCH.c.id == batch_id, BATCH_CHUNK.c.number == number)
        .where(BATCH.c.status.in_(WORKING), BATCH_CHUNK.c.status == "queued")
    ).one_or_none()
    if row is None:
        return None
    rubric = registry.rubric_version(session, f"{row.rubric_id}@{row.rubric_version}")
    # by the moment the batch came in: a chunk that is worked off later is judged as the others
    release = registry.active_release(session, row.client_id, row.rubric_id, at=row.created_at)
    fits = release is not None and release.rubric_digest == rubric.digest
    return Chunk(
        batch_id=batch_id,
        number=number,
        client_id=row.client_id,
        blob=row.blob,
        first_line=row.first_line,
        lines=row.lines,
        rubric_id=rubric.id,
        rubric_version=rubric.version,
        rubric_digest=rubric.digest,
        release_id=release.id if release and fits else None,
        release_model=release.model if release and fits else None,
        done=_done(session, batch_id, row.first_line, row.lines),
    )


def known_calls(session: Session, client_id: str, call_ids: Iterable[str], *, hold: bool = False) -> dict[str, Known]:
    """Those of the client's own ids that are in the database already; with `hold`, none of them is erased before the
    session ends."""
    wanted = list(dict.fromkeys(call_ids))
    known: dict[str, Known] = {}
    for start in range(0, len(wanted), IDS_A_QUERY):
        asked = (
            select(CALL.c.call_id, CALL.c.id, CALL.c.erased_at, TRANSCRIPT.c.digest, TRANSCRIPT.c.version)
            .outerjoin(TRANSCRIPT, TRANSCRIPT.c.call_id == CALL.c.id)
            .where(CALL.c.client_id == client_id, CALL.c.call_id.in_(wanted[start : start + IDS_A_QUERY]))
            # held in one order by everybody, so that two who want the same calls do not wait for each other
            .order_by(CALL.c.id, TRANSCRIPT.c.version)
        )
        for row in session.execute(asked.with_for_update(of=CALL) if hold else asked):
            before = known.get(row.call_id)
            digests = {**(before.digests if before else {}), **({row.digest: row.version} if row.digest else {})}
            known[row.call_id] = Known(row.id, digests, row.erased_at is not None)
    return known


def evaluated(session: Session, chunk: Chunk, known: Mapping[str, Known]) -> dict[str, str]:
    """Dedupe key → evaluation, of those calls that were evaluated before as this chunk would."""
    keys = [key for call in known.values() for key in _keys(chunk, call)]
    found: dict[str, str] = {}
    for start in range(0, len(keys), IDS_A_QUERY):
        rows = session.execute(
            select(EVALUATION.c.dedupe, EVALUATION.c.id).where(
                EVALUATION.c.client_id == chunk.client_id,
                EVALUATION.c.dedupe.in_(keys[start : start + IDS_A_QUERY]),
            )
        )
        found.update({row.dedupe: row.id for row in rows})
    return found


def refuse(chunk: Chunk, known: Mapping[str, Known], done: Mapping[str, str], call_id: str, digest: str) -> None:
    """Raises what keeps a line from being evaluated: another content under the same id, an erased call, or one that
    was evaluated before."""
    call = known.get(call_id)
    if call is None:
        return
    if call.erased:
        raise GoneError("this call has been erased")
    version = call.digests.get(digest)
    if version is None:
        raise ConflictError("there is a call with this call_id already, with another content")
    before = done.get(dedupe_key(call.id, chunk.rubric_digest, chunk.release_id, version))
    if before is not None:
        raise DuplicateError(before)


def store(session: Session, chunk: Chunk, results: Sequence[Result]) -> list[str]:
    """Stores a group of results and says which deliveries came up. Raises CancelledError, and IntegrityError where
    another worker was faster: then try again, and find what it stored."""
    status = session.execute(select(BATCH.c.status).where(BATCH.c.id == chunk.batch_id)).scalar_one_or_none()
    if status not in WORKING:
        raise CancelledError
    group = _Group(chunk)
    ids = [result.transcript.call_id for result in results if result.transcript is not None]
    known = known_calls(session, chunk.client_id, ids, hold=True)
    done = evaluated(session, chunk, known) if known else {}
    traced = _done_among(session, chunk.batch_id, [result.line for result in results]) if known else frozenset()
    for result in results:
        if result.line not in traced:
            group.add(result, known, done)
    group.insert(session)
    return outbox.tell(session, chunk.client_id, group.events)


def finish(session: Session, batch_id: str, number: int) -> list[str]:
    """Marks a chunk done and, with the last one, its batch; says which deliveries came up."""
    # two last chunks that end at once must see each other
    _lock(session, batch_id)
    session.execute(
        update(BATCH_CHUNK)
        .where(BATCH_CHUNK.c.batch_id == batch_id, BATCH_CHUNK.c.number == number, BATCH_CHUNK.c.status == "queued")
        .values(status="done")
    )
    return _end(session, batch_id)


def received(session: Session, batch_id: str, total: int) -> list[str]:
    """Everything has come in: `total` lines. Says which deliveries came up, where all of it is worked off already."""
    _lock(session, batch_id)
    session.execute(
        update(BATCH).where(BATCH.c.id == batch_id, BATCH.c.status == "receiving").values(status="running", total=total)
    )
    return _end(session, batch_id)


def cancel_batch(session: Session, client_id: str, batch_id: str) -> Batch:
    """What is stored stays; what is not will not be. Raises UnknownResourceError, ConflictError where it is done."""
    batch = find_batch(session, client_id, batch_id)
    _lock(session, batch_id)
    session.refresh(batch)
    if batch.status == "done":
        raise ConflictError("the batch is done and cannot be cancelled any more")
    session.execute(
        update(BATCH_CHUNK)
        .where(BATCH_CHUNK.c.batch_id == batch_id, BATCH_CHUNK.c.status == "queued")
        .values(status="cancelled")
    )
    session.execute(
        update(BATCH)
        .where(BATCH.c.id == batch_id, BATCH.c.status.in_(WORKING))
        .values(status="cancelled", finished_at=now())
    )
    session.refresh(batch)
    return batch


def find_batch(session: Session, client_id: str, batch_id: str) -> Batch:
    """Raises UnknownResourceError, for another client's batch too."""
    batch = session.get(Batch, batch_id)
    if batch is None or batch.client_id != client_id:
        raise UnknownResourceError("there is no such batch")
    return batch


def progress(session: Session, batch: Batch) -> Progress:
    """By counting: the lines themselves are the only truth about how many there are."""
    counts: Counter[str] = Counter()
    for status, number in session.execute(
        select(EVALUATION.c.status, func.count()).where(EVALUATION.c.batch_id == batch.id).group_by(EVALUATION.c.status)
    ):
        counts[status] = number
    graded = counts["proposed"] + counts["in_review"] + counts["published"]
    faulty = session.execute(
        select(func.count()).select_from(BATCH_FAULT).where(BATCH_FAULT.c.batch_id == batch.id)
    ).scalar_one()
    pending = max(0, batch.total - graded - counts["failed"] - counts["cancelled"] - faulty)
    return Progress(batch.status, batch.total, graded, counts["failed"], faulty, pending)


def open_chunks(session: Session, limit: int, after: tuple[str, int] = ("", -1)) -> list[tuple[str, int]]:
    """Chunks that are still to be worked off, by batch and number."""
    batch_id, number = after
    later = (BATCH_CHUNK.c.batch_id > batch_id) | (
        (BATCH_CHUNK.c.batch_id == batch_id) & (BATCH_CHUNK.c.number > number)
    )
    rows = session.execute(
        select(BATCH_CHUNK.c.batch_id, BATCH_CHUNK.c.number)
        .join(BATCH, BATCH.c.id == BATCH_CHUNK.c.batch_id)
        .where(BATCH.c.status.in_(WORKING), BATCH_CHUNK.c.status == "queued", later)
        .order_by(BATCH_CHUNK.c.batch_id, BATCH_CHUNK.c.number)
        .limit(limit)
    )
    return [(row.batch_id, row.number) for row in rows]


def call_columns(transcript: Transcript) -> dict[str, Any]:
    """What a call's row says of it."""
    agent = transcript.agent
    return {
        "call_id": transcript.call_id,
        "channel": transcript.channel,
        "language": transcript.language,
        "started_at": transcript.started_at,
        "agent_id": agent.id if agent else None,
        "team": agent.team if agent else None,
        "queue": transcript.queue,
        "facts": transcript.facts,
    }


class _Group:
    """The rows that a group of results comes to."""

    def __init__(self, chunk: Chunk):
        self._chunk, self._moment = chunk, now()
        self._calls: list[dict[str, Any]] = []
        self._transcripts: list[dict[str, Any]] = []
        self._evaluations: list[dict[str, Any]] = []
        self._scorecards: list[dict[str, Any]] = []
        self._flags: list[dict[str, Any]] = []
        self._faults: list[dict[str, Any]] = []
        self.events: list[Event] = []

    def add(self, result: Result, known: dict[str, Known], done: dict[str, str]) -> None:
        if result.transcript is None:
            assert result.error is not None
            self._fault(result.line, result.error)
            return
        try:
            content, digest = stored_form(result.transcript)
            refuse(self._chunk, known, done, result.transcript.call_id, digest)
        except CallgradeError as error:
            self._fault(result.line, error)
            return
        call = known.get(result.transcript.call_id) or self._new_call(result.transcript, content, digest, known)
        self._evaluate(result, call, call.digests[digest], done)

    def insert(self, session: Session) -> None:
        for table, rows in (
            (CALL, self._calls),
            (TRANSCRIPT, self._transcripts),
            (EVALUATION, self._evaluations),
            (SCORECARD, self._scorecards),
            (FLAG, self._flags),
        ):
            if rows:
                session.execute(insert(table), rows)
        faulty = insert_new(session, BATCH_FAULT, self._faults)
        if faulty:
            counted = update(BATCH).where(BATCH.c.id == self._chunk.batch_id)
            session.execute(counted.values(faulty=BATCH.c.faulty + faulty))

    def _new_call(self, transcript: Transcript, content: str, digest: str, known: dict[str, Known]) -> Known:
        call = Known(new_id(), {digest: 1}, erased=False)
        # the same call may stand twice in one group
        known[transcript.call_id] = call
        columns = call_columns(transcript)
        self._calls.append({"id": call.id, "client_id": self._chunk.client_id, "created_at": self._moment, **columns})
        self._transcripts.append(
            {
                "call_id": call.id,
                "version": 1,
                "origin": CLIENT,
                "digest": digest,
                "content": content,
                "created_at": self._moment,
            }
        )
        return call

    def _evaluate(self, result: Result, call: Known, version: int, done: dict[str, str]) -> None:
        chunk, transcript, card = self._chunk, result.transcript, result.card
        assert transcript is not None
        id_ = new_id()
        dedupe = dedupe_key(call.id, chunk.rubric_digest, chunk.release_id, version)
        done[dedupe] = id_
        copies = repository.card_copies(card) if card else dict.fromkeys(("total", "low", "high", "passed"))
        self._evaluations.append(
            {
                "id": id_,
                "client_id": chunk.client_id,
                "call_id": call.id,
                "dedupe": dedupe,
                "rubric_id": chunk.rubric_id,
                "rubric_version": chunk.rubric_version,
                "rubric_digest": chunk.rubric_digest,
                "release_id": chunk.release_id,
                "batch_id": chunk.batch_id,
                "line": result.line,
                "status": "proposed" if card else "failed",
                "priority": 0,
                "attempt": 1,
                "error": told(result.error) if result.error else None,
                "agent_id": transcript.agent.id if transcript.agent else None,
                "team": transcript.agent.team if transcript.agent else None,
                "called_at": transcript.started_at or self._moment,
                **copies,
                "created_at": self._moment,
                "updated_at": self._moment,
                "finished_at": self._moment,
            }
        )
        if card is not None:
            self._scorecards.append(repository.scorecard_row(id_, 1, card, self._moment))
            self._flags += repository.flag_rows(id_, chunk.client_id, card)
        extra = {"batch_id": chunk.batch_id, "line": result.line}
        name = PROPOSED if card else FAILED
        self.events.append(evaluation_event(name, id_, 1, transcript.call_id, extra))

    def _fault(self, line: int, error: CallgradeError) -> None:
        self._faults.append({"batch_id": self._chunk.batch_id, "line": line, "error": told(error)})


def _end(session: Session, batch_id: str) -> list[str]:
    """The batch is done when everything has come in and no chunk is left."""
    left = (
        select(BATCH_CHUNK.c.number)
        .where(BATCH_CHUNK.c.batch_id == batch_id, BATCH_CHUNK.c.status == "queued")
        .exists()
    )
    ended = session.execute(
        update(BATCH)
        .where(BATCH.c.id == batch_id, BATCH.c.status == "running", ~left)
        .values(status="done", finished_at=now())
        .returning(BATCH.c.client_id)
    ).scalar_one_or_none()
    if ended is None:
        return []
    return outbox.tell(session, ended, [Event(BATCH_DONE, batch_id, 1, {"batch_id": batch_id})])


def _lock(session: Session, batch_id: str) -> None:
    session.execute(select(BATCH.c.id).where(BATCH.c.id == batch_id).with_for_update())


def _done(session: Session, batch_id: str, first_line: int, lines: int) -> frozenset[int]:
    found: set[int] = set()
    for table in (EVALUATION, BATCH_FAULT):
        span = table.c.line.between(first_line, first_line + lines - 1)
        found.update(session.execute(select(table.c.line).where(table.c.batch_id == batch_id, span)).scalars())
    return frozenset(found)


def _done_among(session: Session, batch_id: str, lines: Sequence[int]) -> frozenset[int]:
    among = EVALUATION.c.line.in_(lines)
    found = session.execute(select(EVALUATION.c.line).where(EVALUATION.c.batch_id == batch_id, among))
    return frozenset(found.scalars())


def _keys(chunk: Chunk, call: Known) -> list[str]:
    versions = call.digests.values()
    return [dedupe_key(call.id, chunk.rubric_digest, chunk.release_id, version) for version in versions]
