"""The second opinion in the database: what was trained, what it is trained on, and what it said."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import exists, func, select, update
from sqlmodel import Session

from callgrade.calibration.tables import GOLDEN_CALL, SECOND_OPINION
from callgrade.db.tables import Evaluation, SecondOpinion
from callgrade.domain.splits import Pair
from callgrade.evaluations.tables import CALL, EVALUATION, STANDS
from callgrade.reviews.autonomy_repository import Waiting, proposals
from callgrade.reviews.repository import insert_missing
from callgrade.reviews.tables import REVIEW, SECOND_LOOK

# what was trained


def standing(session: Session, client_id: str, rubric_id: str | None = None) -> Sequence[SecondOpinion]:
    """What has not been ended, on or off, of one rubric or of all; without their files."""
    statement = select(SecondOpinion).where(
        SECOND_OPINION.c.client_id == client_id, SECOND_OPINION.c.ended_at.is_(None)
    )
    if rubric_id is not None:
        statement = statement.where(SECOND_OPINION.c.rubric_id == rubric_id)
    return session.execute(statement.order_by(SECOND_OPINION.c.rubric_id, SECOND_OPINION.c.id)).scalars().all()


def asked(session: Session, client_id: str, rubric_id: str) -> dict[str, str]:
    """Criterion digest → id, of those that are on."""
    statement = select(SECOND_OPINION.c.criterion_digest, SECOND_OPINION.c.id).where(
        SECOND_OPINION.c.client_id == client_id,
        SECOND_OPINION.c.rubric_id == rubric_id,
        SECOND_OPINION.c.gate == "on",
        SECOND_OPINION.c.ended_at.is_(None),
    )
    return {row.criterion_digest: row.id for row in session.execute(statement.order_by(SECOND_OPINION.c.id))}


def content(session: Session, id_: str) -> bytes:
    found: bytes = session.execute(select(SECOND_OPINION.c.content).where(SECOND_OPINION.c.id == id_)).scalar_one()
    return found


def end(session: Session, client_id: str, rubric_id: str, criteria: Sequence[str] | None, at: datetime) -> list[str]:
    """Those of these criteria (None: all) that stand; says which."""
    mine = (SECOND_OPINION.c.client_id == client_id) & (SECOND_OPINION.c.rubric_id == rubric_id)
    if criteria is not None:
        mine &= SECOND_OPINION.c.criterion_id.in_(criteria)
    statement = update(SECOND_OPINION).where(mine, SECOND_OPINION.c.ended_at.is_(None)).values(ended_at=at)
    return sorted(session.execute(statement.returning(SECOND_OPINION.c.id)).scalars())


# what it may be trained on


class Kept(NamedTuple):
    """Who stands in a holdout of the client's: calls by the server's ids, agents, customers."""

    calls: frozenset[str]
    agents: frozenset[str]
    customers: frozenset[str]

    def has(self, call_id: str, pair: Pair) -> bool:
        return call_id in self.calls or pair[0] in self.agents or pair[1] in self.customers


def in_a_holdout(session: Session, client_id: str) -> Kept:
    """Erased calls too: their people stay where they are."""
    statement = select(GOLDEN_CALL.c.call_id, GOLDEN_CALL.c.agent, GOLDEN_CALL.c.customer)
    rows = session.execute(
        statement.where(GOLDEN_CALL.c.client_id == client_id, GOLDEN_CALL.c.split == "holdout")
    ).all()
    return Kept(*(frozenset(row[at] for row in rows if row[at] is not None) for at in range(3)))


def published(session: Session, client_id: str, rubric_id: str) -> list[str]:
    """Evaluations that people reviewed and whose words are still there, the oldest first."""
    reviewed = exists().where(REVIEW.c.evaluation_id == EVALUATION.c.id, REVIEW.c.state == "submitted")
    statement = (
        select(EVALUATION.c.id)
        .join(CALL, CALL.c.id == EVALUATION.c.call_id)
        .where(
            EVALUATION.c.client_id == client_id,
            EVALUATION.c.rubric_id == rubric_id,
            EVALUATION.c.status == "published",
            STANDS,
            CALL.c.erased_at.is_(None),
            reviewed,
        )
    )
    return list(session.execute(statement.order_by(EVALUATION.c.id)).scalars())


# what it says


def rubrics_asked(session: Session) -> list[tuple[str, str, datetime]]:
    """(client, rubric, since when) where any second opinion is on."""
    statement = select(SECOND_OPINION.c.client_id, SECOND_OPINION.c.rubric_id, func.min(SECOND_OPINION.c.created_at))
    statement = statement.where(SECOND_OPINION.c.gate == "on", SECOND_OPINION.c.ended_at.is_(None))
    rows = session.execute(statement.group_by(SECOND_OPINION.c.client_id, SECOND_OPINION.c.rubric_id))
    return [(row[0], row[1], row[2]) for row in rows]


def waiting(session: Session, client_id: str, rubric_id: str, since: datetime, limit: int) -> list[Waiting]:
    """Proposals since then that were not shown to it, the oldest first."""
    seen = exists().where(SECOND_LOOK.c.evaluation_id == EVALUATION.c.id, SECOND_LOOK.c.attempt == EVALUATION.c.attempt)
    return proposals(session, client_id, rubric_id, since, [~seen], limit)


def look_at(session: Session, evaluation: Evaluation) -> list[Any] | None:
    """What it said of this proposal, as it is stored; None where it has not been asked."""
    statement = select(SECOND_LOOK.c.differs).where(
        SECOND_LOOK.c.evaluation_id == evaluation.id, SECOND_LOOK.c.attempt == evaluation.attempt
    )
    found: list[Any] | None = session.execute(statement).scalar_one_or_none()
    return found


def keep(session: Session, **values: Any) -> bool:
    """What it said; False where somebody else asked it at this moment."""
    return insert_missing(session, SECOND_LOOK, [values]) == 1
