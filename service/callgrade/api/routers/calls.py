"""Calls: handed in, found again, heard, erased."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from callgrade.api import examples
from callgrade.api.dependencies import (
    CallsEraser,
    CallsReader,
    CallsWriter,
    EvaluationsWriter,
    IdempotencyKey,
    Serving,
    once_of,
)
from callgrade.api.documentation import NOT_MODIFIED, SUBMISSION, errors
from callgrade.api.etags import cache_headers, etag_of, not_modified, unchanged
from callgrade.api.paging import Cursor, Limit, Page, decoded, encoded
from callgrade.api.present import call_shown
from callgrade.api.schemas import (
    CallShown,
    ErasedShown,
    EvaluationWanted,
    PlausibleMoment,
    QueryText,
    Reference,
    ServerId,
    Submitted,
)
from callgrade.api.submissions import Sound, Submission
from callgrade.calls import service as calls
from callgrade.calls.ranges import Span, pieces, wanted_span
from callgrade.calls.service import CallFilters
from callgrade.calls.views import beside
from callgrade.domain.calls import Transcript

router = APIRouter(prefix="/v1/calls", tags=["calls"])
SOUND = {
    kind: {"schema": {"type": "string", "format": "binary"}}
    for kind in ("audio/*", "video/*", "application/octet-stream")
}
ByRubric = Annotated[
    Reference | None,
    Query(
        description="Evaluate it by this rubric: `id`, or `id@vN`. Without one it is only kept.",
        examples=[examples.RUBRIC],
    ),
]


@router.post(
    "",
    status_code=202,
    responses=errors(400, 404, 409, 410, 413, 415, 422),
    openapi_extra=SUBMISSION,
)
def submit_call(
    request: Request,
    principal: CallsWriter,
    services: Serving,
    submission: Submission,
    rubric: ByRubric = None,
    idempotency_key: IdempotencyKey = None,
) -> Submitted:
    """A transcript as JSON, or a recording as a form. It is stored when the answer comes; its evaluation follows.

    The same call once more gives the same ids and costs nothing; another content under a `call_id` that was used
    before is a 409.
    """
    once = once_of(request, idempotency_key, submission.digest)
    if isinstance(submission, Sound):
        made = services.intake.recording(principal, submission.metadata, submission.blob, rubric, once)
    else:
        made = services.intake.transcript(principal, submission.transcript, rubric, once)
    return Submitted(call_id=made.call_id, id=made.id, evaluation_id=made.evaluation_id)


def filters_of(
    call_id: Annotated[QueryText, Query(description="The caller's own id.")] = None,
    agent: Annotated[QueryText, Query(description="The agent's id.")] = None,
    team: QueryText = None,
    queue: QueryText = None,
    channel: QueryText = None,
    since: Annotated[PlausibleMoment | None, Query(description="The call began at or after this moment.")] = None,
    until: Annotated[PlausibleMoment | None, Query(description="The call began before this moment.")] = None,
) -> CallFilters:
    return CallFilters(call_id=call_id, agent=agent, team=team, queue=queue, channel=channel, since=since, until=until)


@router.get("", responses=errors(422))
def list_calls(
    principal: CallsReader,
    services: Serving,
    filters: Annotated[CallFilters, Depends(filters_of)],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[CallShown]:
    """The newest first, without the erased ones. All filters that are given must hold."""
    after = decoded(cursor) if cursor is not None else None
    with services.database.reading() as session:
        page = calls.list_page(session, principal.client_id, filters, after, limit)
        more = beside(session, page.items)
    shown = [call_shown(call, more[call.id]) for call in page.items]
    return Page(items=shown, next_cursor=encoded(page.next) if page.next else None)


@router.get("/{id}", response_model=CallShown, responses={**errors(404, 410, 422), **NOT_MODIFIED})
def read_call(id_: ServerId, request: Request, principal: CallsReader, services: Serving) -> Response:
    with services.database.reading() as session:
        call = calls.find(session, principal.client_id, id_)
        shown = call_shown(call, beside(session, [call])[call.id])
    body = shown.model_dump_json()
    etag = etag_of(body)
    if not_modified(request, etag):
        return unchanged(etag)
    return Response(body, media_type="application/json", headers=cache_headers(etag))


@router.get("/{id}/transcript", response_model=Transcript, responses={**errors(404, 410, 422), **NOT_MODIFIED})
def read_transcript(
    id_: ServerId,
    request: Request,
    principal: CallsReader,
    services: Serving,
    version: Annotated[int | None, Query(ge=1, le=1_000_000, description="The newest without it.")] = None,
) -> Response:
    """What was said. A version never changes; a correction is the next one."""
    with services.database.reading() as session:
        call = calls.find(session, principal.client_id, id_)
        transcript = calls.transcript_of(session, call, version)
    body = transcript.model_dump_json(by_alias=True)
    etag = etag_of(body)
    if not_modified(request, etag):
        return unchanged(etag)
    return Response(body, media_type="application/json", headers=cache_headers(etag))


@router.get(
    "/{id}/audio",
    response_class=StreamingResponse,
    responses={
        **errors(404, 410, 416, 422),
        **NOT_MODIFIED,
        200: {"content": SOUND, "description": "The sound."},
        206: {"content": SOUND, "description": "A part of it."},
    },
)
def read_audio(id_: ServerId, request: Request, principal: CallsReader, services: Serving) -> Response:
    """The recording as it came in; `Range` gives a part of it, so that a player can jump."""
    with services.database.reading() as session:
        call = calls.find(session, principal.client_id, id_)
        recording = calls.recording_of(session, call)
    etag = etag_of(recording.sha256)
    if not_modified(request, etag):
        return unchanged(etag)
    headers = {**cache_headers(etag), "Accept-Ranges": "bytes"}
    wanted = request.headers.get("range")
    if request.headers.get("if-range") not in (None, etag):
        wanted = None
    span = wanted_span(wanted, recording.size)
    whole = span or Span(0, recording.size - 1)
    headers["Content-Length"] = str(whole.length)
    if span is not None:
        headers["Content-Range"] = f"bytes {span.first}-{span.last}/{recording.size}"
    return StreamingResponse(
        pieces(services.blobs.open(recording.sha256), whole),
        206 if span else 200,
        media_type=recording.media_type,
        headers=headers,
    )


@router.delete("/{id}", responses=errors(404, 410, 422))
def erase_call(
    id_: ServerId,
    principal: CallsEraser,
    services: Serving,
    reason: Annotated[
        str,
        Query(
            min_length=1,
            max_length=500,
            pattern=r"^[^\x00-\x1f]*$",
            description="Stays on record. Name the case, and no person or telephone.",
            examples=["customer's request, case 2026-114"],
        ),
    ],
) -> ErasedShown:
    """For good: the recording, every transcript, the scorecards' quotes and the model's cached answers. The ids, the
    moments and the reason stay, and so does the audit chain."""
    done = services.intake.erase(principal, id_, reason)
    return ErasedShown.model_validate(done.model_dump())


@router.post("/{id}/evaluations", status_code=202, responses=errors(404, 409, 410, 413, 422))
def evaluate_call(
    id_: ServerId,
    wanted: EvaluationWanted,
    request: Request,
    principal: EvaluationsWriter,
    services: Serving,
    idempotency_key: IdempotencyKey = None,
) -> Submitted:
    """By another rubric or release. What was evaluated so before is not evaluated again: its id is given."""
    made = services.intake.again(
        principal,
        id_,
        rubric=wanted.rubric,
        release=wanted.release,
        priority=wanted.priority,
        once=once_of(request, idempotency_key, wanted.model_dump_json()),
    )
    return Submitted(call_id=made.call_id, id=made.id, evaluation_id=made.evaluation_id)
