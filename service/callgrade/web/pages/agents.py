"""Agents and their teams: looked up, and brought in from a table."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile

from callgrade.access import agents as service
from callgrade.access.agents import TableError
from callgrade.access.principals import Principal
from callgrade.web.dependencies import Desk, Desked
from callgrade.web.pages.users import PeopleReader, PeopleWriter
from callgrade.web.preferences import words_of
from callgrade.web.shell import page, page_or_part, redirect
from callgrade.web.words import N_

PAGE = 100
FAULTS: dict[str, str] = {
    "commas": N_("is not a table with commas"),
    "cells": N_("has %(cells)s cells, the first line %(header)s"),
    "twice": N_("this number stands in line %(line)s already"),
    "many": N_("at most %(most)s agents at once"),
    "none": N_("names no agent"),
    "left": N_("“left” is yes, no or empty"),
    "cell": N_("%(column)s is missing, or longer than 200 characters"),
    "column": N_("column %(place)s is none of agent_id, name, team, left"),
    "column-twice": N_("the column %(column)s stands there twice"),
    "no-ids": N_("there is no column agent_id"),
    "encoding": N_("is neither UTF-8 nor GBK text; save it as CSV"),
}

router = APIRouter()


@router.get("/admin/agents")
def agents(
    request: Request,
    visitor: PeopleReader,
    desk: Desked,
    q: Annotated[str, Query(max_length=200)] = "",
    team: Annotated[str, Query(max_length=200)] = "",
    after: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    return page_or_part(
        request, "admin/agents.html", "admin/_agents.html", visitor, **_found(visitor, desk, q, team, after), error=None
    )


@router.post("/admin/agents")
def bring_in(
    request: Request, visitor: PeopleWriter, desk: Desked, file: Annotated[UploadFile | None, Form()] = None
) -> Response:
    """All of the table, or nothing."""
    _ = words_of(request).gettext
    try:
        told = service.read_agents(file.file.read() if file else b"", "")
    except TableError as error:
        said = _(FAULTS[error.why]) % error.values
        where = _("Line %(line)s", line=error.line) if error.line else _("The file")
        context = _found(visitor, desk, "", "", None)
        return page(request, "admin/agents.html", visitor, status=422, **context, error=f"{where}: {said}")
    with desk.database.writing() as session:
        done = service.put_agents(session, visitor, told)
    said = _("%(made)s new, %(changed)s replaced.", made=done.made, changed=done.changed)
    return redirect(request, "/admin/agents", told=said)


def _found(visitor: Principal, desk: Desk, q: str, team: str, after: str | None) -> dict[str, Any]:
    with desk.database.reading() as session:
        found = service.list_agents(session, visitor, like=q.strip(), team=team or None, after=after, limit=PAGE + 1)
        teams = service.list_teams(session, visitor)
    narrow = {name: value for name, value in (("q", q), ("team", team)) if value}
    further = {**narrow, "after": found[PAGE - 1].agent_id} if len(found) > PAGE else None
    return {
        "agents": found[:PAGE],
        "teams": teams,
        "q": q,
        "team": team,
        "first": f"/admin/agents?{urlencode(narrow)}" if after else None,
        "further": f"/admin/agents?{urlencode(further)}" if further else None,
    }
