"""Around every request: an id, one line in the access log, a cap on the body, headers that browsers heed.

Plain ASGI, because a body must be able to stream through.
"""

import json
import logging
import re
from collections.abc import Callable
from time import gmtime, perf_counter
from typing import Any

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from callgrade.api.problems import answer
from callgrade.db.types import new_id
from callgrade.tracing import answered, span, trace_id

ACCESS = logging.getLogger("callgrade.access")
_GIVEN_ID = re.compile(rb"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
SECURITY_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
CLOSE = {"Connection": "close"}
Cap = Callable[[str, str], int | None]
"""(method, path) → the most bytes its body may have; None where the handler counts for itself."""
Observe = Callable[[str, str, int, float], None]
"""Called with (method, route, status, seconds) after each request."""


class RequestFrame:
    """`observe` gets the route's pattern, never the path: ids are no labels."""

    def __init__(self, app: ASGIApp, *, cap: Cap, observe: Observe):
        self.app, self.cap, self.observe = app, cap, observe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self.cap(scope["method"], scope["path"]))
        with span("request", caller=_trace_of(scope), request_id=exchange.request_id):
            try:
                if exchange.announced_too_much:
                    await exchange.refuse(scope, receive)
                else:
                    await self.app(scope, exchange.receive, exchange.send)
            finally:
                exchange.log()
                answered(exchange.method, exchange.route, exchange.status)
                self.observe(exchange.method, exchange.route, exchange.status, perf_counter() - exchange.began)


class _Exchange:
    """One request and its answer, as they pass by."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, cap: int | None):
        self.scope, self._receive, self._send, self._cap = scope, receive, send, cap
        self.request_id = _id_of(scope)
        scope.setdefault("state", {})["request_id"] = self.request_id
        self.began = perf_counter()
        self.status, self.bytes_in, self.bytes_out = 0, 0, 0

    @property
    def method(self) -> str:
        """What anybody may write there is no label."""
        return self.scope["method"] if self.scope["method"] in METHODS else "other"

    @property
    def route(self) -> str:
        return str(getattr(self.scope.get("route"), "path", "unknown"))

    @property
    def _too_much(self) -> str:
        return f"the body is larger than the {self._cap} bytes that are taken here"

    @property
    def announced_too_much(self) -> bool:
        announced = _header(self.scope, b"content-length")
        return self._cap is not None and announced is not None and announced.isdigit() and int(announced) > self._cap

    async def receive(self) -> Message:
        message = await self._receive()
        self.bytes_in += len(message.get("body", b""))
        if self._cap is not None and self.bytes_in > self._cap:
            # this class, because the framework lets it through to our problems wherever it reads a body
            raise HTTPException(413, self._too_much, CLOSE)
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            present = {name.lower() for name, _ in message["headers"]}
            ours = ((b"x-request-id", self.request_id.encode()), *SECURITY_HEADERS)
            message["headers"] = [*message["headers"], *(header for header in ours if header[0] not in present)]
        self.bytes_out += len(message.get("body", b""))
        await self._send(message)

    async def refuse(self, scope: Scope, receive: Receive) -> None:
        """Not all of the body was read, so the connection cannot serve another request."""
        response = answer(self.request_id, 413, "too-large", self._too_much, headers=CLOSE)
        await response(scope, receive, self.send)

    def log(self) -> None:
        principal = self.scope.get("state", {}).get("principal")
        ACCESS.info(
            "request",
            extra={
                "request_id": self.request_id,
                "method": self.method,
                "route": self.route,
                "status": self.status,
                "ms": round((perf_counter() - self.began) * 1000, 1),
                "bytes_in": self.bytes_in,
                "bytes_out": self.bytes_out,
                "client": getattr(principal, "client_id", None),
                "actor": getattr(principal, "actor", None),
            },
        )


def _id_of(scope: Scope) -> str:
    """The caller's where it is a UUID; any other text could be a phone number, and it goes into the log."""
    given = _header(scope, b"x-request-id")
    return given.decode("ascii") if given and _GIVEN_ID.fullmatch(given) else new_id()


def _trace_of(scope: Scope) -> dict[str, str]:
    given = _header(scope, b"traceparent")
    return {"traceparent": given.decode("latin-1")} if given else {}


def _header(scope: Scope, name: bytes) -> bytes | None:
    return next((value for key, value in scope["headers"] if key == name), None)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, event, and what was passed as `extra`."""

    converter = staticmethod(gmtime)
    _KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in self._KNOWN}
        if under_way := trace_id():
            line["trace_id"] = under_way
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False, default=str)
