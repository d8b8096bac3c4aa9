"""`/style`: every part that pages are made of, on a page that only tests serve. `/style/<status>` raises that error."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Form, Request, Response

from callgrade.domain import errors
from callgrade.web import environment
from callgrade.web.dependencies import Guest, Visitor
from callgrade.web.shell import fragment, page

RAISED: dict[str, Exception] = {
    "403": errors.ForbiddenError("this needs the scope batches:write"),
    "404": errors.UnknownResourceError("there is no such call"),
    "409": errors.ConflictError("the decision is at version 3 already"),
    "410": errors.GoneError("erased on request"),
    "413": errors.TooLargeError("larger than 5 MB"),
    "422": errors.InputError("the first day lies behind the last"),
    "429": errors.TooManyRequestsError("6000 requests a minute", retry_after_s=40),
    "500": RuntimeError("what was said in a call: 我要投诉"),
    "503": errors.NotReadyError("the database at db.internal cannot be reached"),
}
environment.ALSO.append(Path(__file__).parent / "templates")


@dataclass
class Saves:
    """What `/style/save` was sent, and the errors that it answers with first, one after the other."""

    sent: list[str] = field(default_factory=list)
    errors: list[Exception] = field(default_factory=list)


def add_style(app: FastAPI) -> Saves:
    saves, router = Saves(), APIRouter()

    @router.get("/style")
    def style(request: Request, guest: Guest) -> Response:
        return page(request, "style.html", guest)

    @router.post("/style/save")
    def save(request: Request, visitor: Visitor, reason: Annotated[str, Form()] = "") -> Response:
        if saves.errors:
            raise saves.errors.pop(0)
        saves.sent.append(reason)
        return fragment(request, "saved.html", visitor, told=f"Saved: {reason or 'nothing'}")

    @router.api_route("/style/{status}", methods=["GET", "POST"])
    def fail(status: str) -> Response:
        raise RAISED[status]

    pages: Any = app.state.pages
    pages.include_router(router)
    return saves
