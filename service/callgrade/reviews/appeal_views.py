"""An appeal as both sides look at it: what is contested, beside what was said and what was decided."""

from typing import NamedTuple

from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calls import service as calls
from callgrade.db.tables import Appeal, Call, Evaluation
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import UnknownResourceError
from callgrade.domain.programme import Appeals as Rule
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scorecards import Scorecard, ScoredJudgement
from callgrade.evaluations import registry
from callgrade.evaluations import repository as evaluations
from callgrade.reviews import appeals_repository as repository
from callgrade.reviews.appeals import AppealDesk, Barred
from callgrade.reviews.publishing import published


class AppealView(NamedTuple):
    """`judged` is the criterion as it was published, and contested; `stands` as it is now. `proposed` is what the
    machine had said, which agents are not shown. `barred`: why the visitor decides nothing about it."""

    appeal: Appeal
    evaluation: Evaluation
    call: Call
    transcript: Transcript
    rubric: Rubric
    criterion: Criterion
    number: int
    judged: ScoredJudgement
    stands: ScoredJudgement
    proposed: ScoredJudgement | None
    rule: Rule
    overdue: bool
    barred: Barred | None
    may_withdraw: bool

    @property
    def may_decide(self) -> bool:
        return self.barred is None and self.appeal.state == "open"


def look(session: Session, visitor: Principal, desk: AppealDesk, appeal_id: str) -> AppealView:
    """Raises UnknownResourceError, for an appeal out of reach too, and GoneError where the call was erased."""
    row = repository.find(session, visitor, "appeals:read", appeal_id)
    evaluation = evaluations.find(session, visitor.client_id, row.evaluation_id)
    # within reach of the appeal, whoever is to decide about it may read and hear the call
    call = calls.find(session, visitor.client_id, evaluation.call_id)
    rubric = registry.rubric_of_digest(session, evaluation.rubric_digest)
    then, now = published(session, evaluation.id, row.revision), published(session, evaluation.id)
    if then is None or now is None:
        raise UnknownResourceError("the scorecard that was contested is gone")
    machine = None
    if "appeals:decide" in visitor.scopes:
        card = evaluations.scorecard_of(session, evaluation)
        machine = _of(card, row.criterion_id) if card else None
    return AppealView(
        appeal=row,
        evaluation=evaluation,
        call=call,
        transcript=calls.transcript_of(session, call),
        rubric=rubric,
        criterion=rubric.by_id[row.criterion_id],
        number=1 + [j.criterion_id for j in then[1].judgements].index(row.criterion_id),
        judged=_of(then[1], row.criterion_id),
        stands=_of(now[1], row.criterion_id),
        proposed=machine,
        rule=desk.rule_of(rubric),
        overdue=desk.is_overdue(row),
        barred=desk.barred(session, visitor, row),
        may_withdraw=row.state == "open" and visitor.user_id is not None and row.filed_by == visitor.user_id,
    )


def _of(card: Scorecard, criterion_id: str) -> ScoredJudgement:
    return next(one for one in card.judgements if one.criterion_id == criterion_id)
