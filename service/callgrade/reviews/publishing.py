"""What stands: a scorecard that people answer for, revision by revision. Nothing published is ever changed."""

from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.db.tables import Evaluation, Review
from callgrade.db.types import now
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations import corrected, outbox
from callgrade.evaluations.outbox import evaluation_event
from callgrade.evaluations.repository import card_copies, flag_rows, points
from callgrade.evaluations.statuses import before
from callgrade.evaluations.tables import CALL, EVALUATION, FLAG
from callgrade.reviews.tables import FINDING, PUBLISHED

COMPLAINT = "complaint"


def publish(
    session: Session,
    principal: Principal,
    evaluation: Evaluation,
    card: Scorecard,
    *,
    review_id: str | None = None,
    appeal_id: str | None = None,
) -> int:
    """Appends the next revision and says its number. What lists and reports read is copied beside it."""
    revision = latest_revision(session, evaluation.id) + 1
    moment = now()
    session.execute(
        insert(PUBLISHED).values(
            evaluation_id=evaluation.id,
            revision=revision,
            content=card.model_dump_json(by_alias=True),
            review_id=review_id,
            appeal_id=appeal_id,
            published_by=principal.actor,
            published_at=moment,
        )
    )
    session.execute(
        update(EVALUATION)
        .where(EVALUATION.c.id == evaluation.id, EVALUATION.c.status.in_((*before("published"), "published")))
        .values(status="published", updated_at=moment, **card_copies(card))
    )
    corrected.stand(session, evaluation.id)
    _replace_flags(session, evaluation, card)
    _replace_findings(session, evaluation, card)
    facts = {"revision": revision, "review": review_id, "appeal": appeal_id, "total": points(_total(card))}
    audit.record(session, principal, outbox.PUBLISHED, evaluation.id, facts)
    call_id = session.execute(select(CALL.c.call_id).where(CALL.c.id == evaluation.call_id)).scalar_one()
    told: dict[str, Any] = {"revision": revision, "total": _total(card), "passed": card.passed}
    event = evaluation_event(outbox.PUBLISHED, evaluation.id, evaluation.attempt, evaluation.call_id, call_id, told)
    outbox.tell(session, evaluation.client_id, [event._replace(turn=1000 * evaluation.attempt + revision)])
    return revision


def latest_revision(session: Session, evaluation_id: str) -> int:
    """0 where nothing was published."""
    statement = select(func.max(PUBLISHED.c.revision)).where(PUBLISHED.c.evaluation_id == evaluation_id)
    return session.execute(statement).scalar_one() or 0


def published(session: Session, evaluation_id: str, revision: int | None = None) -> tuple[int, Scorecard] | None:
    """(revision, scorecard), the newest without a number; None where there is none."""
    statement = select(PUBLISHED.c.revision, PUBLISHED.c.content).where(PUBLISHED.c.evaluation_id == evaluation_id)
    if revision is not None:
        statement = statement.where(PUBLISHED.c.revision == revision)
    row = session.execute(statement.order_by(PUBLISHED.c.revision.desc()).limit(1)).one_or_none()
    return None if row is None else (row.revision, Scorecard.model_validate_json(row.content))


def is_second_check(review: Review) -> bool:
    """Whether a review looks again at what was published, because somebody complained."""
    return review.slot > 0 and review.why == COMPLAINT


def begins_from(session: Session, review: Review) -> tuple[int, Scorecard] | None:
    """What a second check looks at: (revision, scorecard) as it stands, or as it stood before the check was published.
    None for a review of a proposal."""
    if not is_second_check(review):
        return None
    own = select(PUBLISHED.c.revision).where(PUBLISHED.c.review_id == review.id)
    revision = session.execute(own).scalar_one_or_none()
    return published(session, review.evaluation_id, None if revision is None else revision - 1)


def _total(card: Scorecard) -> float | None:
    return card.total.value if card.total else None


def _replace_flags(session: Session, evaluation: Evaluation, card: Scorecard) -> None:
    session.execute(delete(FLAG).where(FLAG.c.evaluation_id == evaluation.id))
    if rows := flag_rows(evaluation.id, evaluation.client_id, card):
        session.execute(insert(FLAG), rows)


def _replace_findings(session: Session, evaluation: Evaluation, card: Scorecard) -> None:
    found = {("error", str(error.number)): error.count for error in card.errors}
    for violation in card.violations:
        key = ("violation", violation.criterion_id)
        found[key] = found.get(key, 0) + violation.count
    session.execute(delete(FINDING).where(FINDING.c.evaluation_id == evaluation.id))
    rows = [
        {
            "evaluation_id": evaluation.id,
            "kind": kind,
            "name": name,
            "client_id": evaluation.client_id,
            "number": number,
            "agent_id": evaluation.agent_id,
            "team": evaluation.team,
            "called_at": evaluation.called_at,
        }
        for (kind, name), number in found.items()
    ]
    if rows:
        session.execute(insert(FINDING), rows)
