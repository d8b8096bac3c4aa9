"""What the lines of a chunk come to, in the database.

A line leaves exactly one trace: an evaluation or a BatchFault. What a group of lines comes to is stored in one
transaction, as rows by the dozen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import insert, select, update
from sqlmodel import Session

from callgrade.calls.service import CLIENT, stored_form
from callgrade.db.types import new_id, now
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import CallgradeError, ConflictError, GoneError
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations import chunks, outbox, repository
from callgrade.evaluations.asking import Graded
from callgrade.evaluations.chunks import Chunk
from callgrade.evaluations.failures import DuplicateError, told
from callgrade.evaluations.outbox import FAILED, PROPOSED, Event, evaluation_event
from callgrade.evaluations.repository import dedupe_key, insert_new
from callgrade.evaluations.tables import (
    BATCH,
    BATCH_FAULT,
    CALL,
    EVALUATION,
    FLAG,
    SCORECARD,
    TRANSCRIPT,
)

IDS_A_QUERY = 500


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
    team: str | None


class CancelledError(Exception):
    """The batch was cancelled meanwhile."""


def known_calls(session: Session, client_id: str, call_ids: Iterable[str], *, hold: bool = False) -> dict[str, Known]:
    """Those of the client's own ids that are in the database already; with `hold`, none of them is erased before the
    session ends."""
    wanted = list(dict.fromkeys(call_ids))
    known: dict[str, Known] = {}
    for start in range(0, len(wanted), IDS_A_QUERY):
        asked = (
            select(CALL.c.call_id, CALL.c.id, CALL.c.erased_at, CALL.c.team, TRANSCRIPT.c.digest, TRANSCRIPT.c.version)
            .outerjoin(TRANSCRIPT, TRANSCRIPT.c.call_id == CALL.c.id)
            .where(CALL.c.client_id == client_id, CALL.c.call_id.in_(wanted[start : start + IDS_A_QUERY]))
            # held in one order by everybody, so that two who want the same calls do not wait for each other
            .order_by(CALL.c.id, TRANSCRIPT.c.version)
        )
        for row in session.execute(asked.with_for_update(of=CALL) if hold else asked):
            before = known.get(row.call_id)
            digests = {**(before.digests if before else {}), **({row.digest: row.version} if row.digest else {})}
            known[row.call_id] = Known(row.id, digests, row.erased_at is not None, row.team)
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


def refuse(
    chunk: Chunk, known: Mapping[str, Known], done: Mapping[str, str], transcript: Transcript, digest: str
) -> None:
    """Raises what keeps a line from being evaluated: another content under the same id, an erased call, or one that
    was evaluated before."""
    call = known.get(transcript.call_id)
    if call is None:
        return
    if call.erased:
        raise GoneError("this call has been erased")
    version = call.digests.get(digest)
    if version is None:
        raise ConflictError("there is a call with this call_id already, with another content")
    before = done.get(_key(call, graded_by(chunk, transcript, known), version))
    if before is not None:
        raise DuplicateError(before)


def require_wanted(session: Session, chunk: Chunk) -> None:
    """Raises CancelledError where nothing is to come of the chunk any more: also when another worker has ended it."""
    if not chunks.is_wanted(session, chunk.batch_id, chunk.number):
        raise CancelledError


def store(session: Session, chunk: Chunk, results: Sequence[Result]) -> None:
    """Stores a group of results. Raises CancelledError, and IntegrityError where another worker was faster: then try
    again, and find what it stored."""
    require_wanted(session, chunk)
    group = _Group(chunk)
    ids = [result.transcript.call_id for result in results if result.transcript is not None]
    known = known_calls(session, chunk.client_id, ids, hold=True)
    done = evaluated(session, chunk, known) if known else {}
    # another worker on this chunk may have stored these lines, and then a line without words is refused for being there
    doubtful = known or len(ids) < len(results)
    before = traced(session, chunk.batch_id, [result.line for result in results]) if doubtful else frozenset()
    for result in results:
        if result.line not in before:
            group.add(result, known, done)
    group.insert(session)
    outbox.tell(session, chunk.client_id, group.events)


def insert_faults(session: Session, batch_id: str, faults: Sequence[tuple[int, CallgradeError]]) -> None:
    """Lines that have one already keep it."""
    rows = [{"batch_id": batch_id, "line": line, "error": told(error)} for line, error in faults]
    if faulty := insert_new(session, BATCH_FAULT, rows):
        counted = update(BATCH).where(BATCH.c.id == batch_id)
        session.execute(counted.values(faulty=BATCH.c.faulty + faulty))


def traced(session: Session, batch_id: str, lines: Sequence[int]) -> frozenset[int]:
    """Those of the lines that have left their trace."""
    found: set[int] = set()
    for table in (EVALUATION, BATCH_FAULT):
        among = select(table.c.line).where(table.c.batch_id == batch_id, table.c.line.in_(lines))
        found.update(session.execute(among).scalars())
    return frozenset(found)


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
        self._faults: list[tuple[int, CallgradeError]] = []
        self.events: list[Event] = []

    def add(self, result: Result, known: dict[str, Known], done: dict[str, str]) -> None:
        if result.transcript is None:
            assert result.error is not None
            self._faults.append((result.line, result.error))
            return
        try:
            content, digest = stored_form(result.transcript)
            refuse(self._chunk, known, done, result.transcript, digest)
        except CallgradeError as error:
            self._faults.append((result.line, error))
            return
        call = known.get(result.transcript.call_id) or self._new_call(result.transcript, content, digest, known)
        self._evaluate(result, call, call.digests[digest], known, done)

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
        insert_faults(session, self._chunk.batch_id, self._faults)

    def _new_call(self, transcript: Transcript, content: str, digest: str, known: dict[str, Known]) -> Known:
        team = team_of(self._chunk, transcript, known)
        call = Known(new_id(), {digest: 1}, erased=False, team=team)
        # the same call may stand twice in one group
        known[transcript.call_id] = call
        columns = {**call_columns(transcript), "team": team}
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

    def _evaluate(
        self, result: Result, call: Known, version: int, known: Mapping[str, Known], done: dict[str, str]
    ) -> None:
        chunk, transcript, card = self._chunk, result.transcript, result.card
        assert transcript is not None
        id_, graded = new_id(), graded_by(chunk, transcript, known)
        dedupe = _key(call, graded, version)
        done[dedupe] = id_
        copies = repository.proposed_copies(card)
        self._evaluations.append(
            {
                "id": id_,
                "client_id": chunk.client_id,
                "call_id": call.id,
                "dedupe": dedupe,
                "rubric_id": graded.rubric_id,
                "rubric_version": graded.rubric_version,
                "rubric_digest": graded.rubric_digest,
                "release_id": graded.release_id,
                "batch_id": chunk.batch_id,
                "line": result.line,
                "status": "proposed" if card else "failed",
                "priority": 0,
                "attempt": 1,
                "error": told(result.error) if result.error else None,
                "agent_id": transcript.agent.id if transcript.agent else None,
                "team": call.team,
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
        extra = outbox.of_batch(chunk.batch_id, result.line)
        name = PROPOSED if card else FAILED
        self.events.append(evaluation_event(name, id_, 1, call.id, transcript.call_id, extra))


def graded_by(chunk: Chunk, transcript: Transcript, known: Mapping[str, Known]) -> Graded:
    """A line is graded by the release of the team of its agent."""
    return chunk.choice.of(team_of(chunk, transcript, known))


def team_of(chunk: Chunk, transcript: Transcript, known: Mapping[str, Known]) -> str | None:
    """Which it names, or its call has already, or else its agent's of today."""
    agent = transcript.agent
    if agent is not None and agent.team:
        return agent.team
    if (call := known.get(transcript.call_id)) is not None:
        return call.team
    return chunk.teams.get(agent.id) if agent is not None and agent.id else None


def _keys(chunk: Chunk, call: Known) -> list[str]:
    ways = {graded.release_id: graded for graded in (chunk.choice.others, *chunk.choice.by_team.values())}
    return [_key(call, graded, version) for graded in ways.values() for version in call.digests.values()]


def _key(call: Known, graded: Graded, version: int) -> str:
    return dedupe_key(call.id, graded.rubric_digest, graded.release_id, version)
