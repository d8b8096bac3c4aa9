"""What the sender of webhooks keeps in the database: which delivery is whose turn, and how each attempt ended."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select, update
from sqlmodel import Session

from callgrade.evaluations.tables import DELIVERY, WEBHOOK

LEASE = timedelta(seconds=60)
"""How long an attempt may be under way before somebody else may begin the next one; longer than any attempt takes."""


class Parcel(NamedTuple):
    """One attempt at one delivery. `attempt` counts from 1; `payload` is the whole body."""

    delivery_id: str
    webhook_id: str
    url: str
    secret: str
    event_id: str
    event: str
    payload: dict[str, Any]
    attempt: int


def take(session: Session, delivery_id: str, at: datetime) -> Parcel | datetime | None:
    """The next attempt, which is the caller's from now on; or the moment it is due; or None where there is nothing to
    be sent (any more): delivered, given up, its webhook removed or disabled."""
    row = session.execute(
        select(DELIVERY, WEBHOOK.c.url, WEBHOOK.c.secret, WEBHOOK.c.disabled_at)
        .join(WEBHOOK, WEBHOOK.c.id == DELIVERY.c.webhook_id)
        .where(DELIVERY.c.id == delivery_id)
    ).one_or_none()
    if row is None or row.status != "waiting":
        return None
    if row.disabled_at is not None:
        _change(session, delivery_id, row.attempts, status="given_up", next_at=None)
        return None
    if row.next_at is not None and row.next_at > at:
        waiting_until: datetime = row.next_at
        return waiting_until
    if not _change(session, delivery_id, row.attempts, attempts=row.attempts + 1, next_at=at + LEASE):
        # somebody took it in this moment
        return at + LEASE
    return Parcel(
        delivery_id=delivery_id,
        webhook_id=row.webhook_id,
        url=row.url,
        secret=row.secret,
        event_id=row.event_id,
        event=row.event,
        payload=row.payload,
        attempt=row.attempts + 1,
    )


def delivered(session: Session, parcel: Parcel, answered: int, at: datetime) -> None:
    """A receipt is one, however late it comes."""
    session.execute(
        update(DELIVERY)
        .where(DELIVERY.c.id == parcel.delivery_id, DELIVERY.c.status == "waiting")
        .values(status="delivered", answered=answered, delivered_at=at, next_at=None)
    )


def missed(session: Session, parcel: Parcel, answered: int | None, again_at: datetime | None) -> None:
    """To be tried again at `again_at`, or given up; unless a later attempt is under way already."""
    status = "waiting" if again_at else "given_up"
    _change(session, parcel.delivery_id, parcel.attempt, status=status, answered=answered, next_at=again_at)


def disable(session: Session, webhook_id: str, at: datetime) -> None:
    """Nothing is sent there any more."""
    session.execute(
        update(WEBHOOK).where(WEBHOOK.c.id == webhook_id, WEBHOOK.c.disabled_at.is_(None)).values(disabled_at=at)
    )


def _change(session: Session, delivery_id: str, attempt: int, **values: Any) -> bool:
    """Whether it was still waiting and in this attempt."""
    result: Any = session.execute(
        update(DELIVERY)
        .where(DELIVERY.c.id == delivery_id, DELIVERY.c.attempts == attempt, DELIVERY.c.status == "waiting")
        .values(**values)
    )
    return bool(result.rowcount)
