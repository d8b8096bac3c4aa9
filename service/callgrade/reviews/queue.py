"""The queue: what is to be reviewed, by when and why. Fast at a million reviews, because each leg reads one index.

leg                          answered by
what is assigned to me       review_of_reviewer
the pool, whole              review_of_reviewer (reviewer null)
the pool of a team           review_by_team
a lead's teams               review_by_team, a leg each
all of the client            review_by_state

A blind review says nothing of its proposal here either: its reason reads "sample", and a filter by reason finds it only
under that.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, case, exists, func, select, tuple_, union_all
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.domain.errors import InputError
from callgrade.domain.frozen import Frozen
from callgrade.evaluations.tables import CALL, EVALUATION
from callgrade.reviews.tables import DECISION, DRAFT, REVIEW, USER
from callgrade.reviews.views import SAMPLE

MOST = 200
ENOUGH = 1000
"""Tiles count no further: 1000 means "that many or more"."""
Whose = Literal["mine", "pool", "both"]
_REVIEWER = USER.alias("reviewer")
_POOL = REVIEW.c.reviewer_id.is_(None)
_USER_ID: BindParameter[str] = bindparam("user_id")
_DRAFTED = (
    select(DRAFT.c.review_id)
    .join(REVIEW, REVIEW.c.id == DRAFT.c.review_id)
    .where(DRAFT.c.user_id == _USER_ID, REVIEW.c.state == "open")
    .distinct()
    .limit(ENOUGH)
)
_LIVE = (REVIEW.c.claimed_until > bindparam("at")) & (REVIEW.c.claimed_by != _USER_ID)
_ROWS = (
    select(
        REVIEW,
        EVALUATION.c.call_id.label("server_call_id"),
        CALL.c.call_id.label("shown_call_id"),
        case((_LIVE, func.coalesce(USER.c.name, USER.c.login))).label("colleague"),
        func.coalesce(_REVIEWER.c.name, _REVIEWER.c.login).label("reviewer"),
        exists().where(DECISION.c.review_id == REVIEW.c.id).label("begun"),
        exists().where(DRAFT.c.review_id == REVIEW.c.id, DRAFT.c.user_id == _USER_ID).label("has_draft"),
    )
    .join(EVALUATION, EVALUATION.c.id == REVIEW.c.evaluation_id)
    .join(CALL, CALL.c.id == EVALUATION.c.call_id)
    .outerjoin(USER, USER.c.id == REVIEW.c.claimed_by)
    .outerjoin(_REVIEWER, _REVIEWER.c.id == REVIEW.c.reviewer_id)
    .where(REVIEW.c.id.in_(bindparam("reviews", expanding=True)))
    .order_by(REVIEW.c.due_at, REVIEW.c.id)
)


class QueueFilters(Frozen):
    """All that are given must hold. `due_before` shows what is due by then."""

    whose: Whose = "both"
    state: Literal["open", "submitted"] = "open"
    why: str | None = None
    team: str | None = None
    agent: str | None = None
    rubric: str | None = None
    due_before: datetime | None = None
    drafts: bool = False
    """Only where the visitor has half typed something."""


class QueueRow(NamedTuple):
    """One line of the queue. `call_id` is the server's, `shown_call_id` the client's own. `decided` counts rows of
    decisions, so that a begun one is told from a fresh one; `total` is the reviewer's own, once submitted."""

    review_id: str
    call_id: str
    shown_call_id: str
    rubric_id: str
    why: str
    blind: bool
    due_at: datetime
    called_at: datetime
    agent_id: str | None
    team: str | None
    pooled: bool
    reviewer: str | None
    """Whose it is, by name."""
    claimed_by: str | None
    begun: bool
    has_draft: bool
    total: Any


class QueuePage(NamedTuple):
    """`next_cursor` is None on the last page."""

    rows: tuple[QueueRow, ...]
    next_cursor: str | None


class Tiles(NamedTuple):
    """Of what is open within reach: each at most ENOUGH."""

    open: int
    due_today: int
    overdue: int
    drafts: int


