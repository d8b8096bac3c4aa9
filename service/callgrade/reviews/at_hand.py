"""What a review looks at, read in one go: the words, the form, the proposal or what stands, and what goes by itself."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlmodel import Session

from callgrade.db.tables import Review
from callgrade.domain.frozen import LocalText
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.domain.second_opinion import Difference
from callgrade.evaluations import registry
from callgrade.reviews import repository
from callgrade.reviews.autonomy import automatic, states, sure
from callgrade.reviews.publishing import begins_from
from callgrade.reviews.repository import Subject
from callgrade.reviews.views import NOBODY, NOTHING


class AtHand(NamedTuple):
    """`proposal` has calibrated confidences where there are any. Of a second check it is what was published, `checks`
    says as which revision, and nothing goes by itself: there somebody's own look is what is wanted. `automatic` is
    empty in a blind review too, whose proposal stands as it was made, for nobody sees it."""

    subject: Subject
    rubric: Rubric
    proposal: Scorecard
    checks: int | None
    automatic: Mapping[str, LocalText]
    """Criterion → why it goes by itself, unless a second opinion differs."""
    differs: Mapping[str, Difference]
    """Criterion → what a second opinion says instead of the proposal. It looked at no published scorecard."""

    @property
    def review(self) -> Review:
        return self.subject.review


def look_at(session: Session, review: Review) -> AtHand:
    """Raises UnknownResourceError, AwaitedError."""
    subject = repository.subject(session, review)
    evaluation = subject.evaluation
    rubric = registry.rubric_of_digest(session, evaluation.rubric_digest)
    if begun := begins_from(session, review):
        revision, published = begun
        return AtHand(subject, rubric, published, revision, NOTHING, NOBODY)
    found = repository.proposal(subject)
    differs = {one.criterion_id: one for one in map(Difference.model_validate, subject.differs)}
    if review.blind:
        return AtHand(subject, rubric, found, None, NOTHING, differs)
    stands = states(session, evaluation.client_id, rubric, found)
    proposal = sure(rubric, found, stands)
    alone = {id_: why for id_, why in automatic(rubric, proposal, stands).items() if id_ not in differs}
    return AtHand(subject, rubric, proposal, None, alone, differs)
