"""Batches: many transcripts in one request, and what came of them."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

import anyio
import anyio.to_thread
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from callgrade.access import audit
from callgrade.adapters.streams import Pull
from callgrade.api import examples
from callgrade.api.bodies import UnsupportedMediaError
from callgrade.api.dependencies import BatchesReader, BatchesWriter, IdempotencyKey, Services, Serving, once_of
from callgrade.api.documentation import BATCH_BODY, errors
from callgrade.api.paging import Cursor, Limit, Page, decoded, encoded
from callgrade.api.present import batch_shown
from callgrade.api.schemas import BatchAccepted, BatchShown, Reference, ResultLine, ServerId
from callgrade.calls.urls import Sources
from callgrade.db.tables import Batch
from callgrade.evaluations import chunks, results
from callgrade.evaluations.incoming import Reads, csv_reader_of, read_ndjson
from callgrade.evaluations.receiving import receive_once
from callgrade.evaluations.results import Line

router = APIRouter(prefix="/v1/batches", tags=["batches"])
NDJSON = ("application/x-ndjson", "application/ndjson", "application/jsonl", "text/plain")
CSV = ("text/csv", "application/csv")
TICK_S, QUIET_TICKS = 1.0, 15
LINES_A_PIECE = 100
EVENT = {
    "type": "object",
    "required": ["event", "data"],
    "properties": {
        "event": {"enum": ["progress", "end"]},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/components/schemas/BatchShown"},
        },
    },
}


@router.post("", status_code=202, responses=errors(400, 404, 409, 413, 415, 422), openapi_extra=BATCH_BODY)
async def submit_batch(
    request: Request,
    principal: BatchesWriter,
    services: Serving,
    rubric: Annotated[Reference, Query(description="`id`, or `id@vN`.", examples=[examples.RUBRIC])],
    idempotency_key: IdempotencyKey = None,
) -> BatchAccepted:
    """One call a line, as many lines as you like; they are worked off while they come in.

    A line of NDJSON is a transcript, or `{"audio_url": …}` with a transcript's fields without turns, `agent_channel`
    and `priority`: the recording is fetched from there, once, and the URL kept no longer than that takes. Both may
    stand in one batch. A CSV file is a list of recordings; its header names `audio_url`, `call_id` and any of
    `started_at`, `ended_at`, `agent.id`, `agent.team`, `customer.id`, `queue`, `channel`, `language`, `agent_channel`,
    `priority` and `facts.<name>`.

    A line that is neither is reported with its number and stops nothing. The answer comes when the last line is
    stored. Where the connection ends before that, the batch is `incomplete` (GET /v1/batches lists it): send it again,
    and what was evaluated of it is not evaluated twice.
    """
    reads = _reads(request, services)
    once = once_of(request, idempotency_key, "")

    def receive(pull: Pull) -> BatchAccepted:
        return BatchAccepted.model_validate(receive_once(services.reception, principal, rubric, pull, once, reads))

    return await services.uploads.run(request, receive)


@router.get("", responses=errors(422))
def list_batches(
    principal: BatchesReader, services: Serving, limit: Limit = 50, cursor: Cursor = None
) -> Page[BatchShown]:
    """The newest first."""
    after = decoded(cursor) if cursor is not None else None
    with services.database.reading() as session:
        rows, more = results.list_batches(session, principal.client_id, after=after, limit=limit)
        shown = [batch_shown(row, results.tally(session, row)) for row in rows]
    return Page(items=shown, next_cursor=encoded(rows[-1].id) if more else None)


@router.get("/{id}", responses=errors(404, 422))
def read_batch(id_: ServerId, principal: BatchesReader, services: Serving) -> BatchShown:
    return look(services, principal.client_id, id_)


@router.get(
    "/{id}/events",
    response_class=StreamingResponse,
    responses={
        **errors(404, 422),
        200: {
            "description": "Server-sent events: `progress` whenever something has changed, `end` once at the end; the "
            "data of both is the batch as GET /v1/batches/{id} shows it.",
            "content": {"text/event-stream": {"schema": EVENT}},
        },
    },
)
async def watch_batch(id_: ServerId, principal: BatchesReader, services: Serving) -> Response:
    """How it goes on, live. Ends when the batch does; where the connection breaks, ask again."""
    first = await anyio.to_thread.run_sync(look, services, principal.client_id, id_)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    events = _events(services, principal.client_id, first)
    return StreamingResponse(events, media_type="text/event-stream", headers=headers)


@router.get(
    "/{id}/results",
    response_class=StreamingResponse,
    responses={
        **errors(404, 422),
        200: {
            "description": "One JSON object a line, in the order of the batch's lines.",
            "content": {
                "application/x-ndjson": {
                    "schema": {"$ref": "#/components/schemas/ResultLine"},
                    "example": ResultLine.model_config["json_schema_extra"]["examples"][0],  # type: ignore[index]
                }
            },
        },
    },
)
def read_results(
    id_: ServerId,
    principal: BatchesReader,
    services: Serving,
    after: Annotated[int, Query(ge=0, le=1_000_000_000, description="Only the lines behind this one.")] = 0,
) -> Response:
    """Of every line that has a result by now, and of every recording's line, whatever its status. A line whose call was
    evaluated before has that evaluation's result."""
    with services.database.reading() as session:
        batch = chunks.find_batch(session, principal.client_id, id_)
    return StreamingResponse(_pieces(services, batch, after), media_type="application/x-ndjson")


