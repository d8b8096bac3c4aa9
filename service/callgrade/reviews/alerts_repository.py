"""Rules of alerts, what they found, and whose turn a mail is, in the database."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Float, Select, Text, cast, func, or_, select, true, update
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.access.rows import unseen_by
from callgrade.db.tables import Alert, AlertRule
from callgrade.db.tables.core import table_of
from callgrade.domain.errors import UnknownResourceError
from callgrade.domain.weeks import Week
from callgrade.evaluations.repository import insert_new
from callgrade.evaluations.tables import CALL, EVALUATION, SCORECARD, STANDS
from callgrade.reviews.tables import PUBLISHED, REVIEW, USER

RULE, ALERT = table_of(AlertRule), table_of(Alert)
LOOKED_AT = ("proposed", "in_review", "published")
STALE = timedelta(days=1)
"""A mail that could not be sent for so long is not sent any more: the page has the alert."""
LEASE = timedelta(minutes=10)
"""How long an attempt at a mail may take before somebody else may begin the next one; longer than any takes."""
TOGETHER = 50
"""Alerts in one mail."""


class Judged(NamedTuple):
    """An evaluation with the scorecard that stands: the newest published one, else the proposal."""

    id: str
    call_id: str
    shown_call_id: str
    agent_id: str | None
    team: str | None
    status: str
    rubric_digest: str
    updated_at: datetime
    scorecard: str


class AlertRow(NamedTuple):
    """An alert for the page. `call_id` is the server's and `shown_call_id` the client's own, where it is of a call."""

    alert: Alert
    rule: str
    kind: str
    call_id: str | None
    shown_call_id: str | None
    seen_by: str | None


class Letter(NamedTuple):
    """Alerts of one rule that one attempt at a mail tells of. `until` is the moment the attempt may take, and marks it
    as the caller's."""

    rule: str
    to: tuple[str, ...]
    alerts: tuple[Alert, ...]
    until: datetime


# rules


def rules(session: Session, client_id: str | None, *, disabled: bool = False) -> Sequence[AlertRule]:
    """Of one client or of all, the newest first."""
    statement = select(AlertRule).order_by(RULE.c.id.desc())
    if client_id is not None:
        statement = statement.where(RULE.c.client_id == client_id)
    if not disabled:
        statement = statement.where(RULE.c.disabled_at.is_(None))
    return session.execute(statement).scalars().all()


def find_rule(session: Session, client_id: str, id_: str) -> AlertRule:
    found = session.get(AlertRule, id_)
    if found is None or found.client_id != client_id:
        raise UnknownResourceError("there is no such rule")
    return found


# alerts


def alerts_within(visitor: Principal) -> ColumnElement[bool]:
    """Leads reach those of their teams. What tells of a scorecard stays hidden from who is to judge that call blind."""
    unseen = or_(ALERT.c.evaluation_id.is_(None), unseen_by(visitor, ALERT.c.evaluation_id))
    mine = (ALERT.c.client_id == visitor.client_id) & unseen
    if visitor.reach("alerts:write") == "all":
        return mine
    return mine & ALERT.c.team.in_(sorted(visitor.teams))


