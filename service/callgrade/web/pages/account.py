"""One's own account: password, language, and where one is signed in."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from callgrade.access import people
from callgrade.access.browsers import browser_of
from callgrade.access.passwords import BadPasswordError
from callgrade.access.principals import Principal
from callgrade.access.signing_in import WrongPasswordError
from callgrade.domain.errors import TooManyRequestsError
from callgrade.web.dependencies import Desk, Desked, Visitor, sign_in_cookie, sign_out_cookie, token_of
from callgrade.web.pages.roles import ROLES
from callgrade.web.pages.sign_in import FAULTS, LONGEST
from callgrade.web.preferences import words_of
from callgrade.web.shell import page, redirect
from callgrade.web.words import N_

router = APIRouter()
Text = Annotated[str, Form(max_length=LONGEST)]


@router.get("/account")
def account(request: Request, visitor: Visitor, desk: Desked) -> Response:
    return _page(request, visitor, desk)


@router.post("/account/password")
def change_password(request: Request, visitor: Visitor, desk: Desked, old: Text, new: Text) -> Response:
    """Every other browser is signed out; this one goes on."""
    try:
        token = desk.sign_ins.change_password(
            visitor,
            old,
            new,
            browser=browser_of(request.headers.get("user-agent", "")),
            address=request.client.host if request.client else None,
        )
    except WrongPasswordError:
        return _page(request, visitor, desk, old_error=N_("This is not your present password."), status=422)
    except BadPasswordError as error:
        return _page(request, visitor, desk, new_error=FAULTS[error.why], status=422)
    except TooManyRequestsError as error:
        return _page(request, visitor, desk, wait_s=error.retry_after_s, status=429)
    _ = words_of(request).gettext
    response = redirect(request, "/account", told=_("Your password is changed. Other browsers are signed out."))
    sign_in_cookie(response, token, desk.settings)
    return response


@router.post("/account/browsers/{id}/end")
def end_browser(request: Request, id: str, visitor: Visitor, desk: Desked) -> Response:  # noqa: A002
    desk.sign_ins.end(visitor, id)
    _ = words_of(request).gettext
    return redirect(request, "/account", told=_("That browser is signed out."))


@router.post("/account/sign-out-everywhere")
def sign_out_everywhere(request: Request, visitor: Visitor, desk: Desked) -> Response:
    desk.sign_ins.sign_out_everywhere(visitor)
    _ = words_of(request).gettext
    response = redirect(request, "/sign-in", told=_("You are signed out everywhere."))
    sign_out_cookie(response, desk.settings)
    return response


def _page(
    request: Request,
    visitor: Principal,
    desk: Desk,
    *,
    old_error: str = "",
    new_error: str = "",
    wait_s: float | None = None,
    status: int = 200,
) -> Response:
    _ = words_of(request).gettext
    with desk.database.reading() as session:
        me = people.myself(session, visitor)
    context: dict[str, Any] = {
        "me": me,
        "role": _(ROLES[me.role]),
        "teams": sorted(visitor.teams),
        "browsers": desk.sign_ins.browsers(visitor, token_of(request) or ""),
        "old_error": _(old_error) if old_error else "",
        "new_error": _(new_error) if new_error else "",
        "wait_s": wait_s,
    }
    headers = {"Retry-After": str(max(1, round(wait_s)))} if wait_s else None
    return page(request, "account/page.html", visitor, status=status, headers=headers, **context)
