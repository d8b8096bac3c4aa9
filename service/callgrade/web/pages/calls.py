"""Calls and what they were graded: filters in the URL, so that a list can be sent to somebody."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict

from callgrade.access import rows
from callgrade.access.principals import Principal
from callgrade.db.tables import Evaluation
from callgrade.domain.frozen import LocalText
from callgrade.domain.periods import between
from callgrade.evaluations import lists, overviews
from callgrade.evaluations.lists import Filters, Order
from callgrade.evaluations.statuses import Status
from callgrade.evaluations.views import client_call_ids
from callgrade.evaluations.words import TABLE
from callgrade.web.dependencies import Desked, needs
from callgrade.web.shell import page_or_part

PAGE = 50
FLAGS = tuple(name.removeprefix("flag.") for name in TABLE if name.startswith("flag."))
EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)

router = APIRouter()


def _blank(value: object) -> object:
    """A form sends its empty fields too."""
    return None if isinstance(value, str) and not value.strip() else value


Text = Annotated[str | None, BeforeValidator(_blank)]


class Wanted(BaseModel):
    """The URL's filters. Days are the call centre's, both ends included."""

    model_config = ConfigDict(extra="ignore")

    agent: Text = None
    team: Text = None
    rubric: Text = None
    status: Annotated[Status | None, BeforeValidator(_blank)] = None
    flag: Text = None
    batch: Text = None
    since: Annotated[date | None, BeforeValidator(_blank)] = None
    until: Annotated[date | None, BeforeValidator(_blank)] = None
    lowest: Annotated[Decimal | None, BeforeValidator(_blank)] = None
    highest: Annotated[Decimal | None, BeforeValidator(_blank)] = None
    order: Order = "newest"
    cursor: Text = None

    def filters(self, zone: ZoneInfo) -> Filters:
        """Raises ValueError where the days stand the wrong way round."""
        named = self.model_dump(exclude={"since", "until", "order", "cursor"}, exclude_none=True)
        span = between(self.since or EARLIEST, self.until or LATEST, zone)
        return Filters(
            **named,
            since=span.since if self.since else None,
            until=span.until if self.until else None,
            order="newest" if self.order == "lowest" and self.flag is None else self.order,
        )

    def url(self, **changes: Any) -> str:
        """This list with other filters; a change begins at the first page again."""
        told = self.model_dump(mode="json", exclude_defaults=True, exclude={"cursor"})
        told = {name: value for name, value in {**told, **changes}.items() if value is not None}
        return f"/calls?{urlencode(told)}" if told else "/calls"

    @property
    def narrow(self) -> dict[str, str]:
        """What is asked for, by name; the order is no filter."""
        return self.model_dump(mode="json", exclude_none=True, exclude={"order", "cursor"})


class Row(NamedTuple):
    evaluation: Evaluation
    call_id: str
    title: LocalText


@router.get("/calls")
def calls(
    request: Request,
    visitor: Annotated[Principal, needs("evaluations:read")],
    desk: Desked,
    wanted: Annotated[Wanted, Query()],
) -> Response:
    """Within the visitor's reach, the newest first; not those that they are still to judge blind."""
    zone = ZoneInfo(desk.settings.timezone)
    backwards = bool(wanted.since and wanted.until and wanted.until < wanted.since)
    with desk.database.reading() as session:
        titles = overviews.rubric_titles(session)
        found = lists.Page((), None)
        if not backwards:
            within = rows.evaluations_within(visitor, "evaluations:read")
            asked = wanted.filters(zone)
            found = lists.list_page(session, visitor.client_id, asked, cursor=wanted.cursor, limit=PAGE, within=within)
        ids = client_call_ids(session, found.items)
    return page_or_part(
        request,
        "calls/list.html",
        "calls/_rows.html",
        visitor,
        wanted=wanted,
        backwards=backwards,
        rows=[Row(it, ids.get(it.call_id, ""), _title(titles, it)) for it in found.items],
        flags=FLAGS,
        rubrics=sorted({name.partition("@")[0]: title for name, title in titles.items()}.items()),
        further=wanted.url(cursor=found.next_cursor) if found.next_cursor else None,
        first=wanted.url() if wanted.cursor else None,
    )


def _title(titles: dict[str, LocalText], row: Evaluation) -> LocalText:
    known = titles.get(f"{row.rubric_id}@{row.rubric_version}")
    return known or LocalText(zh=row.rubric_id, en=row.rubric_id)
