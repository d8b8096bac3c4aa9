"""The SQL of calls, recordings and transcripts. What an erasure deletes stands in erasure_repository."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, text
from sqlmodel import Session, col, select

from callgrade.access.agents import team_of_today
from callgrade.access.repository import insert_once
from callgrade.db.tables import AwaitedRecording, BatchChunk, Call, Recording, TranscriptVersion
from callgrade.db.types import new_id, now
from callgrade.domain.frozen import Frozen


class CallFilters(Frozen):
    """All that are given must hold. `since` and `until` are about when the call began, or came in where that is not
    known; `until` itself is not among them."""

    call_id: str | None = None
    agent: str | None = None
    team: str | None = None
    queue: str | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def insert_call(session: Session, client_id: str, columns: dict[str, Any]) -> str | None:
    """The new call's id, or None where the client has one of this name already. One that does not name its agent's team
    gets today's, which it keeps."""
    team = columns["team"] or team_of_today(session, client_id, columns["agent_id"])
    row = {"id": new_id(), "client_id": client_id, "created_at": now(), **columns, "team": team}
    return row["id"] if insert_once(session, Call, row) else None


def call(session: Session, client_id: str, id_: str) -> Call | None:
    return session.exec(select(Call).where(Call.id == id_, Call.client_id == client_id)).first()


def call_within(session: Session, within: ColumnElement[bool], id_: str) -> Call | None:
    return session.exec(select(Call).where(Call.id == id_, within)).first()


def call_named(session: Session, client_id: str, call_id: str) -> Call | None:
    return session.exec(select(Call).where(Call.client_id == client_id, Call.call_id == call_id)).first()


def held_call(session: Session, client_id: str, id_: str) -> Call | None:
    """As it is now, and nobody else changes it before this session ends."""
    wanted = select(Call).where(Call.id == id_, Call.client_id == client_id)
    return session.exec(wanted.with_for_update().execution_options(populate_existing=True)).first()


def page(session: Session, client_id: str, filters: CallFilters, before: str | None, limit: int) -> Sequence[Call]:
    """The newest first; `before` is the last id of the page before. Erased calls are left out."""
    began = func.coalesce(Call.started_at, Call.created_at)
    wanted = select(Call).where(Call.client_id == client_id, col(Call.erased_at).is_(None))
    equal = {
        Call.call_id: filters.call_id,
        Call.agent_id: filters.agent,
        Call.team: filters.team,
        Call.queue: filters.queue,
        Call.channel: filters.channel,
    }
    for column, value in equal.items():
        if value is not None:
            wanted = wanted.where(column == value)
    if filters.since is not None:
        wanted = wanted.where(began >= filters.since)
    if filters.until is not None:
        wanted = wanted.where(began < filters.until)
    if before is not None:
        wanted = wanted.where(Call.id < before)
    return session.exec(wanted.order_by(col(Call.id).desc()).limit(limit)).all()


# transcripts


def version(session: Session, call_id: str, number: int | None = None) -> TranscriptVersion | None:
    """The newest without a number."""
    wanted = select(TranscriptVersion).where(TranscriptVersion.call_id == call_id)
    if number is not None:
        return session.exec(wanted.where(TranscriptVersion.version == number)).first()
    return session.exec(wanted.order_by(col(TranscriptVersion.version).desc()).limit(1)).first()


def versions(session: Session, call_id: str) -> Sequence[TranscriptVersion]:
    """The oldest first."""
    wanted = select(TranscriptVersion).where(TranscriptVersion.call_id == call_id)
    return session.exec(wanted.order_by(col(TranscriptVersion.version))).all()


def add_version(session: Session, row: TranscriptVersion) -> TranscriptVersion:
    session.add(row)
    session.flush()
    return row


# recordings and blobs


def recording(session: Session, call_id: str) -> Recording | None:
    return session.exec(select(Recording).where(Recording.call_id == call_id)).first()


def add_recording(session: Session, row: Recording) -> Recording:
    session.add(row)
    session.flush()
    return row


def drop_awaited(session: Session, call_ids: Sequence[str]) -> int:
    """The calls' recordings are not waited for any more, and where they are is forgotten. Says how many."""
    mine = col(AwaitedRecording.call_id).in_(call_ids)
    result: Any = session.execute(delete(AwaitedRecording).where(mine))
    return int(result.rowcount)


def hold_blob(session: Session, sha256: str) -> None:
    """Until this session ends, whoever wants to refer to this blob or to delete it waits.

    SQLite has one writer at a time: whoever has begun. On PostgreSQL it is an advisory lock: there may be no row to
    lock.
    """
    # a session begins with its first statement, and no statement may have come yet
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), {"name": f"callgrade blob {sha256}"}
        )


def is_referred_to(session: Session, sha256: str) -> bool:
    """By a call of any client, or a piece of a batch."""
    recordings = select(Recording.id).where(Recording.sha256 == sha256).limit(1)
    chunks = select(BatchChunk.number).where(BatchChunk.blob == sha256).limit(1)
    return session.exec(recordings).first() is not None or session.exec(chunks).first() is not None
