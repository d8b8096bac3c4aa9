"""What calls are graded by: rubrics and prompts, as the registry has them. Read only."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from callgrade.api import examples
from callgrade.api.dependencies import RubricsReader, Serving
from callgrade.api.documentation import NOT_MODIFIED, errors
from callgrade.api.etags import cache_headers, etag_of, not_modified, unchanged
from callgrade.api.paging import Cursor, Limit, Page, page_of
from callgrade.api.present import prompt_whole, rubric_shown, rubric_whole, version_shown
from callgrade.api.schemas import PromptWhole, Reference, RubricShown, RubricWhole, VersionShown
from callgrade.evaluations import registry

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
        row = registry.prompt_version(session, reference)
    etag = etag_of(row.digest, row.status)
    if not_modified(request, etag):
        return unchanged(etag)
    return JSONResponse(prompt_whole(row).model_dump(mode="json"), headers=cache_headers(etag))
