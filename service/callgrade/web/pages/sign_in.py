"""Signing in, here or at the OpenID provider, and out."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from callgrade.access.browsers import browser_of
from callgrade.access.elsewhere import NotAdmittedError, ProviderRefusedError
from callgrade.access.passwords import BadPasswordError, Fault
from callgrade.access.signing_in import PasswordDueError, Refusal, WrongPasswordError
from callgrade.domain.errors import CallgradeError, NotAuthenticatedError, NotReadyError, TooManyRequestsError
from callgrade.web.dependencies import Desk, Desked, admitted, sign_in_cookie, sign_out_cookie, token_of
from callgrade.web.preferences import words_of
from callgrade.web.shell import by_htmx, fragment, own_path, page, redirect
from callgrade.web.words import N_

BACK = "/sign-in/back"
SENT = "sign-in"
"""The cookie of a browser that was sent to the provider."""
LONGEST = 1_000
REFUSALS: dict[Refusal, str] = {
    "wrong": N_("The user name or the password is not right."),
    "disabled": N_("This account is disabled. Ask whoever administers callgrade."),
    "passed": N_("This password was good for seven days, and they have passed. Ask an administrator for a new one."),
}
FAULTS: dict[Fault, str] = {
    "short": N_("At least 10 characters. Three or four words in a row are easy to keep."),
    "long": N_("At most 200 characters."),
    "few": N_("At least 5 different characters."),
    "common": N_("This is among the passwords that are tried first. Take words that do not belong together."),
    "same": N_("Choose one that you have not had."),
}
ELSEWHERE: dict[str, str] = {
    "organisation": N_("This account belongs to another organisation."),
    "disabled": REFUSALS["disabled"],
    "login": N_("Another account has this user name. An administrator can tell which is whose."),
    "role": N_("Your provider gives you no role here. Ask whoever administers callgrade."),
    "unknown": N_("You are not among the users here yet. An administrator has to add you first."),
    "misfit": N_("What your provider says of you does not fit here. Ask whoever administers callgrade."),
}

UNREACHABLE = N_("The sign-in service cannot be reached at the moment. Try again, or sign in with a password.")

router = APIRouter()
Text = Annotated[str, Form(max_length=LONGEST)]
Perhaps = Annotated[str | None, Form(max_length=LONGEST)]


@router.get("/sign-in")
def ask(request: Request, desk: Desked, to: Annotated[str, Query(alias="next", max_length=2000)] = "/") -> Response:
    """Whoever is signed in already goes on."""
    try:
        admitted(request)
    except CallgradeError:
        return _form(request, desk, to=own_path(to))
    return RedirectResponse(own_path(to), 303)


@router.post("/sign-in")
def sign_in(
    request: Request,
    desk: Desked,
    login: Text,
    password: Text,
    new_password: Perhaps = None,
    client: Perhaps = None,
    was: Perhaps = None,
    to: Annotated[str, Form(alias="next", max_length=2000)] = "/",
) -> Response:
    """`was` is whose page it is that asks from within; whoever else signs in there must not go on with it."""
    told: dict[str, Any] = {"to": own_path(to), "login": login, "client": client or ""}
    try:
        token = desk.sign_ins.sign_in(
            login,
            password,
            new_password=new_password or None,
            client=client or None,
            browser=browser_of(request.headers.get("user-agent", "")),
            address=request.client.host if request.client else None,
        )
    except PasswordDueError:
        return _form(request, desk, **told, due=True)
    except BadPasswordError as error:
        return _form(request, desk, **told, due=True, new_error=FAULTS[error.why], status=422)
    except WrongPasswordError as error:
        return _form(request, desk, **told, due=bool(new_password), error=REFUSALS[error.why], status=401)
    except TooManyRequestsError as error:
        return _form(request, desk, **told, due=bool(new_password), wait_s=error.retry_after_s or 1, status=429)
    return _signed_in(request, desk, token, own_path(to), was)


@router.get("/sign-in/elsewhere")
def leave(request: Request, desk: Desked, to: Annotated[str, Query(alias="next", max_length=2000)] = "/") -> Response:
    """To the provider. A link and no form: a form's policy lets nobody leave the house."""
    if desk.elsewhere is None:
        return RedirectResponse("/sign-in", 303)
    try:
        away = desk.elsewhere.begin(_back(request, desk), own_path(to))
    except (NotReadyError, ProviderRefusedError):
        return _form(request, desk, to=own_path(to), error=UNREACHABLE, status=503)
    response = RedirectResponse(away.url, 303)
    response.set_cookie(
        _sent(desk),
        away.cookie,
        max_age=600,
        path="/",
        httponly=True,
        samesite="lax",
        secure=desk.settings.desk.over_tls,
    )
    return response


