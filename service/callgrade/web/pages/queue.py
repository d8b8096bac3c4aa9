"""My queue: what is to be reviewed, what is due first, and why."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.domain.periods import deadline
from callgrade.evaluations import registry
from callgrade.reviews import queue
from callgrade.reviews.queue import QueueFilters, Whose
from callgrade.web.dependencies import Desked, Visitor, needs
from callgrade.web.live import Topic
from callgrade.web.shell import page_or_part, redirect
from callgrade.web.words import N_

PAGE = 50
WHY: Mapping[str, tuple[str, str]] = {
    "sample": ("none", N_("Sample")),
    "unusual": ("open", N_("Unusual length")),
    "red_line": ("bad", N_("Red line")),
    "low_confidence": ("partly", N_("Low confidence")),
    "flagged": ("partly", N_("Flagged")),
    "watched_agent": ("open", N_("Agent under watch")),
    "topic": ("open", N_("Special topic")),
    "complaint": ("bad", N_("Complaint")),
    "double": ("none", N_("Second look")),
    "picked": ("none", N_("Picked")),
    "corrected": ("open", N_("Transcript corrected")),
    "audit": ("none", N_("Audit")),
    "second_opinion": ("partly", N_("Second opinion differs")),
}
"""Why a review is there: how it looks, and how it reads."""

router = APIRouter()


def _blank(value: object) -> object:
    """A form sends its empty fields too."""
    return None if isinstance(value, str) and not value.strip() else value


Text = Annotated[str | None, BeforeValidator(_blank)]


class QueueWanted(BaseModel):
    """The URL's filters; the review page carries them on, so that "next" stays within them."""

    model_config = ConfigDict(extra="ignore")

    whose: Whose = "both"
    why: Text = None
    team: Text = None
    agent: Text = None
    rubric: Text = None
    due: Annotated[str | None, BeforeValidator(_blank)] = None
    """`today`, `overdue`."""
    drafts: bool = False
    cursor: Text = None

    def filters(self, at: datetime, zone: ZoneInfo) -> QueueFilters:
        ends = {"today": deadline(at, 0, zone), "overdue": at}
        return QueueFilters(
            whose=self.whose,
            why=self.why,
            team=self.team,
            agent=self.agent,
            rubric=self.rubric,
            due_before=ends.get(self.due or ""),
            drafts=self.drafts,
        )

    @property
    def query(self) -> dict[str, Any]:
        told: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True, exclude={"cursor"})
        return told

    def url(self, path: str = "/", **changes: Any) -> str:
        """This queue with other filters; a change begins at its first page again."""
        told = {name: value for name, value in {**self.query, **changes}.items() if value is not None}
        return f"{path}?{urlencode(told)}" if told else path


def look(session: Session, visitor: Principal) -> int:
    return queue.version(session, visitor)


TOPICS = [Topic("queue", "reviews:write", look, own=True)]


@router.get("/")
def home(request: Request, visitor: Visitor, desk: Desked, wanted: Annotated[QueueWanted, Query()]) -> Response:
    """A reviewer's queue; others begin where their own work is."""
    if "reviews:write" not in visitor.scopes:
        return redirect(request, "/results" if "appeals:write" in visitor.scopes else "/calls")
    return _queue(request, visitor, desk, wanted)


@router.get("/queue")
def whole_queue(
    request: Request,
    visitor: Annotated[Principal, needs("reviews:write")],
    desk: Desked,
    wanted: Annotated[QueueWanted, Query()],
) -> Response:
    return _queue(request, visitor, desk, wanted)


def _queue(request: Request, visitor: Principal, desk: Desked, wanted: QueueWanted) -> Response:
    zone, at = ZoneInfo(desk.settings.timezone), desk.clock()
    with desk.database.reading() as session:
        found = queue.page(session, visitor, wanted.filters(at, zone), at=at, cursor=wanted.cursor, limit=PAGE)
        tiles = queue.tiles(session, visitor, at=at, end_of_day=deadline(at, 0, zone))
        titles = {name.partition("@")[0]: title for name, title in registry.titles(session).items()}
    return page_or_part(
        request,
        "queue/page.html",
        "queue/_rows.html",
        visitor,
        wanted=wanted,
        rows=found.rows,
        titles=titles,
        tiles=tiles,
        enough=queue.ENOUGH,
        why=WHY,
        at=at,
        teams=sorted(visitor.teams),
        team_options=[(team, team) for team in sorted(visitor.teams)],
        further=wanted.url(cursor=found.next_cursor) if found.next_cursor else None,
        first=wanted.url() if wanted.cursor else None,
    )
