"""Releases: which rubric, prompt, model and parameters are in use, for whom and from when on."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from callgrade.access import requests
from callgrade.api.dependencies import IdempotencyKey, ReleasesReader, ReleasesWriter, Serving, once_of
from callgrade.api.documentation import NOT_MODIFIED, errors
from callgrade.api.etags import cache_headers, etag_of, not_modified, unchanged
from callgrade.api.paging import Cursor, Limit, Page, page_of
from callgrade.api.present import release_shown
from callgrade.api.schemas import ReleaseShown, ReleaseWanted, ServerId
from callgrade.evaluations import releases
from callgrade.evaluations.intake import answered
from callgrade.wiring.service import redactions, require_model_for

router = APIRouter(prefix="/v1/releases", tags=["registry"])


@router.post("", status_code=201, responses=errors(409, 413, 422))
def create_release(
    wanted: ReleaseWanted,
    request: Request,
    principal: ReleasesWriter,
    services: Serving,
    idempotency_key: IdempotencyKey = None,
) -> ReleaseShown:
    """What comes in from `active_from` on is graded by it: the calls of a team by the team's newest release of that
    rubric, all others by the client's newest. What came in before stays as it was graded.

    A release is never changed or deleted: the next one takes its place. A rubric, prompt or model that there is not is
    a 422 that says what there is.
    """
    once = once_of(request, idempotency_key, wanted.model_dump_json())
    releases.require_possible(wanted, require_model_for(services.settings), redactions())
    with services.database.writing() as session:
        if once is not None and (before := answered(session, principal, once)) is not None:
            return ReleaseShown.model_validate(before)
        row = releases.create(session, principal, wanted)
        shown = release_shown(row)
        if once is not None:
            requests.finish(session, principal.client_id, once.key, 201, shown.model_dump(mode="json"))
    return shown


@router.get("", responses=errors(422))
def list_releases(
    principal: ReleasesReader, services: Serving, limit: Limit = 50, cursor: Cursor = None
) -> Page[ReleaseShown]:
    """The client's own and everybody's, the newest first."""
    with services.database.reading() as session:
        rows = releases.list_all(session, principal.client_id)
    return page_of([release_shown(row) for row in rows], cursor, limit, key=lambda shown: shown.id)


@router.get("/{id}", response_model=ReleaseShown, responses={**errors(404, 422), **NOT_MODIFIED})
def read_release(id_: ServerId, request: Request, principal: ReleasesReader, services: Serving) -> Response:
    """It never changes."""
    with services.database.reading() as session:
        row = releases.find(session, principal.client_id, id_)
    etag = etag_of("release", row.id)
    if not_modified(request, etag):
        return unchanged(etag)
    return JSONResponse(release_shown(row).model_dump(mode="json"), headers=cache_headers(etag))
