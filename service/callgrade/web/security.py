"""Around every page: who may send it forms, what a browser may load for it, how long it may keep it.

A form is taken from our own pages only. Browsers say where a request comes from (Sec-Fetch-Site; Origin, where the
connection is not trusted enough for the former), and nobody can make them lie; whoever sends neither is no browser that
shows our pages. No token is needed, and so no page can be stale or cached with somebody else's.
"""

from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from callgrade.domain.errors import ForbiddenError
from callgrade.web import problems

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    # "no-referrer" would have forms sent with the origin `null`
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cache-Control": "no-store",
}
SAFE = ("GET", "HEAD", "OPTIONS")
LARGEST_FORM = 1_000_000
LARGE_FORMS = {"/admin/agents": 20_000_000}
"""Where files are handed in."""


class FromElsewhereError(ForbiddenError):
    """A form that another site sent."""


class Guard:
    """Plain ASGI, around the pages' app, so that its answers to our own mistakes get their headers too."""

    def __init__(self, pages: FastAPI):
        self.pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.pages(scope, receive, send)
            return
        most, size = LARGE_FORMS.get(scope["path"], LARGEST_FORM), 0

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                message["headers"] = headers.raw
            await send(message)

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > most:
                raise HTTPException(413)
            return message

        refused = self._refusal(scope, most)
        if refused is not None:
            scope["app"] = self.pages
            response = await run_in_threadpool(problems.answer, Request(scope), refused)
            await response(scope, receive, answer)
            return
        await self.pages(scope, counted, answer)

    def _refusal(self, scope: Scope, most: int) -> Exception | None:
        headers, own = Headers(scope=scope), self.pages.state.desk.settings.desk.url
        if scope["method"] not in SAFE and not from_here(headers, own):
            return FromElsewhereError("this form did not come from a page of this service")
        announced = headers.get("content-length", "")
        if announced.isdigit() and int(announced) > most:
            return HTTPException(413, headers={"Connection": "close"})
        return None


def from_here(headers: Headers, own: str = "") -> bool:
    """Whether a page of ours sent it. `own` is where people reach us, should a proxy name us otherwise."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin", "")
    return origin != "" and (origin == own or urlsplit(origin).netloc == headers.get("host"))
