"""The SQL of what is deleted when a call, or a part of it, is erased."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, case, cast, delete, or_, update
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, col, select

from callgrade.db.tables import (
    Batch,
    BatchChunk,
    Call,
    Delivery,
    Evaluation,
    EvaluationFlag,
    IdempotentRequest,
    PublishedScorecard,
    Recording,
    RetentionRule,
    StoredScorecard,
    TranscriptVersion,
)
from callgrade.db.types import now

AT_WORK = ("queued", "transcribing", "judging", "parked")
WORDLESS = "erased"
"""The flag of an evaluation whose scorecards hold no words any more."""


def _count(result: Any) -> int:
    done: CursorResult[Any] = result
    return done.rowcount


# of one call


def drop_transcripts(session: Session, call_ids: Sequence[str]) -> int:
    return _count(session.execute(delete(TranscriptVersion).where(col(TranscriptVersion.call_id).in_(call_ids))))


def recordings(session: Session, call_ids: Sequence[str]) -> Sequence[Recording]:
    return session.exec(select(Recording).where(col(Recording.call_id).in_(call_ids))).all()


def evaluations(session: Session, call_ids: Sequence[str]) -> Sequence[Evaluation]:
    wanted = select(Evaluation).where(col(Evaluation.call_id).in_(call_ids))
    return session.exec(wanted.execution_options(populate_existing=True)).all()


def cancel(session: Session, call_ids: Sequence[str], at: datetime) -> list[tuple[str, int]]:
    """(evaluation, attempt) of those that were still at work."""
    open_ = (col(Evaluation.call_id).in_(call_ids), col(Evaluation.status).in_(AT_WORK))
    changed = update(Evaluation).where(*open_).values(status="cancelled", updated_at=at, finished_at=at)
    changed = changed.returning(col(Evaluation.id), col(Evaluation.attempt))
    rows = session.execute(changed, execution_options={"synchronize_session": False})
    return [(row[0], row[1]) for row in rows]


def hold_evaluations(session: Session, evaluation_ids: Sequence[str]) -> None:
    """Until the session ends nobody changes them, or adds to what refers to them."""
    wanted = select(Evaluation.id).where(col(Evaluation.id).in_(evaluation_ids)).order_by(col(Evaluation.id))
    session.exec(wanted.with_for_update()).all()


def scorecards(session: Session, evaluation_ids: Sequence[str]) -> Sequence[StoredScorecard]:
    return session.exec(select(StoredScorecard).where(col(StoredScorecard.evaluation_id).in_(evaluation_ids))).all()


def set_scorecard(session: Session, row: StoredScorecard, content: str | None) -> None:
    """None: the row goes."""
    if content is None:
        session.delete(row)
    else:
        row.content = content
        session.add(row)


def flag_wordless(session: Session, evaluation: Evaluation) -> None:
    if session.get(EvaluationFlag, (evaluation.id, WORDLESS)) is None:
        flag = EvaluationFlag(
            evaluation_id=evaluation.id, flag=WORDLESS, client_id=evaluation.client_id, total=evaluation.total
        )
        session.add(flag)
        session.flush()


def blank_deliveries(session: Session, call_id: str) -> int:
    """Those about a call. What was not delivered yet never will be."""
    # in one statement: what comes up between two of them would be emptied and sent
    never = case((col(Delivery.status) == "waiting", "given_up"), else_=col(Delivery.status))
    emptied = {"payload": {"erased": True}, "next_at": None, "status": never}
    changed = update(Delivery).where(col(Delivery.call_id) == call_id).values(emptied)
    return _count(session.execute(changed, execution_options={"synchronize_session": False}))


def blank_old_deliveries(session: Session, client_id: str, before: datetime, limit: int) -> int:
    old = (
        select(Delivery.id)
        .where(Delivery.client_id == client_id, col(Delivery.created_at) < before, Delivery.status != "waiting")
        .where(cast(Delivery.payload, Text).not_like('{"erased"%'))
        .limit(limit)
    )
    ids = session.exec(old).all()
    changed = update(Delivery).where(col(Delivery.id).in_(ids)).values(payload={"erased": True})
    return _count(session.execute(changed)) if ids else 0


def drop_answers(session: Session, client_id: str, texts: Iterable[str]) -> int:
    """Answers to requests with an Idempotency-Key that hold one of these texts."""
    about = _holds(cast(IdempotentRequest.answer, Text), texts)
    mine = (col(IdempotentRequest.client_id) == client_id, about)
    return _count(session.execute(delete(IdempotentRequest).where(*mine)))


def _holds(column: ColumnElement[str], texts: Iterable[str]) -> ColumnElement[bool]:
    return or_(*(column.contains(text, autoescape=True) for text in texts))


# batches


def chunks_that_may_hold(session: Session, client_id: str, call: Call) -> list[tuple[str, int]]:
    """(batch, number): the one that each of the call's evaluations came from, and all that wait."""
    of_client = select(BatchChunk.batch_id, BatchChunk.number).where(
        BatchChunk.batch_id == Batch.id, Batch.client_id == client_id, BatchChunk.blob != ""
    )
    waiting = of_client.where(BatchChunk.status == "queued")
    known = of_client.where(
        Evaluation.call_id == call.id,
        Evaluation.batch_id == BatchChunk.batch_id,
        col(Evaluation.line) >= BatchChunk.first_line,
        col(Evaluation.line) < BatchChunk.first_line + BatchChunk.lines,
    )
    return sorted({(row[0], row[1]) for query in (waiting, known) for row in session.exec(query)})


