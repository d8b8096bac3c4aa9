"""Dashboards: agents, teams, the centre, faults and reviewers. Every number leads to its calls."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.domain.errors import UnknownResourceError
from callgrade.domain.estimates import Figure, Method
from callgrade.domain.frozen import LocalText
from callgrade.domain.periods import Span, between, previous, span_of
from callgrade.domain.programme import Period
from callgrade.evaluations import registry
from callgrade.evaluations.exports import Sheet, to_csv
from callgrade.reviews import dashboards
from callgrade.reviews import dashboards_repository as repository
from callgrade.reviews.dashboards import Board
from callgrade.reviews.dashboards_repository import Asked
from callgrade.web.charts import Trend, trend
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.preferences import words_of
from callgrade.web.shell import page, redirect
from callgrade.web.words import N_, Words

Room = Literal["agents", "teams", "centre", "faults", "reviewers"]
ROOMS: Mapping[Room, str] = {
    "agents": N_("Agents"),
    "teams": N_("Teams"),
    "centre": N_("Centre"),
    "faults": N_("Faults"),
    "reviewers": N_("Reviewers"),
}
UNITS: Mapping[str, str] = {
    "week": N_("Week"),
    "month": N_("Month"),
    "month-21": N_("Month from the 21st to the 20th"),
    "quarter": N_("Quarter"),
    "half-year": N_("Half-year"),
    "year": N_("Year"),
    "days": N_("Days of my own"),
}
METHODS: Mapping[Method, str] = {
    "combined": N_("All calls"),
    "drawn": N_("All calls, people alone"),
    "published": N_("Published calls alone"),
}
EARLIEST = date(2000, 1, 1)

router = APIRouter()
Seer = Annotated[Principal, needs("dashboards:read")]


def _blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


Text = Annotated[str | None, BeforeValidator(_blank)]
Day = Annotated[date | None, BeforeValidator(_blank)]


class Wanted(BaseModel):
    """The URL's filters. `back` counts whole periods before the present one."""

    model_config = ConfigDict(extra="ignore")

    unit: Literal["week", "month", "month-21", "quarter", "half-year", "year", "days"] = "month"
    back: Annotated[int, Query(ge=0, le=1000)] = 0
    since: Day = None
    until: Day = None
    rubric: Text = None
    team: Text = None
    agent: Text = None

    @property
    def period(self) -> Period | None:
        if self.unit == "days":
            return None
        return Period(unit="month", first_day=21) if self.unit == "month-21" else Period(unit=self.unit)

    def span(self, desk: Desk, zone: ZoneInfo) -> Span:
        """Raises ValueError where the days stand the wrong way round."""
        if self.period is None:
            return between(self.since or EARLIEST, self.until or desk.clock().astimezone(zone).date(), zone)
        span = span_of(self.period, desk.clock(), zone)
        for _ in range(self.back):
            span = previous(self.period, span, zone)
        return span

    def url(self, room: str, **changes: Any) -> str:
        told = self.model_dump(mode="json", exclude_defaults=True)
        told = {name: value for name, value in {**told, **changes}.items() if value is not None}
        return f"/dashboards/{room}?{urlencode(told)}" if told else f"/dashboards/{room}"


class Seen(NamedTuple):
    """What a page is made of: the question, how it was put, and the rubrics that have published calls in the span."""

    asked: Asked
    span: Span
    titles: dict[str, LocalText]
    rubrics: list[tuple[str, int]]
    backwards: bool


@router.get("/dashboards")
def dashboard(request: Request, visitor: Seer) -> Response:
    """Agents see how they stand themselves, reviewers what they did; everybody else begins with the agents."""
    room = {"agent": "centre", "reviewer": "reviewers"}.get(visitor.role, "agents")
    return redirect(request, f"/dashboards/{room}")


@router.get("/dashboards/{room}")
def show(request: Request, visitor: Seer, desk: Desked, room: Room, wanted: Annotated[Wanted, Query()]) -> Response:
    zone = ZoneInfo(desk.settings.timezone)
    _require_open(visitor, room)
    with desk.database.reading() as session:
        seen = _seen(session, visitor, desk, wanted, zone)
        context = _context(session, request, visitor, desk, room, wanted, seen, zone)
    return page(request, f"dashboards/{_template(room)}.html", visitor, **context)


@router.get("/dashboards/{room}/table.csv")
def export(request: Request, visitor: Seer, desk: Desked, room: Room, wanted: Annotated[Wanted, Query()]) -> Response:
    """The table as it is shown, for a spreadsheet."""
    zone, words = ZoneInfo(desk.settings.timezone), words_of(request)
    _require_open(visitor, room)
    with desk.database.reading() as session:
        seen = _seen(session, visitor, desk, wanted, zone)
        context = _context(session, request, visitor, desk, room, wanted, seen, zone)
    content = to_csv(Sheet(room, *_table(room, context, words)))
    name = f"{room}-{seen.span.first}-{seen.span.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/dashboards/faults/{kind}/{name}")
def calls_with(
    request: Request,
    visitor: Seer,
    desk: Desked,
    kind: Literal["error", "violation"],
    name: str,
    wanted: Annotated[Wanted, Query()],
) -> Response:
    """The calls in which a fault was found."""
    zone = ZoneInfo(desk.settings.timezone)
    with desk.database.reading() as session:
        seen = _seen(session, visitor, desk, wanted, zone)
        found = repository.calls_with(session, visitor, seen.asked, kind, name)
        title = _fault_title(session, seen.asked.rubric, kind, name)
    return page(
        request, "dashboards/calls.html", visitor, rows=found, title=title, wanted=wanted, span=seen.span, rooms=ROOMS
    )


