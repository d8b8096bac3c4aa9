"""The menu: which rooms there are, and who finds their door in it."""

from collections.abc import Sequence
from typing import NamedTuple

from fastapi import Request

from callgrade.access.permissions import ROLES, Role, Scope
from callgrade.access.principals import Principal
from callgrade.web.words import N_


class Place(NamedTuple):
    """`scope` opens it; `roles` are those it is meant for, none named: all. `under` are paths that belong to it too."""

    path: str
    title: str
    scope: Scope
    under: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()


class Door(NamedTuple):
    path: str
    title: str
    here: bool


PLACES = (
    Place("/", N_("Queue"), "reviews:write"),
    Place("/results", N_("My results"), "appeals:write", roles=("agent",)),
    Place("/calls", N_("Calls"), "evaluations:read", roles=("admin", "qa_lead", "reviewer")),
    Place("/appeals", N_("Appeals"), "appeals:read"),
    Place("/sampling", N_("Sampling"), "sampling:write"),
    Place("/rubrics", N_("Rubrics"), "rubrics:read", ("/prompts",)),
    Place("/calibrations", N_("Calibration"), "calibrations:read", ("/golden-sets",)),
    Place("/autonomy", N_("Autonomy"), "calibrations:read"),
    Place("/dashboards", N_("Dashboards"), "dashboards:read"),
    Place("/batches", N_("Batches"), "batches:read"),
    Place("/alerts", N_("Alerts"), "alerts:write"),
    Place("/admin", N_("Administration"), "people:read"),
)


def places_for(request: Request, visitor: Principal | None) -> Sequence[Door]:
    """In the menu's order. What somebody may not open is not shown, nor what has no page."""
    if visitor is None:
        return ()
    there: frozenset[str] = request.app.state.paths
    path = request.url.path
    return [
        Door(place.path, place.title, _is_here(place, path))
        for place in PLACES
        if place.path in there and place.scope in visitor.scopes and visitor.role in (place.roles or ROLES)
    ]


def _is_here(place: Place, path: str) -> bool:
    if place.path == "/":
        return path == "/"
    return any(path == start or path.startswith(f"{start}/") for start in (place.path, *place.under))
