"""Reviews, their decisions and drafts in the database. Queues stand in queue_repository."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import Select, bindparam, case, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from callgrade.access.permissions import Scope
from callgrade.access.principals import Principal
from callgrade.access.rows import reviews_within
from callgrade.calls.erasure_repository import WORDLESS
from callgrade.db.tables import Call, Evaluation, Review
from callgrade.db.types import now
from callgrade.domain.errors import ConflictError, UnknownResourceError
from callgrade.domain.outcomes import Outcome
from callgrade.domain.reviews import Decision
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.tables import CALL, EVALUATION, FLAG, SCORECARD, TRANSCRIPT
from callgrade.reviews.tables import DECISION, DRAFT, REVIEW, SECOND_LOOK, USER

OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)


AWAITING = "awaiting"
"""The state of a review whose proposal is still to come: the call is being judged again by corrected words."""


class AwaitedError(ConflictError):
    """There is nothing to look at yet, or it came this very moment: `corrections.hand_back` opens it."""

    def __init__(self, review_id: str) -> None:
        self.review_id = review_id
        super().__init__("the call is being judged again by its corrected words; look again in a moment")


class Subject(NamedTuple):
    """What a review looks at. `scorecard` is the proposal's text; `transcript` what it was judged by: words that were
    corrected since then, which would be a version of `newest_words` above, are another evaluation's. `differs` is what
    a second opinion said, as it is stored."""

    review: Review
    evaluation: Evaluation
    call: Call
    scorecard: str
    transcript: str
    newest_words: int
    differs: list[dict[str, Any]]


def find(session: Session, principal: Principal, scope: Scope, id_: str) -> Review:
    """Raises UnknownResourceError, for a review out of reach too."""
    found: Review | None = session.execute(_one_within(principal, scope), {"wanted": id_}).scalar_one_or_none()
    if found is None:
        raise UnknownResourceError("there is no such review")
    return found


def of_call(session: Session, principal: Principal, scope: Scope, call_id: str) -> Sequence[Review]:
    """The reviews of a call within reach: the principal's own first, then open ones, then the newest."""
    return session.execute(_of_call_within(principal, scope), {"wanted": call_id}).scalars().all()


# What a page asks for each time is put together once: that takes several times as long as asking it.


@lru_cache(maxsize=1024)
def _one_within(principal: Principal, scope: Scope) -> Select[Any]:
    return select(Review).where(REVIEW.c.id == bindparam("wanted"), reviews_within(principal, scope))


@lru_cache(maxsize=1024)
def _of_call_within(principal: Principal, scope: Scope) -> Select[Any]:
    return (
        select(Review)
        .join(EVALUATION, EVALUATION.c.id == REVIEW.c.evaluation_id)
        .where(EVALUATION.c.call_id == bindparam("wanted"), reviews_within(principal, scope))
        # of the pool's nobody is the reviewer, and null is neither equal nor in the same place on every database
        .order_by(
            case((REVIEW.c.reviewer_id == principal.user_id, 0), else_=1),
            REVIEW.c.state == "submitted",
            REVIEW.c.id.desc(),
        )
    )


_THERE_THEN = (TRANSCRIPT.c.version == 1) | (TRANSCRIPT.c.created_at <= SCORECARD.c.created_at)
_WORDS_THEN = (
    select(TRANSCRIPT.c.content)
    .where(TRANSCRIPT.c.call_id == CALL.c.id, _THERE_THEN)
    .order_by(TRANSCRIPT.c.version.desc())
    .limit(1)
    .correlate(CALL, SCORECARD)
    .scalar_subquery()
)
_NEWEST_WORDS = select(func.max(TRANSCRIPT.c.version)).where(TRANSCRIPT.c.call_id == CALL.c.id).scalar_subquery()
_SECOND_LOOK = (SECOND_LOOK.c.evaluation_id == EVALUATION.c.id) & (SECOND_LOOK.c.attempt == SCORECARD.c.attempt)
_SUBJECT = (
    select(
        Evaluation,
        Call,
        SCORECARD.c.content,
        _WORDS_THEN.label("transcript"),
        _NEWEST_WORDS.label("newest_words"),
        SECOND_LOOK.c.differs,
    )
    .join(CALL, CALL.c.id == EVALUATION.c.call_id)
    .join(SCORECARD, SCORECARD.c.evaluation_id == EVALUATION.c.id)
    .outerjoin(SECOND_LOOK, _SECOND_LOOK)
    .where(EVALUATION.c.id == bindparam("evaluation_id"), SCORECARD.c.attempt == bindparam("attempt"))
)
_CALLS = (
    select(REVIEW.c.id, EVALUATION.c.call_id)
    .join(EVALUATION, REVIEW.c.evaluation_id == EVALUATION.c.id)
    .where(REVIEW.c.id.in_(bindparam("reviews", expanding=True)))
)
_DECISIONS = (
    select(DECISION)
    .where(DECISION.c.review_id.in_(bindparam("reviews", expanding=True)))
    .order_by(DECISION.c.review_id, DECISION.c.criterion_id, DECISION.c.version)
)
_STILL_BLIND = (
    select(REVIEW.c.id)
    .where(
        REVIEW.c.evaluation_id == bindparam("evaluation_id"),
        REVIEW.c.id != bindparam("review_id"),
        REVIEW.c.blind.is_(True),
        REVIEW.c.state.in_(("open", AWAITING)),
        (REVIEW.c.reviewer_id == bindparam("user_id")) | (REVIEW.c.claimed_by == bindparam("user_id")),
    )
    .limit(1)
)
_DRAFTS = select(DRAFT.c.criterion_id, DRAFT.c.content).where(
    DRAFT.c.review_id == bindparam("review_id"), DRAFT.c.user_id == bindparam("user_id")
)


