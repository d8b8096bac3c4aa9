"""Plans, drawings and what was drawn, in the database."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import exists, func, insert, select, true, update
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.db.tables import Evaluation, SampledCall, SamplingPlan, SamplingRun
from callgrade.db.tables.core import table_of
from callgrade.domain.errors import UnknownResourceError
from callgrade.evaluations.tables import CALL, EVALUATION, SCORECARD, STANDS, TRANSCRIPT
from callgrade.reviews.tables import REVIEW, USER

PLAN, RUN, SAMPLED = table_of(SamplingPlan), table_of(SamplingRun), table_of(SampledCall)
LOOKED_AT = ("proposed", "in_review", "published")


class Member(NamedTuple):
    """One call of a population. `transcript` is only read where durations are wanted."""

    evaluation: Evaluation
    facts: dict[str, Any]
    channel: str


class SampleRow(NamedTuple):
    """One drawn call. `call_id` is the server's, `shown_call_id` the client's own; `state` of its first review, None
    where it has none, and `reviewer` whose it is."""

    id: str
    evaluation_id: str
    call_id: str
    shown_call_id: str
    agent_id: str | None
    team: str | None
    called_at: datetime
    why: str
    stratum: str
    probability: float | None
    instead: bool
    state: str | None
    reviewer: str | None


class Fresh(NamedTuple):
    """A proposal that nobody reviews yet, with its scorecard and the newest words."""

    evaluation: Evaluation
    scorecard: str
    transcript: str


class Reviewer(NamedTuple):
    """Somebody who can be given work, and how many open reviews they have."""

    id: str
    team: str | None
    agent_id: str | None
    open: int


def find_plan(session: Session, principal: Principal, id_: str) -> SamplingPlan:
    found = session.get(SamplingPlan, id_)
    if found is None or found.client_id != principal.client_id:
        raise UnknownResourceError("there is no such plan")
    return found


def plans(session: Session, client_id: str | None, *, retired: bool = False) -> Sequence[SamplingPlan]:
    """Of one client or of all, the newest first."""
    statement = select(SamplingPlan).order_by(PLAN.c.id.desc())
    if client_id is not None:
        statement = statement.where(PLAN.c.client_id == client_id)
    if not retired:
        statement = statement.where(PLAN.c.retired_at.is_(None))
    return session.execute(statement).scalars().all()


def population(
    session: Session,
    principal: Principal,
    rubric_id: str,
    since: datetime,
    until: datetime,
    teams: Collection[str] = (),
) -> Iterator[Member]:
    """All calls of a span that were graded by a rubric and may be drawn, within the teams of a lead, and of `teams`
    alone where some are given."""
    statement = (
        select(Evaluation, CALL.c.facts, CALL.c.channel)
        .join(CALL, CALL.c.id == EVALUATION.c.call_id)
        .where(
            EVALUATION.c.client_id == principal.client_id,
            EVALUATION.c.rubric_id == rubric_id,
            EVALUATION.c.called_at >= since,
            EVALUATION.c.called_at < until,
            EVALUATION.c.status.in_(LOOKED_AT),
            STANDS,
            CALL.c.erased_at.is_(None),
        )
        .order_by(EVALUATION.c.id)
    )
    if principal.reach("sampling:write") == "teams":
        statement = statement.where(EVALUATION.c.team.in_(sorted(principal.teams)))
    if teams:
        statement = statement.where(EVALUATION.c.team.in_(sorted(teams)))
    for row in session.execute(statement.execution_options(yield_per=1000)):
        yield Member(row.Evaluation, row.facts, row.channel)


def durations_ms(session: Session, call_ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(call, its newest transcript)."""
    newest = (
        select(TRANSCRIPT.c.call_id, func.max(TRANSCRIPT.c.version).label("version"))
        .where(TRANSCRIPT.c.call_id.in_(call_ids))
        .group_by(TRANSCRIPT.c.call_id)
        .subquery()
    )
    rows = session.execute(
        select(TRANSCRIPT.c.call_id, TRANSCRIPT.c.content).join(
            newest, (newest.c.call_id == TRANSCRIPT.c.call_id) & (newest.c.version == TRANSCRIPT.c.version)
        )
    )
    yield from ((row.call_id, row.content) for row in rows)


