"""What clients are told: an event becomes a delivery for each of their webhooks, in the transaction that made it true.

All ids are derived, so that whatever is done twice after a crash tells nothing twice: an event's from what happened, a
delivery's from the event and the webhook.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from sqlalchemy import select
from sqlmodel import Session

from callgrade.db.session import announce
from callgrade.db.types import now
from callgrade.evaluations.repository import insert_new
from callgrade.evaluations.tables import DELIVERY, WEBHOOK

PROPOSED, PUBLISHED, FAILED = "evaluation.proposed", "evaluation.published", "evaluation.failed"
BATCH_DONE = "batch.done"
APPEAL_FILED, APPEAL_DECIDED, APPEAL_WITHDRAWN = "appeal.filed", "appeal.decided", "appeal.withdrawn"
ALERT_RAISED = "alert.raised"
EVENTS = (PROPOSED, PUBLISHED, FAILED, BATCH_DONE, APPEAL_FILED, APPEAL_DECIDED, APPEAL_WITHDRAWN, ALERT_RAISED)
DELIVERIES = "deliveries"
"""What is announced (db.session) when there are new ones."""
_NAMESPACE = UUID("6b9a2d58-3c0f-5c53-8e44-6c1f7c1a9f10")


class Event(NamedTuple):
    """`subject` and `turn` together happen once: an evaluation and its attempt, a batch, an appeal, an alert. `data`
    holds ids, statuses and numbers, and nothing that was said or written. `call` is the server's id of the call that it
    is about."""

    name: str
    subject: str
    turn: int
    data: dict[str, Any]
    call: str | None = None

    @property
    def id(self) -> str:
        return uuid5(_NAMESPACE, f"{self.name}/{self.subject}/{self.turn}").hex


def tell(session: Session, client_id: str, events: Sequence[Event]) -> None:
    """Each of the client's webhooks that asks for these events is to be sent them."""
    if not events:
        return
    hooks = session.execute(
        select(WEBHOOK.c.id, WEBHOOK.c.events).where(WEBHOOK.c.client_id == client_id, WEBHOOK.c.disabled_at.is_(None))
    ).all()
    rows = [_delivery(hook.id, client_id, event) for hook in hooks for event in events if event.name in hook.events]
    if insert_new(session, DELIVERY, rows):
        announce(session, DELIVERIES)


def evaluation_event(
    name: str, id_: str, attempt: int, call: str, call_id: str, extra: dict[str, Any] | None = None
) -> Event:
    """`call` is the server's id of the call, `call_id` the client's own."""
    data = {"evaluation_id": id_, "call_id": call_id, "attempt": attempt, **(extra or {})}
    return Event(name, id_, attempt, data, call)


def of_batch(batch_id: str | None, line: int | None) -> dict[str, Any]:
    """What an evaluation's event says beside, where it came of a batch's line."""
    return {"batch_id": batch_id, "line": line} if batch_id else {}


def _delivery(webhook_id: str, client_id: str, event: Event) -> dict[str, Any]:
    moment = now()
    return {
        "id": uuid5(_NAMESPACE, f"{webhook_id}/{event.id}").hex,
        "webhook_id": webhook_id,
        "client_id": client_id,
        "call_id": event.call,
        "event_id": event.id,
        "event": event.name,
        "payload": {"id": event.id, "type": event.name, "timestamp": moment.isoformat(), "data": event.data},
        "status": "waiting",
        "attempts": 0,
        "next_at": moment,
        "created_at": moment,
    }
