"""Reviews that wait for a proposal, in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlmodel import Session

from callgrade.db.tables import Evaluation, Review
from callgrade.evaluations.tables import CLIENT, EVALUATION
from callgrade.reviews.repository import AWAITING
from callgrade.reviews.tables import REVIEW


def open_ones(session: Session, evaluation_id: str) -> Sequence[Review]:
    """The open reviews of an evaluation, by slot; nobody else changes them until the session ends."""
    statement = select(Review).where(REVIEW.c.evaluation_id == evaluation_id, REVIEW.c.state == "open")
    return session.execute(statement.order_by(REVIEW.c.slot, REVIEW.c.id).with_for_update()).scalars().all()


def wait(session: Session, evaluation: Evaluation, *, slot: int, due_at: datetime, why: str, **values: Any) -> str:
    """A review of what will be proposed, by its id."""
    row = Review(
        client_id=evaluation.client_id,
        evaluation_id=evaluation.id,
        attempt=evaluation.attempt,
        slot=slot,
        why=why,
        state=AWAITING,
        due_at=due_at,
        rubric_id=evaluation.rubric_id,
        agent_id=evaluation.agent_id,
        team=evaluation.team,
        called_at=evaluation.called_at,
        **values,
    )
    session.add(row)
    session.flush()
    return row.id


def withdraw(session: Session, review_id: str) -> None:
    session.execute(
        update(REVIEW).where(REVIEW.c.id == review_id).values(state="withdrawn", claimed_by=None, claimed_until=None)
    )


def some_are_ready(session: Session) -> bool:
    return session.execute(select(REVIEW.c.id).where(*_ready()).limit(1)).first() is not None


def open_ready(session: Session) -> int:
    """Of the attempt that gave the proposal, which need not be the first."""
    attempt = select(EVALUATION.c.attempt).where(EVALUATION.c.id == REVIEW.c.evaluation_id).scalar_subquery()
    result: Any = session.execute(update(REVIEW).where(*_ready()).values(state="open", attempt=attempt))
    return int(result.rowcount)


def _ready() -> tuple[Any, ...]:
    proposed = exists().where(EVALUATION.c.id == REVIEW.c.evaluation_id, EVALUATION.c.status == "proposed")
    # by client, as the index begins with it
    return REVIEW.c.client_id.in_(select(CLIENT.c.id)), REVIEW.c.state == AWAITING, proposed