def held_chunk(session: Session, batch_id: str, number: int) -> BatchChunk | None:
    wanted = select(BatchChunk).where(BatchChunk.batch_id == batch_id, BatchChunk.number == number)
    return session.exec(wanted.with_for_update().execution_options(populate_existing=True)).first()


# by age


def _begun_before(before: datetime) -> ColumnElement[bool]:
    # whichever is earlier: a start in the future must not keep a call for good
    return or_(col(Call.created_at) < before, col(Call.started_at) < before)


def old_calls(session: Session, client_id: str, before: datetime, after: str, limit: int) -> Sequence[Call]:
    """Not yet erased, from the id `after` on, held until the session ends."""
    wanted = select(Call).where(Call.client_id == client_id, col(Call.erased_at).is_(None), Call.id > after)
    wanted = wanted.where(_begun_before(before)).order_by(col(Call.id)).limit(limit)
    return session.exec(wanted.with_for_update().execution_options(populate_existing=True)).all()


def old_recordings(session: Session, client_id: str, before: datetime, limit: int) -> Sequence[Recording]:
    wanted = select(Recording).where(
        Recording.call_id == Call.id, Call.client_id == client_id, Recording.sha256 != "", _begun_before(before)
    )
    return session.exec(wanted.order_by(col(Recording.id)).limit(limit)).all()


def old_transcripts(
    session: Session, client_id: str, before: datetime, marker: str, after: str, limit: int
) -> Sequence[Call]:
    """Calls with words in some version; `marker` is how a content without words begins."""
    worded = (
        select(TranscriptVersion.call_id)
        .where(TranscriptVersion.call_id == Call.id, ~col(TranscriptVersion.content).startswith(marker))
        .exists()
    )
    wanted = select(Call).where(Call.client_id == client_id, col(Call.erased_at).is_(None), Call.id > after)
    wanted = wanted.where(_begun_before(before), worded).order_by(col(Call.id)).limit(limit)
    return session.exec(wanted.with_for_update().execution_options(populate_existing=True)).all()


def blank_transcripts(session: Session, call_ids: Sequence[str], content: str) -> int:
    mine = col(TranscriptVersion.call_id).in_(call_ids)
    return _count(session.execute(update(TranscriptVersion).where(mine).values(content=content)))


def old_scorecards(session: Session, client_id: str, before: datetime, limit: int) -> Sequence[Evaluation]:
    """Evaluations whose newest scorecard, published ones too, is that old and whose scorecards still hold words."""
    newer = (
        select(StoredScorecard.attempt)
        .where(StoredScorecard.evaluation_id == Evaluation.id, col(StoredScorecard.created_at) >= before)
        .exists()
    )
    lately = (
        select(PublishedScorecard.revision)
        .where(PublishedScorecard.evaluation_id == Evaluation.id, col(PublishedScorecard.published_at) >= before)
        .exists()
    )
    any_ = select(StoredScorecard.attempt).where(StoredScorecard.evaluation_id == Evaluation.id).exists()
    done = (
        select(EvaluationFlag.flag)
        .where(EvaluationFlag.evaluation_id == Evaluation.id, EvaluationFlag.flag == WORDLESS)
        .exists()
    )
    wanted = select(Evaluation).where(Evaluation.client_id == client_id, any_, ~newer, ~lately, ~done)
    return session.exec(wanted.order_by(col(Evaluation.id)).limit(limit)).all()


def erased_since(session: Session, since: datetime, after: str, limit: int) -> Sequence[Call]:
    wanted = select(Call).where(col(Call.erased_at) >= since, Call.id > after)
    return session.exec(wanted.order_by(col(Call.id)).limit(limit)).all()


# policies


def newest_rule(session: Session, client_id: str) -> RetentionRule | None:
    wanted = select(RetentionRule).where(RetentionRule.client_id == client_id)
    return session.exec(wanted.order_by(col(RetentionRule.id).desc()).limit(1)).first()


def clients_with_rules(session: Session) -> Sequence[str]:
    return session.exec(select(RetentionRule.client_id).distinct()).all()


def add_rule(session: Session, row: RetentionRule) -> None:
    row.created_at = now()
    session.add(row)
    session.flush()
