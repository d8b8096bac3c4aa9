"""What means over all calls are made of, in the database: sums of what was proposed and published, and one by one the
calls that were drawn by chance."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Float, Integer, case, cast, exists, func, literal_column, null, select, text
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.db.tables.evaluations import FIGURED
from callgrade.domain.periods import Span
from callgrade.evaluations.tables import EVALUATION
from callgrade.reviews.dashboards_repository import Asked, graded, number
from callgrade.reviews.sampling_repository import LOOKED_AT, PLAN, RUN, SAMPLED
from callgrade.reviews.tables import REVIEW


class Published(NamedTuple):
    """Of one group of calls: how many published scores, their sum and that of their squares; how many passed of those
    with a verdict."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0
    passed: int = 0
    judged: int = 0


class Proposed(NamedTuple):
    """The same of all that was proposed, whether anybody has read it or not."""

    n: int = 0
    total: float = 0.0
    passed: int = 0
    judged: int = 0


class Drawn(NamedTuple):
    """A call that was drawn by chance, with the `probability` of it (0..1); drawn by several plans it is there as
    often. `total` and `passed` are what people made of it, None until it is `reviewed`; `period` counts spans."""

    id: str
    period: int
    key: str | None
    stratum: tuple[str, str]
    probability: float
    reviewed: bool
    total: float | None
    passed: bool | None
    proposed: float | None
    proposed_passed: bool | None


def published(
    session: Session, principal: Principal, asked: Asked, column: ColumnElement[Any] | None = None
) -> dict[str | None, Published]:
    """By value of `column`; those without a value stand under None, and so does everything without a column."""
    total, passed = cast(EVALUATION.c.total, Float), EVALUATION.c.passed
    sums = (func.count(total), _sum(total), _sum(total * total), number(passed.is_(True)), func.count(passed))
    rows = _by(session, column, sums, *graded(principal, asked), EVALUATION.c.status == "published")
    return {row[0]: Published(*row[1:]) for row in rows}


def proposed(
    session: Session, principal: Principal, asked: Asked, column: ColumnElement[Any] | None = None
) -> dict[str | None, Proposed]:
    """As `published`."""
    total, passed = cast(EVALUATION.c.proposed, Float), EVALUATION.c.proposed_passed
    sums = (func.count(total), _sum(total), number(passed.is_(True)), func.count(passed))
    return {row[0]: Proposed(*row[1:]) for row in _by(session, column, sums, *graded(principal, asked))}


def _by(
    session: Session, column: ColumnElement[Any] | None, sums: Sequence[ColumnElement[Any]], *where: ColumnElement[bool]
) -> Sequence[Any]:
    """Of what the index of figures holds, which the text of its condition leads to."""
    if column is None:
        return session.execute(select(null(), *sums).where(*where, text(FIGURED))).all()
    if session.get_bind().dialect.name == "sqlite":
        # with the sign it does not walk all that there ever was in the order of the group, to spare itself a sort
        column = literal_column(f"+{EVALUATION.name}.{column.name}", column.type)
    return session.execute(select(column, *sums).where(*where, text(FIGURED)).group_by(column)).all()


def _sum(value: ColumnElement[float]) -> ColumnElement[float]:
    return func.coalesce(func.sum(value), 0.0)


def drawn(
    session: Session, principal: Principal, asked: Asked, spans: Sequence[Span], column: ColumnElement[Any] | None
) -> list[Drawn]:
    """What plans drew by chance of these spans. A call whose words were corrected is looked up where it stands now."""
    whole = asked.model_copy(update={"span": _over(spans)})
    first = EVALUATION.alias("first")
    by_people = exists().where(REVIEW.c.evaluation_id == EVALUATION.c.id, REVIEW.c.state == "submitted")
    rows = session.execute(
        select(
            EVALUATION.c.id,
            _number_of(spans),
            null() if column is None else column,
            SAMPLED.c.run_id,
            SAMPLED.c.stratum,
            SAMPLED.c.probability,
            ((EVALUATION.c.status == "published") & by_people).label("reviewed"),
            cast(EVALUATION.c.total, Float),
            EVALUATION.c.passed,
            cast(EVALUATION.c.proposed, Float),
            EVALUATION.c.proposed_passed,
        )
        .select_from(SAMPLED)
        .join(first, first.c.id == SAMPLED.c.evaluation_id)
        .join(EVALUATION, EVALUATION.c.id == func.coalesce(first.c.yields_to, first.c.id))
        .where(
            SAMPLED.c.run_id.in_(_drawings(session, principal, whole)),
            SAMPLED.c.probability.is_not(None),
            *graded(principal, whole),
            EVALUATION.c.status.in_(LOOKED_AT),
        )
    )
    return [Drawn(row[0], row[1], row[2], (row[3], row[4]), row[5], bool(row[6]), *row[7:]) for row in rows]


def _drawings(session: Session, principal: Principal, asked: Asked) -> Sequence[str]:
    """By name: joined, SQLite begins with all that was ever drawn."""
    statement = (
        select(RUN.c.id)
        .join(PLAN, PLAN.c.id == RUN.c.plan_id)
        .where(
            RUN.c.client_id == principal.client_id,
            PLAN.c.rubric_id == asked.rubric,
            RUN.c.since < asked.span.until,
            RUN.c.until > asked.span.since,
        )
    )
    return session.execute(statement).scalars().all()


def _over(spans: Sequence[Span]) -> Span:
    return spans[-1].model_copy(update={"since": spans[0].since, "first": spans[0].first})


def _number_of(spans: Sequence[Span]) -> ColumnElement[int]:
    if len(spans) == 1:
        return literal_column("0", Integer)
    begun = [(EVALUATION.c.called_at >= span.since, number) for number, span in enumerate(spans)]
    return case(*reversed(begun[1:]), else_=0)
