"""Handing out: what is open within a lead's reach is given to somebody else, back into the pool, or withdrawn."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request, Response
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.domain.errors import ConflictError, UnknownResourceError
from callgrade.evaluations import registry
from callgrade.reviews import assignment, queue, sampling_repository
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.pages.queue import WHY, QueueWanted
from callgrade.web.preferences import words_of
from callgrade.web.shell import page, redirect

PAGE = 100
MOST = 200
POOL = "pool"

router = APIRouter()
Planner = Annotated[Principal, needs("sampling:write")]
Wanted = Annotated[QueueWanted, Query()]


@router.get("/sampling/reviews")
def reviews(request: Request, visitor: Planner, desk: Desked, wanted: Wanted) -> Response:
    """What is due first comes first, and whose it is."""
    at, zone = desk.clock(), ZoneInfo(desk.settings.timezone)
    with desk.database.reading() as session:
        found = queue.page(session, visitor, wanted.filters(at, zone), at=at, cursor=wanted.cursor, limit=PAGE)
        titles = {name.partition("@")[0]: title for name, title in registry.titles(session).items()}
        people = _people(session, visitor)
    return page(
        request,
        "sampling/reviews.html",
        visitor,
        wanted=wanted,
        rows=found.rows,
        titles=titles,
        people=people,
        why=WHY,
        at=at,
        further=wanted.url("/sampling/reviews", cursor=found.next_cursor) if found.next_cursor else None,
        first=wanted.url("/sampling/reviews") if wanted.cursor else None,
    )


@router.post("/sampling/reviews")
def change(
    request: Request,
    visitor: Planner,
    desk: Desked,
    wanted: Wanted,
    do: Annotated[Literal["assign", "withdraw"], Form()],
    review: Annotated[list[str] | None, Form(max_length=MOST)] = None,
    to: Annotated[str, Form(max_length=64)] = "",
) -> Response:
    """Those that were chosen. What cannot be is left as it is, and the others are done."""
    words = words_of(request)
    _ = words.gettext
    here = wanted.url("/sampling/reviews")
    if not review:
        return redirect(request, here, told=_("Choose at least one review."), tone="partly")
    if do == "assign" and not to:
        return redirect(request, here, told=_("Choose whom they go to."), tone="partly")
    done = sum(_one(desk, visitor, id_, do, to) for id_ in review)
    told = (
        words.ngettext("A review was given on.", "%(num)s reviews were given on.", done)
        if do == "assign"
        else words.ngettext("A review was withdrawn.", "%(num)s reviews were withdrawn.", done)
    )
    if done < len(review):
        left = len(review) - done
        reason = words.ngettext(
            "One stays as it is: it is done already, or they took or judged that call.",
            "%(num)s stay as they are: they are done already, or they took or judged those calls.",
            left,
        )
        return redirect(request, here, told=f"{told} {reason}", tone="partly")
    return redirect(request, here, told=told)


def _one(desk: Desk, visitor: Principal, review_id: str, do: str, to: str) -> bool:
    try:
        with desk.database.writing() as session:
            if do == "withdraw":
                assignment.withdraw(session, visitor, review_id)
            else:
                assignment.assign(session, visitor, review_id, None if to == POOL else to)
    except (ConflictError, UnknownResourceError):
        return False
    return True


def _people(session: Session, visitor: Principal) -> list[tuple[str, str]]:
    teams = visitor.teams if visitor.reach("sampling:write") == "teams" else None
    return [(one.id, one.name) for one in sampling_repository.named_reviewers(session, visitor.client_id, teams)]
