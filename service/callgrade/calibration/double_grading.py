"""Two people grade a golden call without seeing a proposal or each other, then a third decides what is right.

The reviews are ordinary ones (blind, in a second slot: nothing is published of them), so that graders sit at the desk
they know.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field, JsonValue
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal, system
from callgrade.calibration import golden_repository as repository
from callgrade.calibration.from_reviews import collect
from callgrade.calibration.golden import check_label
from callgrade.db.session import Database
from callgrade.db.tables import GoldenCall, User
from callgrade.db.types import now
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError
from callgrade.domain.frozen import Frozen
from callgrade.domain.golden import Label
from callgrade.evaluations import repository as evaluations
from callgrade.reviews import repository as reviews
from callgrade.reviews import sampling_repository
from callgrade.reviews.assignment import Roster, check_reviewer, hand_out

GRADERS = 2
WHY = "double"
WhyNot = Literal["nobody", "rater", "too_few", "agent"]


class HandedOut(Frozen):
    """How many blind reviews there are now, who nobody could be found for (they wait in the pool), and what could not
    be graded twice, with the reason."""

    reviews: int = 0
    pooled: int = 0
    refused: dict[str, str] = Field(default_factory=dict)


def hand_out_twice(
    session: Session,
    principal: Principal,
    set_id: str,
    names: Sequence[str],
    due_at: datetime,
    *,
    graders: Sequence[str] = (),
) -> HandedOut:
    """Two blind reviews of each golden call that came from a review: to two named people, or to whoever has least to
    do. Nobody who has looked at the call already gets it, nor its agent.

    Raises InputError for graders that are not two different people, ConflictError for one who may not.
    """
    principal.reach("sampling:write")
    principal.reach("calibrations:write")
    if graders and len(set(graders)) != GRADERS:
        raise InputError("graders: name two different people, or nobody")
    row = repository.find(session, principal, set_id, own=True)
    roster = Roster(sampling_repository.reviewers(session, principal.client_id))
    count = pooled = 0
    refused: dict[str, str] = {}
    for name in names:
        golden = repository.find_call(session, row.id, name)
        if golden.evaluation_id is None:
            refused[name] = "it did not come from a review of yours: import labels of it instead"
            continue
        if repository.still_graded(session, golden.evaluation_id):
            refused[name] = "somebody grades it already"
            continue
        pooled += _two_reviews(session, principal, golden.evaluation_id, due_at, graders, roster)
        count += GRADERS
        audit.record(session, principal, "golden_call.double_graded", golden.id)
    return HandedOut(reviews=count, pooled=pooled, refused=refused)


def adjudicate(
    database: Database,
    principal: Principal,
    set_id: str,
    name: str,
    rubric: str,
    judgements: Mapping[str, dict[str, JsonValue]],
    *,
    quotes: Mapping[str, Sequence[str]] | None = None,
    note: str = "",
    expected: int | None = None,
) -> Label:
    """What is right, said by somebody who rated nothing of this call, after two people have committed to what they
    think, blind. Stored beside their labels, which stay. `expected` is how many labels of the call by this rubric were
    looked at.

    Raises ConflictError while one of them is at it, there are not two, or labels came meanwhile, ForbiddenError for one
    of the raters or an API key, JudgementError for what the rubric does not take.
    """
    principal.reach("calibrations:write")
    if principal.user_id is None:
        raise ForbiddenError("only a person can adjudicate; an API key has no name to answer with")
    with database.writing() as session:
        row = repository.hold(session, repository.find(session, principal, set_id, own=True).id)
        golden = repository.find_call(session, row.id, name)
        if repository.still_graded(session, golden.evaluation_id):
            raise ConflictError("somebody still grades this call; what is right is decided after they have committed")
        # whoever decides does so by every committed label, of teams that they do not lead too
        collect(session, system(principal.client_id), row.id)
        rater = f"user:{principal.user_id}"
        given = repository.labels_of(session, golden, rubric)
        _may_adjudicate(principal, golden, given, rubric)
        if expected is not None and expected != len(given):
            raise ConflictError("more was said of this call meanwhile; look at all of it, and decide again")
        label = Label(
            call=name,
            rubric=rubric,
            rater=rater,
            rater_kind="person",
            kind="adjudicated",
            blind=False,
            at=now(),
            judgements=dict(judgements),
            quotes={id_: tuple(found) for id_, found in (quotes or {}).items()},
            note=note,
        )
        check_label(session, label)
        repository.add_labels(session, row.id, [label])
        audit.record(session, principal, "golden_call.adjudicated", golden.id, {"rubric": rubric})
        return label


def _two_reviews(
    session: Session,
    principal: Principal,
    evaluation_id: str,
    due_at: datetime,
    graders: Sequence[str],
    roster: Roster,
) -> int:
    """How many of the two went into the pool."""
    evaluation = evaluations.find(session, principal.client_id, evaluation_id)
    pooled = 0
    for grader in graders or (None, None):
        if grader is None:
            pooled += hand_out(session, roster, evaluation, why=WHY, due_at=due_at, blind=True) is None
            continue
        others = sampling_repository.reviewers_of(session, evaluation.id)
        check_reviewer(principal, session.get(User, grader), evaluation.agent_id, others)
        slot = sampling_repository.next_slot(session, evaluation.id, evaluation.attempt)
        reviews.create(session, evaluation, slot=slot, due_at=due_at, why=WHY, blind=True, reviewer_id=grader)
    return pooled


def why_not(principal: Principal, golden: GoldenCall, given: Sequence[Label]) -> WhyNot | None:
    """Why somebody may not say what is right of a call, whose labels by one rubric are `given`."""
    ratings = [label for label in given if label.kind == "rating"]
    if principal.user_id is None:
        return "nobody"
    if principal.actor in {label.rater for label in ratings}:
        return "rater"
    if len({label.rater for label in ratings if label.blind}) < GRADERS:
        return "too_few"
    if principal.agent_id is not None and principal.agent_id == golden.agent:
        return "agent"
    return None


def _may_adjudicate(principal: Principal, golden: GoldenCall, given: Sequence[Label], rubric: str) -> None:
    match why_not(principal, golden, given):
        case "rater":
            raise ForbiddenError("you rated this call; a third person decides what is right")
        case "too_few":
            blind = {label.rater for label in given if label.kind == "rating" and label.blind}
            raise ConflictError(f"{len(blind)} of {GRADERS} blind ratings by {rubric} are there")
        case "agent":
            raise ForbiddenError("nobody decides about a call that they took themselves")