@router.get(BACK)
def come_back(
    request: Request,
    desk: Desked,
    state: Annotated[str, Query(max_length=LONGEST)] = "",
    code: Annotated[str | None, Query(max_length=4_000)] = None,
    iss: Annotated[str | None, Query(max_length=LONGEST)] = None,
) -> Response:
    """From the provider, with what it says."""
    if desk.elsewhere is None:
        return RedirectResponse("/sign-in", 303)
    try:
        came = desk.elsewhere.finish(
            state=state,
            cookie=request.cookies.get(_sent(desk)),
            code=code,
            issuer=iss,
            redirect_url=_back(request, desk),
            browser=browser_of(request.headers.get("user-agent", "")),
        )
    except NotAdmittedError as error:
        return _form(request, desk, error=ELSEWHERE[error.why], status=403)
    except WrongPasswordError as error:
        return _form(request, desk, error=REFUSALS[error.why], status=403)
    except NotAuthenticatedError:
        return _form(request, desk, error=N_("That did not work. Please begin again."), status=401)
    except NotReadyError:
        return _form(request, desk, error=UNREACHABLE, status=503)
    response = _signed_in(request, desk, came.token, came.next_path, None)
    response.delete_cookie(_sent(desk), path="/", httponly=True, samesite="lax", secure=desk.settings.desk.over_tls)
    return response


@router.get("/signed-in")
def signed_in(request: Request, desk: Desked) -> Response:
    """In a tab of its own: it tells the one that asked, and can be closed."""
    try:
        visitor = admitted(request)
    except CallgradeError:
        return RedirectResponse("/sign-in?next=/signed-in", 303)
    return page(request, "sign_in/done.html", visitor)


@router.post("/sign-out")
def sign_out(request: Request, desk: Desked) -> Response:
    token = token_of(request)
    if token:
        desk.sign_ins.sign_out(token)
    _ = words_of(request).gettext
    response = redirect(request, "/sign-in", told=_("You are signed out."))
    sign_out_cookie(response, desk.settings)
    return response


def _signed_in(request: Request, desk: Desk, token: str, to: str, was: str | None) -> Response:
    before = token_of(request)
    if before:
        # what this browser held until now opens nothing any more
        desk.sign_ins.sign_out(before)
    response: Response
    if not by_htmx(request):
        response = RedirectResponse(to, 303)
    elif was and desk.sign_ins.admit(token).user_id != was:
        response = Response(status_code=204, headers={"HX-Redirect": "/"})
    else:
        response = Response(status_code=204, headers={"HX-Trigger": "signed-in"})
    sign_in_cookie(response, token, desk.settings)
    return response


def _form(
    request: Request,
    desk: Desk,
    *,
    to: str = "/",
    login: str = "",
    client: str = "",
    due: bool = False,
    error: str | None = None,
    new_error: str | None = None,
    wait_s: float | None = None,
    status: int = 200,
) -> Response:
    _ = words_of(request).gettext
    clients = desk.sign_ins.number_of_clients()
    context: dict[str, Any] = {
        "to": to,
        "login": login,
        "client": client,
        "several": clients > 1,
        "due": due,
        "error": _(error) if error else None,
        "new_error": _(new_error) if new_error else "",
        "wait_s": wait_s,
    }
    headers = {"Retry-After": str(max(1, round(wait_s)))} if wait_s else None
    if by_htmx(request):
        return fragment(request, "sign_in/_again.html", status=status, headers=headers, **context)
    provider = desk.settings.oidc.label or _("Single sign-on") if desk.elsewhere else None
    more: dict[str, Any] = {
        "nobody": clients == 0,
        "provider": provider,
        "leave": f"/sign-in/elsewhere?next={quote(to, safe='')}",
    }
    return page(request, "sign_in/page.html", status=status, headers=headers, **context, **more)


def _back(request: Request, desk: Desk) -> str:
    """The same both times, because the provider compares them."""
    return (desk.settings.desk.url or str(request.base_url).rstrip("/")) + BACK


def _sent(desk: Desk) -> str:
    return f"__Host-{SENT}" if desk.settings.desk.over_tls else SENT
