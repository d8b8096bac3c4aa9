"""For those who run the service: is it alive, is it ready, what does it do."""

from fastapi import APIRouter, Response

from callgrade.api.dependencies import Serving
from callgrade.api.documentation import errors
from callgrade.api.metrics import CONTENT_TYPE
from callgrade.api.schemas import Readiness
from callgrade.evaluations.views import waiting_by_status

router = APIRouter(tags=["operations"])


@router.get("/healthz", responses=errors(public=True))
async def alive() -> dict[str, str]:
    """The process answers. It looks at nothing else, so that a database that is down restarts nobody."""
    return {"status": "ok"}


@router.get("/readyz", responses={**errors(public=True), 503: {"model": Readiness, "description": "Not ready."}})
def ready(services: Serving, response: Response) -> Readiness:
    """Whether requests should be sent here: database, engine, recordings, disk and model."""
    well, checks = services.health.look()
    response.status_code = 200 if well else 503
    return Readiness(ready=well, checks=checks)


@router.get(
    "/metrics",
    response_class=Response,
    responses={
        **errors(public=True),
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text format."},
    },
)
def metrics(services: Serving) -> Response:
    """Figures of this process, and how much of the work waits. Not for the public: let your proxy keep it."""
    with services.database.reading() as session:
        waiting = waiting_by_status(session)
    return Response(services.metrics.exposition(waiting), media_type=CONTENT_TYPE)
