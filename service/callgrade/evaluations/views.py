"""What is shown beside the rows themselves. Reading only."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session

from callgrade.db.tables import Evaluation
from callgrade.db.tables.webhooks import WAITING
from callgrade.db.types import now
from callgrade.evaluations.chunks import WORKING
from callgrade.evaluations.statuses import OPEN
from callgrade.evaluations.tables import BATCH, BATCH_CHUNK, CALL, DELIVERY, EVALUATION, SCORECARD, WEBHOOK


class Waiting(NamedTuple):
    """How many evaluations have a status, and how long the oldest of them has had it; or lines of batches."""

    number: int
    oldest_s: float


def client_call_ids(session: Session, rows: Iterable[Evaluation]) -> dict[str, str]:
    """The client's own id of each evaluation's call, by the server's."""
    wanted = {row.call_id for row in rows}
    found = session.execute(select(CALL.c.id, CALL.c.call_id).where(CALL.c.id.in_(wanted)))
    return {row.id: row.call_id for row in found}


def scorecard_text(session: Session, evaluation: Evaluation) -> str | None:
    """The current attempt's scorecard as it is stored: callgrade.scorecard/1."""
    here = (SCORECARD.c.evaluation_id == evaluation.id) & (SCORECARD.c.attempt == evaluation.attempt)
    text: str | None = session.execute(select(SCORECARD.c.content).where(here)).scalar_one_or_none()
    return text


def waiting_by_status(session: Session) -> dict[str, Waiting]:
    """All of the machine's statuses, those that nothing has as well."""
    status, since = EVALUATION.c.status, func.min(EVALUATION.c.updated_at)
    rows = session.execute(select(status, func.count(), since).where(status.in_(OPEN)).group_by(status)).all()
    moment = now()
    found = {name: Waiting(count, max(0.0, (moment - oldest).total_seconds())) for name, count, oldest in rows}
    return {name: found.get(name, Waiting(0, 0.0)) for name in OPEN}


def lines_waiting(session: Session) -> Waiting:
    """Lines of batches in chunks that are not done, and how long ago the oldest of these batches came in. A line has no
    evaluation before it is graded, so `waiting_by_status` knows nothing of it."""
    number, since = session.execute(
        select(func.coalesce(func.sum(BATCH_CHUNK.c.lines), 0), func.min(BATCH.c.created_at))
        .join(BATCH, BATCH.c.id == BATCH_CHUNK.c.batch_id)
        .where(BATCH.c.status.in_(WORKING), BATCH_CHUNK.c.status == "queued")
    ).one()
    return Waiting(number, 0.0 if since is None else max(0.0, (now() - since).total_seconds()))


def deliveries_waiting(session: Session) -> Waiting:
    """Of webhooks that may be sent to: events that no receiver has taken yet, and how old the oldest is."""
    number, since = session.execute(
        select(func.count(), func.min(DELIVERY.c.created_at))
        .join(WEBHOOK, WEBHOOK.c.id == DELIVERY.c.webhook_id)
        .where(WAITING)
    ).one()
    return Waiting(number, 0.0 if since is None else max(0.0, (now() - since).total_seconds()))
