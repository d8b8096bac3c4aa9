"""Figures over published scorecards and reviews, counted in the database."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Float, case, cast, func, select, true
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.domain.frozen import Frozen
from callgrade.domain.periods import Span
from callgrade.evaluations.tables import CALL, EVALUATION, STANDS
from callgrade.reviews.tables import DECISION, FINDING, REVIEW, USER

MOST = 500


class Asked(Frozen):
    """Of which span, rubric, team and agent. A mean over several rubrics would mean nothing: name one."""

    span: Span
    rubric: str
    team: str | None = None
    agent: str | None = None


class Fault(NamedTuple):
    """A named error or a violation: how often, in how many calls."""

    name: str
    times: int
    calls: int


class Workload(NamedTuple):
    """A reviewer's: what waits and what was done. Decisions count what stands when a review was submitted, undone rows
    too; `total` and `n` are of the scores they gave."""

    user_id: str
    name: str
    open: int
    overdue: int
    submitted: int
    approved: int
    overridden: int
    unjudged: int
    total: float
    squares: float
    n: int


def within(principal: Principal, asked: Asked) -> list[ColumnElement[bool]]:
    """Published evaluations that somebody may see figures of."""
    return [EVALUATION.c.status == "published", *graded(principal, asked)]


def graded(principal: Principal, asked: Asked) -> list[ColumnElement[bool]]:
    """Evaluations, published or not, that somebody may see figures of."""
    conditions: list[ColumnElement[bool]] = [
        EVALUATION.c.client_id == principal.client_id,
        STANDS,
        EVALUATION.c.rubric_id == asked.rubric,
        EVALUATION.c.called_at >= asked.span.since,
        EVALUATION.c.called_at < asked.span.until,
        _reach(principal),
    ]
    if asked.team is not None:
        conditions.append(EVALUATION.c.team == asked.team)
    if asked.agent is not None:
        conditions.append(EVALUATION.c.agent_id == asked.agent)
    return conditions


def rubrics(session: Session, principal: Principal, span: Span) -> list[tuple[str, int]]:
    """(rubric, published calls) within a span, the most used first."""
    number = func.count().label("number")
    rows = session.execute(
        select(EVALUATION.c.rubric_id, number)
        .where(
            EVALUATION.c.client_id == principal.client_id,
            EVALUATION.c.status == "published",
            STANDS,
            EVALUATION.c.called_at >= span.since,
            EVALUATION.c.called_at < span.until,
            _reach(principal),
        )
        .group_by(EVALUATION.c.rubric_id)
        .order_by(number.desc(), EVALUATION.c.rubric_id)
    )
    return [(row.rubric_id, row.number) for row in rows]


def faults(session: Session, principal: Principal, asked: Asked, kind: str) -> list[Fault]:
    """The most frequent first."""
    times = func.sum(FINDING.c.number).label("times")
    rows = session.execute(
        select(FINDING.c.name, times, func.count().label("calls"))
        .join(EVALUATION, EVALUATION.c.id == FINDING.c.evaluation_id)
        .where(FINDING.c.kind == kind, *within(principal, asked))
        .group_by(FINDING.c.name)
        .order_by(times.desc(), FINDING.c.name)
        .limit(MOST)
    )
    return [Fault(row.name, int(row.times), int(row.calls)) for row in rows]


def calls_with(session: Session, principal: Principal, asked: Asked, kind: str, name: str) -> Sequence[Any]:
    """(call, its shown id, agent, team, when) of the calls in which something was found, the newest first."""
    return session.execute(
        select(
            EVALUATION.c.call_id,
            CALL.c.call_id.label("shown_call_id"),
            EVALUATION.c.agent_id,
            EVALUATION.c.team,
            EVALUATION.c.called_at,
            FINDING.c.number,
        )
        .join(EVALUATION, EVALUATION.c.id == FINDING.c.evaluation_id)
        .join(CALL, CALL.c.id == EVALUATION.c.call_id)
        .where(FINDING.c.kind == kind, FINDING.c.name == name, *within(principal, asked))
        .order_by(EVALUATION.c.called_at.desc())
        .limit(MOST)
    ).all()


def workloads(session: Session, principal: Principal, span: Span, at: datetime) -> list[Workload]:
    """Of every reviewer; a reviewer sees their own alone."""
    done = (
        (REVIEW.c.state == "submitted") & (REVIEW.c.submitted_at >= span.since) & (REVIEW.c.submitted_at < span.until)
    )
    waits = REVIEW.c.state == "open"
    total = cast(REVIEW.c.total, Float)
    mine = [REVIEW.c.client_id == principal.client_id]
    if principal.reach("dashboards:read") == "teams":
        mine.append(REVIEW.c.team.in_(sorted(principal.teams)))
    elif principal.reach("dashboards:read") != "all":
        mine.append(REVIEW.c.reviewer_id == principal.user_id)
    rows = session.execute(
        select(
            USER.c.id,
            func.coalesce(USER.c.name, USER.c.login).label("name"),
            number(waits).label("open"),
            number(waits & (REVIEW.c.due_at <= at)).label("overdue"),
            number(done).label("submitted"),
            func.coalesce(func.sum(case((done, total))), 0.0).label("total"),
            func.coalesce(func.sum(case((done, total * total))), 0.0).label("squares"),
            number(done & REVIEW.c.total.is_not(None)).label("n"),
        )
        .join(REVIEW, REVIEW.c.reviewer_id == USER.c.id)
        .where(*mine)
        .group_by(USER.c.id, USER.c.name, USER.c.login)
        .order_by(USER.c.login)
        .limit(MOST)
    ).all()
    kinds = session.execute(
        select(REVIEW.c.reviewer_id, DECISION.c.kind, func.count().label("number"))
        .join(REVIEW, REVIEW.c.id == DECISION.c.review_id)
        .where(*mine, done)
        .group_by(REVIEW.c.reviewer_id, DECISION.c.kind)
    )
    counted = {(row.reviewer_id, row.kind): row.number for row in kinds}
    return [
        Workload(
            user_id=row.id,
            name=row.name,
            open=row.open,
            overdue=row.overdue,
            submitted=row.submitted,
            approved=counted.get((row.id, "approve"), 0),
            overridden=counted.get((row.id, "override"), 0),
            unjudged=counted.get((row.id, "cannot_judge"), 0),
            total=float(row.total),
            squares=float(row.squares),
            n=row.n,
        )
        for row in rows
    ]


def number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _reach(principal: Principal) -> ColumnElement[bool]:
    """Agents see their own figures, leads those of their teams; reviewers see none of agents."""
    reach = principal.reach("dashboards:read")
    if reach == "all":
        return true()
    if reach == "own":
        return EVALUATION.c.agent_id == (principal.agent_id or "")
    # whoever judges calls is not shown how the agents of those calls stand
    teams = sorted(principal.teams) if reach == "teams" else []
    return EVALUATION.c.team.in_(teams)
