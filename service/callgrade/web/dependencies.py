"""What pages ask for by type: who is looking, and what the desk works with."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from callgrade.access.elsewhere import Elsewhere
from callgrade.access.permissions import Scope, require
from callgrade.access.principals import Principal
from callgrade.access.signing_in import SignIns
from callgrade.calibration.long_work import LongWork
from callgrade.db.session import Database
from callgrade.db.types import now
from callgrade.domain.errors import CallgradeError, NotAuthenticatedError
from callgrade.evaluations.intake import Intake
from callgrade.ports import BlobStore, WorkQueue
from callgrade.settings import Settings

BACKGROUND = "Desk-Background"
"""The header of a request that the page sent by itself: looking on is no sign that somebody is still there."""
VISITOR = "Desk-Visitor"
"""The header that says whose page it is that asks. Should somebody else have signed in since, in another tab, nothing
is done in their name."""


@dataclass(frozen=True)
class Desk:
    """One an app, made by `main`. Services that only pages need are made from it by those pages."""

    settings: Settings
    database: Database
    blobs: BlobStore
    queue: WorkQueue
    intake: Intake
    sign_ins: SignIns
    elsewhere: Elsewhere | None = None
    """Where an OpenID provider is set."""
    clock: Callable[[], datetime] = now
    stopping: Event = field(default_factory=Event)
    """Set when the process is asked to end: event streams end themselves."""
    long_work: LongWork = field(default_factory=LongWork)


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


async def _desk(request: Request) -> Desk:
    # asynchronous, as what follows that waits for nothing: the others are sent to a thread and back each
    return desk_of(request)


Desked = Annotated[Desk, Depends(_desk)]


def session_cookie(settings: Settings) -> str:
    """With the prefix a browser takes it from this host alone, over TLS alone."""
    return "__Host-callgrade" if settings.desk.over_tls else "callgrade"


def sign_in_cookie(response: Response, token: str, settings: Settings) -> None:
    """Until the browser is closed, or the session has ended on the server."""
    response.set_cookie(
        session_cookie(settings), token, path="/", httponly=True, samesite="lax", secure=settings.desk.over_tls
    )


def sign_out_cookie(response: Response, settings: Settings) -> None:
    response.delete_cookie(
        session_cookie(settings), path="/", httponly=True, samesite="lax", secure=settings.desk.over_tls
    )


def token_of(request: Request) -> str | None:
    return request.cookies.get(session_cookie(desk_of(request).settings))


def visitor_of(request: Request) -> Principal:
    """Raises NotAuthenticatedError."""
    principal = admitted(request, quietly=BACKGROUND in request.headers)
    if request.headers.get(VISITOR, principal.user_id) != principal.user_id:
        raise NotAuthenticatedError("somebody else has signed in in this browser")
    # the frame around the app names it in the access log
    request.state.principal = principal
    return principal


def admitted(request: Request, *, quietly: bool = True) -> Principal:
    """Who the browser's cookie says is signed in. Raises NotAuthenticatedError."""
    token, desk = token_of(request), desk_of(request)
    if not token:
        raise NotAuthenticatedError("nobody is signed in here")
    return desk.sign_ins.admit(token, desk.clock(), quietly=quietly)


def guest_of(request: Request) -> Principal | None:
    """Who is looking, where that does not matter: the sign-in page, an error."""
    known: Principal | None = getattr(request.state, "principal", None)
    if known is not None:
        return known
    try:
        return visitor_of(request)
    except CallgradeError:
        return None


Visitor = Annotated[Principal, Depends(visitor_of)]
Guest = Annotated[Principal | None, Depends(guest_of)]


class Needs:
    """The visitor, once it is clear that they have `scope`, which the table of tests reads."""

    def __init__(self, scope: Scope):
        self.scope = scope

    async def __call__(self, visitor: Visitor) -> Principal:
        require(visitor, self.scope)
        return visitor


def needs(scope: Scope) -> Any:
    """`visitor: Annotated[Principal, needs("batches:read")]`. Without the scope the page answers 403."""
    return Depends(Needs(scope))
