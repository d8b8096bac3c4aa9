"""Evaluations and their scorecards in the database. All SQL about single ones; that of batches: chunks.py, traces.py.

Every change of status is one UPDATE that names the statuses it may come from and the attempt it belongs to: of two
workers on the same evaluation, or of one that was cancelled meanwhile, only one finds its row.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Table, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from callgrade.access.permissions import Scope
from callgrade.access.principals import Principal
from callgrade.access.rows import evaluations_within
from callgrade.db.tables import Call, Evaluation, Release, RubricVersion
from callgrade.db.types import new_id, now
from callgrade.domain.errors import CallgradeError, ConflictError, UnknownResourceError
from callgrade.domain.frozen import Frozen
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.asking import Graded, Terms, read_terms
from callgrade.evaluations.failures import told
from callgrade.evaluations.statuses import OPEN, RETRYABLE, Status, before
from callgrade.evaluations.tables import AWAITED, CALL, EVALUATION, FLAG, RECORDING, RELEASE, SCORECARD, TRANSCRIPT


class Owner(Protocol):
    """Who asks: a principal."""

    @property
    def client_id(self) -> str: ...


class Work(Frozen):
    """What a worker needs to know of one evaluation. `transcript` is callgrade.transcript/1 as JSON, None where the
    call has only a recording; `release` is what its release names, as it is stored."""

    id: str
    client_id: str
    call_id: str
    """The server's."""
    attempt: int
    rubric_id: str
    rubric_version: str
    rubric_digest: str
    release_id: str | None
    release: dict[str, Any]
    transcript: str | None
    was_heard: bool = False
    """Whether its words come from a recording."""
    recording: str | None = None
    """The blob, by its SHA-256."""
    agent_channel: str | None = None
    batch_id: str | None = None
    line: int | None = None

    def graded(self) -> Graded:
        """Raises ConfigurationError for a release that a newer callgrade made."""
        return Graded(
            rubric_id=self.rubric_id,
            rubric_version=self.rubric_version,
            rubric_digest=self.rubric_digest,
            release_id=self.release_id,
            terms=read_terms(self.release_id, self.release) if self.release_id else Terms(),
        )


def dedupe_key(call_id: str, rubric_digest: str, release_id: str | None, transcript_version: int) -> str:
    """What makes two submissions the same piece of work. `call_id` is the server's; version 0 is a recording,
    transcribed or not."""
    told = "\0".join((call_id, rubric_digest, release_id or "", str(transcript_version)))
    return hashlib.sha256(told.encode()).hexdigest()


def create_evaluation(
    session: Session,
    principal: Owner,
    call: Call,
    rubric: RubricVersion,
    release: Release | None = None,
    *,
    batch_id: str | None = None,
    line: int | None = None,
    priority: int = 0,
) -> tuple[Evaluation, bool]:
    """(the evaluation, whether it is new). The same call, rubric, release and transcript give the same evaluation,
    whoever asks first and however often. A higher `priority` is worked off sooner.

    Raises UnknownResourceError for another client's call, ConflictError for one that was erased.
    """
    if call.client_id != principal.client_id:
        raise UnknownResourceError("there is no such call")
    if call.erased_at is not None:
        raise ConflictError("the call has been erased; there is nothing left to evaluate")
    dedupe = dedupe_key(call.id, rubric.digest, release.id if release else None, _submitted_version(session, call.id))
    moment = now()
    row = {
        "id": new_id(),
        "client_id": call.client_id,
        "call_id": call.id,
        "dedupe": dedupe,
        "rubric_id": rubric.id,
        "rubric_version": rubric.version,
        "rubric_digest": rubric.digest,
        "release_id": release.id if release else None,
        "batch_id": batch_id,
        "line": line,
        "status": "queued",
        "priority": priority,
        "attempt": 1,
        "agent_id": call.agent_id,
        "team": call.team,
        "called_at": call.started_at or call.created_at,
        "created_at": moment,
        "updated_at": moment,
    }
    made = insert_new(session, EVALUATION, [row])
    found = session.execute(
        select(Evaluation).where(EVALUATION.c.client_id == call.client_id, EVALUATION.c.dedupe == dedupe)
    ).scalar_one()
    return found, made == 1