def _seen(session: Session, visitor: Principal, desk: Desk, wanted: Wanted, zone: ZoneInfo) -> Seen:
    backwards = bool(wanted.since and wanted.until and wanted.until < wanted.since)
    span = (wanted.model_copy(update={"until": wanted.since}) if backwards else wanted).span(desk, zone)
    rubrics = repository.rubrics(session, visitor, span)
    titles = {name.partition("@")[0]: title for name, title in registry.titles(session).items()}
    chosen = wanted.rubric or (rubrics[0][0] if rubrics else "")
    asked = Asked(span=span, rubric=chosen, team=wanted.team, agent=wanted.agent)
    return Seen(asked, span, titles, rubrics, backwards)


def _context(
    session: Session,
    request: Request,
    visitor: Principal,
    desk: Desk,
    room: Room,
    wanted: Wanted,
    seen: Seen,
    zone: ZoneInfo,
) -> dict[str, Any]:
    context: dict[str, Any] = {
        "room": room,
        "rooms": _rooms(visitor),
        "units": UNITS,
        "wanted": wanted,
        "span": seen.span,
        "titles": seen.titles,
        "rubrics": seen.rubrics,
        "rubric": seen.asked.rubric,
        "backwards": seen.backwards,
    }
    if room == "faults":
        context["errors"] = _faults(session, visitor, seen, "error")
        context["violations"] = _faults(session, visitor, seen, "violation")
    elif room == "reviewers":
        context["reviewers"] = dashboards.reviewers(session, visitor, seen.span, desk.clock())
    else:
        found = dashboards.board(session, visitor, seen.asked, room, wanted.period, zone)
        context |= {"board": found, "methods": METHODS, "chart": _chart(found, words_of(request))}
    return context


def _rooms(visitor: Principal) -> dict[Room, str]:
    """Agents have no colleagues' figures to look at, and reviewers no agents'."""
    shown: dict[str, tuple[Room, ...]] = {"agent": ("centre", "faults"), "reviewer": ("reviewers",)}
    return {room: ROOMS[room] for room in shown.get(visitor.role, tuple(ROOMS))}


def _require_open(visitor: Principal, room: Room) -> None:
    """Raises UnknownResourceError for a room that is not among theirs."""
    if room not in _rooms(visitor):
        raise UnknownResourceError("there is no such page for you")


def _template(room: Room) -> str:
    return room if room in ("faults", "reviewers") else "scores"


def _faults(session: Session, visitor: Principal, seen: Seen, kind: str) -> list[tuple[LocalText, repository.Fault]]:
    found = repository.faults(session, visitor, seen.asked, kind)
    return [(_fault_title(session, seen.asked.rubric, kind, fault.name), fault) for fault in found]


def _fault_title(session: Session, rubric_id: str, kind: str, name: str) -> LocalText:
    """A violation by its criterion's title, an error by its name in the taxonomy."""
    if not rubric_id:
        return LocalText(zh=name, en=name)
    rubric, _ = registry.rubric(session, rubric_id)
    if kind == "violation":
        criterion = rubric.by_id.get(name)
        return criterion.title if criterion else LocalText(zh=name, en=name)
    known = rubric.error_names.get(int(name)) if name.isdigit() else None
    return LocalText(zh=f"{name} {known.zh}", en=f"{name} {known.en}") if known else LocalText(zh=name, en=name)


def _chart(found: Board, words: Words) -> Trend | None:
    values = [point.score for point in found.trend]
    ends = [end for score in values for end in (score.value, score.low, score.high) if end is not None]
    if len([score for score in values if score.value is not None]) < 2:
        return None
    points = [(words.day(p.span.first), p.score.value, p.score.low, p.score.high) for p in found.trend]
    return trend(points, top=max(ends), floor=min(ends))


def _table(room: Room, context: Mapping[str, Any], words: Words) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], ...]]:
    _ = words.gettext
    if room == "faults":
        both = [("error", context["errors"]), ("violation", context["violations"])]
        rows = [
            (kind, title.in_language(words.language), float(fault.times), float(fault.calls))
            for kind, found in both
            for title, fault in found
        ]
        return (_("Kind"), _("Fault"), _("Times"), _("Calls")), tuple(rows)
    if room == "reviewers":
        about = (_("Reviewer"), _("Open"), _("Overdue"), _("Submitted"), _("Judged otherwise"), _("Mean given"))
        return about, tuple(
            (
                one.work.name,
                *map(float, (one.work.open, one.work.overdue, one.work.submitted)),
                one.overrides.value,
                one.given.value,
            )
            for one in context["reviewers"]
        )
    found: Board = context["board"]
    head: tuple[str, ...] = (_("Name"), _("Published"), _("Proposed calls"))
    for figure in (_("Mean"), _("Passed")):
        head += (figure, _("From"), _("To"), _("Speaks of"), _("Reviewed"))
    return (*head[:8], _("Before"), *head[8:]), tuple(_rows(found, _))


def _rows(found: Board, _: Callable[[str], str]) -> Iterable[tuple[Any, ...]]:
    for line in (*found.lines, found.whole):
        before = line.before.value if line.before else None
        yield (
            line.key or "",
            float(line.published),
            float(line.proposed),
            *_cells(line.score, _),
            before,
            *_cells(line.passed, _),
        )


def _cells(figure: Figure, _: Callable[[str], str]) -> tuple[Any, ...]:
    method = _(METHODS[figure.method]) if figure.value is not None else ""
    return figure.value, figure.low, figure.high, method, float(figure.n)
