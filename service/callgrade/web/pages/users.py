"""Users, for those who administer them."""

import re
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from callgrade.access import people
from callgrade.access.agents import list_teams
from callgrade.access.people import Administration, Person, PersonError, TakenError, Told
from callgrade.access.permissions import PEOPLE, Role
from callgrade.access.principals import Principal
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.pages.roles import MEANING, ROLES
from callgrade.web.preferences import words_of
from callgrade.web.shell import page, page_or_part, redirect
from callgrade.web.words import N_

FAULTS: dict[str, str] = {
    "role": N_("Choose one of the roles."),
    "needed": N_("An agent needs the number that their calls carry; without it they would see none."),
    "long": N_("At most 200 characters on one line."),
    "many": N_("At most 500 teams."),
    "login": N_("1 to 80 characters without blanks."),
    "taken": N_("Somebody has this user name already."),
    "agent-taken": N_("Somebody signs in as this agent already."),
    "last-admin": N_("This is the last administrator who can sign in. Make another one first."),
}
MOST = 300
"""Users on one page; a search finds the others."""

router = APIRouter()
PeopleReader = Annotated[Principal, needs("people:read")]
PeopleWriter = Annotated[Principal, needs("people:write")]
Text = Annotated[str, Form(max_length=1_000)]
Teams = Annotated[str, Form(max_length=100_000)]


@router.get("/admin")
def administration(_visitor: PeopleReader) -> Response:
    return RedirectResponse("/admin/users", 303)


@router.get("/admin/users")
def users(
    request: Request,
    visitor: PeopleReader,
    desk: Desked,
    q: Annotated[str, Query(max_length=200)] = "",
    role: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    with desk.database.reading() as session:
        everybody = people.list_people(session, visitor)
    found = [it for it in everybody if _fits(it, q.strip().casefold(), role)]
    context: dict[str, Any] = {"users": found[:MOST], "more": max(0, len(found) - MOST), "q": q, "role": role}
    return page_or_part(request, "admin/users.html", "admin/_users.html", visitor, **context, roles=_roles(request))


@router.get("/admin/users/new")
def new_user(request: Request, visitor: PeopleWriter, desk: Desked) -> Response:
    return _form(request, visitor, desk, None, Told(role="reviewer"))


@router.post("/admin/users")
def create(
    request: Request,
    visitor: PeopleWriter,
    desk: Desked,
    login: Text,
    role: Text,
    name: Text = "",
    team: Text = "",
    leads: Teams = "",
    agent_id: Text = "",
    elsewhere: Text = "",
) -> Response:
    told = _told(role, name, team, leads, agent_id)
    try:
        person, password = Administration(desk.database).create(visitor, login, told, elsewhere=bool(elsewhere))
    except (PersonError, TakenError) as error:
        return _form(request, visitor, desk, None, told, login=login, elsewhere=bool(elsewhere), error=error)
    return _made(request, visitor, person, password)


@router.get("/admin/users/{id}")
def user(request: Request, id: str, visitor: PeopleWriter, desk: Desked) -> Response:  # noqa: A002
    with desk.database.reading() as session:
        person = people.find(session, visitor, id)
    return _form(request, visitor, desk, person, _as_told(person))


@router.post("/admin/users/{id}")
def change(
    request: Request,
    id: str,  # noqa: A002
    visitor: PeopleWriter,
    desk: Desked,
    role: Text,
    name: Text = "",
    team: Text = "",
    leads: Teams = "",
    agent_id: Text = "",
) -> Response:
    told = _told(role, name, team, leads, agent_id)
    try:
        person = Administration(desk.database).change(visitor, id, told)
    except (PersonError, TakenError) as error:
        with desk.database.reading() as session:
            person = people.find(session, visitor, id)
        return _form(request, visitor, desk, person, told, error=error)
    _ = words_of(request).gettext
    return redirect(request, "/admin/users", told=_("%(login)s is changed.", login=person.login))


@router.post("/admin/users/{id}/disable")
def disable(request: Request, id: str, visitor: PeopleWriter, desk: Desked) -> Response:  # noqa: A002
    _ = words_of(request).gettext
    try:
        person = Administration(desk.database).disable(visitor, id)
    except TakenError as error:
        return redirect(request, f"/admin/users/{id}", told=_(FAULTS[error.why]), tone="bad")
    return redirect(request, f"/admin/users/{id}", told=_("%(login)s is signed out and disabled.", login=person.login))


@router.post("/admin/users/{id}/enable")
def enable(request: Request, id: str, visitor: PeopleWriter, desk: Desked) -> Response:  # noqa: A002
    _ = words_of(request).gettext
    try:
        person = Administration(desk.database).enable(visitor, id)
    except TakenError as error:
        return redirect(request, f"/admin/users/{id}", told=_(FAULTS[error.why]), tone="bad")
    return redirect(request, f"/admin/users/{id}", told=_("%(login)s may sign in again.", login=person.login))


@router.post("/admin/users/{id}/password")
def reset_password(request: Request, id: str, visitor: PeopleWriter, desk: Desked) -> Response:  # noqa: A002
    person, password = Administration(desk.database).reset_password(visitor, id)
    return _made(request, visitor, person, password, reset=True)


def _made(
    request: Request, visitor: Principal, person: Person, password: str | None, *, reset: bool = False
) -> Response:
    """The password stands in this answer alone, so nobody is sent on to another page."""
    return page(request, "admin/user_made.html", visitor, person=person, password=password, reset=reset)


def _form(
    request: Request,
    visitor: Principal,
    desk: Desk,
    person: Person | None,
    told: Told,
    *,
    login: str = "",
    elsewhere: bool = False,
    error: PersonError | TakenError | None = None,
) -> Response:
    _ = words_of(request).gettext
    with desk.database.reading() as session:
        teams = list_teams(session, visitor)
    context: dict[str, Any] = {
        "person": person,
        "them": told,
        "login": login,
        "elsewhere": elsewhere,
        "provider": desk.elsewhere is not None,
        "teams": teams,
        "roles": _roles(request),
        "meaning": [(role, _(ROLES[role]), _(MEANING[role])) for role in PEOPLE],
        "errors": {error.field: _(FAULTS[error.why])} if error else {},
        "own": person is not None and person.id == visitor.user_id,
    }
    return page(request, "admin/user.html", visitor, status=error.status if error else 200, **context)


def _roles(request: Request) -> Sequence[tuple[Role, str]]:
    _ = words_of(request).gettext
    return [(role, _(ROLES[role])) for role in PEOPLE]


def _told(role: str, name: str, team: str, leads: str, agent_id: str) -> Told:
    """`leads` are written with commas or line breaks between, of either width."""
    teams = tuple(part.strip() for part in re.split(r"[,，、;；\n]", leads) if part.strip())
    return Told(role=role, name=name or None, team=team or None, leads=teams, agent_id=agent_id or None)


def _as_told(person: Person) -> Told:
    return Told(role=person.role, name=person.name, team=person.team, leads=person.leads, agent_id=person.agent_id)


def _fits(person: Person, text: str, role: str) -> bool:
    known = (person.login, person.name, person.team, person.agent_id, *person.leads)
    return role in ("", person.role) and (not text or any(text in it.casefold() for it in known if it))