def page(session: Session, visitor: Principal, *, before: str | None, limit: int) -> list[AlertRow]:
    """The newest first; `before` is the last id of the page before."""
    statement = _rows().where(alerts_within(visitor)).order_by(ALERT.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(ALERT.c.id < before)
    return [AlertRow(*row) for row in session.execute(statement)]


def find(session: Session, visitor: Principal, id_: str) -> AlertRow:
    row = session.execute(_rows().where(alerts_within(visitor), ALERT.c.id == id_)).one_or_none()
    if row is None:
        raise UnknownResourceError("there is no such alert")
    return AlertRow(*row)


def pulse(session: Session, visitor: Principal) -> tuple[str | None, str | None]:
    """Another whenever there is something new, or somebody has seen something: the newest alert within reach, and the
    newest that nobody has seen."""
    mine = select(func.max(ALERT.c.id)).where(alerts_within(visitor))
    newest, unseen = mine, mine.where(ALERT.c.seen_by.is_(None))
    return session.execute(newest).scalar_one(), session.execute(unseen).scalar_one()


def see(session: Session, visitor: Principal, ids: Collection[str]) -> int:
    """Marks what nobody has seen yet, within reach; says how many."""
    seen = (
        update(ALERT)
        .where(alerts_within(visitor), ALERT.c.id.in_(ids), ALERT.c.seen_by.is_(None))
        .values(seen_by=visitor.user_id)
    )
    return len(session.execute(seen.returning(ALERT.c.id)).all())


def _rows() -> Select[Any]:
    return (
        select(
            Alert, RULE.c.name, RULE.c.kind, CALL.c.id, CALL.c.call_id, func.coalesce(USER.c.name, USER.c.login)
        )
        .join(RULE, RULE.c.id == ALERT.c.rule_id)
        .outerjoin(EVALUATION, EVALUATION.c.id == ALERT.c.evaluation_id)
        .outerjoin(CALL, (CALL.c.id == EVALUATION.c.call_id) & CALL.c.erased_at.is_(None))
        .outerjoin(USER, USER.c.id == ALERT.c.seen_by)
    )  # fmt: skip


def add(session: Session, row: Alert) -> bool:
    """False where the rule has told of this subject before."""
    return insert_new(session, ALERT, [row.model_dump()]) == 1


def told_of(session: Session, rule_id: str, subject: str) -> bool:
    statement = select(ALERT.c.id).where(ALERT.c.rule_id == rule_id, ALERT.c.subject == subject)
    return session.execute(statement).first() is not None


def last_sent(session: Session, rule_id: str) -> datetime | None:
    """When the last mail of a rule was sent."""
    found: datetime | None = session.execute(
        select(func.max(ALERT.c.sent_at, type_=ALERT.c.sent_at.type)).where(ALERT.c.rule_id == rule_id)
    ).scalar_one()
    return found


# what rules look at


def judged(
    session: Session,
    rule: AlertRule,
    statuses: Collection[str],
    after: tuple[datetime, str],
    until: datetime,
    limit: int,
) -> list[Judged]:
    """What became so after a moment (and an id within it), the oldest first."""
    newest = (
        select(PUBLISHED.c.content)
        .where(PUBLISHED.c.evaluation_id == EVALUATION.c.id)
        .order_by(PUBLISHED.c.revision.desc())
        .limit(1)
        .scalar_subquery()
    )
    since, id_ = after
    rubric, teams = rule.spec.get("rubric"), rule.spec.get("teams") or ()
    card = (SCORECARD.c.evaluation_id == EVALUATION.c.id) & (SCORECARD.c.attempt == EVALUATION.c.attempt)
    rows = session.execute(
        select(
            EVALUATION.c.id,
            EVALUATION.c.call_id,
            CALL.c.call_id.label("shown"),
            EVALUATION.c.agent_id,
            EVALUATION.c.team,
            EVALUATION.c.status,
            EVALUATION.c.rubric_digest,
            EVALUATION.c.updated_at,
            func.coalesce(newest, SCORECARD.c.content, type_=Text).label("card"),
        )
        .join(CALL, CALL.c.id == EVALUATION.c.call_id)
        .outerjoin(SCORECARD, card)
        .where(
            EVALUATION.c.status.in_(statuses),
            EVALUATION.c.updated_at >= since,
            or_(EVALUATION.c.updated_at > since, EVALUATION.c.id > id_),
            EVALUATION.c.updated_at < until,
            # not as an index has it, or SQLite walks all that the client ever had instead of what is new
            func.coalesce(EVALUATION.c.client_id, "") == rule.client_id,
            CALL.c.erased_at.is_(None),
            EVALUATION.c.rubric_id == rubric if rubric else true(),
            _of(teams),
        )
        .order_by(EVALUATION.c.updated_at, EVALUATION.c.id)
        .limit(limit)
    )
    return [Judged(*row) for row in rows]


def weeks(
    session: Session, rule: AlertRule, since: datetime, until: datetime, fewest: int
) -> dict[tuple[str, str], Week]:
    """(agent, rubric) → their published scores of a span, where there are at least `fewest`."""
    rubric, teams = rule.spec.get("rubric"), rule.spec.get("teams") or ()
    total = cast(EVALUATION.c.total, Float)
    rows = session.execute(
        select(EVALUATION.c.agent_id, EVALUATION.c.rubric_id, func.count(), func.sum(total), func.sum(total * total))
        .where(
            EVALUATION.c.client_id == rule.client_id,
            EVALUATION.c.status == "published",
            STANDS,
            EVALUATION.c.called_at >= since,
            EVALUATION.c.called_at < until,
            EVALUATION.c.agent_id.is_not(None),
            EVALUATION.c.total.is_not(None),
            EVALUATION.c.rubric_id == rubric if rubric else true(),
            _of(teams),
        )
        .group_by(EVALUATION.c.agent_id, EVALUATION.c.rubric_id)
        .having(func.count() >= fewest)
        .order_by(EVALUATION.c.agent_id, EVALUATION.c.rubric_id)
    )
    return {(agent, form): Week(n=n, total=float(sum_), squares=float(sq)) for agent, form, n, sum_, sq in rows}


def team_of(session: Session, client_id: str, agent_id: str, until: datetime) -> str | None:
    """An agent's, as their last call before a moment has it."""
    statement = (
        select(EVALUATION.c.team)
        .where(EVALUATION.c.client_id == client_id, EVALUATION.c.agent_id == agent_id, EVALUATION.c.called_at < until)
        .order_by(EVALUATION.c.called_at.desc(), EVALUATION.c.id.desc())
        .limit(1)
    )
    found: str | None = session.execute(statement).scalar_one_or_none()
    return found


def open_reviews(session: Session, client_id: str, team: str | None) -> tuple[int, datetime | None]:
    """(how many are open, since when the oldest is)."""
    statement = select(func.count(), func.min(REVIEW.c.created_at, type_=REVIEW.c.created_at.type)).where(
        REVIEW.c.client_id == client_id, REVIEW.c.state == "open"
    )
    if team is not None:
        statement = statement.where(REVIEW.c.team == team)
    number, oldest = session.execute(statement).one()
    return int(number), oldest


def _of(teams: Collection[str]) -> ColumnElement[bool]:
    return EVALUATION.c.team.in_(sorted(teams)) if teams else true()


# mails


def take(session: Session, at: datetime) -> Letter | None:
    """The next mail, which is the caller's until LEASE is over; None where none is due. Two hosts that ask at once take
    different ones."""
    session.execute(update(ALERT).where(ALERT.c.next_at <= at, ALERT.c.raised_at < at - STALE).values(next_at=None))
    due = ALERT.c.next_at <= at
    first = session.execute(
        select(Alert).where(due).order_by(ALERT.c.next_at, ALERT.c.id).limit(1).with_for_update(skip_locked=True)
    ).scalar_one_or_none()
    if first is None:
        return None
    found = session.execute(
        select(Alert)
        .where(due, ALERT.c.rule_id == first.rule_id)
        .order_by(ALERT.c.id)
        .limit(TOGETHER)
        .with_for_update(skip_locked=True)
    ).scalars()
    together = {row.id: row for row in (first, *found) if row.email == first.email}
    until = at + LEASE
    session.execute(
        update(ALERT).where(ALERT.c.id.in_(sorted(together))).values(attempts=ALERT.c.attempts + 1, next_at=until)
    )
    name = session.execute(select(RULE.c.name).where(RULE.c.id == first.rule_id)).scalar_one()
    return Letter(name, tuple(first.email), tuple(together[id_] for id_ in sorted(together)), until)


def settle(session: Session, letter: Letter, **values: Any) -> None:
    """How an attempt ended; nothing where somebody else has begun another since."""
    ids = [alert.id for alert in letter.alerts]
    session.execute(update(ALERT).where(ALERT.c.id.in_(ids), ALERT.c.next_at == letter.until).values(**values))
