"""Bodies that are read while they come in, in constant memory: recordings and batches.

Whoever works with them is ordinary, blocking code in a thread of its own; `Pulled` fetches the next piece from the
connection when it is asked for one, so a slow disk slows the sender down instead of filling memory. Uploads have
threads of their own: slow senders must not keep the threads busy that answer everybody else.
"""

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread
from fastapi import Request
from starlette.requests import ClientDisconnect

from callgrade.adapters.streams import Pull
from callgrade.domain.errors import InputError, RequestError

T = TypeVar("T")
UPLOADS_AT_ONCE = 64
IDLE_S = 60.0
"""A sender who sends nothing for so long has gone."""


class UploadCutShortError(RequestError):
    """The sender went away, or sent nothing for too long."""


class UnsupportedMediaError(RequestError):
    status = 415


class MalformedBodyError(InputError):
    pass


class Uploads:
    """The threads that uploads run in. One per app: its limiter belongs to the app's event loop."""

    def __init__(self, at_once: int = UPLOADS_AT_ONCE):
        self._at_once = at_once
        self._limiter: anyio.CapacityLimiter | None = None

    async def run(self, request: Request, work: Callable[[Pull], T]) -> T:
        """`work` in a thread, with the request's body to pull from."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._at_once)
        pull = _puller(request)
        return await anyio.to_thread.run_sync(work, pull, limiter=self._limiter)


def _puller(request: Request) -> Pull:
    stream = request.stream()

    async def next_piece() -> bytes:
        try:
            with anyio.fail_after(IDLE_S):
                while True:
                    piece = await anext(stream, None)
                    if piece is None:
                        return b""
                    if piece:
                        return piece
        except TimeoutError:
            raise UploadCutShortError(f"nothing came for {IDLE_S:.0f} seconds; send it again") from None
        except ClientDisconnect:
            raise UploadCutShortError("the connection ended before the body was whole") from None

    return lambda: anyio.from_thread.run(next_piece)
