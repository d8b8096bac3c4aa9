"""What calls are graded by: rubrics, prompts and releases, as the registry has them. Read only."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from callgrade.api import examples
from callgrade.api.dependencies import ReleasesReader, RubricsReader, Serving
from callgrade.api.documentation import NOT_MODIFIED, errors
from callgrade.api.etags import cache_headers, etag_of, not_modified, unchanged
from callgrade.api.paging import Cursor, Limit, Page, page_of
from callgrade.api.present import prompt_whole, release_shown, rubric_shown, rubric_whole, version_shown
from callgrade.api.schemas import PromptWhole, Reference, ReleaseShown, RubricShown, RubricWhole, ServerId, VersionShown
from callgrade.evaluations import registry, views

router = APIRouter(prefix="/v1", tags=["registry"])
_BY_ID = "`id`: the newest published version; or `id@vN`."
ByRubric = Annotated[Reference, Path(description=_BY_ID, examples=[examples.RUBRIC])]
ByPrompt = Annotated[Reference, Path(description=_BY_ID, examples=[examples.PROMPT])]


@router.get("/rubrics", responses=errors(422))
def list_rubrics(_: RubricsReader, services: Serving, limit: Limit = 50, cursor: Cursor = None) -> Page[RubricShown]:
    """By id, the newest version first."""
    with services.database.reading() as session:
        rows = registry.list_rubric_versions(session)
    return page_of([rubric_shown(row) for row in rows], cursor, limit, key=lambda shown: f"{shown.id}@{shown.version}")


@router.get("/rubrics/{reference}", response_model=RubricWhole, responses={**errors(404, 422), **NOT_MODIFIED})
def read_rubric(reference: ByRubric, request: Request, _: RubricsReader, services: Serving) -> Response:
    with services.database.reading() as session:
        row = registry.rubric_version(session, reference)
    etag = etag_of(row.digest, row.status)
    if not_modified(request, etag):
        return unchanged(etag)
    return JSONResponse(rubric_whole(row).model_dump(mode="json"), headers=cache_headers(etag))


@router.get("/prompts", responses=errors(422))
def list_prompts(_: RubricsReader, services: Serving, limit: Limit = 50, cursor: Cursor = None) -> Page[VersionShown]:
    with services.database.reading() as session:
        rows = registry.list_prompt_versions(session)
    return page_of([version_shown(row) for row in rows], cursor, limit, key=lambda shown: f"{shown.id}@{shown.version}")


@router.get("/prompts/{reference}", response_model=PromptWhole, responses={**errors(404, 422), **NOT_MODIFIED})
def read_prompt(reference: ByPrompt, request: Request, _: RubricsReader, services: Serving) -> Response:
    with services.database.reading() as session:
        row = views.prompt_version(session, reference)
    etag = etag_of(row.digest, row.status)
    if not_modified(request, etag):
        return unchanged(etag)
    return JSONResponse(prompt_whole(row).model_dump(mode="json"), headers=cache_headers(etag))


@router.get("/releases", responses=errors(422))
def list_releases(
    principal: ReleasesReader, services: Serving, limit: Limit = 50, cursor: Cursor = None
) -> Page[ReleaseShown]:
    """The client's own and everybody's, the newest first."""
    with services.database.reading() as session:
        rows = views.list_releases(session, principal.client_id)
    return page_of([release_shown(row) for row in rows], cursor, limit, key=lambda shown: shown.id)


@router.get("/releases/{id}", response_model=ReleaseShown, responses={**errors(404, 422), **NOT_MODIFIED})
def read_release(id_: ServerId, request: Request, principal: ReleasesReader, services: Serving) -> Response:
    """A release never changes: a later one takes its place."""
    with services.database.reading() as session:
        row = views.find_release(session, principal.client_id, id_)
    etag = etag_of("release", row.id)
    if not_modified(request, etag):
        return unchanged(etag)
    return JSONResponse(release_shown(row).model_dump(mode="json"), headers=cache_headers(etag))
