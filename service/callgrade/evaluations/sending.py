"""What the sender of webhooks keeps in the database: which delivery is whose turn, and how each attempt ended."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import bindparam, func, select, text, update
from sqlmodel import Session

from callgrade.evaluations.tables import DELIVERY, WEBHOOK

LEASE = timedelta(seconds=60)
"""How long an attempt may be under way before somebody else may begin the next one; longer than any attempt takes."""
WAITING = text("delivery.status = 'waiting'")
"""Said as the index of due deliveries says it; a parameter in its place would not use that index."""
ERASED = {"erased": True}
"""What is left of a payload whose call was erased, or whose time is over."""
AT_ONCE = 500


class Due(NamedTuple):
    """A webhook with something to be sent to it. `dead`: nobody wants it there any more."""

    webhook_id: str
    url: str
    secret: str
    dead: bool


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


class Outcome(NamedTuple):
    """How an attempt ended. `answered` is the HTTP status, None where nobody answered; one that is no `receipt` is
    made again at `again_at`, or never where that is None. `gone`: its receiver wants nothing any more."""

    parcel: Parcel
    answered: int | None
    receipt: bool
    gone: bool = False
    again_at: datetime | None = None


def due(session: Session, at: datetime) -> list[Due]:
    """Webhooks with deliveries whose turn has come, the longest overdue first."""
    oldest = (
        select(func.min(DELIVERY.c.next_at)).where(DELIVERY.c.webhook_id == WEBHOOK.c.id, WAITING).scalar_subquery()
    )
    rows = session.execute(
        select(WEBHOOK.c.id, WEBHOOK.c.url, WEBHOOK.c.secret, WEBHOOK.c.disabled_at)
        .where(oldest <= at)
        .order_by(oldest)
    )
    return [Due(row.id, row.url, row.secret, row.disabled_at is not None) for row in rows]


def take(session: Session, due: Due, at: datetime, most: int) -> list[Parcel]:
    """The next attempts at up to `most` deliveries, which are the caller's until LEASE is over. What was erased, and
    what a dead webhook still had to get, is given up instead."""
    if due.dead:
        _give_up(session, due.webhook_id, at)
        return []
    turn = (
        select(DELIVERY.c.id)
        .where(DELIVERY.c.webhook_id == due.webhook_id, WAITING, DELIVERY.c.next_at <= at)
        .order_by(DELIVERY.c.next_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte()
    )
    rows = session.execute(
        update(DELIVERY)
        .where(DELIVERY.c.id.in_(select(turn.c.id)))
        .values(attempts=DELIVERY.c.attempts + 1, next_at=at + LEASE)
        .returning(*(DELIVERY.c[name] for name in ("id", "event_id", "event", "payload", "attempts")))
    ).all()
    erased = [row.id for row in rows if row.payload == ERASED]
    if erased:
        session.execute(update(DELIVERY).where(DELIVERY.c.id.in_(erased)).values(status="given_up", next_at=None))
    return [
        Parcel(row.id, due.webhook_id, due.url, due.secret, row.event_id, row.event, row.payload, row.attempts)
        for row in rows
        if row.payload != ERASED
    ]


def settle(session: Session, outcomes: Sequence[Outcome], at: datetime) -> None:
    """Many at once. A receipt is one, however late it comes; a failure counts unless a later attempt is under way."""
    receipts: dict[int | None, list[str]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.receipt:
            receipts[outcome.answered].append(outcome.parcel.delivery_id)
    for answered, ids in receipts.items():
        session.execute(
            update(DELIVERY)
            .where(DELIVERY.c.id.in_(ids), WAITING)
            .values(status="delivered", answered=answered, delivered_at=at, next_at=None)
        )
    _missed(session, [outcome for outcome in outcomes if not outcome.receipt])
    for webhook_id in {outcome.parcel.webhook_id for outcome in outcomes if outcome.gone}:
        disable(session, webhook_id, at)


def disable(session: Session, webhook_id: str, at: datetime) -> None:
    """Nothing is sent there any more."""
    session.execute(
        update(WEBHOOK).where(WEBHOOK.c.id == webhook_id, WEBHOOK.c.disabled_at.is_(None)).values(disabled_at=at)
    )


def _missed(session: Session, outcomes: Iterable[Outcome]) -> None:
    rows = [
        {
            "of": outcome.parcel.delivery_id,
            "attempt": outcome.parcel.attempt,
            "to": "waiting" if outcome.again_at else "given_up",
            "said": outcome.answered,
            "again": outcome.again_at,
        }
        for outcome in outcomes
    ]
    if rows:
        session.connection().execute(
            update(DELIVERY)
            .where(DELIVERY.c.id == bindparam("of"), DELIVERY.c.attempts == bindparam("attempt"), WAITING)
            .values(status=bindparam("to"), answered=bindparam("said"), next_at=bindparam("again")),
            rows,
        )


def _give_up(session: Session, webhook_id: str, at: datetime) -> None:
    turn = select(DELIVERY.c.id).where(DELIVERY.c.webhook_id == webhook_id, WAITING, DELIVERY.c.next_at <= at)
    session.execute(
        update(DELIVERY)
        .where(DELIVERY.c.id.in_(turn.limit(AT_ONCE).with_for_update(skip_locked=True).cte().select()))
        .values(status="given_up", next_at=None)
    )
