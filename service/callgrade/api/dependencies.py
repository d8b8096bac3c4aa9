"""What handlers ask for by type: who asks, and what the service has."""

from dataclasses import dataclass, field
from threading import Event
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from callgrade.access.keys import Doorkeeper
from callgrade.access.permissions import Scope, require
from callgrade.access.principals import Principal
from callgrade.access.rates import Rates
from callgrade.access.requests import fingerprint
from callgrade.api.bodies import Uploads
from callgrade.api.health import Health
from callgrade.api.metrics import Metrics
from callgrade.calibration.long_work import LongWork
from callgrade.calls.urls import parse_target
from callgrade.db.session import Database
from callgrade.domain.errors import CallgradeError, NotAuthenticatedError
from callgrade.evaluations.intake import Intake, Once
from callgrade.evaluations.receiving import Reception
from callgrade.ports import BlobStore, WorkQueue
from callgrade.settings import Settings


@dataclass(frozen=True)
class Services:
    """One an app, made by main.open_services."""

    settings: Settings
    database: Database
    blobs: BlobStore
    queue: WorkQueue
    intake: Intake
    reception: Reception
    doorkeeper: Doorkeeper
    rates: Rates
    uploads: Uploads
    metrics: Metrics
    health: Health
    stopping: Event
    """Set when the process is asked to end: streams that would go on for long end themselves."""
    long_work: LongWork = field(default_factory=LongWork)
    """Back-tests and gates, one at a time, whoever asks for them."""

    def check_address(self, url: str) -> None:
        """Raises UrlRefusedError for a URL that we will not send to."""
        parse_target(url, allow_private=self.settings.service.allow_private_urls)


def services_of(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Serving = Annotated[Services, Depends(services_of)]

_bearer = HTTPBearer(
    scheme_name="ApiKey",
    bearerFormat="cg_<id>_<secret>",
    description="`callgrade key create NAME` makes one. Each key belongs to one client and has scopes.",
    auto_error=False,
)


def principal_of(
    request: Request,
    services: Serving,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """Raises NotAuthenticatedError, and TooManyRequestsError where the key's allowance is used up."""
    if credentials is None:
        raise NotAuthenticatedError("send the header `Authorization: Bearer cg_…`")
    principal = services.doorkeeper.admit(credentials.credentials)
    request.state.principal = principal
    services.rates.spend(principal.actor)
    return principal


class Allowed:
    """The principal, once it is clear that it has `scope`, which the documentation and the table of tests read."""

    def __init__(self, scope: Scope):
        self.scope = scope

    async def __call__(self, principal: Annotated[Principal, Depends(principal_of)]) -> Principal:
        require(principal, self.scope)
        return principal


def may_read_metrics(
    request: Request,
    services: Serving,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Where the setting opens the figures to all, nobody has to say who asks."""
    if not services.settings.service.open_metrics:
        require(principal_of(request, services, credentials), METRICS)


def watcher_of(
    request: Request,
    services: Serving,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> bool:
    """Whether whoever asks may see what ails the service. Never raises: what is asked may be whether keys can be
    looked up at all."""
    if credentials is None:
        return False
    try:
        require(principal_of(request, services, credentials), METRICS)
    except CallgradeError:
        return False
    return True


METRICS: Scope = "metrics:read"
MayReadMetrics = Depends(may_read_metrics)
Watcher = Annotated[bool, Depends(watcher_of)]
CallsReader = Annotated[Principal, Depends(Allowed("calls:read"))]
CallsWriter = Annotated[Principal, Depends(Allowed("calls:write"))]
CallsEraser = Annotated[Principal, Depends(Allowed("calls:erase"))]
EvaluationsReader = Annotated[Principal, Depends(Allowed("evaluations:read"))]
EvaluationsWriter = Annotated[Principal, Depends(Allowed("evaluations:write"))]
BatchesReader = Annotated[Principal, Depends(Allowed("batches:read"))]
BatchesWriter = Annotated[Principal, Depends(Allowed("batches:write"))]
ReviewsReader = Annotated[Principal, Depends(Allowed("reviews:read"))]
SamplingWriter = Annotated[Principal, Depends(Allowed("sampling:write"))]
AppealsReader = Annotated[Principal, Depends(Allowed("appeals:read"))]
AppealsWriter = Annotated[Principal, Depends(Allowed("appeals:write"))]
AppealsDecider = Annotated[Principal, Depends(Allowed("appeals:decide"))]
CalibrationsWriter = Annotated[Principal, Depends(Allowed("calibrations:write"))]
CalibrationsReader = Annotated[Principal, Depends(Allowed("calibrations:read"))]
RubricsWriter = Annotated[Principal, Depends(Allowed("rubrics:write"))]
RubricsReader = Annotated[Principal, Depends(Allowed("rubrics:read"))]
ReleasesReader = Annotated[Principal, Depends(Allowed("releases:read"))]
ReleasesWriter = Annotated[Principal, Depends(Allowed("releases:write"))]
PeopleReader = Annotated[Principal, Depends(Allowed("people:read"))]
PeopleWriter = Annotated[Principal, Depends(Allowed("people:write"))]
WebhooksReader = Annotated[Principal, Depends(Allowed("webhooks:read"))]
WebhooksWriter = Annotated[Principal, Depends(Allowed("webhooks:write"))]

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        max_length=200,
        pattern=r"^[!-~]+$",
        description="Any text of your own without blanks, new for each new request. Sending the same request with the "
        "same key again gives the same answer and does nothing twice; another body under the same key is a 409. Kept "
        "for 24 hours.",
        examples=["2026-11-01/C-00001"],
    ),
]


def once_of(request: Request, key: str | None, body: str) -> Once | None:
    """What makes a request with an Idempotency-Key the same: its method, path, query and body."""
    if key is None:
        return None
    target = f"{request.url.path}?{request.url.query}"
    return Once(key=key, fingerprint=fingerprint(request.method, target, body))
