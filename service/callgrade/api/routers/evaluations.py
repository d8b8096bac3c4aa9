"""Evaluations: what became of the calls."""

from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from callgrade.api.dependencies import EvaluationsReader, EvaluationsWriter, Services, Serving
from callgrade.api.documentation import NOT_MODIFIED, errors
from callgrade.api.etags import cache_headers, etag_of, not_modified, unchanged
from callgrade.api.paging import Cursor, Limit, Page
from callgrade.api.present import evaluation_shown
from callgrade.api.schemas import EvaluationShown, EvaluationWhole, PlausibleMoment, QueryText, Reference, ServerId
from callgrade.db.tables import Evaluation
from callgrade.evaluations import lists, repository, views
from callgrade.evaluations.lists import Filters, Order
from callgrade.evaluations.statuses import Status

router = APIRouter(prefix="/v1/evaluations", tags=["evaluations"])


def filters_of(
    agent: Annotated[QueryText, Query(description="The agent's id.")] = None,
    team: QueryText = None,
    rubric: Annotated[Reference | None, Query(description="`id`, or `id@vN`.")] = None,
    status: Status | None = None,
    flag: Annotated[QueryText, Query(examples=["needs_review"])] = None,
    batch: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
    call: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$", description="The server's id.")] = None,
    since: Annotated[PlausibleMoment | None, Query(description="The call began at or after this moment.")] = None,
    until: Annotated[PlausibleMoment | None, Query(description="The call began before this moment.")] = None,
    min_score: Annotated[Decimal | None, Query(ge=-1_000_000, le=1_000_000)] = None,
    max_score: Annotated[Decimal | None, Query(ge=-1_000_000, le=1_000_000)] = None,
    order: Annotated[Order, Query(description="`lowest` sorts by total and needs a flag.")] = "newest",
) -> Filters:
    return Filters(
        agent=agent, team=team, rubric=rubric, status=status, flag=flag, batch=batch, call=call,
        since=since, until=until, lowest=min_score, highest=max_score, order=order,
    )  # fmt: skip


Chosen = Annotated[Filters, Depends(filters_of)]


@router.get("", responses=errors(422))
def list_evaluations(
    principal: EvaluationsReader, services: Serving, chosen: Chosen, limit: Limit = 50, cursor: Cursor = None
) -> Page[EvaluationShown]:
    """All filters that are given must hold. Without scorecards; those are at each evaluation."""
    with services.database.reading() as session:
        page = lists.list_page(session, principal.client_id, chosen, cursor=cursor, limit=limit)
        call_ids = views.client_call_ids(session, page.items)
    shown = [evaluation_shown(row, call_ids[row.call_id]) for row in page.items]
    return Page(items=shown, next_cursor=page.next_cursor)


@router.get("/{id}", response_model=EvaluationWhole, responses={**errors(404, 422), **NOT_MODIFIED})
def read_evaluation(id_: ServerId, request: Request, principal: EvaluationsReader, services: Serving) -> Response:
    """With its scorecard, once one is proposed. Poll it with `If-None-Match`, or register a webhook."""
    with services.database.reading() as session:
        row = repository.find(session, principal.client_id, id_)
        etag = etag_of(row.id, row.status, row.attempt, row.updated_at)
        if not_modified(request, etag):
            return unchanged(etag)
        call_id = views.client_call_ids(session, [row])[row.call_id]
        card = views.scorecard_text(session, row)
    # the scorecard goes out as it is stored: reading it only to write it again would cost most of the request
    body = evaluation_shown(row, call_id).model_dump_json()[:-1] + f',"scorecard":{card or "null"}}}'
    return Response(body, media_type="application/json", headers=cache_headers(etag))


@router.post("/{id}/cancel", responses=errors(404, 409, 422))
def cancel_evaluation(id_: ServerId, principal: EvaluationsWriter, services: Serving) -> EvaluationShown:
    """Stops the machine's part. What was asked of a model by then is paid for and kept in the answer cache."""
    return _shown(services, services.intake.cancel(principal, id_))


@router.post("/{id}/retry", status_code=202, responses=errors(404, 409, 422))
def retry_evaluation(id_: ServerId, principal: EvaluationsWriter, services: Serving) -> EvaluationShown:
    """The next attempt of a failed or cancelled evaluation."""
    return _shown(services, services.intake.retry(principal, id_))


def _shown(services: Services, row: Evaluation) -> EvaluationShown:
    with services.database.reading() as session:
        return evaluation_shown(row, views.client_call_ids(session, [row])[row.call_id])
