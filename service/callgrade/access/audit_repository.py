"""The SQL of the audit chain."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, exists, func, insert, text
from sqlalchemy.exc import DataError, OperationalError
from sqlmodel import Session, col, select

from callgrade.access.chain import RECEIPT, Event, Link, Receipt, Seal, parse_receipt
from callgrade.access.repository import insert_once
from callgrade.db.tables import AuditEvent, AuditSeal, Client
from callgrade.db.tables.core import table_of

EVENT = (
    col(AuditEvent.id),
    col(AuditEvent.client_id),
    col(AuditEvent.at),
    col(AuditEvent.actor),
    col(AuditEvent.action),
    col(AuditEvent.subject),
    col(AuditEvent.facts),
)
SEAL = (
    col(AuditSeal.id),
    col(AuditSeal.client_id),
    col(AuditSeal.number),
    col(AuditSeal.first_event),
    col(AuditSeal.last_event),
    col(AuditSeal.events),
    col(AuditSeal.previous),
    col(AuditSeal.hash),
    col(AuditSeal.sealed_at),
)
APPEND = insert(table_of(AuditEvent))
UNREADABLE = (ValueError, TypeError, OverflowError, DataError, OperationalError)
"""What reading a row raises that somebody put something of another type into: SQLite takes anything anywhere."""

WRITING_NOW = text(
    """
    SELECT virtualtransaction FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'audit_event'::regclass AND mode = 'RowExclusiveLock' AND granted
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND pid IS DISTINCT FROM pg_backend_pid()
    """
)
POLL_S = 0.02


def append(session: Session, values: Mapping[str, Any]) -> None:
    """By a statement of its own: the event stands in the caller's transaction at once, whatever else is pending."""
    session.execute(APPEND, dict(values))


def settled(session: Session, patience_s: float) -> int | None:
    """The last event below which no other can appear any more; None where writers have not come to an end in time.

    PostgreSQL hands out ids when rows are written and shows rows when their transaction ends: event 5 may appear after
    event 6. A seal over 6 alone would then have missed 5 for good. Clocks cannot tell when that is over, because hosts'
    clocks differ and jump; locks can: who has written an event holds a lock on the table until the end, so once
    everybody who held one when the highest id was looked up has let go, all that lies below is there to be seen. This
    waits for them and holds nobody up. SQLite has one writer at a time, and this is it.
    """
    last = session.scalar(select(func.max(AuditEvent.id))) or 0
    if session.get_bind().dialect.name != "postgresql":
        return last
    writers = set(session.scalars(WRITING_NOW))
    give_up = time.monotonic() + patience_s
    while writers:
        if time.monotonic() > give_up:
            return None
        time.sleep(POLL_S)
        writers &= set(session.scalars(WRITING_NOW))
    return last


def clients(session: Session, client_id: str | None) -> Sequence[str]:
    wanted = select(Client.id).order_by(Client.id)
    return session.exec(wanted if client_id is None else wanted.where(Client.id == client_id)).all()


def clients_to_seal(session: Session, client_id: str | None) -> Sequence[str]:
    """Those with an event behind their last seal that is not a mere receipt."""
    wanted = select(Client.id).where(exists().where(*_unsealed())).order_by(Client.id)
    return session.exec(wanted if client_id is None else wanted.where(Client.id == client_id)).all()


def number_unsealed(session: Session, client_id: str | None) -> int:
    """Events behind the last seals, receipts left out."""
    number = select(func.count()).select_from(AuditEvent).join(Client, col(Client.id) == col(AuditEvent.client_id))
    wanted = number.where(*_unsealed())
    return session.exec(wanted if client_id is None else wanted.where(Client.id == client_id)).one()


def _unsealed() -> tuple[ColumnElement[bool], ...]:
    own = select(func.max(AuditSeal.last_event)).where(col(AuditSeal.client_id) == col(Client.id))
    # said outright: two selects deep, SQLAlchemy would take the last seal of all clients together
    last = own.correlate(Client).scalar_subquery()
    behind = col(AuditEvent.id) > func.coalesce(last, Link().last_event)
    return col(AuditEvent.client_id) == col(Client.id), behind, col(AuditEvent.action) != RECEIPT


def has_unsealed(session: Session, client_id: str, link: Link, last: int) -> bool:
    """Whether there is more than receipts between a chain's end and the event `last`."""
    between = (col(AuditEvent.id) > link.last_event, col(AuditEvent.id) <= last)
    any_ = select(AuditEvent.id).where(AuditEvent.client_id == client_id, AuditEvent.action != RECEIPT, *between)
    return session.exec(any_.limit(1)).first() is not None


