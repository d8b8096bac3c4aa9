"""The pages as an app of their own inside the service's: own errors, own headers, no place in the OpenAPI."""

from collections.abc import Callable

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.telemetry import TelemetryConfig
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import Scope

from callgrade.web import problems, static_files
from callgrade.web.dependencies import Desk
from callgrade.web.live import Pulse
from callgrade.web.pages import ROUTERS, TOPICS
from callgrade.web.security import Guard

Elsewhere = Callable[[str], bool]
"""Whether a path belongs to the JSON API."""


QUIET: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""The framework's own spans and logs would hold whole paths and exceptions' texts."""


class Pages(Mount):
    """Everything that is not the API's, unknown paths included: people who mistype get a page."""

    def __init__(self, pages: FastAPI, elsewhere: Elsewhere):
        super().__init__("", app=Guard(pages))
        self._elsewhere = elsewhere

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.NONE, {}) if self._elsewhere(scope["path"]) else super().matches(scope)


def mount(
    app: FastAPI, desk: Desk | None = None, *, elsewhere: Elsewhere = lambda path: path.startswith("/v1")
) -> None:
    """Adds the pages before all routes that `app` has, and leaves those to it: routes are tried one by one, and a page
    would wait for twenty of them. Without a desk `open_desk` must follow before the first page is asked for."""
    pages = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, telemetry=QUIET)
    problems.install(pages)
    pages.include_router(static_files.router)
    for router in ROUTERS:
        pages.include_router(router)
    pages.state.paths = frozenset(str(found.path) for found in iter_route_contexts(pages.routes))
    app.state.pages = pages
    app.router.routes.insert(0, Pages(pages, elsewhere))
    if desk is not None:
        open_desk(app, desk)


def open_desk(app: FastAPI, desk: Desk) -> None:
    """From now on pages work with this."""
    state = app.state.pages.state
    state.desk, state.pulse = desk, Pulse(desk, TOPICS)


def routes(app: FastAPI) -> list[BaseRoute]:
    """The pages' own routes, for the table of who may open which."""
    return list(app.state.pages.routes)
