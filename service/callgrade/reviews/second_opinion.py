"""Where a second opinion without a model differs from a proposal, as reviews need it. How one is trained and asked
stands in the room of calibration."""

from collections.abc import Callable

from sqlmodel import Session

from callgrade.db.tables import Evaluation
from callgrade.domain.calls import Transcript
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.domain.second_opinion import Difference

SECOND_OPINION = "second_opinion"
"""The reason of a review that it asks for, and of what is not published unread because of it."""
Ask = Callable[[Session, Evaluation, Rubric, Scorecard, Transcript], tuple[Difference, ...]]
"""Where it firmly says otherwise than this proposal. Raises CallgradeError where that cannot be known."""


def nobody(
    session: Session, evaluation: Evaluation, rubric: Rubric, card: Scorecard, transcript: Transcript
) -> tuple[Difference, ...]:
    """Where there is no second opinion."""
    return ()
