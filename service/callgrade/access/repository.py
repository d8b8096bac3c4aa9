"""The SQL of clients, keys and repeated requests."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import CursorResult
from sqlmodel import Session, SQLModel, col, select

from callgrade.db.tables import ApiKey, Client, IdempotentRequest
from callgrade.db.tables.core import table_of


def insert_once(session: Session, table: type[SQLModel], values: Mapping[str, Any]) -> bool:
    """Whether the row went in: False where a unique key is taken.

    On PostgreSQL it first waits for another transaction that is just taking the key, and nothing is broken afterwards.
    """
    rows = table_of(table)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    # what comes back tells, because the number of inserted rows is not told for PostgreSQL
    new = insert(rows).values(**values).on_conflict_do_nothing().returning(*rows.primary_key)
    return session.execute(new).first() is not None


def _rows(result: Any) -> int:
    done: CursorResult[Any] = result
    return done.rowcount


# clients and keys


def client_named(session: Session, name: str) -> Client | None:
    return session.exec(select(Client).where(Client.name == name)).first()


def key(session: Session, key_id: str) -> ApiKey | None:
    return session.get(ApiKey, key_id)


def keys(session: Session, client_id: str | None) -> Sequence[ApiKey]:
    wanted = select(ApiKey).order_by(col(ApiKey.id))
    return session.exec(wanted if client_id is None else wanted.where(ApiKey.client_id == client_id)).all()


def key_names(session: Session, ids: Iterable[str]) -> dict[str, str]:
    return dict(session.exec(select(ApiKey.id, ApiKey.name).where(col(ApiKey.id).in_(list(ids)))).all())


def note_use(session: Session, key_id: str, at: datetime, grain: timedelta) -> None:
    stale = col(ApiKey.last_used_at).is_(None) | (col(ApiKey.last_used_at) <= at - grain)
    session.execute(update(ApiKey).where(col(ApiKey.id) == key_id, stale).values(last_used_at=at))


# repeated requests


def request(session: Session, client_id: str, key: str) -> IdempotentRequest | None:
    return session.get(IdempotentRequest, (client_id, key), populate_existing=True)


def note_request(session: Session, client_id: str, key: str, noted: dict[str, Any]) -> None:
    request = IdempotentRequest
    open_ = (col(request.client_id) == client_id, col(request.key) == key, col(request.status).is_(None))
    session.execute(update(request).where(*open_).values(answer=noted))


def take_over_request(session: Session, client_id: str, key: str, *, begun: datetime, at: datetime) -> bool:
    """Of several that try, one succeeds: after it the work has begun at another moment."""
    request = IdempotentRequest
    same = (col(request.client_id) == client_id, col(request.key) == key, col(request.created_at) == begun)
    taken = update(request).where(*same, col(request.status).is_(None)).values(created_at=at, answer=None)
    return _rows(session.execute(taken)) == 1


def answer_request(session: Session, client_id: str, key: str, status: int, answer: dict[str, Any]) -> bool:
    request = IdempotentRequest
    open_ = (col(request.client_id) == client_id, col(request.key) == key, col(request.status).is_(None))
    return _rows(session.execute(update(request).where(*open_).values(status=status, answer=answer))) == 1


def drop_request(session: Session, client_id: str, key: str) -> None:
    request = IdempotentRequest
    session.execute(
        delete(request).where(
            col(request.client_id) == client_id, col(request.key) == key, col(request.status).is_(None)
        )
    )


def unanswered_requests(session: Session, older_than: datetime) -> Sequence[IdempotentRequest]:
    request = IdempotentRequest
    return session.exec(
        select(request).where(col(request.created_at) < older_than, col(request.status).is_(None))
    ).all()


def forget_requests(session: Session, older_than: datetime) -> int:
    """Those that were answered."""
    request = IdempotentRequest
    old = (col(request.created_at) < older_than, col(request.status).is_not(None))
    return _rows(session.execute(delete(request).where(*old)))