def lock_chain(session: Session, client_id: str) -> bool:
    """False where another host is at this client's chain. Whoever adds calls or keys to the client is not held up."""
    own = select(Client.id).where(Client.id == client_id).with_for_update(key_share=True, skip_locked=True)
    return session.exec(own).first() is not None


def last_link(session: Session, client_id: str) -> Link:
    seal = AuditSeal
    last = select(seal.number, seal.hash, seal.last_event).where(seal.client_id == client_id)
    row = session.exec(last.order_by(col(seal.number).desc()).limit(1)).first()
    return Link(*row) if row else Link()


def add_seal(session: Session, seal: Seal) -> Seal | None:
    """The seal with its row; None where another host was first."""
    values = seal._asdict()
    del values["row"]
    if not insert_once(session, AuditSeal, values):
        return None
    return seal_numbered(session, seal.client_id, seal.number)


def events_between(
    session: Session, client_id: str, after: int, up_to: int | None = None, *, limit: int | None = None
) -> list[Event]:
    """A client's events above `after`, in the order of their ids."""
    wanted = select(AuditEvent.id).where(AuditEvent.client_id == client_id, col(AuditEvent.id) > after)
    if up_to is not None:
        wanted = wanted.where(col(AuditEvent.id) <= up_to)
    return _events(session, wanted.order_by(col(AuditEvent.id)).limit(limit))


def newest(session: Session, client_id: str, before: int | None, about: str, limit: int) -> list[Event]:
    """A client's events, the newest first, below `before`; `about` is how their actions begin."""
    wanted = select(AuditEvent.id).where(AuditEvent.client_id == client_id)
    if before is not None:
        wanted = wanted.where(col(AuditEvent.id) < before)
    if about:
        wanted = wanted.where(col(AuditEvent.action).startswith(f"{about}.", autoescape=True))
    return _events(session, wanted.order_by(col(AuditEvent.id).desc()).limit(limit))


def receipts_after(session: Session, client_id: str, event: int) -> list[Event]:
    return _events(session, _receipts(client_id, event))


def find_receipt(session: Session, client_id: str, number: int, after: int) -> Receipt | None:
    """A seal's receipt among the events above `after`; receipts come in the order of their seals."""
    for id_ in session.scalars(_receipts(client_id, after)).all():
        receipt = parse_receipt(_events(session, select(AuditEvent.id).where(AuditEvent.id == id_))[0].facts)
        if receipt is not None and receipt.number >= number:
            return receipt if receipt.number == number else None
    return None


def _receipts(client_id: str, after: int) -> Any:
    mine = (AuditEvent.client_id == client_id, col(AuditEvent.id) > after, AuditEvent.action == RECEIPT)
    return select(AuditEvent.id).where(*mine).order_by(col(AuditEvent.id))


def _events(session: Session, ids: Any) -> list[Event]:
    """All at once, or one by one where one of them cannot be read."""
    wanted = ids.with_only_columns(*EVENT)
    try:
        return [Event(*row) for row in session.execute(wanted)]
    except UNREADABLE:
        return [_event(session, id_) for id_ in session.scalars(ids).all()]


def _event(session: Session, id_: int) -> Event:
    try:
        return Event(*session.execute(select(*EVENT).where(AuditEvent.id == id_)).one())  # type: ignore[call-overload]
    except UNREADABLE:
        client_id = session.scalar(select(AuditEvent.client_id).where(AuditEvent.id == id_))
        return Event(id_, str(client_id), None, "", "", "", None)


def seals(session: Session, client_id: str) -> Iterator[Seal]:
    """In the order of their numbers."""
    rows = select(AuditSeal.id).where(AuditSeal.client_id == client_id).order_by(col(AuditSeal.number))
    for row in session.scalars(rows).all():
        yield _seal(session, AuditSeal.id == row)


def seal_numbered(session: Session, client_id: str, number: int) -> Seal | None:
    row = session.scalar(select(AuditSeal.id).where(AuditSeal.client_id == client_id, AuditSeal.number == number))
    return None if row is None else _seal(session, AuditSeal.id == row)


def _seal(session: Session, which: Any) -> Seal:
    """All at once, or column by column where one of them cannot be read."""
    try:
        return Seal._make(session.execute(select(*SEAL).where(which)).one())  # type: ignore[call-overload]
    except UNREADABLE:
        return Seal._make(_value(session, column, which) for column in SEAL)


def _value(session: Session, column: Any, which: Any) -> Any:
    try:
        return session.scalar(select(column).where(which))
    except UNREADABLE:
        return None
