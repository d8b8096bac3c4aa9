"""Every error answer is application/problem+json (RFC 9457), made here and nowhere else."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from traceback import extract_tb
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import compile_path

from callgrade.domain.errors import CallgradeError, NotAuthenticatedError

MEDIA_TYPE = "application/problem+json"
URN = "urn:callgrade:problem:"
RETRY_AFTER_S = 5
_TITLES = {413: "Content Too Large", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
"""As RFC 9110 has them; Python before 3.13 has older words."""
_LOG = logging.getLogger("callgrade.api")

_OWN_FAULT = "something is wrong with the service, not with the request; its log says what, under the request_id"
_NOT_READY = "a part of the service cannot be reached for the moment; the same request may be sent again"


class FieldFault(BaseModel):
    """One thing that is wrong with the request. The value itself is not repeated: it may be what somebody said."""

    where: str = Field(examples=["body.turns[3].speaker"])
    message: str = Field(examples=["Input should be 'agent', 'customer', 'system' or 'unknown'"])


class Problem(BaseModel):
    """`type` names the kind for machines and is stable; `request_id` finds the request in the service's log."""

    type: str = Field(examples=[f"{URN}conflict"])
    title: str = Field(examples=["Conflict"])
    status: int = Field(ge=400, le=599, examples=[409])
    detail: str = Field(examples=["the call C-00001 is there already with other content"])
    request_id: str = Field(examples=["019a2f6e6cf77c3f8bd0a1b2c3d4e5f6"])
    retryable: bool = Field(description="Whether the same request may succeed later.", examples=[False])
    errors: list[FieldFault] | None = None


def install(app: FastAPI) -> None:
    app.add_exception_handler(CallgradeError, _of_ours)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(ClientDisconnect, _of_disconnect)
    app.add_exception_handler(Exception, _of_bug)


def answer(
    request_id: str,
    status: int,
    type_: str,
    detail: str,
    *,
    title: str | None = None,
    retryable: bool = False,
    errors: Sequence[FieldFault] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    problem = Problem(
        type=URN + type_,
        title=title or title_of(status),
        status=status,
        detail=detail,
        request_id=request_id,
        retryable=retryable,
        errors=list(errors) if errors else None,
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True), status, media_type=MEDIA_TYPE, headers=dict(headers or {})
    )


def title_of(status: int) -> str:
    return _TITLES.get(status) or HTTPStatus(status).phrase


def request_id_of(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


def _of_ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CallgradeError)
    headers = {}
    if isinstance(error, NotAuthenticatedError):
        headers["WWW-Authenticate"] = 'Bearer realm="callgrade"'
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after_s)))
    elif error.status == 503:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    detail = str(error)
    if error.status >= 500:
        # these messages are for whoever runs the service: they name its files, hosts and settings
        _LOG.error("%s", error.type, extra={"request_id": request_id_of(request), "message_for_operator": detail})
        detail = _NOT_READY if error.status == 503 else _OWN_FAULT
    return answer(request_id_of(request), error.status, error.type, detail, retryable=error.retryable, headers=headers)


def _of_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    faults = list(_faults(error.errors()))
    detail = "; ".join(f"{fault.where}: {fault.message}" for fault in faults[:5])
    more = len(faults) - 5
    detail += f"; and {more} more" if more > 0 else ""
    return answer(request_id_of(request), 422, "invalid-request", detail, title="Invalid request", errors=faults)


def _faults(errors: Sequence[Any]) -> Iterator[FieldFault]:
    for fault in errors:
        yield FieldFault(where=place(fault["loc"]), message=str(fault["msg"]))


def place(location: Sequence[str | int]) -> str:
    """`body.turns[3].speaker`."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return path.lstrip(".") or "request"


def _of_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:
        # the framework's word for a body that is no text
        return answer(
            request_id_of(request), 422, "invalid-request", "body: is not JSON in UTF-8", title="Invalid request"
        )
    type_ = {404: "no-such-route", 405: "method-not-allowed", 413: "too-large"}.get(error.status_code, "bad-request")
    if error.status_code == 404:
        detail = "there is nothing at this path; GET /openapi.json lists what there is"
    else:
        detail = str(error.detail)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_allowed(request))
    return answer(request_id_of(request), error.status_code, type_, detail, headers=headers)


def _allowed(request: Request) -> list[str]:
    """All methods of the resource; the framework names those of one route only."""
    found: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.path is not None and compile_path(route.path)[0].match(request.url.path):
            found |= set(route.methods or ())
    return sorted(found)


def _of_disconnect(request: Request, _error: Exception) -> JSONResponse:
    # nobody reads it; the status is for our own log
    return answer(request_id_of(request), 400, "upload-cut-short", "the body ended before it was whole")


def _of_bug(request: Request, error: Exception) -> JSONResponse:
    log_bug(request_id_of(request), error)
    return answer(request_id_of(request), 500, "unexpected", _OWN_FAULT)


def log_bug(request_id: str, error: BaseException) -> None:
    """The places, not the message: an exception's text may hold what was said in a call."""
    frames = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in extract_tb(error.__traceback__)
    ]
    _LOG.error("bug", extra={"request_id": request_id, "error": type(error).__name__, "frames": frames[-12:]})
