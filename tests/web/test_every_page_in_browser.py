"""axe finds nothing on any page: with things on it, on an empty desk, and where something is refused; in both themes,
which differ in colours alone.

The pages are those that tests/test_role_matrix.py lists, and so all there are.
"""

from typing import Any

from tests.test_role_matrix import PAGES, Page, World, world  # noqa: F401
from tests.web.browsing import assert_accessible
from tests.web.made import Rooms

NO_PAGES = (
    "GET /static/{name}",
    "GET /favicon.ico",
    "GET /events",
    "GET /signed-in",
    "GET /sign-in/elsewhere",
    "GET /sign-in/back",
    "GET /calls/{call_id}/audio",
    "GET /appeals/{appeal_id}/audio",
    "GET /calls/{call_id}/scorecard.{form}",
    "GET /dashboards/{room}/table.csv",
    "GET /sampling/{plan_id}/drawings/{run_id}/calls.csv",
    "GET /golden-sets/{set_id}/labels.{form}",
)
"""Files, streams and answers that only send on."""
LOOKED_AT = [route for route in PAGES if route.startswith("GET ") and route not in NO_PAGES]
OWN = {"GET /sign-in": None, "GET /results": "agent"}
"""Who looks where the admin does not."""
ROOMS = {"GET /dashboards/{room}": ("agents", "teams", "centre", "faults", "reviewers")}
REFUSED = ("/calls/0000", "/appeals/0000", "/rubrics/none", "/nowhere", "/calls?from=x", "/dashboards/agents?span=x")


def looked_at(page: Any, path: str) -> None:
    page.goto(page.base + path)
    assert "</html>" in page.content(), path
    assert_accessible(page)
    page.emulate_media(color_scheme="dark")
    assert_accessible(page, rules=["color-contrast"])
    page.emulate_media(color_scheme="light")


def paths(world: World) -> list[tuple[Any, str]]:  # noqa: F811
    found = []
    for route in LOOKED_AT:
        told: Page = PAGES[route]
        query = "&".join(f"{name}={value}" for name, value in world.filled(told.query, "ours").items())
        for room in ROOMS.get(route, ("agents",)):
            path = world.path(route, told, "ours").replace("/dashboards/agents", f"/dashboards/{room}")
            found.append((OWN.get(route, "admin"), path + (f"?{query}" if query else "")))
    return found


def test_with_things_on_it(world: World, open_page: Any) -> None:  # noqa: F811
    of = {role: open_page("/sign-in", role) for role in (None, "admin")}
    of["agent"] = open_page("/", ("agent", "agent-here"))
    for role, path in paths(world):
        looked_at(of[role], path)


def test_with_nothing_on_it_and_refused(rooms: Rooms, open_page: Any) -> None:
    page = open_page("/", "admin", language="en")
    for route in LOOKED_AT:
        if "{" not in route and route not in OWN:
            looked_at(page, route.removeprefix("GET "))
    looked_at(open_page("/results", "agent", language="en"), "/results")
    for path in REFUSED:
        looked_at(page, path)