def drawn_before(session: Session, plan_id: str, since: datetime) -> set[str]:
    """The evaluations that were drawn by a plan within the period that began then."""
    statement = select(SAMPLED.c.evaluation_id).join(RUN, RUN.c.id == SAMPLED.c.run_id)
    return set(session.execute(statement.where(RUN.c.plan_id == plan_id, RUN.c.since == since)).scalars())


def drawings(session: Session, plan_id: str, since: datetime) -> int:
    statement = select(func.count()).select_from(RUN).where(RUN.c.plan_id == plan_id, RUN.c.since == since)
    return int(session.execute(statement).scalar_one())


def runs(session: Session, plan_id: str) -> Sequence[SamplingRun]:
    """The newest first."""
    statement = select(SamplingRun).where(RUN.c.plan_id == plan_id).order_by(RUN.c.id.desc())
    return session.execute(statement).scalars().all()


def find_run(session: Session, principal: Principal, plan_id: str, id_: str) -> SamplingRun:
    found = session.get(SamplingRun, id_)
    if found is None or found.client_id != principal.client_id or found.plan_id != plan_id:
        raise UnknownResourceError("there is no such drawing")
    return found


def sampled(
    session: Session, principal: Principal, run_id: str, *, after: str | None = None, limit: int | None = None
) -> list[SampleRow]:
    """What a drawing drew, within the teams of a lead; `after` is the last id of the page before."""
    statement = (
        select(
            SAMPLED,
            CALL.c.call_id.label("shown"),
            EVALUATION.c.agent_id,
            EVALUATION.c.team,
            EVALUATION.c.called_at,
            REVIEW.c.state,
            func.coalesce(USER.c.name, USER.c.login).label("reviewer"),
        )
        .join(CALL, CALL.c.id == SAMPLED.c.call_id)
        .join(EVALUATION, EVALUATION.c.id == SAMPLED.c.evaluation_id)
        .outerjoin(
            REVIEW,
            (REVIEW.c.evaluation_id == SAMPLED.c.evaluation_id)
            & (REVIEW.c.attempt == EVALUATION.c.attempt)
            & (REVIEW.c.slot == 0),
        )
        .outerjoin(USER, USER.c.id == REVIEW.c.reviewer_id)
        .where(SAMPLED.c.run_id == run_id)
        .order_by(SAMPLED.c.id)
    )
    if principal.reach("sampling:write") == "teams":
        statement = statement.where(EVALUATION.c.team.in_(sorted(principal.teams)))
    if after is not None:
        statement = statement.where(SAMPLED.c.id > after)
    return [
        SampleRow(
            row.id, row.evaluation_id, row.call_id, row.shown, row.agent_id, row.team, row.called_at, row.why,
            row.stratum, row.probability, row.instead, row.state, row.reviewer,
        )
        for row in session.execute(statement if limit is None else statement.limit(limit))
    ]  # fmt: skip


def newest_runs(session: Session, plan_ids: Collection[str]) -> dict[str, SamplingRun]:
    """The last drawing of each plan that has one."""
    newest = select(func.max(RUN.c.id)).where(RUN.c.plan_id.in_(plan_ids)).group_by(RUN.c.plan_id)
    rows = session.execute(select(SamplingRun).where(RUN.c.id.in_(newest))).scalars()
    return {row.plan_id: row for row in rows}


def add_run(session: Session, run: SamplingRun, rows: Sequence[dict[str, Any]]) -> None:
    session.add(run)
    session.flush()
    if rows:
        session.execute(insert(SAMPLED), rows)


