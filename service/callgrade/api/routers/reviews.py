"""Reviews: what people look at, what they decided, and asking them to look at something."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request

from callgrade.access import requests
from callgrade.access.acting import called
from callgrade.api.dependencies import IdempotencyKey, ReviewsReader, SamplingWriter, Serving, once_of
from callgrade.api.documentation import errors
from callgrade.api.paging import Cursor, Limit, Page, decoded, encoded
from callgrade.api.review_schemas import DecisionShown, ReviewShown, ReviewState, ReviewWanted, ReviewWhole, Why
from callgrade.api.schemas import QueryText, Reference, ServerId
from callgrade.db.types import now
from callgrade.domain.errors import InputError
from callgrade.domain.periods import deadline
from callgrade.domain.reviews import Decision
from callgrade.evaluations.intake import answered
from callgrade.reviews import lists
from callgrade.reviews.asking import ask
from callgrade.reviews.lists import ReviewFilters, ReviewRow

DUE_DAYS = 3
router = APIRouter(prefix="/v1/reviews", tags=["reviews"])


def filters_of(
    state: ReviewState | None = None,
    why: Why | None = None,
    rubric: Annotated[Reference | None, Query(description="By its `id`.")] = None,
    team: QueryText = None,
    agent: Annotated[QueryText, Query(description="The agent's id.")] = None,
    evaluation: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
) -> ReviewFilters:
    return ReviewFilters(state=state, why=why, rubric=rubric, team=team, agent=agent, evaluation=evaluation)


@router.get("", responses=errors(422))
def list_reviews(
    principal: ReviewsReader,
    services: Serving,
    chosen: Annotated[ReviewFilters, Depends(filters_of)],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[ReviewShown]:
    """All filters that are given must hold. A blind review is found under `sample`, whatever it is for."""
    after = None if cursor is None else decoded(cursor)
    with services.database.reading() as session:
        found = lists.page(session, principal, chosen, after=after, limit=limit + 1)
    more = encoded(found[limit - 1].review.id) if len(found) > limit else None
    return Page(items=[review_shown(row) for row in found[:limit]], next_cursor=more)


@router.get("/{id}", responses=errors(404, 422))
def read_review(id_: ServerId, principal: ReviewsReader, services: Serving) -> ReviewWhole:
    """With what was decided in it. What the machine proposed stands at the evaluation."""
    with services.database.reading() as session:
        row, log = lists.find(session, principal, id_)
        names = lists.logins(session, {one.by.removeprefix("user:") for one in log})
    return ReviewWhole(
        **review_shown(row).model_dump(),
        decisions=[_decision(one, names) for one in log],
    )


@router.post("", status_code=201, responses=errors(404, 409, 413, 422))
def ask_for_review(
    wanted: ReviewWanted,
    request: Request,
    principal: SamplingWriter,
    services: Serving,
    idempotency_key: IdempotencyKey = None,
) -> ReviewShown:
    """Somebody is to look at an evaluation. A 409 says why nobody is: nothing is proposed yet, somebody is at it
    already, or whoever was named took the call or judged it."""
    once = once_of(request, idempotency_key, wanted.model_dump_json())
    due_at = wanted.due_at or deadline(now(), DUE_DAYS, ZoneInfo(services.settings.timezone))
    with services.database.writing() as session:
        if once is not None and (before := answered(session, principal, once)) is not None:
            return ReviewShown.model_validate(before)
        to = None if wanted.reviewer is None else called(session, principal, wanted.reviewer).id
        made = ask(
            session,
            principal,
            wanted.evaluation,
            why=wanted.why,
            due_at=_in_future(due_at),
            reviewer_id=to,
            to_pool=wanted.to_pool,
        )
        shown = review_shown(lists.row_of(session, made.id))
        if once is not None:
            requests.finish(session, principal.client_id, once.key, 201, shown.model_dump(mode="json"))
    return shown


def review_shown(row: ReviewRow) -> ReviewShown:
    it = row.review
    return ReviewShown(
        id=it.id,
        evaluation=it.evaluation_id,
        call=row.call_id,
        call_id=row.shown_call_id,
        rubric=it.rubric_id,
        attempt=it.attempt,
        slot=it.slot,
        state=it.state,
        why=row.why,
        blind=it.blind,
        reviewer=row.reviewer,
        agent=it.agent_id,
        team=it.team,
        total=None if it.total is None else float(it.total),
        due_at=it.due_at,
        created_at=it.created_at,
        submitted_at=it.submitted_at,
    )


def _decision(one: Decision, names: dict[str, str]) -> DecisionShown:
    return DecisionShown(
        criterion=one.criterion_id,
        version=one.version,
        kind=one.kind,
        outcome=None if one.outcome is None else one.outcome.model_dump(mode="json"),
        reason=one.reason,
        by=names.get(one.by.removeprefix("user:")),
        at=one.at,
    )


def _in_future(moment: datetime) -> datetime:
    if moment <= now():
        raise InputError("due_at: lies in the past")
    return moment