def insert_new(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Inserts the rows that break no unique key, and says how many. The others stay what they were."""
    if not rows:
        return 0
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(list(rows)).on_conflict_do_nothing()
    # counted by what comes back: for several rows PostgreSQL's driver reports -1
    return len(session.execute(statement.returning(*table.primary_key.columns)).all())


def find(session: Session, client_id: str, id_: str) -> Evaluation:
    """Raises UnknownResourceError, for another client's evaluation too."""
    found = session.get(Evaluation, id_)
    if found is None or found.client_id != client_id:
        raise UnknownResourceError("there is no such evaluation")
    return found


def newest_of_call(
    session: Session, within: ColumnElement[bool], call_id: str, id_: str | None = None
) -> Evaluation | None:
    """The newest evaluation of a call that has a scorecard and lies within reach; or the one named."""
    statement = select(Evaluation).where(within, EVALUATION.c.call_id == call_id)
    if id_ is not None:
        statement = statement.where(EVALUATION.c.id == id_)
    scored = EVALUATION.c.status.in_(("proposed", "in_review", "published"))
    found: Evaluation | None = session.execute(
        statement.where(scored).order_by(EVALUATION.c.id.desc()).limit(1)
    ).scalar_one_or_none()
    return found


def find_within(session: Session, principal: Principal, id_: str, scope: Scope = "evaluations:read") -> Evaluation:
    """As `find`, for a person: an evaluation beyond their reach is unknown to them. Raises ForbiddenError without the
    scope."""
    wanted = select(Evaluation).where(EVALUATION.c.id == id_, evaluations_within(principal, scope))
    found: Evaluation | None = session.execute(wanted).scalar_one_or_none()
    if found is None:
        raise UnknownResourceError("there is no such evaluation")
    return found


def scorecard_of(session: Session, evaluation: Evaluation) -> Scorecard | None:
    """The current attempt's scorecard."""
    text = session.execute(
        select(SCORECARD.c.content).where(
            SCORECARD.c.evaluation_id == evaluation.id, SCORECARD.c.attempt == evaluation.attempt
        )
    ).scalar_one_or_none()
    return None if text is None else Scorecard.model_validate_json(text)


def begin(session: Session, id_: str, status: Status) -> Work | None:
    """Takes an evaluation up and moves it to `status`. None where there is nothing to do: it is done, cancelled,
    unknown, or its call was erased (then it is cancelled here)."""
    row = session.execute(
        select(
            EVALUATION.c.id,
            EVALUATION.c.client_id,
            EVALUATION.c.attempt,
            EVALUATION.c.call_id,
            EVALUATION.c.rubric_id,
            EVALUATION.c.rubric_version,
            EVALUATION.c.rubric_digest,
            EVALUATION.c.release_id,
            EVALUATION.c.status,
            EVALUATION.c.batch_id,
            EVALUATION.c.line,
            CALL.c.erased_at,
            *(RELEASE.c[name] for name in Terms.model_fields),
        )
        .join(CALL, EVALUATION.c.call_id == CALL.c.id)
        .outerjoin(RELEASE, EVALUATION.c.release_id == RELEASE.c.id)
        .where(EVALUATION.c.id == id_)
    ).one_or_none()
    if row is None or row.status not in OPEN:
        return None
    wanted: Status = "cancelled" if row.erased_at else status
    if not move(session, id_, row.attempt, wanted) or row.erased_at:
        return None
    transcript = _content(session, row.call_id)
    recording = session.execute(select(RECORDING).where(RECORDING.c.call_id == row.call_id)).one_or_none()
    return Work(
        id=row.id,
        client_id=row.client_id,
        call_id=row.call_id,
        attempt=row.attempt,
        rubric_id=row.rubric_id,
        rubric_version=row.rubric_version,
        rubric_digest=row.rubric_digest,
        release_id=row.release_id,
        release={name: getattr(row, name) for name in Terms.model_fields},
        transcript=transcript,
        was_heard=recording is not None,
        recording=(recording.sha256 or None) if recording else None,
        agent_channel=recording.agent_channel if recording else None,
        batch_id=row.batch_id,
        line=row.line,
    )


def move(session: Session, id_: str, attempt: int, to: Status, **values: Any) -> bool:
    """Whether the evaluation was, in this attempt, where it may come from; then it is at `to`."""
    result: Any = session.execute(
        update(EVALUATION)
        .where(EVALUATION.c.id == id_, EVALUATION.c.attempt == attempt, EVALUATION.c.status.in_(before(to)))
        .values(status=to, updated_at=now(), **values)
    )
    return bool(result.rowcount)


def store_scorecard(session: Session, id_: str, attempt: int, card: Scorecard) -> bool:
    """Appends the scorecard and proposes it. False, and nothing stored, where the attempt is over: another worker was
    first, or it was cancelled. What lists filter by is copied beside it."""
    copies = proposed_copies(card)
    if not move(session, id_, attempt, "proposed", **copies, error=None, finished_at=now()):
        return False
    if insert_new(session, SCORECARD, [scorecard_row(id_, attempt, card)]) == 0:
        raise ConflictError(f"evaluation {id_} has a scorecard of attempt {attempt} already")
    client_id = session.execute(select(EVALUATION.c.client_id).where(EVALUATION.c.id == id_)).scalar_one()
    session.execute(delete(FLAG).where(FLAG.c.evaluation_id == id_))
    if flags := flag_rows(id_, client_id, card):
        session.execute(insert(FLAG), flags)
    return True


def fail(session: Session, id_: str, attempt: int, error: CallgradeError) -> bool:
    """False where the attempt is over already."""
    return move(session, id_, attempt, "failed", error=told(error), finished_at=now())


def cancel(session: Session, client_id: str, id_: str) -> Evaluation:
    """Raises UnknownResourceError, ConflictError where the machine's part is over. Cancelling twice is once."""
    found = find(session, client_id, id_)
    if found.status != "cancelled" and not move(session, id_, found.attempt, "cancelled", finished_at=now()):
        raise ConflictError(f"the evaluation is {found.status} and cannot be cancelled any more")
    session.refresh(found)
    return found


def retry(session: Session, client_id: str, id_: str) -> Evaluation:
    """The next attempt of one that failed or was cancelled. Raises UnknownResourceError, ConflictError."""
    found = find(session, client_id, id_)
    result: Any = session.execute(
        update(EVALUATION)
        .where(EVALUATION.c.id == id_, EVALUATION.c.attempt == found.attempt, EVALUATION.c.status.in_(RETRYABLE))
        .values(status="queued", attempt=found.attempt + 1, error=None, finished_at=None, updated_at=now())
    )
    if not result.rowcount:
        raise ConflictError(f"the evaluation is {found.status}; only a failed or cancelled one can be tried again")
    session.refresh(found)
    return found


def needs_recogniser(session: Session, evaluation: Evaluation) -> bool:
    """Whether the call has words yet; without them its recording goes to the recogniser first."""
    return _latest_version(session, evaluation.call_id) == 0


def is_awaited(session: Session, id_: str) -> bool:
    """Whether the recording of the evaluation's call is still to be fetched."""
    awaited = select(AWAITED.c.id).join(EVALUATION, EVALUATION.c.call_id == AWAITED.c.call_id)
    return session.execute(awaited.where(EVALUATION.c.id == id_)).first() is not None


def under_way(session: Session, call_id: str) -> Sequence[Evaluation]:
    """The evaluations of a call (the server's id) that the machine has still to deal with, by id."""
    wanted = select(Evaluation).where(EVALUATION.c.call_id == call_id, EVALUATION.c.status.in_(OPEN))
    return session.execute(wanted.order_by(EVALUATION.c.id)).scalars().all()


def open_ones(session: Session, after: str, limit: int) -> Sequence[Evaluation]:
    """Evaluations that the machine has still to deal with, by id; those whose recording is still to be fetched are not
    among them (to fetch it is the work). `after` is the last id of the page before."""
    fetched = ~select(AWAITED.c.id).where(AWAITED.c.call_id == EVALUATION.c.call_id).exists()
    return (
        session.execute(
            select(Evaluation)
            .where(EVALUATION.c.status.in_(OPEN), fetched, EVALUATION.c.id > after)
            .order_by(EVALUATION.c.id)
            .limit(limit)
        )
        .scalars()
        .all()
    )


def card_copies(card: Scorecard) -> dict[str, Any]:
    total = card.total
    return {
        "total": points(total.value) if total else None,
        "low": points(total.low) if total else None,
        "high": points(total.high) if total else None,
        "passed": card.passed,
    }


def proposed_copies(card: Scorecard | None) -> dict[str, Any]:
    """Of a proposal; None has none of them."""
    if card is None:
        return dict.fromkeys(("total", "low", "high", "passed", "proposed", "proposed_passed"))
    copies = card_copies(card)
    return {**copies, "proposed": copies["total"], "proposed_passed": copies["passed"]}


def points(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def scorecard_row(id_: str, attempt: int, card: Scorecard, moment: datetime | None = None) -> dict[str, Any]:
    content = card.model_dump_json(by_alias=True)
    return {"evaluation_id": id_, "attempt": attempt, "content": content, "created_at": moment or now()}


def flag_rows(id_: str, client_id: str, card: Scorecard) -> list[dict[str, Any]]:
    total = points(card.total.value) if card.total else None
    return [{"evaluation_id": id_, "flag": flag, "client_id": client_id, "total": total} for flag in card.flags]


def _submitted_version(session: Session, call_id: str) -> int:
    """The newest version, where what the recogniser first heard is still the recording itself: handed in again after it
    was heard, a recording is the same piece of work as before."""
    newest = select(TRANSCRIPT.c.version, TRANSCRIPT.c.origin).where(TRANSCRIPT.c.call_id == call_id)
    row = session.execute(newest.order_by(TRANSCRIPT.c.version.desc()).limit(1)).one_or_none()
    if row is None or (row.version, row.origin) == (1, "recogniser"):
        return 0
    return int(row.version)


def _latest_version(session: Session, call_id: str) -> int:
    statement = select(func.max(TRANSCRIPT.c.version)).where(TRANSCRIPT.c.call_id == call_id)
    return session.execute(statement).scalar_one() or 0


def _content(session: Session, call_id: str) -> str | None:
    newest = select(TRANSCRIPT.c.content).where(TRANSCRIPT.c.call_id == call_id)
    return session.execute(newest.order_by(TRANSCRIPT.c.version.desc()).limit(1)).scalar_one_or_none()


def call_of(session: Session, id_: str) -> Call:
    """The call of an evaluation that is known to be there."""
    statement = select(Call).join(EVALUATION, EVALUATION.c.call_id == CALL.c.id)
    call: Call = session.execute(statement.where(EVALUATION.c.id == id_)).scalar_one()
    return call