def fresh(
    session: Session, plan: SamplingPlan, until: datetime, limit: int, teams: Collection[str] = ()
) -> list[Fresh]:
    """Proposals since the plan was last looked through, the oldest first, that have no review yet; of `teams` alone
    where some are given."""
    within = EVALUATION.c.team.in_(sorted(teams)) if teams else true()
    reviewed = exists().where(REVIEW.c.evaluation_id == EVALUATION.c.id, REVIEW.c.slot == 0)
    newest = (
        select(TRANSCRIPT.c.content)
        .where(TRANSCRIPT.c.call_id == EVALUATION.c.call_id)
        .order_by(TRANSCRIPT.c.version.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Evaluation, SCORECARD.c.content, newest.label("words"))
        .join(
            SCORECARD,
            (SCORECARD.c.evaluation_id == EVALUATION.c.id) & (SCORECARD.c.attempt == EVALUATION.c.attempt),
        )
        .where(
            EVALUATION.c.status == "proposed",
            EVALUATION.c.updated_at >= plan.looked_until,
            EVALUATION.c.updated_at < until,
            EVALUATION.c.client_id == plan.client_id,
            EVALUATION.c.rubric_id == plan.rubric_id,
            within,
            ~reviewed,
        )
        .order_by(EVALUATION.c.updated_at)
        .limit(limit)
    )
    return [Fresh(row.Evaluation, row.content, row.words) for row in rows if row.words is not None]


def look_until(session: Session, plan_id: str, moment: datetime) -> None:
    session.execute(update(PLAN).where(PLAN.c.id == plan_id).values(looked_until=moment))


def reviewers(session: Session, client_id: str) -> list[Reviewer]:
    """Who can be given work, with what each has to do."""
    open_ = (
        select(REVIEW.c.reviewer_id, func.count().label("number"))
        .where(REVIEW.c.client_id == client_id, REVIEW.c.state == "open", REVIEW.c.reviewer_id.is_not(None))
        .group_by(REVIEW.c.reviewer_id)
        .subquery()
    )
    rows = session.execute(
        select(USER.c.id, USER.c.team, USER.c.agent_id, func.coalesce(open_.c.number, 0).label("open"))
        .outerjoin(open_, open_.c.reviewer_id == USER.c.id)
        .where(USER.c.client_id == client_id, USER.c.role == "reviewer", USER.c.disabled_at.is_(None))
        .order_by(USER.c.id)
    )
    return [Reviewer(row.id, row.team, row.agent_id, row.open) for row in rows]


class Named(NamedTuple):
    """A reviewer by name. `team` None: they review for all."""

    id: str
    name: str
    team: str | None
    agent_id: str | None


def named_reviewers(session: Session, client_id: str, teams: Collection[str] | None = None) -> list[Named]:
    """Who can be given work, by name; of `teams` and of none alone, where teams are given."""
    statement = select(USER.c.id, USER.c.name, USER.c.login, USER.c.team, USER.c.agent_id).where(
        USER.c.client_id == client_id, USER.c.role == "reviewer", USER.c.disabled_at.is_(None)
    )
    if teams is not None:
        statement = statement.where(USER.c.team.is_(None) | USER.c.team.in_(sorted(teams)))
    rows = session.execute(statement.order_by(USER.c.name, USER.c.login))
    return [Named(row.id, row.name or row.login, row.team, row.agent_id) for row in rows]


def reviewers_of(session: Session, evaluation_id: str) -> set[str]:
    """Who has a review of an evaluation."""
    statement = select(REVIEW.c.reviewer_id).where(REVIEW.c.evaluation_id == evaluation_id)
    return {id_ for id_ in session.execute(statement).scalars() if id_ is not None}


def next_slot(session: Session, evaluation_id: str, attempt: int) -> int:
    statement = select(func.max(REVIEW.c.slot)).where(
        REVIEW.c.evaluation_id == evaluation_id, REVIEW.c.attempt == attempt
    )
    highest = session.execute(statement).scalar_one()
    return 0 if highest is None else int(highest) + 1
