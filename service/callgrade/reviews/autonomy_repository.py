"""What may go through unread, in the database: the autonomy that stands, and what became of proposals under it.

How it is granted and taken back stands in the room of calibration.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam, exists, func, select
from sqlmodel import Session

from callgrade.db.tables import Autonomy, Evaluation
from callgrade.evaluations.tables import EVALUATION, SCORECARD, TRANSCRIPT
from callgrade.reviews.repository import insert_missing
from callgrade.reviews.sampling_repository import LOOKED_AT
from callgrade.reviews.tables import AUTONOMY, REVIEW, UNREAD


class Waiting(NamedTuple):
    """A proposal of which nothing is decided yet, with the newest words."""

    evaluation: Evaluation
    transcript: str


_ALL_STANDING = (
    select(Autonomy)
    .where(AUTONOMY.c.client_id == bindparam("client_id"), AUTONOMY.c.ended_at.is_(None))
    .order_by(AUTONOMY.c.id)
)
_STANDING = _ALL_STANDING.where(AUTONOMY.c.rubric_id == bindparam("rubric_id"))


def standing(session: Session, client_id: str, rubric_id: str | None = None) -> Sequence[Autonomy]:
    """What has not ended, of one rubric or of all."""
    about = {"client_id": client_id, "rubric_id": rubric_id}
    return session.execute(_ALL_STANDING if rubric_id is None else _STANDING, about).scalars().all()


def automatic_rubrics(session: Session) -> list[tuple[str, str, datetime]]:
    """(client, rubric, since when) where anything goes by itself at all."""
    statement = select(AUTONOMY.c.client_id, AUTONOMY.c.rubric_id, func.min(AUTONOMY.c.since)).where(
        AUTONOMY.c.state == "automatic", AUTONOMY.c.ended_at.is_(None)
    )
    rows = session.execute(statement.group_by(AUTONOMY.c.client_id, AUTONOMY.c.rubric_id))
    return [(row[0], row[1], row[2]) for row in rows]


def waiting(
    session: Session, client_id: str, rubric_id: str, since: datetime, until: datetime, limit: int
) -> list[Waiting]:
    """Proposals of that span which nobody reviews and nothing was decided about, the oldest first."""
    looked_at = exists().where(UNREAD.c.evaluation_id == EVALUATION.c.id, UNREAD.c.attempt == EVALUATION.c.attempt)
    reviewed = exists().where(REVIEW.c.evaluation_id == EVALUATION.c.id)
    more = [EVALUATION.c.finished_at < until, ~looked_at, ~reviewed]
    return proposals(session, client_id, rubric_id, since, more, limit)


def proposals(
    session: Session, client_id: str, rubric_id: str, since: datetime, more: Sequence[ColumnElement[bool]], limit: int
) -> list[Waiting]:
    """What was proposed since then and `more` holds of, the oldest first."""
    newest = (
        select(TRANSCRIPT.c.content)
        .where(TRANSCRIPT.c.call_id == EVALUATION.c.call_id)
        .order_by(TRANSCRIPT.c.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Evaluation, newest.label("words"))
        .where(
            EVALUATION.c.client_id == client_id,
            EVALUATION.c.rubric_id == rubric_id,
            EVALUATION.c.status == "proposed",
            EVALUATION.c.finished_at >= since,
            *more,
        )
        .order_by(EVALUATION.c.id)
        .limit(limit)
    )
    return [Waiting(row.Evaluation, row.words) for row in rows if row.words is not None]


def newest_proposals(session: Session, client_id: str, rubric_id: str, limit: int) -> list[tuple[str, str]]:
    """(the rubric's digest, the scorecard's text), the newest first."""
    stands = (SCORECARD.c.evaluation_id == EVALUATION.c.id) & (SCORECARD.c.attempt == EVALUATION.c.attempt)
    statement = (
        select(EVALUATION.c.rubric_digest, SCORECARD.c.content)
        .join(SCORECARD, stands)
        .where(
            EVALUATION.c.client_id == client_id, EVALUATION.c.rubric_id == rubric_id, EVALUATION.c.status.in_(LOOKED_AT)
        )
        .order_by(EVALUATION.c.id.desc())
        .limit(limit)
    )
    return [(row.rubric_digest, row.content) for row in session.execute(statement)]


def keep(session: Session, **values: Any) -> bool:
    """What became of a proposal; False where that was decided already."""
    return insert_missing(session, UNREAD, [values]) == 1


def is_reviewed(session: Session, evaluation_id: str) -> bool:
    found = select(REVIEW.c.id).where(REVIEW.c.evaluation_id == evaluation_id).limit(1)
    return session.execute(found).first() is not None
