"""Rubrics and prompts to read: what there is, what a version says, what differs, and what exactly a model is sent."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calls import service as calls
from callgrade.calls.service import CallFilters
from callgrade.catalog.diff import diff_rubrics
from callgrade.catalog.prompts import Prompt
from callgrade.db.tables import Call, RubricVersion
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import CallgradeError, ForbiddenError, NotFoundError, UnknownResourceError
from callgrade.evaluations import registry, releases
from callgrade.evaluations.rubric_page import make_page
from callgrade.reviews import repository
from callgrade.web.dependencies import Desked, needs
from callgrade.web.preferences import language_of
from callgrade.web.rubric_views import KINDS, STATUS, groups_of, listed
from callgrade.web.shell import page
from callgrade.wiring import make_redactor

router = APIRouter()
Reader = Annotated[Principal, needs("rubrics:read")]
Text = Annotated[str | None, Query(max_length=200)]


@router.get("/rubrics")
def rubrics(request: Request, visitor: Reader, desk: Desked) -> Response:
    with desk.database.reading() as session:
        rows = registry.list_rubric_versions(session)
        named = releases.list_all(session, visitor.client_id) if "releases:read" in visitor.scopes else ()
        found = listed(rows, named)
    return page(request, "rubrics/list.html", visitor, rubrics=found)


@router.get("/rubrics/{rubric_id}")
def rubric(request: Request, visitor: Reader, desk: Desked, rubric_id: str, version: Text = None) -> Response:
    """One version as people read it; without `version` the one that is found by the id alone."""
    with desk.database.reading() as session:
        row = version_of(session, rubric_id, version)
        versions = [one for one in registry.list_rubric_versions(session) if one.id == rubric_id]
        parsed = registry.parsed(row)
    shown = make_page(parsed, language_of(request))
    older = next((one.version for one in versions[versions.index(row) + 1 :]), None)
    return page(
        request,
        "rubrics/rubric.html",
        visitor,
        row=row,
        shown=shown,
        versions=versions,
        older=older,
        tones=STATUS,
        asks_model=bool(parsed.judged_by("llm")),
        editable="/rubrics/{rubric_id}/edit" in request.app.state.paths,
    )


@router.get("/rubrics/{rubric_id}/diff/{span}")
def diff(request: Request, visitor: Reader, desk: Desked, rubric_id: str, span: str) -> Response:
    """`span` is `v1..v2`."""
    earlier, dots, later = span.partition("..")
    if not dots:
        raise UnknownResourceError("two versions are compared as v1..v2")
    with desk.database.reading() as session:
        before = registry.parsed(version_of(session, rubric_id, earlier))
        after = registry.parsed(version_of(session, rubric_id, later))
        versions = [one.version for one in registry.list_rubric_versions(session) if one.id == rubric_id]
    found = diff_rubrics(before, after)
    groups = groups_of(found, before, after, language_of(request))
    context: dict[str, Any] = {"before": before, "after": after, "versions": versions, "kinds": KINDS}
    return page(request, "rubrics/diff.html", visitor, found=found, groups=groups, **context)


@router.get("/rubrics/{rubric_id}/request")
def request_of(
    request: Request, visitor: Reader, desk: Desked, rubric_id: str, version: Text = None, call: Text = None
) -> Response:
    """What exactly a model would be sent for a call (the client's own id), with its tokens and cost. Nothing is sent.
    Not for a call that the visitor has still to judge blind."""
    from callgrade.adapters.llm import render_request

    rendered, error = None, None
    with desk.database.reading() as session:
        row = version_of(session, rubric_id, version)
        words = words_for(session, visitor, call.strip()) if call and call.strip() else None
    if words is not None:
        settings = desk.settings
        try:
            form = registry.parsed(row)
            rendered = render_request(form, words, make_redactor(settings), settings.llm, settings.language)
        except CallgradeError as failed:
            error = failed
    return page(request, "rubrics/request.html", visitor, row=row, call=call or "", rendered=rendered, error=error)


@router.get("/prompts")
def prompts(request: Request, visitor: Reader, desk: Desked) -> Response:
    with desk.database.reading() as session:
        rows = registry.list_prompt_versions(session)
        read = [(row, Prompt.model_validate_json(row.content)) for row in rows]
    return page(request, "prompts/list.html", visitor, prompts=read, tones=STATUS)


@router.get("/prompts/{prompt_id}")
def prompt(request: Request, visitor: Reader, desk: Desked, prompt_id: str, version: Text = None) -> Response:
    with desk.database.reading() as session:
        try:
            row = registry.prompt_version(session, f"{prompt_id}@{version}" if version else prompt_id)
        except NotFoundError as error:
            raise UnknownResourceError(str(error)) from None
        versions = [one.version for one in registry.list_prompt_versions(session) if one.id == prompt_id]
        shown = Prompt.model_validate_json(row.content)
    return page(request, "prompts/prompt.html", visitor, row=row, shown=shown, versions=versions, tones=STATUS)


def version_of(session: Session, rubric_id: str, version: str | None) -> RubricVersion:
    """Raises UnknownResourceError."""
    try:
        return registry.rubric_version(session, f"{rubric_id}@{version}" if version else rubric_id)
    except NotFoundError as error:
        raise UnknownResourceError(str(error)) from None


def words_for(session: Session, visitor: Principal, call_id: str) -> Transcript:
    """The newest transcript of a call that is named as its client names it.

    Raises UnknownResourceError for one out of reach or without words, ForbiddenError for one that the visitor has still
    to judge by themselves.
    """
    found = calls.list_page(session, visitor.client_id, CallFilters(call_id=call_id), limit=1).items
    if not found:
        raise UnknownResourceError("there is no such call")
    within: Call = calls.find_within(session, visitor, found[0].id)
    if repository.judges_blind(session, visitor, within.id):
        raise ForbiddenError("you have still to judge this call by yourself")
    return calls.transcript_of(session, within)
