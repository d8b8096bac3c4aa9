"""Autonomy in the database: what was granted and taken back, and the reviewed calls that it rests on."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import and_, func, select, update
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.db.tables import Autonomy, CalibrationRun, GoldenSet
from callgrade.db.tables.core import table_of
from callgrade.domain.autonomy import Key
from callgrade.domain.errors import UnknownResourceError
from callgrade.domain.reviews import Decision
from callgrade.evaluations.tables import EVALUATION, SCORECARD
from callgrade.reviews.repository import decisions_of
from callgrade.reviews.sampling_repository import LOOKED_AT, SAMPLED
from callgrade.reviews.tables import AUTONOMY, REVIEW, UNREAD

MOST_CHECKED, PAGE = 5_000, 200


class Checked(NamedTuple):
    """A call that was drawn by chance and reviewed: the proposal's text, what a person decided, and how likely it was
    to be drawn (above 0, up to 1)."""

    rubric_digest: str
    scorecard: str
    decisions: list[Decision]
    probability: float
    at: datetime


# states


def find(session: Session, principal: Principal, id_: str) -> Autonomy:
    """Raises UnknownResourceError."""
    found = session.get(Autonomy, id_)
    if found is None or found.client_id != principal.client_id:
        raise UnknownResourceError("there is no such state")
    return found


def of_key(session: Session, client_id: str, rubric_id: str, key: Key) -> Sequence[Autonomy]:
    """Everything that ever stood for a key, the oldest first."""
    same = (AUTONOMY.c[name] == value for name, value in key.model_dump().items())
    statement = select(Autonomy).where(AUTONOMY.c.client_id == client_id, AUTONOMY.c.rubric_id == rubric_id, *same)
    return session.execute(statement.order_by(AUTONOMY.c.since, AUTONOMY.c.id)).scalars().all()


def history(session: Session, client_id: str, rubric_id: str, criterion_id: str) -> Sequence[Autonomy]:
    """The newest first."""
    statement = select(Autonomy).where(
        AUTONOMY.c.client_id == client_id, AUTONOMY.c.rubric_id == rubric_id, AUTONOMY.c.criterion_id == criterion_id
    )
    return session.execute(statement.order_by(AUTONOMY.c.since.desc(), AUTONOMY.c.id.desc())).scalars().all()


def end(session: Session, id_: str, at: datetime, because: str) -> bool:
    """False where it had ended already."""
    statement = update(AUTONOMY).where(AUTONOMY.c.id == id_, AUTONOMY.c.ended_at.is_(None))
    return bool(session.execute(statement.values(ended_at=at, ended_because=because).returning(AUTONOMY.c.id)).all())


def letting_go(session: Session) -> Sequence[Autonomy]:
    """Every state of every client under which people look less than at everything."""
    wanted = AUTONOMY.c.state.in_(("assisted", "automatic"))
    return session.execute(select(Autonomy).where(wanted, AUTONOMY.c.ended_at.is_(None))).scalars().all()


# what they rest on


def find_run(session: Session, principal: Principal, id_: str) -> CalibrationRun:
    """Raises UnknownResourceError."""
    found = session.get(CalibrationRun, id_)
    if found is None or found.client_id != principal.client_id:
        raise UnknownResourceError("there is no such run")
    return found


def checked(
    session: Session, client_id: str, rubric_id: str, *, after: datetime | None = None, limit: int = MOST_CHECKED
) -> Iterator[Checked]:
    """Reviewed calls that were drawn by chance, by a sampling plan or for an audit; the oldest of the newest `limit`
    first. `after`: submitted later than that."""
    audited = and_(
        UNREAD.c.evaluation_id == REVIEW.c.evaluation_id,
        UNREAD.c.attempt == REVIEW.c.attempt,
        UNREAD.c.outcome == "audited",
    )
    probability = func.coalesce(SAMPLED.c.probability, UNREAD.c.probability)
    proposed = and_(SCORECARD.c.evaluation_id == REVIEW.c.evaluation_id, SCORECARD.c.attempt == REVIEW.c.attempt)
    statement = (
        select(
            REVIEW.c.id, REVIEW.c.submitted_at, EVALUATION.c.rubric_digest, SCORECARD.c.content,
            probability.label("probability"),
        )
        .join(EVALUATION, EVALUATION.c.id == REVIEW.c.evaluation_id)
        .join(SCORECARD, proposed)
        .outerjoin(SAMPLED, SAMPLED.c.id == REVIEW.c.sampled_id)
        .outerjoin(UNREAD, audited)
        .where(
            REVIEW.c.client_id == client_id,
            REVIEW.c.rubric_id == rubric_id,
            REVIEW.c.state == "submitted",
            REVIEW.c.slot == 0,
            probability > 0,
        )
        .order_by(REVIEW.c.submitted_at.desc(), REVIEW.c.id)
        .limit(limit)
    )  # fmt: skip
    if after is not None:
        statement = statement.where(REVIEW.c.submitted_at > after)
    rows = session.execute(statement).all()[::-1]
    for start in range(0, len(rows), PAGE):
        page = rows[start : start + PAGE]
        said = decisions_of(session, [row.id for row in page])
        for row in page:
            yield Checked(row.rubric_digest, row.content, said.get(row.id, []), row.probability, row.submitted_at)


def rubrics_in_use(session: Session, client_id: str) -> list[str]:
    """The ids of rubrics by which the client's calls were graded."""
    graded = (EVALUATION.c.client_id == client_id) & EVALUATION.c.status.in_(LOOKED_AT)
    return sorted(session.execute(select(EVALUATION.c.rubric_id).where(graded).distinct()).scalars())


def finished_runs(session: Session, client_id: str, rubric_id: str, *, held_out: bool) -> Sequence[CalibrationRun]:
    """Of the client's own golden sets, over their holdouts or over the rest; the newest first."""
    run, golden = table_of(CalibrationRun).c, table_of(GoldenSet).c
    statement = (
        select(CalibrationRun)
        .join(GoldenSet, golden.id == run.set_id)
        .where(
            run.client_id == client_id,
            run.rubric_id == rubric_id,
            run.status == "done",
            golden.synthetic.is_(False),
            run.split == "holdout" if held_out else run.split != "holdout",
        )
    )
    return session.execute(statement.order_by(run.id.desc()).limit(20)).scalars().all()
