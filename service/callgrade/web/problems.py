"""What went wrong, as a page of its own, as a part of one, or as JSON for a script: what it means, and what to do.

An error's own message is English and exact; it stands under "Details". What everybody reads is the reader's language
and depends on the status, or on the kind of error where `SAID` knows more.
"""

import logging
import math
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from callgrade.domain.errors import CallgradeError
from callgrade.web.dependencies import desk_of, guest_of
from callgrade.web.preferences import words_of
from callgrade.web.shell import by_htmx, fragment, own_path, page, request_id_of
from callgrade.web.words import N_

SIGN_IN = "/sign-in"
RETRY_AFTER_S = 5
_LOG = logging.getLogger("callgrade.web")


class Explained(NamedTuple):
    """What happened, and what the reader can do."""

    title: str
    advice: str


SAID: dict[int | str, Explained] = {
    400: Explained(N_("This request cannot be understood"), N_("Go back, load the page anew, and try again.")),
    401: Explained(
        N_("Please sign in"), N_("You are not signed in any more. What you have typed is kept; sign in and go on.")
    ),
    403: Explained(
        N_("Not open to you"),
        N_("Your role does not allow this. Where you need it for your work, ask whoever administers callgrade."),
    ),
    404: Explained(
        N_("Nothing here"), N_("This does not exist, or it is not within your reach. Check the address, or go back.")
    ),
    405: Explained(N_("This request cannot be understood"), N_("Go back, load the page anew, and try again.")),
    409: Explained(
        N_("Somebody was faster"),
        N_("What you saw has changed in the meantime. Look at how it stands now, then decide again; nothing was lost."),
    ),
    410: Explained(N_("No longer here"), N_("It was erased, and nothing of what was said has been kept.")),
    413: Explained(N_("Too large"), N_("This is more than is taken here at once. Send less, or a smaller file.")),
    415: Explained(N_("The wrong kind of file"), N_("Choose a file of a kind that the form names.")),
    422: Explained(N_("Please check what was entered"), N_("Something in it cannot be so. Go back and correct it.")),
    429: Explained(N_("Too much at once"), N_("Wait a little, then try again.")),
    500: Explained(
        N_("Something went wrong here"),
        N_("It is our fault, not yours, and what was shown as saved is saved. Try again; where it happens again, tell "
           "whoever runs callgrade the number below."),
    ),
    503: Explained(
        N_("Not ready at the moment"), N_("A part of the service cannot be reached. It usually takes a few seconds.")
    ),
    "from-elsewhere": Explained(
        N_("This form came from another site"),
        N_("It was not carried out. Open the page here and send the form from there."),
    ),
}  # fmt: skip


class Problem(NamedTuple):
    """`detail` is for people who know the service; None where it would tell of its inside."""

    status: int
    type: str
    detail: str | None
    wait_s: int | None = None


def install(app: FastAPI) -> None:
    for kind in (CallgradeError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, answer)


def answer(request: Request, error: Exception) -> Response:
    """What a browser gets for an error, whoever raised it."""
    found = _problem(error)
    if isinstance(error, CallgradeError) and found.status >= 500:
        # its message is for whoever runs the service; a bug is logged by the frame around all
        told = {"request_id": request_id_of(request), "message_for_operator": str(error)}
        _LOG.error("%s", found.type, extra=told)
    headers = {} if found.wait_s is None else {"Retry-After": str(found.wait_s)}
    if isinstance(error, HTTPException):
        headers |= error.headers or {}
    if request.headers.get("accept", "").startswith("application/json"):
        return _as_json(request, found, headers)
    if by_htmx(request):
        return _as_fragment(request, found, headers)
    if found.status == 401 and request.method == "GET":
        back = own_path(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
        return RedirectResponse(SIGN_IN if back == "/" else f"{SIGN_IN}?next={quote(back, safe='')}", 303)
    return page(
        request, "problems/page.html", guest_of(request), status=found.status, headers=headers, **_told(request, found)
    )


def _problem(error: Exception) -> Problem:
    if isinstance(error, CallgradeError):
        inside = error.status >= 500
        wait = error.retry_after_s or (RETRY_AFTER_S if error.status == 503 else None)
        return Problem(
            error.status, error.type, None if inside else str(error), None if wait is None else max(1, math.ceil(wait))
        )
    if isinstance(error, RequestValidationError):
        faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()[:5]]
        return Problem(422, "invalid-request", "; ".join(faults))
    if isinstance(error, HTTPException):
        return Problem(error.status_code, HTTPStatus(error.status_code).phrase.lower().replace(" ", "-"), None)
    return Problem(500, "unexpected", None)


def _explained(found: Problem) -> Explained:
    nearest = 500 if found.status >= 500 else 400
    return SAID.get(found.type) or SAID.get(found.status) or SAID[nearest]


def _told(request: Request, found: Problem) -> dict[str, Any]:
    _ = words_of(request).gettext
    said = _explained(found)
    return {"problem": found, "title": _(said.title), "advice": _(said.advice)}


def _as_fragment(request: Request, found: Problem, headers: dict[str, str]) -> Response:
    template = "problems/_sign_in.html" if found.status == 401 else "problems/_problem.html"
    marked = {**headers, "X-Problem": found.type}
    context = _told(request, found)
    if found.status == 401:
        several = desk_of(request).sign_ins.number_of_clients() > 1
        context |= {"several": several, "login": "", "client": "", "due": False, "error": None, "wait_s": None}
    return fragment(request, template, None, status=found.status, headers=marked, **context)


def _as_json(request: Request, found: Problem, headers: dict[str, str]) -> Response:
    told = _told(request, found)
    body = {"type": f"urn:callgrade:problem:{found.type}", "title": told["title"], "status": found.status}
    body |= {"detail": told["advice"], "request_id": request_id_of(request)}
    return JSONResponse(body, found.status, headers, media_type="application/problem+json")
