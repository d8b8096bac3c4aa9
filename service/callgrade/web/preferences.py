"""In which language and theme a page comes. No one has to choose; what is chosen stays."""

from typing import Annotated, Literal, get_args

from fastapi import Depends, Request, Response

from callgrade.settings import Language
from callgrade.web.dependencies import desk_of, guest_of
from callgrade.web.words import LANGUAGES, Words, words_in

Theme = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)
YEAR_S = 365 * 86_400


def language_of(request: Request) -> Language:
    """The user's own, else the browser's cookie, else what the browser asks for, else the service's."""
    known: Language | None = getattr(request.state, "language", None)
    if known is not None:
        return known
    wanted = (
        guest.language if (guest := guest_of(request)) else None,
        request.cookies.get("language"),
        asked_for(request.headers.get("accept-language", "")),
    )
    chosen: Language = next((it for it in wanted if it in LANGUAGES), desk_of(request).settings.language)
    request.state.language = chosen
    return chosen


def asked_for(header: str) -> Language | None:
    """The one of ours that Accept-Language ranks highest; the first of equals."""
    best, found = 0.0, None
    for part in header.lower().split(","):
        tag, _, parameter = part.strip().partition(";")
        name = tag.partition("-")[0].strip()
        weight = _weight(parameter)
        known = next((language for language in LANGUAGES if language == name), None)
        if known is not None and weight > best:
            best, found = weight, known
    return found


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0


def theme_of(request: Request) -> Theme:
    wanted = request.cookies.get("theme")
    return next((theme for theme in THEMES if theme == wanted), "auto")


def words_of(request: Request) -> Words:
    """The reader's words: `_ = words_of(request).gettext`."""
    return words_in(language_of(request), desk_of(request).settings.timezone)


def keep(response: Response, name: Literal["language", "theme"], value: str, *, secure: bool) -> None:
    response.set_cookie(name, value, max_age=YEAR_S, path="/", httponly=True, samesite="lax", secure=secure)


Wording = Annotated[Words, Depends(words_of)]
