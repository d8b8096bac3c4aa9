"""Reviews for programs that read them: the newest first. A blind one says no more here than anywhere."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, select
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.access.rows import reviews_within
from callgrade.db.tables import Review
from callgrade.domain.frozen import Frozen
from callgrade.domain.reviews import Decision
from callgrade.evaluations.tables import CALL, EVALUATION
from callgrade.reviews import repository
from callgrade.reviews.tables import REVIEW, USER
from callgrade.reviews.views import SAMPLE


class ReviewFilters(Frozen):
    """All that are given must hold."""

    state: str | None = None
    why: str | None = None
    rubric: str | None = None
    team: str | None = None
    agent: str | None = None
    evaluation: str | None = None


class ReviewRow(NamedTuple):
    """`call_id` is the server's, `shown_call_id` the client's own; `reviewer` is a login. `why` is what may be told."""

    review: Review
    call_id: str
    shown_call_id: str
    reviewer: str | None

    @property
    def why(self) -> str:
        return SAMPLE if self.review.blind else self.review.why


def page(
    session: Session, principal: Principal, filters: ReviewFilters, *, after: str | None, limit: int
) -> list[ReviewRow]:
    """`after` is the last id of the page before."""
    wanted: list[ColumnElement[bool]] = [
        reviews_within(principal),
        *(
            column == value
            for column, value in (
                (REVIEW.c.state, filters.state),
                (REVIEW.c.rubric_id, filters.rubric),
                (REVIEW.c.team, filters.team),
                (REVIEW.c.agent_id, filters.agent),
                (REVIEW.c.evaluation_id, filters.evaluation),
            )
            if value is not None
        ),
    ]
    if filters.why == SAMPLE:
        wanted.append((REVIEW.c.why == SAMPLE) | REVIEW.c.blind)
    elif filters.why is not None:
        wanted.append((REVIEW.c.why == filters.why) & REVIEW.c.blind.is_(False))
    if after is not None:
        wanted.append(REVIEW.c.id < after)
    return _rows(session, wanted, limit)


def find(session: Session, principal: Principal, id_: str) -> tuple[ReviewRow, list[Decision]]:
    """With the log of its decisions. Raises UnknownResourceError."""
    review = repository.find(session, principal, "reviews:read", id_)
    return row_of(session, review.id), repository.decisions(session, review.id)


def row_of(session: Session, review_id: str) -> ReviewRow:
    """Of a review that is known to be there."""
    (row,) = _rows(session, [REVIEW.c.id == review_id], 1)
    return row


def logins(session: Session, user_ids: set[str]) -> dict[str, str]:
    rows = session.execute(select(USER.c.id, USER.c.login).where(USER.c.id.in_(user_ids)))
    return {row.id: row.login for row in rows}


def _rows(session: Session, wanted: Sequence[ColumnElement[bool]], limit: int) -> list[ReviewRow]:
    statement = (
        select(Review, EVALUATION.c.call_id, CALL.c.call_id.label("shown"), USER.c.login)
        .join(EVALUATION, EVALUATION.c.id == REVIEW.c.evaluation_id)
        .join(CALL, CALL.c.id == EVALUATION.c.call_id)
        .outerjoin(USER, USER.c.id == REVIEW.c.reviewer_id)
        .where(*wanted)
        .order_by(REVIEW.c.id.desc())
        .limit(limit)
    )
    return [ReviewRow(row.Review, row.call_id, row.shown, row.login) for row in session.execute(statement)]
