"""What stands of a call, for whoever reads it without reviewing it: its newest scorecard, how that came about, what was
contested, and until when it can be. Agents read their own published calls alone."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.access.rows import evaluations_within
from callgrade.calls import service as calls
from callgrade.db.tables import Appeal, Call, Evaluation
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import UnknownResourceError
from callgrade.domain.programme import Appeals as Rule
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Amount, Scorecard
from callgrade.evaluations import registry
from callgrade.evaluations import repository as evaluations
from callgrade.reviews import appeals_repository, standing_repository
from callgrade.reviews.appeals import AppealDesk
from callgrade.reviews.publishing import published
from callgrade.reviews.standing_repository import Cause


class Revision(NamedTuple):
    """One published scorecard, without its cards. `by` names who answers for it."""

    number: int
    cause: Cause
    at: datetime
    by: str
    total: Amount | None
    passed: bool | None


class Window(NamedTuple):
    """Until when a score can be contested by which rule, and whether that is over."""

    rule: Rule
    until: datetime
    over: bool


class Standing(NamedTuple):
    """`revision` is None for a proposal. `own`: the visitor took the call and reads what was published of it; then
    there is a `window`, and `acknowledged` says whether they have seen the newest revision."""

    evaluation: Evaluation
    call: Call
    transcript: Transcript
    rubric: Rubric
    card: Scorecard
    revision: int | None
    history: tuple[Revision, ...]
    appeals: tuple[Appeal, ...]
    own: bool
    window: Window | None
    acknowledged: bool

    @property
    def is_newest(self) -> bool:
        return self.revision is None or self.revision == self.history[0].number


def look(
    session: Session,
    visitor: Principal,
    desk: AppealDesk,
    call_id: str,
    *,
    evaluation_id: str | None = None,
    revision: int | None = None,
) -> Standing:
    """The newest evaluation of a call within reach that has a scorecard, or the one named; as it was published, in its
    newest revision or the one named, else as proposed.

    Raises UnknownResourceError, also for what the visitor is still to judge blind, and GoneError where words are gone.
    """
    call = calls.find_within(session, visitor, call_id)
    row = evaluations.newest_of_call(session, evaluations_within(visitor), call.id, evaluation_id)
    if row is None:
        raise UnknownResourceError("there is no scorecard of this call for you")
    stood = published(session, row.id, revision)
    if stood is None and (revision is not None or row.status == "published"):
        raise UnknownResourceError("there is no such revision")
    card = stood[1] if stood else evaluations.scorecard_of(session, row)
    if card is None:
        raise UnknownResourceError("this call has no scorecard yet")
    own = stood is not None and "appeals:write" in visitor.scopes and _took(visitor, row)
    return Standing(
        evaluation=row,
        call=call,
        transcript=calls.transcript_of(session, call),
        rubric=registry.rubric_of_digest(session, row.rubric_digest),
        card=card,
        revision=stood[0] if stood else None,
        history=history(session, row.id) if stood else (),
        appeals=_appeals(session, visitor, row),
        own=own,
        window=Window(*desk.window(session, row)) if own else None,
        acknowledged=own and standing_repository.is_acknowledged(session, row.id, visitor.user_id),
    )


def history(session: Session, evaluation_id: str) -> tuple[Revision, ...]:
    """All revisions, the newest first."""
    found = []
    for row in standing_repository.revisions(session, evaluation_id):
        told = json.loads(row.content)
        total = None if told["total"] is None else Amount.model_validate(told["total"])
        found.append(Revision(row.number, row.cause, row.at, row.by, total, told["passed"]))
    return tuple(found)


def _took(visitor: Principal, row: Evaluation) -> bool:
    return visitor.agent_id is not None and visitor.agent_id == row.agent_id


def _appeals(session: Session, visitor: Principal, row: Evaluation) -> tuple[Appeal, ...]:
    if "appeals:read" not in visitor.scopes:
        return ()
    found: Sequence[Appeal] = appeals_repository.of_evaluation(session, row.id)
    return tuple(found)
