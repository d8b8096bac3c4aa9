"""Language and theme, chosen in the bar of every page."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from callgrade.settings import Language
from callgrade.web.dependencies import Desked, Guest
from callgrade.web.preferences import Theme, keep
from callgrade.web.shell import own_path, redirect

router = APIRouter()


@router.post("/preferences")
def choose(
    request: Request,
    desk: Desked,
    guest: Guest,
    language: Annotated[Language | None, Form()] = None,
    theme: Annotated[Theme | None, Form()] = None,
    to: Annotated[str, Form(alias="next", max_length=2000)] = "/",
) -> Response:
    """The browser keeps both; a user's language goes with them to other browsers, too."""
    response = redirect(request, own_path(to))
    if theme is not None:
        keep(response, "theme", theme, secure=desk.settings.desk.over_tls)
    if language is not None:
        keep(response, "language", language, secure=desk.settings.desk.over_tls)
        if guest is not None and guest.user_id is not None:
            desk.sign_ins.prefer(guest, language)
    return response