@router.delete("/{id}", responses=errors(404, 409, 422))
def cancel_batch(id_: ServerId, principal: BatchesWriter, services: Serving) -> BatchShown:
    """What has a result keeps it; the rest will not be evaluated."""
    with services.database.writing() as session:
        row = chunks.cancel_batch(session, principal.client_id, id_)
        audit.record(session, principal, "batch.cancelled", row.id)
        return batch_shown(row, results.tally(session, row))


def look(services: Services, client_id: str, id_: str) -> BatchShown:
    with services.database.reading() as session:
        row = chunks.find_batch(session, client_id, id_)
        return batch_shown(row, results.tally(session, row))


def _reads(request: Request, services: Services) -> Reads:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in NDJSON:
        return read_ndjson
    if kind in CSV:
        return csv_reader_of(Sources.of(services.settings.service))
    raise UnsupportedMediaError(
        "send application/x-ndjson (a transcript or an audio_url a line), or text/csv (a list of recordings with a "
        "header: audio_url,call_id,…)"
    )


async def _events(services: Services, client_id: str, shown: BatchShown) -> AsyncIterator[str]:
    before, quiet = None, 0
    while not services.stopping.is_set():
        ended = shown.status not in ("receiving", "running")
        if shown != before or ended:
            yield f"event: {'end' if ended else 'progress'}\ndata: {shown.model_dump_json()}\n\n"
            before, quiet = shown, 0
        elif quiet >= QUIET_TICKS:
            # or a proxy takes the silence for the end
            yield ": still here\n\n"
            quiet = 0
        if ended:
            return
        await anyio.sleep(TICK_S)
        quiet += 1
        shown = await anyio.to_thread.run_sync(look, services, client_id, shown.id)


def _pieces(services: Services, batch: Batch, after: int) -> Iterator[bytes]:
    held: list[str] = []
    for line in results.lines(services.database, batch, after):
        held.append(_as_json(line))
        if len(held) >= LINES_A_PIECE:
            yield "".join(held).encode()
            held = []
    yield "".join(held).encode()


def _as_json(line: Line) -> str:
    # the scorecard goes out as it is stored
    told = {name: getattr(line, name) for name in ("line", "call_id", "evaluation_id", "status", "error")}
    rest = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    return f'{rest[:-1]},"scorecard":{line.scorecard or "null"}}}\n'
