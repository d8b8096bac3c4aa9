"""What the second opinion said of proposals, in the database."""

from sqlalchemy import bindparam, select
from sqlmodel import Session

from callgrade.domain.second_opinion import Difference
from callgrade.reviews.tables import SECOND_LOOK

_DIFFERS = select(SECOND_LOOK.c.differs).where(
    SECOND_LOOK.c.evaluation_id == bindparam("evaluation_id"), SECOND_LOOK.c.attempt == bindparam("attempt")
)


def differences(session: Session, evaluation_id: str, attempt: int) -> dict[str, Difference]:
    """By criterion, where it firmly says otherwise than what was proposed then."""
    said = session.execute(_DIFFERS, {"evaluation_id": evaluation_id, "attempt": attempt}).scalar_one_or_none()
    found = [Difference.model_validate(one) for one in said or ()]
    return {one.criterion_id: one for one in found}
