"""Appeals in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlmodel import Session

from callgrade.access.permissions import Scope
from callgrade.access.principals import Principal
from callgrade.access.rows import unseen_by
from callgrade.db.tables import Appeal, Evaluation
from callgrade.domain.errors import UnknownResourceError
from callgrade.evaluations.tables import CALL, EVALUATION
from callgrade.reviews.tables import APPEAL, DECISION, PUBLISHED, REVIEW

OVERDUE = "overdue"


class AppealRow(NamedTuple):
    """One line of a list. `call_id` is the server's, `shown_call_id` the client's own."""

    appeal: Appeal
    call_id: str
    shown_call_id: str
    rubric_id: str
    rubric_digest: str
    called_at: datetime


def reachable(principal: Principal, scope: Scope) -> ColumnElement[bool]:
    """Agents see their own, leads those of their teams, reviewers those of the calls that they may review; nobody those
    against what they are still to judge blind."""
    of_client = and_(APPEAL.c.client_id == principal.client_id, unseen_by(principal, APPEAL.c.evaluation_id))
    reach = principal.reach(scope)
    if reach == "all":
        return of_client
    if reach == "own":
        return of_client & (APPEAL.c.agent_id == (principal.agent_id or ""))
    within: ColumnElement[bool] = of_client
    if reach == "teams" or principal.teams:
        within &= APPEAL.c.team.in_(sorted(principal.teams))
    if principal.agent_id is not None:
        within &= or_(APPEAL.c.agent_id.is_(None), APPEAL.c.agent_id != principal.agent_id)
    return within


def find(session: Session, principal: Principal, scope: Scope, id_: str) -> Appeal:
    """Raises UnknownResourceError, for one out of reach too."""
    statement = select(Appeal).where(APPEAL.c.id == id_, reachable(principal, scope))
    found: Appeal | None = session.execute(statement).scalar_one_or_none()
    if found is None:
        raise UnknownResourceError("there is no such appeal")
    return found


def own_published(session: Session, principal: Principal, evaluation_id: str) -> Evaluation:
    """An agent's own published evaluation. Raises UnknownResourceError for any other, and where its call is erased."""
    statement = (
        select(Evaluation)
        .join(CALL, CALL.c.id == EVALUATION.c.call_id)
        .where(
            EVALUATION.c.id == evaluation_id,
            EVALUATION.c.client_id == principal.client_id,
            EVALUATION.c.agent_id == (principal.agent_id or ""),
            EVALUATION.c.status == "published",
            CALL.c.erased_at.is_(None),
        )
    )
    found: Evaluation | None = session.execute(statement).scalar_one_or_none()
    if found is None:
        raise UnknownResourceError("there is no such score of yours")
    return found


def call_of(session: Session, evaluation_id: str) -> tuple[str, str]:
    """The call of an evaluation: (the server's id, the client's own)."""
    statement = select(CALL.c.id, CALL.c.call_id).join(EVALUATION, EVALUATION.c.call_id == CALL.c.id)
    row = session.execute(statement.where(EVALUATION.c.id == evaluation_id)).one()
    return row.id, row.call_id


def published_at(session: Session, evaluation_id: str, revision: int) -> datetime:
    statement = select(PUBLISHED.c.published_at).where(
        PUBLISHED.c.evaluation_id == evaluation_id, PUBLISHED.c.revision == revision
    )
    moment: datetime = session.execute(statement).scalar_one()
    return moment


def of_evaluation(session: Session, evaluation_id: str) -> Sequence[Appeal]:
    """The oldest first."""
    statement = select(Appeal).where(APPEAL.c.evaluation_id == evaluation_id).order_by(APPEAL.c.id)
    return session.execute(statement).scalars().all()


def judged_by(session: Session, evaluation_id: str, without: str | None = None) -> frozenset[str]:
    """Who had a part in what was published of an evaluation, but for the review `without`: the ids of users."""
    published = [REVIEW.c.evaluation_id == evaluation_id, (REVIEW.c.slot == 0) | (REVIEW.c.why == "complaint")]
    if without is not None:
        published.append(REVIEW.c.id != without)
    reviewers = select(REVIEW.c.reviewer_id).where(*published)
    deciders = select(DECISION.c.decided_by).join(REVIEW, REVIEW.c.id == DECISION.c.review_id).where(*published)
    found = [*session.execute(reviewers).scalars(), *session.execute(deciders).scalars()]
    return frozenset(id_ for id_ in found if id_ is not None)


def close(session: Session, id_: str, **values: Any) -> bool:
    """False where somebody else has closed it."""
    result: Any = session.execute(update(APPEAL).where(APPEAL.c.id == id_, APPEAL.c.state == "open").values(**values))
    return bool(result.rowcount)


def page(
    session: Session, principal: Principal, *, state: str | None, before: str | None, limit: int, at: datetime
) -> Sequence[AppealRow]:
    """Open ones by their deadline would jump about while one pages; so the newest first, by id. `overdue` stands for
    the open ones whose deadline is over `at`."""
    statement = _rows().where(reachable(principal, "appeals:read"))
    if state == OVERDUE:
        statement = statement.where(APPEAL.c.state == "open", APPEAL.c.decide_by <= at)
    elif state is not None:
        statement = statement.where(APPEAL.c.state == state)
    if before is not None:
        statement = statement.where(APPEAL.c.id < before)
    return [_row(row) for row in session.execute(statement.order_by(APPEAL.c.id.desc()).limit(limit))]


def find_row(session: Session, principal: Principal, id_: str) -> AppealRow:
    """Raises UnknownResourceError, for one out of reach too."""
    statement = _rows().where(APPEAL.c.id == id_, reachable(principal, "appeals:read"))
    row = session.execute(statement).one_or_none()
    if row is None:
        raise UnknownResourceError("there is no such appeal")
    return _row(row)


def _rows() -> Select[Any]:
    return (
        select(
            Appeal,
            EVALUATION.c.call_id,
            CALL.c.call_id.label("shown"),
            EVALUATION.c.rubric_id,
            EVALUATION.c.rubric_digest,
            EVALUATION.c.called_at,
        )
        .join(EVALUATION, EVALUATION.c.id == APPEAL.c.evaluation_id)
        .join(CALL, CALL.c.id == EVALUATION.c.call_id)
    )


def _row(row: Any) -> AppealRow:
    return AppealRow(row.Appeal, row.call_id, row.shown, row.rubric_id, row.rubric_digest, row.called_at)


def newest(session: Session, principal: Principal) -> str | None:
    """The id of the newest appeal within reach."""
    statement = select(APPEAL.c.id).where(reachable(principal, "appeals:read")).order_by(APPEAL.c.id.desc()).limit(1)
    found: str | None = session.execute(statement).scalar_one_or_none()
    return found


def counts(session: Session, principal: Principal, at: datetime) -> tuple[int, int]:
    """(open, overdue) within reach."""
    mine = (reachable(principal, "appeals:read"), APPEAL.c.state == "open")
    open_ = session.execute(select(func.count()).select_from(APPEAL).where(*mine)).scalar_one()
    overdue = select(func.count()).select_from(APPEAL).where(*mine, APPEAL.c.decide_by <= at)
    return open_, session.execute(overdue).scalar_one()
