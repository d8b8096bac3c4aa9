"""Pages and fragments: a template, who is looking, and the room around it."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from gzip import compress
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from callgrade.access.principals import Principal
from callgrade.web.dependencies import desk_of
from callgrade.web.environment import environment
from callgrade.web.navigation import places_for
from callgrade.web.preferences import language_of, theme_of, words_of
from callgrade.web.static_files import accepts_gzip

Tone = Literal["good", "bad", "partly", "open", "none"]
FLASH = "told"
LONGEST_FLASH = 500
WORTH_PACKING = 860
"""Bytes: a smaller answer is one packet either way."""
PACKED = 3
"""The level beyond which a tenth less costs three times as much."""


class Told(NamedTuple):
    """What a page says once, at its top, of what was just done."""

    tone: Tone
    text: str


def page(
    request: Request,
    template: str,
    visitor: Principal | None = None,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **context: Any,
) -> Response:
    """A whole page. Besides `context` templates know `visitor`, `places`, `path`, `theme`, `told`, `request_id`, and of
    every reader `words`, `language` and their filters."""
    told = _told(request)
    response = _rendered(request, template, visitor, status, headers, {"told": told, **context})
    if told is not None:
        response.delete_cookie(FLASH, path="/", httponly=True, samesite="lax")
    return response


def fragment(
    request: Request,
    template: str,
    visitor: Principal | None = None,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    told: str | None = None,
    tone: Tone = "good",
    **context: Any,
) -> Response:
    """A part of a page that htmx puts in its place; `told` is said beside it, aloud where somebody listens."""
    sent = dict(headers or {})
    if told is not None:
        sent["HX-Trigger"] = json.dumps({"desk:told": {"tone": tone, "text": told}})
    return _rendered(request, template, visitor, status, sent, context)


def page_or_part(request: Request, whole: str, part: str, visitor: Principal | None = None, **context: Any) -> Response:
    """The page `whole`, or where htmx asks for its live part anew, `part`. Both take the same context."""
    if by_htmx(request):
        return fragment(request, part, visitor, **context)
    return page(request, whole, visitor, **context)


def redirect(request: Request, to: str, *, told: str | None = None, tone: Tone = "good") -> Response:
    """After a change: go and look at what came of it. `to` is a path of ours; `told` is said there."""
    response = Response(status_code=204, headers={"HX-Redirect": to})
    if not by_htmx(request):
        response = RedirectResponse(to, 303)
    if told is not None:
        text = urlsafe_b64encode(json.dumps([tone, told[:LONGEST_FLASH]]).encode()).decode()
        response.set_cookie(FLASH, text, max_age=60, path="/", httponly=True, samesite="lax")
    return response


def by_htmx(request: Request) -> bool:
    """Whether a fragment is asked for. A page that htmx asks for again, because it went back, is wanted whole."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def own_path(wanted: str | None, otherwise: str = "/") -> str:
    """A path of ours to go to next, from a form or a link; whatever leads elsewhere is not followed."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or not wanted.isprintable():
        return otherwise
    parts = urlsplit(wanted)
    return otherwise if parts.scheme or parts.netloc else wanted


def request_id_of(request: Request) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


def _rendered(
    request: Request,
    template: str,
    visitor: Principal | None,
    status: int,
    headers: dict[str, str] | None,
    context: dict[str, Any],
) -> Response:
    words = words_of(request)
    text = (
        environment(language_of(request), words)
        .get_template(template)
        .render(
            visitor=visitor,
            places=places_for(request, visitor),
            path=request.url.path,
            here=own_path(request.url.path + (f"?{request.url.query}" if request.url.query else "")),
            theme=theme_of(request),
            request_id=request_id_of(request),
            settings=desk_of(request).settings,
            **context,
        )
    )
    sent = {"Vary": "Accept-Encoding, Cookie, Accept-Language, HX-Request", **(headers or {})}
    body = text.encode()
    if len(body) > WORTH_PACKING and accepts_gzip(request):
        body = compress(body, PACKED, mtime=0)
        sent["Content-Encoding"] = "gzip"
    return HTMLResponse(body, status, headers=sent)


def _told(request: Request) -> Told | None:
    given = request.cookies.get(FLASH)
    if given is None:
        return None
    try:
        tone, text = json.loads(urlsafe_b64decode(given))
    except ValueError:
        return None
    known = tone in ("good", "bad", "partly", "open", "none") and isinstance(text, str)
    return Told(tone, text[:LONGEST_FLASH]) if known else None
