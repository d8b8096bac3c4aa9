"""Agents, teams and the centre: what their published scores come to, and how far the figure may be trusted.

Every number is of one rubric, over one span, with its n; below four scores there is no interval, and of none no mean.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.domain.estimates import Estimate, mean, share
from callgrade.domain.periods import Span, previous
from callgrade.domain.programme import Period
from callgrade.evaluations.tables import EVALUATION
from callgrade.reviews import dashboards_repository as repository
from callgrade.reviews.dashboards_repository import Asked, Sums, Workload

By = Literal["agents", "teams", "centre"]
_WHOLE = "\0whole"
TREND = 8
"""Periods that a trend goes back, this one among them."""


class Line(NamedTuple):
    """One agent or team (None: those without one) and their figures. `before` is the mean of the period before."""

    key: str | None
    score: Estimate
    passed: Estimate
    before: float | None


class Point(NamedTuple):
    """One period of a trend."""

    span: Span
    score: Estimate


class Board(NamedTuple):
    """A dashboard: the whole, its lines, and how the whole came here."""

    whole: Line
    lines: tuple[Line, ...]
    trend: tuple[Point, ...]


class Reviewer(NamedTuple):
    """A reviewer's load, how often they judged otherwise, and the mean of the scores they gave.

    The mean says something of strictness only where calls were handed out by chance.
    """

    work: Workload
    overrides: Estimate
    given: Estimate


def board(session: Session, principal: Principal, asked: Asked, by: By, period: Period | None, zone: ZoneInfo) -> Board:
    """`period` is what `asked.span` is one of; without one (days of one's own) there is neither trend nor before."""
    column = {"agents": EVALUATION.c.agent_id, "teams": EVALUATION.c.team, "centre": EVALUATION.c.rubric_id}[by]
    earlier: dict[str | None, float | None] = {}
    if period is not None:
        last = asked.model_copy(update={"span": previous(period, asked.span, zone)})
        earlier = {sums.key: _mean(sums).value for sums in repository.by(session, principal, last, column)}
        earlier[_WHOLE] = _mean(repository.whole(session, principal, last)).value
    lines = tuple(_line(sums, earlier.get(sums.key)) for sums in repository.by(session, principal, asked, column))
    whole = _line(repository.whole(session, principal, asked), earlier.get(_WHOLE))
    return Board(whole, lines if by != "centre" else (), tuple(_trend(session, principal, asked, period, zone)))


def reviewers(session: Session, principal: Principal, span: Span, at: datetime) -> list[Reviewer]:
    """By load and by what they decided."""
    return [
        Reviewer(
            work,
            share(work.overridden, work.approved + work.overridden),
            mean(work.n, work.total, work.squares),
        )
        for work in repository.workloads(session, principal, span, at)
    ]


def _trend(
    session: Session, principal: Principal, asked: Asked, period: Period | None, zone: ZoneInfo
) -> Sequence[Point]:
    if period is None:
        return ()
    spans = [asked.span]
    for _ in range(TREND - 1):
        spans.append(previous(period, spans[-1], zone))
    return [
        Point(span, _mean(repository.whole(session, principal, asked.model_copy(update={"span": span}))))
        for span in reversed(spans)
    ]


def _line(sums: Sums, before: float | None) -> Line:
    return Line(sums.key, _mean(sums), share(sums.passed, sums.judged), before)


def _mean(sums: Sums) -> Estimate:
    return mean(sums.n, sums.total, sums.squares)
