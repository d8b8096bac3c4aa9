"""The app: routers, middleware, documentation. What it works with is handed in."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from callgrade import __version__
from callgrade.api import documentation, problems
from callgrade.api.dependencies import Services
from callgrade.api.metrics import Metrics
from callgrade.api.middleware import RequestFrame
from callgrade.api.routers import (
    agents,
    appeals,
    batches,
    calibrations,
    calls,
    evaluations,
    golden_sets,
    operations,
    publishing,
    registry,
    releases,
    reviews,
    webhooks,
)
from callgrade.calls.reading import LARGEST_BYTES
from callgrade.settings import Settings

SMALL_BODY = 1_000_000
OURS = ("/v1", "/healthz", "/readyz", "/metrics", "/openapi.json")
FORM_FRAME = 2_000_000
"""Metadata, boundaries and part headers beside a recording."""

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


class _Documented(FastAPI):
    """Its OpenAPI is finished by hand: every error answer, and what the framework cannot know."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            made = get_openapi(
                title=self.title,
                version=self.version,
                description=self.description,
                routes=self.routes,
                license_info=self.license_info,
                separate_input_output_schemas=False,
            )
            self.openapi_schema = documentation.finish(made)
        return self.openapi_schema


def build(settings: Settings, metrics: Metrics, lifespan: Lifespan | None = None) -> FastAPI:
    """Its services are looked up at each request in `app.state.services`, which `lifespan` puts there."""
    app = _Documented(
        title="callgrade",
        version=__version__,
        description=documentation.DESCRIPTION,
        license_info={"name": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        # its own spans and logs would hold whole paths and exceptions' texts; ours are made in RequestFrame
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        generate_unique_id_function=lambda route: route.name,
    )
    problems.install(app)
    for module in (
        calls,
        evaluations,
        batches,
        reviews,
        appeals,
        calibrations,
        golden_sets,
        registry,
        publishing,
        releases,
        agents,
        webhooks,
        operations,
    ):
        app.include_router(module.router)
    app.add_middleware(RequestFrame, cap=_cap(settings), observe=metrics.request)
    return app


def serve_with(app: FastAPI, services: Services) -> None:
    app.state.services = services


def is_ours(path: str) -> bool:
    """Whether a path is the API's, or would be: what is mounted beside it answers for all others."""
    return path.startswith("/v1/") or path in OURS


def _cap(settings: Settings) -> Callable[[str, str], int | None]:
    """A recording may be as large as the setting says, and a batch as long; everything else is small."""
    largest = max(LARGEST_BYTES, settings.service.max_upload_mb * 1_000_000) + FORM_FRAME

    def cap(method: str, path: str) -> int | None:
        if (method == "POST" and path == "/v1/batches") or not is_ours(path):
            return None
        return largest if method == "POST" and path == "/v1/calls" else SMALL_BODY

    return cap
