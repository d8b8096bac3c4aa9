"""Error answers as the classes of callgrade.domain.errors: what the service raised is what the caller catches."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from callgrade.domain import errors as tree
from callgrade.domain.errors import CallgradeError, NotReadyError, RequestError, TooManyRequestsError

URN = "urn:callgrade:problem:"
DETAIL_CHARACTERS = 2_000
NOT_NOW = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses of the service, or of a proxy before it, that say nothing about the request."""


class UnreachableError(NotReadyError):
    """No answer: the connection failed, broke off, or took too long."""


class WaitTimeoutError(CallgradeError, TimeoutError):
    """What was waited for has not come about yet. It goes on all the same: wait again."""

    retryable = True


class FieldFault(BaseModel):
    """One thing that is wrong with the request: `body.turns[3].speaker`, and what it should be."""

    where: str
    message: str


class Problem(BaseModel):
    """An error answer (RFC 9457). `request_id` finds the request in the service's log."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    type: str = "about:blank"
    title: str = ""
    status: int = 0
    detail: str = ""
    request_id: str | None = None
    retryable: bool | None = None
    errors: tuple[FieldFault, ...] = ()


def problem_of(error: CallgradeError) -> Problem | None:
    """What the service answered; None for an error that is none of its answers (an UnreachableError).

    >>> try:
    ...     client.evaluations.get("0" * 32)
    ... except UnknownResourceError as error:
    ...     problem_of(error).status
    404
    """
    problem = getattr(error, "problem", None)
    return problem if isinstance(problem, Problem) else None


def error_of(response: httpx.Response) -> CallgradeError:
    """The error that an answer of 400 and more stands for. Its body must have been read."""
    problem = _problem(response)
    name = problem.type.removeprefix(URN)
    class_ = _BY_TYPE.get(name) or _of_status(response.status_code)
    return _made(class_, problem, _seconds(response.headers.get("retry-after", "")))


def unreachable(error: httpx.TransportError) -> UnreachableError:
    kind = "took too long to answer" if isinstance(error, httpx.TimeoutException) else "cannot be reached"
    return UnreachableError(f"the service {kind} ({type(error).__name__})")


def asked_pause_s(error: CallgradeError) -> float | None:
    """What Retry-After asked for, in seconds."""
    value = getattr(error, "retry_after_s", None)
    return value if isinstance(value, float) else None


def may_be_repeated(error: CallgradeError) -> bool:
    """Whether the same request may succeed later. The service's own word counts most."""
    problem = problem_of(error)
    if problem is None:
        return error.retryable
    return problem.status in NOT_NOW if problem.retryable is None else problem.retryable


def _problem(response: httpx.Response) -> Problem:
    try:
        found = Problem.model_validate_json(response.content)
    except ValidationError:
        found = Problem()
    known: dict[str, object] = {"status": response.status_code}
    if not found.detail:
        # somebody between us answered: a proxy's page is not worth repeating
        known["detail"] = f"the answer was {response.status_code} {response.reason_phrase}".strip()
    if found.request_id is None:
        known["request_id"] = response.headers.get("x-request-id")
    return found.model_copy(update=known)


def _made(class_: type[CallgradeError], problem: Problem, retry_after_s: float | None) -> CallgradeError:
    # past its own __init__, which asks for what only the service knew
    error = class_.__new__(class_)
    message = problem.detail[:DETAIL_CHARACTERS]
    error.args = (message,)
    for above, facts in _FACTS.items():
        if issubclass(class_, above):
            vars(error).update(facts)
    vars(error)["problem"] = problem
    if retry_after_s is not None or isinstance(error, TooManyRequestsError):
        vars(error)["retry_after_s"] = retry_after_s or 1.0
    return error


_FACTS: dict[type[CallgradeError], dict[str, object]] = {
    tree.TranscriptError: {"source": None, "line": None},
    tree.RecordingError: {"source": None},
    tree.RubricError: {"source": "", "faults": ()},
    tree.GoldenSetError: {"source": "", "faults": ()},
    tree.JudgementError: {"criterion_id": ""},
    tree.JudgeError: {"requests": 0},
    tree.MissingExtraError: {"extra": ""},
}
"""What these have on them elsewhere, and an answer does not say."""


def _all(class_: type[CallgradeError]) -> Iterator[type[CallgradeError]]:
    yield class_
    for below in class_.__subclasses__():
        yield from _all(below)


def _name(class_: type[CallgradeError]) -> str:
    return class_.__new__(class_).type


_BY_TYPE = {_name(class_): class_ for class_ in _all(CallgradeError) if class_.__module__ == tree.__name__}
_BY_STATUS: dict[int, type[CallgradeError]] = {
    401: tree.NotAuthenticatedError,
    403: tree.ForbiddenError,
    404: tree.UnknownResourceError,
    409: tree.ConflictError,
    410: tree.GoneError,
    413: tree.TooLargeError,
    422: tree.InputError,
    429: tree.TooManyRequestsError,
    502: tree.NotReadyError,
    503: tree.NotReadyError,
    504: tree.NotReadyError,
}


def _of_status(status: int) -> type[CallgradeError]:
    """For types that are newer than this client, and for what a proxy answers."""
    return _BY_STATUS.get(status) or (RequestError if status < 500 else tree.UnexpectedError)


def _seconds(retry_after: str) -> float | None:
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            moment = parsedate_to_datetime(retry_after)
        except (ValueError, TypeError, IndexError):
            return None
        seconds = (moment - datetime.now(UTC)).total_seconds() if moment.tzinfo else math.nan
    return max(0.0, seconds) if math.isfinite(seconds) else None
