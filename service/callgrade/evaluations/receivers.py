"""Who takes a batch in, in the database: a batch whose receiver died will never be whole.

No clock is asked. A process that begins under a name has the name's earlier holder dead, and a name whose lock is free
is nobody's: see engine.slots.
"""

from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, func, select, update
from sqlmodel import Session

from callgrade.access.requests import AtWork
from callgrade.db.types import now
from callgrade.evaluations.tables import BATCH

_COMING_IN = BATCH.c.status == "receiving"
# those without a name are in nobody's hands: nobody holds the empty one
_receiver = func.coalesce(BATCH.c.receiver, "")


def receivers(session: Session) -> frozenset[str]:
    """The executors in whose hands batches are."""
    return frozenset(session.execute(select(_receiver).where(_COMING_IN).distinct()).scalars())


def is_coming_in(session: Session, batch_id: str) -> bool:
    return session.execute(select(BATCH.c.id).where(BATCH.c.id == batch_id, _COMING_IN)).first() is not None


def is_alive(session: Session, first: AtWork) -> bool:
    """Whether the first request with an Idempotency-Key is still bringing its batch in."""
    return is_coming_in(session, str(first.noted.get("batch_id", "")))


def give_up(session: Session, batch_id: str) -> int:
    """What has been evaluated of it stays; the rest will not be. Says how many batches it was."""
    return _give_up(session, BATCH.c.id == batch_id)


def give_up_of(session: Session, receiver: str) -> int:
    """The same of all batches in the hands of an executor that is dead."""
    return _give_up(session, _receiver == receiver)


def _give_up(session: Session, which: ColumnElement[bool]) -> int:
    values = {"status": "incomplete", "finished_at": now()}
    result = session.execute(update(BATCH).where(_COMING_IN, which).values(**values))
    return cast("CursorResult[Any]", result).rowcount
