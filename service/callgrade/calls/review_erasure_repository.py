"""The SQL of what the review desk keeps of a call, emptied when the call goes, or the words of its scorecards.

Points, outcomes, states, moments and who it was stay: they are figures, and statistics count them.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, delete, update
from sqlmodel import Session, col, select

from callgrade.db.tables import Appeal, Outline, PublishedScorecard, Review, ReviewDecision, ReviewDraft

_AS_IT_IS = {"synchronize_session": False}


def drop_outlines(session: Session, call_ids: Sequence[str]) -> None:
    """What shows where somebody spoke; without its recording it is of no use either."""
    session.execute(delete(Outline).where(col(Outline.call_id).in_(call_ids)), execution_options=_AS_IT_IS)


def published(session: Session, evaluation_ids: Sequence[str]) -> Sequence[PublishedScorecard]:
    wanted = select(PublishedScorecard).where(col(PublishedScorecard.evaluation_id).in_(evaluation_ids))
    return session.exec(wanted).all()


def set_published(session: Session, row: PublishedScorecard, content: str | None) -> None:
    """None: the row goes."""
    if content is None:
        session.delete(row)
    else:
        row.content = content
        session.add(row)


def blank_reviews(session: Session, evaluation_ids: Sequence[str], instead: str) -> None:
    """Reasons and evidence of decisions, and what is half typed. What was still open has nothing left to look at."""
    mine = select(Review.id).where(col(Review.evaluation_id).in_(evaluation_ids))
    reviews = (col(Review.evaluation_id).in_(evaluation_ids), col(Review.state).in_(("open", "awaiting")))
    # a decision that says why must go on saying something, or it could not be read any more
    reason = case((col(ReviewDecision.reason) == "", ""), else_=instead)
    for statement in (
        delete(ReviewDraft).where(col(ReviewDraft.review_id).in_(mine)),
        update(ReviewDecision).where(col(ReviewDecision.review_id).in_(mine)).values(reason=reason, evidence=[]),
        update(Review).where(*reviews).values(state="withdrawn", claimed_by=None, claimed_until=None),
    ):
        session.execute(statement, execution_options=_AS_IT_IS)


def blank_appeals(session: Session, evaluation_ids: Sequence[str], instead: str, at: datetime) -> None:
    """What was contested and answered in words, and where in the call. Nobody can decide an open one any more."""
    mine = col(Appeal.evaluation_id).in_(evaluation_ids)
    answer = case((col(Appeal.decision).is_(None), None), else_=instead)
    session.execute(
        update(Appeal).where(mine).values(reason=instead, decision=answer, at_ms=None), execution_options=_AS_IT_IS
    )
    session.execute(
        update(Appeal).where(mine, col(Appeal.state) == "open").values(state="withdrawn", decided_at=at),
        execution_options=_AS_IT_IS,
    )