def page(
    session: Session,
    visitor: Principal,
    filters: QueueFilters,
    *,
    at: datetime,
    cursor: str | None = None,
    limit: int = 50,
) -> QueuePage:
    """What is due first comes first. Raises InputError for a cursor that is none."""
    limit = max(1, min(limit, MOST))
    after = None if cursor is None else _decoded(cursor)
    # a handful of ids, found by their writer: a queue of a million is not searched for them
    among = _drafted(session, visitor) if filters.drafts else None
    legs = [_leg(visitor, where, filters, after, limit + 1, among=among) for where in _legs(visitor, filters)]
    if not legs:
        return QueuePage((), None)
    ids = union_all(*(select(leg.subquery()) for leg in legs)).subquery()
    keys = session.execute(select(ids).order_by(ids.c.due_at, ids.c.id).limit(limit + 1)).all()
    shown = keys[:limit]
    more = _encoded(shown[-1].due_at, shown[-1].id) if len(keys) > limit else None
    return QueuePage(tuple(_rows(session, visitor, [key.id for key in shown], at)), more)


def neighbours(
    session: Session, visitor: Principal, filters: QueueFilters, review_id: str
) -> tuple[str | None, str | None]:
    """The reviews before and behind one in the same queue."""
    here = session.execute(select(REVIEW.c.due_at, REVIEW.c.id).where(REVIEW.c.id == review_id)).one_or_none()
    if here is None:
        return None, None
    return (
        _next(session, visitor, filters, (here.due_at, here.id), backwards=True),
        _next(session, visitor, filters, (here.due_at, here.id), backwards=False),
    )


class Place(NamedTuple):
    """Where a review stands in a queue: the `number`-th of `of` (at most ENOUGH; 0 where it is not in it), and what
    comes before and after it."""

    number: int
    of: int
    before: str | None
    behind: str | None


def place(session: Session, visitor: Principal, filters: QueueFilters, review_id: str) -> Place:
    """By the queue's first ENOUGH, in one statement; what lies beyond is looked up by its key."""
    statement = _first(visitor, filters, "id")
    if statement is None:
        return Place(0, 0, None, None)
    ids = list(session.execute(statement).scalars())
    if review_id in ids[:-1] or (review_id in ids and len(ids) < ENOUGH):
        at = ids.index(review_id)
        around = (ids[at - 1] if at else None, ids[at + 1] if at + 1 < len(ids) else None)
        return Place(at + 1, len(ids), *around)
    return Place(0, len(ids), *neighbours(session, visitor, filters, review_id))


def version(session: Session, visitor: Principal) -> int:
    """Another number whenever what is open within reach has changed, as far as tiles look."""
    statement = _first(visitor, QueueFilters(), "due_at")
    return hash(() if statement is None else tuple(session.execute(statement).scalars()))


def tiles(session: Session, visitor: Principal, *, at: datetime, end_of_day: datetime) -> Tiles:
    """By one look at the head of the queue: what is due first comes first, so what is due or overdue stands there."""
    statement = _counted(visitor)
    if statement is None:
        return Tiles(0, 0, 0, 0)
    counted = session.execute(statement, {"at": at, "end_of_day": end_of_day}).one()
    return Tiles(counted[0], counted[1], counted[2], len(_drafted(session, visitor)))


@lru_cache(maxsize=1024)
def _counted(visitor: Principal) -> Select[int, int, int] | None:
    statement = _first(visitor, QueueFilters(), "due_at")
    if statement is None:
        return None
    due_at = statement.subquery().c.due_at
    due_today, overdue = (func.count().filter(due_at <= bindparam(moment)) for moment in ("end_of_day", "at"))
    return select(func.count(due_at), due_today, overdue)


@lru_cache(maxsize=1024)
def _first(visitor: Principal, filters: QueueFilters, column: Literal["id", "due_at"]) -> Select[Any] | None:
    """A column of the queue's first ENOUGH, in its order; None where nothing is within reach. Put together once: each
    page that is opened out of a queue asks for it."""
    legs = [_leg(visitor, where, filters, None, ENOUGH) for where in _legs(visitor, filters)]
    if not legs:
        return None
    merged = union_all(*(select(leg.subquery()) for leg in legs)).subquery()
    return select(merged.c[column]).order_by(merged.c.due_at, merged.c.id).limit(ENOUGH)


def _legs(visitor: Principal, filters: QueueFilters) -> Iterator[list[ColumnElement[bool]]]:
    """Conditions that one index answers each; together they are `access.rows.reviews_within`."""
    reach = visitor.reach("reviews:read")
    teams = sorted(visitor.teams) if filters.team is None else [t for t in sorted(visitor.teams) if t == filters.team]
    mine, pool = REVIEW.c.reviewer_id == visitor.user_id, _POOL
    if reach == "own":
        return
    if filters.whose in ("mine", "both") and reach in ("assigned", "teams"):
        yield [mine]
    if reach == "all":
        whole: dict[Whose, list[ColumnElement[bool]]] = {"mine": [mine], "pool": [pool], "both": []}
        yield whole[filters.whose]
    elif reach == "teams":
        others = REVIEW.c.reviewer_id.is_(None) | (REVIEW.c.reviewer_id != visitor.user_id)
        if filters.whose != "mine":
            yield from ([REVIEW.c.team == team, pool if filters.whose == "pool" else others] for team in teams)
    elif filters.whose in ("pool", "both"):
        if visitor.teams:
            yield from ([pool, REVIEW.c.team == team] for team in teams)
        else:
            yield [pool]


