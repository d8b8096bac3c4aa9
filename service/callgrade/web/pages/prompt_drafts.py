"""A prompt's draft: its text, what is wrong with it as one types, and the exact request it makes of a call."""

from typing import Any

from fastapi import APIRouter, Request, Response

from callgrade.access.principals import Principal
from callgrade.domain.errors import CallgradeError
from callgrade.evaluations import registry
from callgrade.reviews.drafts import LONGEST, Drafts, StaleDraftError, Written, checked_prompt
from callgrade.web.dependencies import Desk, Desked
from callgrade.web.pages.drafting import Body, Expected, Named, Then, Version, Writer, look
from callgrade.web.pages.rubrics import version_of, words_for
from callgrade.web.preferences import words_of
from callgrade.web.shell import by_htmx, fragment, page, redirect
from callgrade.wiring import make_redactor

router = APIRouter()


@router.get("/prompts/{prompt_id}/edit")
def edit(
    request: Request,
    visitor: Writer,
    desk: Desked,
    prompt_id: str,
    version: Version = None,
) -> Response:
    """The open draft; where there is none, a version as the beginning of one."""
    return _editor(request, visitor, desk, look(_drafts(desk), visitor, prompt_id, version))


@router.post("/prompts/{prompt_id}/edit")
def save(
    request: Request,
    visitor: Writer,
    desk: Desked,
    prompt_id: str,
    text: Body,
    based_on: Named,
    expected: Expected,
    on: Named = "",
    then: Then = "",
) -> Response:
    """Saved as it is, faults and all; `then` leads on to the back-test of one without errors. A stale one comes back
    beside what was saved meanwhile."""
    try:
        _drafts(desk).save(visitor, prompt_id, based_on, text, expected)
    except StaleDraftError as error:
        mine = Written(rubric_id=prompt_id, based_on=based_on, text=text, version=error.version, written_at=None)
        return _editor(request, visitor, desk, mine, status=409, theirs=error.text)
    if then == "back-test" and checked_prompt(prompt_id, text)[0] is not None:
        return redirect(request, f"/prompts/{prompt_id}/back-test" + (f"?on={on}" if on.isprintable() and on else ""))
    return redirect(request, f"/prompts/{prompt_id}/edit", told=words_of(request).gettext("The draft is saved."))


@router.post("/prompts/{prompt_id}/edit/lint")
def lint(request: Request, visitor: Writer, desk: Desked, prompt_id: str, text: Body = "") -> Response:
    """What is wrong with what was typed so far. Saves nothing."""
    return fragment(request, "rubrics/_faults.html", visitor, faults=checked_prompt(prompt_id, text)[1])


@router.post("/prompts/{prompt_id}/edit/preview")
def preview(
    request: Request,
    visitor: Writer,
    desk: Desked,
    prompt_id: str,
    text: Body,
    based_on: Named,
    on: Named = "",
    call: Named = "",
    expected: Expected = 0,
) -> Response:
    """What exactly a model would be sent for a call, letter for letter. Nothing is sent, and nothing is saved."""
    from callgrade.adapters.llm import default_wording, render_requests

    prompt, faults = checked_prompt(prompt_id, text)
    rendered, wrong = None, None
    if prompt is not None and on.strip() and call.strip():
        with desk.database.reading() as session:
            form = registry.parsed(version_of(session, on.partition("@")[0], on.partition("@")[2] or None))
            words = words_for(session, visitor, call.strip())
        settings = desk.settings
        try:
            wording = default_wording(settings.llm, settings.language, prompt)
            requests = render_requests(form, words, make_redactor(settings), settings.llm, wording)
            rendered = requests[0] if requests else None
        except CallgradeError as error:
            wrong = error
    shown: dict[str, Any] = {"tried": True, "rendered": rendered, "wrong": wrong, "readable": prompt is not None}
    if by_htmx(request):
        return fragment(request, "prompts/_preview.html", visitor, **shown)
    mine = Written(rubric_id=prompt_id, based_on=based_on, text=text, version=expected, written_at=None)
    return _editor(request, visitor, desk, mine, faults=faults, call=call, on=on, **shown)


@router.post("/prompts/{prompt_id}/edit/close")
def close(request: Request, visitor: Writer, desk: Desked, prompt_id: str, expected: Expected) -> Response:
    """Nobody goes on with the draft."""
    try:
        _drafts(desk).close(visitor, prompt_id, expected)
    except StaleDraftError as error:
        found = look(_drafts(desk), visitor, prompt_id)
        return _editor(request, visitor, desk, found, status=409, theirs=error.text)
    return redirect(request, f"/prompts/{prompt_id}", told=words_of(request).gettext("The draft is closed."))


def _drafts(desk: Desk) -> Drafts:
    return Drafts(desk.database, clock=desk.clock, kind="prompt")


def _editor(
    request: Request, visitor: Principal, desk: Desk, draft: Written, *, status: int = 200, **more: Any
) -> Response:
    faults = more.pop("faults", None) or checked_prompt(draft.rubric_id, draft.text)[1]
    with desk.database.reading() as session:
        rows = registry.list_rubric_versions(session)
        asking = [f"{row.id}@{row.version}" for row in rows if row.status != "retired" and _asks(row)]
    context = {"theirs": None, "call": "", "on": "", "tried": False, "rendered": None, "wrong": None, "readable": True}
    return page(
        request,
        "prompts/edit.html",
        visitor,
        status=status,
        draft=draft,
        faults=faults,
        longest=LONGEST,
        rubrics=[(one, one) for one in asking],
        **{**context, **more},
    )


def _asks(row: Any) -> bool:
    return bool(registry.parsed(row).judged_by("llm"))
