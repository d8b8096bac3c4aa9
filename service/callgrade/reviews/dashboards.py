"""Agents, teams and the centre: what their scores come to, of which calls, and how far the figure may be trusted.

Every number is of one rubric, over one span, with its n, and says whether it speaks of all calls or of the published
ones (reviews.averages); below four scores there is no interval, and of none no mean.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.domain.estimates import Estimate, Figure, mean, share
from callgrade.domain.periods import Span, previous
from callgrade.domain.programme import Period
from callgrade.evaluations.tables import EVALUATION
from callgrade.reviews import averages
from callgrade.reviews import averages_repository as repository
from callgrade.reviews.averages import Counted, Place, Sampled
from callgrade.reviews.averages_repository import Published
from callgrade.reviews.dashboards_repository import MOST, Asked, Workload, workloads

By = Literal["agents", "teams", "centre"]
TREND = 8
"""Periods that a trend goes back, this one among them."""


class Line(NamedTuple):
    """One agent or team (None: those without one) and their figures, of so many `published` calls and `proposed` ones,
    which count the published among them. `before` is the score of the period before."""

    key: str | None
    published: int
    proposed: int
    score: Figure
    passed: Figure
    before: Figure | None


class Point(NamedTuple):
    """One period of a trend."""

    span: Span
    score: Figure


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
    spans = _spans(asked.span, period, zone)
    column = {"agents": EVALUATION.c.agent_id, "teams": EVALUATION.c.team, "centre": None}[by]
    drawn = repository.drawn(session, principal, asked, spans, column)
    of_each, of_all = averages.sampled(drawn)
    whole = _figures(session, principal, asked, spans, None, of_all)
    trend = tuple(Point(span, whole.score(number, None)) for number, span in enumerate(spans)) if period else ()
    now = len(spans) - 1
    if column is None:
        return Board(whole.line(now, None), (), trend)
    lines = _figures(session, principal, asked, spans, column, of_each)
    keys = sorted({key for number, key in lines.counted if number == now}, key=lambda key: (key is not None, key))
    return Board(whole.line(now, None), tuple(lines.line(now, key) for key in keys[:MOST]), trend)


class _Figures(NamedTuple):
    counted: Mapping[Place, Counted]
    drawn: Mapping[Place, Sampled]

    def score(self, number: int, key: str | None) -> Figure:
        place = number, key
        return averages.score(self.counted.get(place, Counted()), self.drawn.get(place))

    def line(self, number: int, key: str | None) -> Line:
        place = number, key
        counted = self.counted.get(place, Counted())
        passed = averages.passed(counted, self.drawn.get(place))
        before = self.score(number - 1, key) if number else None
        known = before if before is not None and before.value is not None else None
        return Line(key, counted.published.n, counted.proposed.n, self.score(number, key), passed, known)


def reviewers(session: Session, principal: Principal, span: Span, at: datetime) -> list[Reviewer]:
    """By load and by what they decided."""
    return [
        Reviewer(
            work,
            share(work.overridden, work.approved + work.overridden),
            mean(work.n, work.total, work.squares),
        )
        for work in workloads(session, principal, span, at)
    ]


def _spans(span: Span, period: Period | None, zone: ZoneInfo) -> Sequence[Span]:
    """As many as a trend has, the oldest first; days of one's own are one."""
    spans = [span]
    while period is not None and len(spans) < TREND:
        spans.append(previous(period, spans[-1], zone))
    return spans[::-1]


def _figures(
    session: Session,
    principal: Principal,
    asked: Asked,
    spans: Sequence[Span],
    column: ColumnElement[Any] | None,
    drawn: Mapping[Place, Sampled],
) -> _Figures:
    """Of every span as a whole; by a column, of the last one and the one before."""
    counted: dict[Place, Counted] = {}
    for number in range(len(spans)) if column is None else range(max(0, len(spans) - 2), len(spans)):
        then = asked.model_copy(update={"span": spans[number]})
        done = repository.published(session, principal, then, column)
        for key, all_ in repository.proposed(session, principal, then, column).items():
            counted[number, key] = Counted(done.get(key, Published()), all_)
    return _Figures(counted, drawn)