def judges_blind(session: Session, principal: Principal, call_id: str) -> bool:
    """Whether somebody has still to judge a call (the server's id) by themselves, or might out of the pool."""
    mine = (REVIEW.c.reviewer_id == principal.user_id) | REVIEW.c.reviewer_id.is_(None)
    statement = (
        select(REVIEW.c.id)
        .join(EVALUATION, EVALUATION.c.id == REVIEW.c.evaluation_id)
        .where(EVALUATION.c.call_id == call_id, REVIEW.c.blind.is_(True), REVIEW.c.state.in_(("open", AWAITING)), mine)
    )
    return session.execute(statement.limit(1)).first() is not None


def grades_blind(session: Session, user_id: str | None, review: Review) -> bool:
    """Whether somebody has a blind review of their own to finish of what `review`, another one, is about."""
    if user_id is None or review.reviewer_id == user_id:
        return False
    about = {"user_id": user_id, "evaluation_id": review.evaluation_id, "review_id": review.id}
    return session.execute(_STILL_BLIND, about).first() is not None


def calls_of(session: Session, review_ids: Sequence[str]) -> dict[str, str]:
    """Review → the server's id of the call that it is of."""
    return {row.id: row.call_id for row in session.execute(_CALLS, {"reviews": list(review_ids)})}


def subject(session: Session, review: Review) -> Subject:
    """Raises UnknownResourceError where what was looked at is gone (the call was erased), AwaitedError where it is to
    come yet."""
    if review.state == AWAITING:
        raise AwaitedError(review.id)
    about = {"evaluation_id": review.evaluation_id, "attempt": review.attempt}
    row = session.execute(_SUBJECT, about).one_or_none()
    if row is None or row.Call.erased_at is not None or row.transcript is None:
        raise UnknownResourceError("the call has been erased; there is nothing left to review")
    return Subject(review, row.Evaluation, row.Call, row.content, row.transcript, row.newest_words, row.differs or [])


def proposal(subject_: Subject) -> Scorecard:
    return Scorecard.model_validate_json(subject_.scorecard)


def keep_words(session: Session, evaluation_id: str) -> None:
    """Until the session ends nobody else publishes what stands of an evaluation, or erases it: to be asked for before
    it is looked at what is still there, and before the row of a review is held."""
    wanted = select(EVALUATION.c.id).where(EVALUATION.c.id == evaluation_id)
    # rows that refer to it may go on being added
    session.execute(wanted.with_for_update(key_share=True))


def is_wordless(session: Session, evaluation_id: str) -> bool:
    """Whether the words of its scorecards were deleted by age."""
    wanted = select(FLAG.c.flag).where(FLAG.c.evaluation_id == evaluation_id, FLAG.c.flag == WORDLESS)
    return session.execute(wanted).scalar_one_or_none() is not None


def hold(session: Session, review_id: str) -> Review:
    """The review, which nobody else changes until this session ends."""
    statement = select(Review).where(REVIEW.c.id == review_id).with_for_update()
    found: Review = session.execute(statement.execution_options(populate_existing=True)).scalar_one()
    return found