def _leg(
    visitor: Principal,
    where: list[ColumnElement[bool]],
    filters: QueueFilters,
    after: tuple[datetime, str] | None,
    limit: int,
    *,
    backwards: bool = False,
    among: Sequence[str] | None = None,
) -> Select[Any]:
    statement = select(REVIEW.c.id, REVIEW.c.due_at).where(
        REVIEW.c.client_id == visitor.client_id, REVIEW.c.state == filters.state, *where
    )
    if visitor.reach("reviews:read") == "assigned" and visitor.agent_id is not None:
        statement = statement.where(REVIEW.c.agent_id.is_(None) | (REVIEW.c.agent_id != visitor.agent_id))
    if filters.why == SAMPLE:
        statement = statement.where((REVIEW.c.why == SAMPLE) | REVIEW.c.blind)
    elif filters.why is not None:
        statement = statement.where(REVIEW.c.why == filters.why, REVIEW.c.blind.is_(False))
    for column, value in ((REVIEW.c.team, filters.team), (REVIEW.c.agent_id, filters.agent)):
        if value is not None:
            statement = statement.where(column == value)
    if filters.rubric is not None:
        statement = statement.where(REVIEW.c.rubric_id == filters.rubric)
    if filters.due_before is not None:
        statement = statement.where(REVIEW.c.due_at <= filters.due_before)
    if among is not None:
        statement = statement.where(REVIEW.c.id.in_(among))
    key = tuple_(REVIEW.c.due_at, REVIEW.c.id)
    if after is not None:
        statement = statement.where(key < after if backwards else key > after)
    order = [REVIEW.c.due_at, REVIEW.c.id]
    if len(where) == 1 and where[0] is _POOL:
        # null in all of them, which PostgreSQL must be told: else it reads the whole pool and sorts it
        order.insert(0, REVIEW.c.reviewer_id)
    return statement.order_by(*(column.desc() if backwards else column for column in order)).limit(limit)


def _next(
    session: Session, visitor: Principal, filters: QueueFilters, here: tuple[datetime, str], *, backwards: bool
) -> str | None:
    found = [
        session.execute(_leg(visitor, where, filters, here, 1, backwards=backwards)).one_or_none()
        for where in _legs(visitor, filters)
    ]
    keys = sorted((row.due_at, row.id) for row in found if row is not None)
    if not keys:
        return None
    return str(keys[-1 if backwards else 0][1])


def _drafted(session: Session, visitor: Principal) -> Sequence[str]:
    """Open reviews that the visitor has half typed something in; a queue may have lost some of them since."""
    return session.execute(_DRAFTED, {"user_id": visitor.user_id or ""}).scalars().all()


def _rows(session: Session, visitor: Principal, ids: list[str], at: datetime) -> Iterator[QueueRow]:
    for row in session.execute(_ROWS, {"reviews": ids, "user_id": visitor.user_id or "", "at": at}):
        yield QueueRow(
            review_id=row.id,
            call_id=row.server_call_id,
            shown_call_id=row.shown_call_id,
            rubric_id=row.rubric_id,
            why=SAMPLE if row.blind else row.why,
            blind=row.blind,
            due_at=row.due_at,
            called_at=row.called_at,
            agent_id=row.agent_id,
            team=row.team,
            pooled=row.reviewer_id is None,
            reviewer=row.reviewer,
            claimed_by=row.colleague,
            begun=bool(row.begun),
            has_draft=bool(row.has_draft),
            total=row.total,
        )


def _encoded(due_at: datetime, id_: str) -> str:
    return urlsafe_b64encode(json.dumps([due_at.isoformat(), id_]).encode()).decode().rstrip("=")


def _decoded(cursor: str) -> tuple[datetime, str]:
    try:
        due_at, id_ = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(due_at)
        if moment.tzinfo is None or not isinstance(id_, str):
            raise ValueError
    except (ValueError, TypeError):
        raise InputError("the cursor is not one of this list: begin again without it") from None
    return moment, id_
