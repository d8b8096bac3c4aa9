"""Where a client wants to be told of events, and what it was told. All SQL about webhooks but the sending's."""

import base64
import secrets
from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import String, delete, func, select, tuple_
from sqlmodel import Session

from callgrade.access import audit, requests
from callgrade.access.principals import Principal
from callgrade.db.session import announce
from callgrade.db.tables import Delivery, Webhook
from callgrade.db.types import Moment, new_id, now
from callgrade.domain.errors import ConflictError, GoneError, InputError, UnknownResourceError
from callgrade.evaluations.intake import Once, answered
from callgrade.evaluations.outbox import DELIVERIES
from callgrade.evaluations.sending import ERASED
from callgrade.evaluations.tables import DELIVERY, WEBHOOK

MOST = 20
"""Of one client; each event is sent to each."""
TEST = "webhook.test"
R = TypeVar("R", Webhook, Delivery)


def add(session: Session, principal: Principal, url: str, events: Sequence[str], once: Once | None = None) -> Webhook:
    """The URL must have been checked (calls.urls). Raises ConflictError where the client has MOST already, GoneError
    where what the same request made before has been removed."""
    if (before := _before(session, principal, once, Webhook)) is not None:
        return before
    statement = select(func.count()).select_from(WEBHOOK).where(WEBHOOK.c.client_id == principal.client_id)
    if session.execute(statement).scalar_one() >= MOST:
        raise ConflictError(f"there are {MOST} webhooks already; remove one first")
    row = Webhook(
        client_id=principal.client_id,
        url=url,
        secret="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        events=list(dict.fromkeys(events)),
    )
    session.add(row)
    session.flush()
    audit.record(session, principal, "webhook.added", row.id)
    return _made(session, principal, once, row)


def list_all(session: Session, client_id: str) -> Sequence[Webhook]:
    """The newest first."""
    statement = select(Webhook).where(WEBHOOK.c.client_id == client_id).order_by(WEBHOOK.c.id.desc())
    return session.execute(statement).scalars().all()


def find(session: Session, client_id: str, id_: str) -> Webhook:
    """Raises UnknownResourceError, for another client's webhook too."""
    found = session.get(Webhook, id_)
    if found is None or found.client_id != client_id:
        raise UnknownResourceError("there is no such webhook")
    return found


def remove(session: Session, principal: Principal, id_: str) -> None:
    """With the log of its deliveries; what is still to be sent is not sent any more."""
    find(session, principal.client_id, id_)
    session.execute(delete(DELIVERY).where(DELIVERY.c.webhook_id == id_))
    session.execute(delete(WEBHOOK).where(WEBHOOK.c.id == id_))
    audit.record(session, principal, "webhook.removed", id_)


def deliveries(
    session: Session, client_id: str, webhook_id: str, *, after: str | None, limit: int
) -> tuple[Sequence[Delivery], bool]:
    """(the newest first, behind the one with the id `after`; whether there are more). Raises InputError where there is
    no such one. Ids say nothing of when: an event's are derived from what happened."""
    find(session, client_id, webhook_id)
    statement = select(Delivery).where(DELIVERY.c.webhook_id == webhook_id)
    place = tuple_(DELIVERY.c.created_at, DELIVERY.c.id)
    if after is not None:
        last = session.get(Delivery, after)
        if last is None or last.webhook_id != webhook_id:
            raise InputError("the cursor is not one of this list: begin again without it")
        statement = statement.where(place < tuple_(last.created_at, last.id, types=(Moment, String)))
    newest = (DELIVERY.c.created_at.desc(), DELIVERY.c.id.desc())
    rows = session.execute(statement.order_by(*newest).limit(limit + 1)).scalars().all()
    return rows[:limit], len(rows) > limit


def send_test(session: Session, principal: Principal, id_: str, once: Once | None = None) -> Delivery:
    """A delivery of an event that means nothing."""
    hook = find(session, principal.client_id, id_)
    if (before := _before(session, principal, once, Delivery)) is not None:
        return before
    event_id, moment = new_id(), now()
    payload = {"id": event_id, "type": TEST, "timestamp": moment.isoformat(), "data": {"webhook_id": hook.id}}
    row = Delivery(
        webhook_id=hook.id,
        client_id=hook.client_id,
        event_id=event_id,
        event=TEST,
        payload=payload,
        created_at=moment,
    )
    return _sent(session, principal, once, row)


def redeliver(
    session: Session, principal: Principal, webhook_id: str, delivery_id: str, once: Once | None = None
) -> Delivery:
    """The same event with the same id once more, as a delivery of its own. Raises UnknownResourceError, ConflictError
    where it is under way, and GoneError where what it said was erased."""
    find(session, principal.client_id, webhook_id)
    if (before := _before(session, principal, once, Delivery)) is not None:
        return before
    past = session.get(Delivery, delivery_id)
    if past is None or past.webhook_id != webhook_id:
        raise UnknownResourceError("this webhook has no such delivery")
    if past.status == "waiting":
        raise ConflictError("the delivery is still under way")
    if past.payload == ERASED:
        raise GoneError("what this delivery said has been erased")
    row = Delivery(
        webhook_id=webhook_id,
        client_id=past.client_id,
        call_id=past.call_id,
        event_id=past.event_id,
        event=past.event,
        payload=past.payload,
    )
    return _sent(session, principal, once, row)


def _sent(session: Session, principal: Principal, once: Once | None, row: Delivery) -> Delivery:
    session.add(row)
    session.flush()
    announce(session, DELIVERIES)
    return _made(session, principal, once, row)


def _made(session: Session, principal: Principal, once: Once | None, row: R) -> R:
    # its id alone: a webhook's secret stands in one place
    if once is not None:
        requests.finish(session, principal.client_id, once.key, 202, {"made": row.id})
    return row


def _before(session: Session, principal: Principal, once: Once | None, kind: type[R]) -> R | None:
    """What the same request made before, as it is now; None where this is the first."""
    if once is None or (answer := answered(session, principal, once)) is None:
        return None
    row = session.get(kind, answer["made"])
    if row is None:
        raise GoneError("Idempotency-Key: what the first request with it made has been removed")
    return row
