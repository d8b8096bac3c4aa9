"""What the second opinion said of proposals, in the database."""

from sqlalchemy import select
from sqlmodel import Session

from callgrade.domain.second_opinion import Difference
from callgrade.reviews.tables import SECOND_LOOK


def differences(session: Session, evaluation_id: str, attempt: int) -> dict[str, Difference]:
    """By criterion, where it firmly says otherwise than what was proposed then."""
    statement = select(SECOND_LOOK.c.differs).where(
        SECOND_LOOK.c.evaluation_id == evaluation_id, SECOND_LOOK.c.attempt == attempt
    )
    found = [Difference.model_validate(one) for one in session.execute(statement).scalar_one_or_none() or ()]
    return {one.criterion_id: one for one in found}
