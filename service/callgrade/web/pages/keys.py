"""Keys for programs: made, shown once, revoked."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from callgrade.access import keys as service
from callgrade.access.permissions import DEFAULT_SCOPES, SCOPES
from callgrade.access.principals import Principal
from callgrade.domain.errors import InputError
from callgrade.web.dependencies import Desk, Desked
from callgrade.web.pages.users import PeopleWriter
from callgrade.web.preferences import words_of
from callgrade.web.shell import page, redirect
from callgrade.web.words import N_

LONGEST_DAYS = 3650
MEANING: dict[str, str] = {
    "calls:read": N_("List calls, read transcripts, hear recordings"),
    "calls:write": N_("Hand calls in, which has them graded"),
    "calls:erase": N_("Erase a call and all that was made from it, for good"),
    "evaluations:read": N_("List evaluations and read scorecards"),
    "evaluations:write": N_("Grade a call again, cancel or retry"),
    "batches:read": N_("Watch batches and read their results"),
    "batches:write": N_("Hand in and cancel batches"),
    "reviews:read": N_("See reviews, and what was decided in them"),
    "reviews:write": N_("Decide on proposals, and publish scorecards"),
    "appeals:read": N_("See appeals, and what became of them"),
    "appeals:write": N_("Contest a published scorecard"),
    "appeals:decide": N_("Decide appeals"),
    "sampling:write": N_("Plan samples, draw them, hand reviews out"),
    "dashboards:read": N_("See figures of agents, teams and the centre"),
    "alerts:write": N_("Decide what is reported to whom"),
    "rubrics:read": N_("Read rubrics and prompts"),
    "rubrics:write": N_("Write, publish and retire rubrics and prompts"),
    "calibrations:read": N_("Read golden sets and calibrations"),
    "calibrations:write": N_("Make golden sets, and hold judges against them"),
    "releases:read": N_("Read which rubric, prompt and model are in use"),
    "releases:write": N_("Decide which rubric, prompt and model are in use"),
    "webhooks:read": N_("List webhooks and their deliveries"),
    "webhooks:write": N_("Register, test, redeliver and remove webhooks"),
    "people:read": N_("List users, agents and teams"),
    "people:write": N_("Make and change users, agents and keys"),
    "audit:read": N_("Read and verify the record of what was done"),
    "metrics:read": N_("Read the service's figures"),
}

router = APIRouter()


@router.get("/admin/keys")
def keys(request: Request, visitor: PeopleWriter, desk: Desked) -> Response:
    return _page(request, visitor, desk)


@router.post("/admin/keys")
def create(
    request: Request,
    visitor: PeopleWriter,
    desk: Desked,
    name: Annotated[str, Form(max_length=1_000)] = "",
    scopes: Annotated[list[str] | None, Form()] = None,
    days: Annotated[int | None, Form(ge=0, le=LONGEST_DAYS)] = None,
) -> Response:
    """The key stands in this answer alone, so nobody is sent on to another page."""
    until = desk.clock() + timedelta(days=days) if days else None
    try:
        with desk.database.writing() as session:
            made, shown = service.create_key(session, visitor.client_id, name, scopes or (), until, by=visitor)
    except InputError:
        return _page(request, visitor, desk, name=name, scopes=frozenset(scopes or ()), days=days, wrong=True)
    return page(request, "admin/key_made.html", visitor, key=made, shown=shown)


@router.post("/admin/keys/{id}/revoke")
def revoke(request: Request, id: str, visitor: PeopleWriter, desk: Desked) -> Response:  # noqa: A002
    with desk.database.writing() as session:
        revoked = service.revoke_key(session, id, client_id=visitor.client_id, by=visitor)
    _ = words_of(request).gettext
    return redirect(request, "/admin/keys", told=_("Nobody gets in with “%(name)s” any more.", name=revoked.name))


def _page(
    request: Request,
    visitor: Principal,
    desk: Desk,
    *,
    name: str = "",
    scopes: frozenset[str] = DEFAULT_SCOPES,
    days: int | None = None,
    wrong: bool = False,
) -> Response:
    _ = words_of(request).gettext
    with desk.database.reading() as session:
        found = service.list_keys(session, visitor.client_id)
    context: dict[str, Any] = {
        "keys": sorted(found, key=lambda key: (key.revoked_at is not None, key.id)),
        "scopes": [(scope, _(MEANING[scope]), scope in scopes) for scope in SCOPES],
        "name": name,
        "days": days or 0,
        "wrong": wrong,
        "no_scope": wrong and not scopes,
        "at": desk.clock(),
    }
    return page(request, "admin/keys.html", visitor, status=422 if wrong else 200, **context)
