"""Where a client wants to be told of events, and what it was told. All SQL about webhooks but the sending's."""

import base64
import secrets
from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.db.tables import Delivery, Webhook
from callgrade.db.types import new_id, now
from callgrade.domain.errors import ConflictError, UnknownResourceError
from callgrade.evaluations.tables import DELIVERY, WEBHOOK

MOST = 20
"""Of one client; each event is sent to each."""
TEST = "webhook.test"


def add(session: Session, principal: Principal, url: str, events: Sequence[str]) -> Webhook:
    """The URL must have been checked (adapters.fetching). Raises ConflictError where the client has MOST already."""
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
    return row


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
    """(the newest first, before the id `after`; whether there are more)."""
    find(session, client_id, webhook_id)
    statement = select(Delivery).where(DELIVERY.c.webhook_id == webhook_id)
    if after is not None:
        statement = statement.where(DELIVERY.c.id < after)
    rows = session.execute(statement.order_by(DELIVERY.c.id.desc()).limit(limit + 1)).scalars().all()
    return rows[:limit], len(rows) > limit


def test(session: Session, principal: Principal, id_: str) -> Delivery:
    """A delivery of an event that means nothing."""
    hook = find(session, principal.client_id, id_)
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
    session.add(row)
    session.flush()
    return row


def redeliver(session: Session, principal: Principal, webhook_id: str, delivery_id: str) -> Delivery:
    """The same event with the same id once more, as a delivery of its own. Raises UnknownResourceError, and
    ConflictError where it is under way."""
    find(session, principal.client_id, webhook_id)
    past = session.get(Delivery, delivery_id)
    if past is None or past.webhook_id != webhook_id:
        raise UnknownResourceError("this webhook has no such delivery")
    if past.status == "waiting":
        raise ConflictError("the delivery is still under way")
    row = Delivery(
        webhook_id=webhook_id,
        client_id=past.client_id,
        event_id=past.event_id,
        event=past.event,
        payload=past.payload,
    )
    session.add(row)
    session.flush()
    return row
