"""What was published, seen and contested, in the database. Reading only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session

from callgrade.evaluations.tables import EVALUATION, STANDS
from callgrade.reviews.tables import ACKNOWLEDGEMENT, APPEAL, PUBLISHED, REVIEW, USER

Cause = Literal["review", "check", "appeal", "unread"]
"""What a revision came of: a review, a second check, an appeal; or it was published without a person's look."""


class RevisionRow(NamedTuple):
    number: int
    cause: Cause
    at: datetime
    by: str
    """A person's name; empty for callgrade itself."""
    content: str


class Marks(NamedTuple):
    """What a list says of a published evaluation. `appeals` are states, in the order in which they were filed."""

    revision: int
    published_at: datetime
    acknowledged: bool
    appeals: tuple[str, ...]


def revisions(session: Session, evaluation_id: str) -> list[RevisionRow]:
    """The newest first."""
    rows = session.execute(
        select(PUBLISHED, REVIEW.c.slot, USER.c.name, USER.c.login)
        .outerjoin(REVIEW, REVIEW.c.id == PUBLISHED.c.review_id)
        .outerjoin(USER, PUBLISHED.c.published_by == "user:" + USER.c.id)
        .where(PUBLISHED.c.evaluation_id == evaluation_id)
        .order_by(PUBLISHED.c.revision.desc())
    )
    return [
        RevisionRow(row.revision, _cause(row), row.published_at, row.name or row.login or "", row.content)
        for row in rows
    ]


def is_acknowledged(session: Session, evaluation_id: str, user_id: str | None) -> bool:
    """Whether the user has seen the newest revision."""
    newest = select(func.max(PUBLISHED.c.revision)).where(PUBLISHED.c.evaluation_id == evaluation_id).scalar_subquery()
    seen = select(ACKNOWLEDGEMENT.c.at).where(
        ACKNOWLEDGEMENT.c.evaluation_id == evaluation_id,
        ACKNOWLEDGEMENT.c.revision == newest,
        ACKNOWLEDGEMENT.c.user_id == user_id,
    )
    return session.execute(seen).scalar_one_or_none() is not None


def marks(session: Session, evaluation_ids: Sequence[str], user_id: str | None) -> dict[str, Marks]:
    """By evaluation, for those that were published."""
    newest = (
        select(PUBLISHED.c.evaluation_id, func.max(PUBLISHED.c.revision).label("revision"))
        .where(PUBLISHED.c.evaluation_id.in_(evaluation_ids))
        .group_by(PUBLISHED.c.evaluation_id)
        .subquery()
    )
    rows = session.execute(
        select(PUBLISHED.c.evaluation_id, PUBLISHED.c.revision, PUBLISHED.c.published_at, ACKNOWLEDGEMENT.c.at)
        .join(
            newest, (newest.c.evaluation_id == PUBLISHED.c.evaluation_id) & (newest.c.revision == PUBLISHED.c.revision)
        )
        .outerjoin(
            ACKNOWLEDGEMENT,
            (ACKNOWLEDGEMENT.c.evaluation_id == PUBLISHED.c.evaluation_id)
            & (ACKNOWLEDGEMENT.c.revision == PUBLISHED.c.revision)
            & (ACKNOWLEDGEMENT.c.user_id == user_id),
        )
    )
    states: dict[str, list[str]] = {}
    contested = select(APPEAL.c.evaluation_id, APPEAL.c.state).where(APPEAL.c.evaluation_id.in_(evaluation_ids))
    for row in session.execute(contested.order_by(APPEAL.c.id)):
        states.setdefault(row.evaluation_id, []).append(row.state)
    return {
        row.evaluation_id: Marks(
            row.revision, row.published_at, row.at is not None, tuple(states.get(row.evaluation_id, ()))
        )
        for row in rows
    }


def unseen(session: Session, client_id: str, agent_id: str, user_id: str | None) -> int:
    """How many published evaluations of an agent the user has not acknowledged in their newest revision; counts to
    1000."""
    newest = select(func.max(PUBLISHED.c.revision)).where(PUBLISHED.c.evaluation_id == EVALUATION.c.id)
    seen = (
        select(ACKNOWLEDGEMENT.c.at)
        .where(
            ACKNOWLEDGEMENT.c.evaluation_id == EVALUATION.c.id,
            ACKNOWLEDGEMENT.c.revision == newest.scalar_subquery(),
            ACKNOWLEDGEMENT.c.user_id == user_id,
        )
        .exists()
    )
    mine = (
        select(EVALUATION.c.id)
        .where(
            EVALUATION.c.client_id == client_id,
            EVALUATION.c.agent_id == agent_id,
            EVALUATION.c.status == "published",
            STANDS,
            ~seen,
        )
        .limit(1000)
        .subquery()
    )
    return int(session.execute(select(func.count()).select_from(mine)).scalar_one())


def _cause(row: object) -> Cause:
    if getattr(row, "appeal_id", None) is not None:
        return "appeal"
    slot = getattr(row, "slot", None)
    if slot is None:
        return "unread"
    return "check" if slot else "review"
