"""Just enough HTTP/1.1, keep-alive and one request at a time on a connection: what the openai client sends."""

import asyncio
import re
import socket
from http import HTTPStatus
from typing import cast

from evals.mock_openai.completions import Completions, Response

LARGEST_HEAD = 65_536
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)


class Connection(asyncio.Protocol):
    def __init__(self, completions: Completions, loop: asyncio.AbstractEventLoop):
        self._completions, self._stats, self._loop = completions, completions.stats, loop
        self._received = bytearray()
        self._waiting: asyncio.Handle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stats.connected()

    def connection_lost(self, error: Exception | None) -> None:
        self._stats.connections -= 1
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
            self._stats.aborted += 1
            self._stats.dropped()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._waiting is None:
            self._take_request()

    def _take_request(self) -> None:
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            if len(self._received) > LARGEST_HEAD:
                self._transport.close()
            return
        head = bytes(self._received[:end])
        stated = _LENGTH.search(head)
        begin, length = end + 4, int(stated[1]) if stated else 0
        if len(self._received) < begin + length:
            return
        body = bytes(self._received[begin : begin + length])
        del self._received[: begin + length]
        method, path = (part.decode("latin-1") for part in head.split(b" ", 2)[:2])
        if method == "POST" and path.endswith("/chat/completions"):
            self._stats.received(body)
            # answers are made after everything that came at the same time is read: fifty at once, each read only when
            # the one before it is made, would be counted from when they are read and leave late
            self._waiting = self._loop.call_soon(self._make, body, self._loop.time())
        else:
            self._write(self._completions.admin(method, path))

    def _make(self, body: bytes, came: float) -> None:
        response = self._completions.complete(body)
        due = came + response.delay_s
        self._waiting = self._loop.call_at(due, self._finish, response, due)

    def _finish(self, response: Response, due: float) -> None:
        self._waiting = None
        if response.body is None:
            self._stats.dropped()
            self._transport.close()
            return
        self._stats.answered((self._loop.time() - due) * 1000)
        self._stats.by_status[str(response.status)] += 1
        if response.good_for is not None:
            self._stats.good_for[response.good_for] += 1
        self._write(response)
        if self._received:
            self._take_request()

    def _write(self, response: Response) -> None:
        assert response.body is not None
        lines = [
            f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
            "content-type: application/json",
            f"content-length: {len(response.body)}",
            *(f"{name}: {value}" for name, value in response.headers),
        ]
        self._transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + response.body)