def create(session: Session, evaluation: Evaluation, *, slot: int, due_at: datetime, why: str, **values: Any) -> bool:
    """A review of the evaluation's current scorecard; False where the slot is taken already."""
    row = Review(
        client_id=evaluation.client_id,
        evaluation_id=evaluation.id,
        attempt=evaluation.attempt,
        slot=slot,
        why=why,
        due_at=due_at,
        rubric_id=evaluation.rubric_id,
        agent_id=evaluation.agent_id,
        team=evaluation.team,
        called_at=evaluation.called_at,
        **values,
    )
    return insert_missing(session, REVIEW, [row.model_dump()]) == 1


def insert_missing(session: Session, table: Any, rows: Sequence[dict[str, Any]]) -> int:
    """Inserts the rows that break no unique key, and says how many."""
    if not rows:
        return 0
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(list(rows)).on_conflict_do_nothing()
    return len(session.execute(statement.returning(*table.primary_key.columns)).all())


# decisions


def decisions(session: Session, review_id: str) -> list[Decision]:
    """In the order of their versions, criterion by criterion."""
    return decisions_of(session, [review_id]).get(review_id, [])


def decisions_of(session: Session, review_ids: Sequence[str]) -> dict[str, list[Decision]]:
    """Of several reviews, by their ids."""
    rows = session.execute(_DECISIONS, {"reviews": list(review_ids)})
    found: dict[str, list[Decision]] = {}
    for row in rows:
        decision = Decision(
            criterion_id=row.criterion_id,
            version=row.version,
            kind=row.kind,
            outcome=None if row.outcome is None else OUTCOME.validate_python(row.outcome),
            reason=row.reason,
            evidence=tuple(row.evidence),
            by=f"user:{row.decided_by}",
            at=row.decided_at,
        )
        found.setdefault(row.review_id, []).append(decision)
    return found


def append(session: Session, review_id: str, rows: Sequence[Decision]) -> bool:
    """All of them or none: False where one's version is taken, because somebody else was faster."""
    values = [
        {
            "review_id": review_id,
            "criterion_id": row.criterion_id,
            "version": row.version,
            "kind": row.kind,
            "outcome": None if row.outcome is None else row.outcome.model_dump(mode="json"),
            "reason": row.reason,
            "evidence": [item.model_dump(mode="json") for item in row.evidence],
            "decided_by": row.by.removeprefix("user:"),
            "decided_at": row.at,
        }
        for row in rows
    ]
    try:
        with session.begin_nested():
            session.execute(insert(DECISION), values)
    except IntegrityError:
        return False
    return True


# claims


def claim(session: Session, review_id: str, user_id: str, at: datetime, until: datetime, *, take_over: bool) -> bool:
    """Whether the review is the user's now. Somebody else's claim that has not run out stands, unless taken over."""
    statement = update(REVIEW).where(REVIEW.c.id == review_id, REVIEW.c.state == "open")
    if not take_over:
        free = REVIEW.c.claimed_by.is_(None) | (REVIEW.c.claimed_by == user_id) | (REVIEW.c.claimed_until <= at)
        statement = statement.where(free)
    result: Any = session.execute(statement.values(claimed_by=user_id, claimed_until=until))
    return bool(result.rowcount)


def release(session: Session, review_id: str, user_id: str) -> None:
    session.execute(
        update(REVIEW)
        .where(REVIEW.c.id == review_id, REVIEW.c.claimed_by == user_id)
        .values(claimed_by=None, claimed_until=None)
    )


def login_of(session: Session, user_id: str | None) -> str | None:
    """What a colleague is called on the page."""
    row = session.execute(select(USER.c.name, USER.c.login).where(USER.c.id == user_id)).one_or_none()
    return None if row is None else row.name or row.login


# drafts


def drafts(session: Session, review_id: str, user_id: str) -> dict[str, dict[str, Any]]:
    """What the user has half typed, by criterion."""
    rows = session.execute(_DRAFTS, {"review_id": review_id, "user_id": user_id})
    return {row.criterion_id: row.content for row in rows}


def keep_draft(session: Session, review_id: str, criterion_id: str, user_id: str, content: dict[str, Any]) -> None:
    """An empty one is none."""
    drop_drafts(session, review_id, user_id, [criterion_id])
    if content:
        session.execute(
            insert(DRAFT).values(
                review_id=review_id, criterion_id=criterion_id, user_id=user_id, content=content, updated_at=now()
            )
        )


def drop_drafts(session: Session, review_id: str, user_id: str, criteria: Sequence[str]) -> None:
    session.execute(
        delete(DRAFT).where(
            DRAFT.c.review_id == review_id, DRAFT.c.user_id == user_id, DRAFT.c.criterion_id.in_(criteria)
        )
    )
