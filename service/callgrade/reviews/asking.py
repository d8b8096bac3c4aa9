"""Asking for a review of one call: because somebody picked it, or because somebody complained about its score.

A call whose score is not published yet gets the review that it will be published by. One whose score stands is checked
again, by somebody who had no part in it; finishing the check publishes the next revision.
"""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.access.rows import evaluations_within
from callgrade.db.tables import Evaluation, Review, User
from callgrade.domain.errors import ConflictError, UnknownResourceError
from callgrade.evaluations.tables import CALL, EVALUATION
from callgrade.reviews import repository, sampling_repository
from callgrade.reviews.appeals_repository import judged_by
from callgrade.reviews.assignment import Roster, check_reviewer
from callgrade.reviews.publishing import COMPLAINT
from callgrade.reviews.tables import REVIEW

Asked = Literal["picked", "complaint"]
WAITING = ("proposed", "in_review")


def ask(
    session: Session,
    principal: Principal,
    evaluation_id: str,
    *,
    why: Asked,
    due_at: datetime,
    reviewer_id: str | None = None,
    to_pool: bool = False,
) -> Review:
    """The new review: `reviewer_id`'s, else of whoever has the least to do, else the pool's.

    Raises UnknownResourceError, and ConflictError where nothing is proposed, where somebody is to look at it anyway,
    for whoever may not review it, and for a published score that nobody complained about.
    """
    principal.reach("sampling:write")
    evaluation = _within(session, principal, evaluation_id)
    if evaluation.status not in (*WAITING, "published"):
        raise ConflictError(f"the evaluation is {evaluation.status}; nothing is proposed yet that could be reviewed")
    if evaluation.status == "published" and why != COMPLAINT:
        raise ConflictError("its score is published; it is only checked again because of a complaint")
    open_ = [row for row in _reviews(session, evaluation) if row.state == "open" and (row.slot == 0 or row.why == why)]
    if open_:
        raise ConflictError("somebody is to review it already; see the queue")
    others = sampling_repository.reviewers_of(session, evaluation.id) | judged_by(session, evaluation.id)
    if reviewer_id is not None:
        check_reviewer(principal, session.get(User, reviewer_id), evaluation.agent_id, others)
    elif not to_pool:
        reviewer_id = Roster(sampling_repository.reviewers(session, principal.client_id)).next(
            evaluation, without=others
        )
    return _create(session, principal, evaluation, why, due_at, reviewer_id)


def _create(
    session: Session, principal: Principal, evaluation: Evaluation, why: Asked, due_at: datetime, to: str | None
) -> Review:
    slot = sampling_repository.next_slot(session, evaluation.id, evaluation.attempt)
    values: dict[str, Any] = {"slot": slot, "due_at": due_at, "why": why, "reviewer_id": to}
    if not repository.create(session, evaluation, **values):
        raise ConflictError("somebody asked for it at the same moment; see the queue")
    found = next(row for row in _reviews(session, evaluation) if row.slot == slot)
    audit.record(session, principal, "review.asked", found.id, {"evaluation": evaluation.id, "why": why, "to": to})
    return found


def _within(session: Session, principal: Principal, evaluation_id: str) -> Evaluation:
    # held: two complaints at once are one check
    statement = (
        select(Evaluation)
        .join(CALL, CALL.c.id == EVALUATION.c.call_id)
        .where(
            EVALUATION.c.id == evaluation_id,
            evaluations_within(principal, "sampling:write"),
            CALL.c.erased_at.is_(None),
        )
        .with_for_update(of=EVALUATION)
    )
    found: Evaluation | None = session.execute(statement).scalar_one_or_none()
    if found is None:
        raise UnknownResourceError("there is no such evaluation")
    return found


def _reviews(session: Session, evaluation: Evaluation) -> list[Review]:
    statement = select(Review).where(REVIEW.c.evaluation_id == evaluation.id, REVIEW.c.attempt == evaluation.attempt)
    return list(session.execute(statement.order_by(REVIEW.c.slot)).scalars())
