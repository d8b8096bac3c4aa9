"""For those who run the service: is it alive, is it ready, what does it do."""

from fastapi import APIRouter, Response

from callgrade.api.dependencies import MayReadMetrics, Serving, Watcher
from callgrade.api.documentation import errors
from callgrade.api.metrics import CONTENT_TYPE
from callgrade.api.schemas import Readiness
from callgrade.evaluations.views import deliveries_waiting, lines_waiting, waiting_by_status

router = APIRouter(tags=["operations"])


@router.get("/healthz", responses=errors(public=True))
async def alive() -> dict[str, str]:
    """The process answers. It looks at nothing else, so that a database that is down restarts nobody."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    responses={**errors(public=True), 503: {"model": Readiness, "description": "Not ready."}},
    # a key may be shown and need not be
    openapi_extra={"security": [{}]},
)
def ready(services: Serving, watcher: Watcher, response: Response) -> Readiness:
    """Whether requests should be sent here: database, engine, recordings, disk and model, each `ok` or `not_ok`; to a
    key with the scope metrics:read each says more."""
    found = services.health.look()
    response.status_code = 200 if found.well else 503
    return Readiness(ready=found.well, checks=found.said if watcher else found.public)


@router.get(
    "/metrics",
    response_class=Response,
    dependencies=[MayReadMetrics],
    responses={
        **errors(),
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text format."},
    },
)
def metrics(services: Serving) -> Response:
    """Figures of this process, and how much of the work waits, of all clients together.

    CALLGRADE_SERVICE__OPEN_METRICS=true opens it to whoever can reach it.
    """
    with services.database.reading() as session:
        waiting, lines = waiting_by_status(session), lines_waiting(session)
        deliveries = deliveries_waiting(session)
    return Response(services.metrics.exposition(waiting, lines, deliveries), media_type=CONTENT_TYPE)
