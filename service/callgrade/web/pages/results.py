"""My results: an agent's own published calls, what they came to, and what is still to be looked at."""

from collections.abc import Hashable
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.access.rows import evaluations_within
from callgrade.db.tables import Evaluation
from callgrade.domain.frozen import LocalText
from callgrade.evaluations import lists, registry
from callgrade.evaluations.lists import Filters
from callgrade.evaluations.views import client_call_ids
from callgrade.reviews import standing_repository
from callgrade.reviews.standing_repository import Marks
from callgrade.web.dependencies import Desked, needs
from callgrade.web.live import Topic
from callgrade.web.shell import page_or_part
from callgrade.web.standing_cards import APPEAL_STATES

PAGE = 50
ENOUGH = 1000

router = APIRouter()
Agent = Annotated[Principal, needs("appeals:write")]


class Result(NamedTuple):
    evaluation: Evaluation
    call_id: str
    title: LocalText
    marks: Marks


@router.get("/results")
def results(
    request: Request,
    visitor: Agent,
    desk: Desked,
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    """The newest first. Somebody who takes no calls has none."""
    with desk.database.reading() as session:
        found = _page(session, visitor, cursor)
        rows = _results(session, visitor, found.items)
        unseen = _unseen(session, visitor)
    return page_or_part(
        request,
        "results/page.html",
        "results/_rows.html",
        visitor,
        rows=rows,
        unseen=unseen,
        enough=ENOUGH,
        appeal_states=APPEAL_STATES,
        further=f"/results?cursor={found.next_cursor}" if found.next_cursor else None,
        first="/results" if cursor else None,
    )


def _page(session: Session, visitor: Principal, cursor: str | None) -> lists.Page:
    if visitor.agent_id is None:
        return lists.Page((), None)
    asked = Filters(agent=visitor.agent_id, status="published")
    within = evaluations_within(visitor)
    return lists.list_page(session, visitor.client_id, asked, cursor=cursor, limit=PAGE, within=within)


def _results(session: Session, visitor: Principal, items: tuple[Evaluation, ...]) -> list[Result]:
    titles, ids = registry.titles(session), client_call_ids(session, items)
    marks = standing_repository.marks(session, [row.id for row in items], visitor.user_id)
    return [
        Result(
            row,
            ids.get(row.call_id, ""),
            titles.get(f"{row.rubric_id}@{row.rubric_version}", LocalText(zh=row.rubric_id, en=row.rubric_id)),
            marks[row.id],
        )
        for row in items
        if row.id in marks
    ]


def _unseen(session: Session, visitor: Principal) -> int:
    if visitor.agent_id is None:
        return 0
    return standing_repository.unseen(session, visitor.client_id, visitor.agent_id, visitor.user_id)


def _look(session: Session, visitor: Principal) -> Hashable:
    found = _page(session, visitor, None)
    return tuple((row.id, row.updated_at) for row in found.items[:1]), _unseen(session, visitor)


TOPICS = [Topic("results", "appeals:write", _look, own=True)]
