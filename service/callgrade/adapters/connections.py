"""Connections to receivers of webhooks, kept for the next event: to open one costs more than to send over it.

Each was checked when it was opened (adapters.guarded) and goes where it went then, so using it again asks the resolver
nothing. One thread uses it at a time. It is kept for a while only: a receiver may move.
"""

import ssl
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import NamedTuple

import httpcore

from callgrade.adapters.guarded import Deadline, GuardedBackend, asked, header, trusted, without_wire_errors
from callgrade.calls.urls import Target

IDLE_S = 15.0
OLDEST_S = 60.0
MOST_READ = 64 * 1024
"""Bytes of an answer. What it says is nothing to us, but a connection is clear for the next only when it is read."""


class Said(NamedTuple):
    """What a receiver answered: the status, and its Retry-After as it stands."""

    status: int
    retry_after: str


class Connection:
    """One, with everything over it bound by the deadline of the exchange that is under way."""

    def __init__(self, deadline: Deadline, backend: GuardedBackend, ssl_context: ssl.SSLContext | None):
        self.opened = self.used = time.monotonic()
        self._deadline, self._again = deadline, False
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context or trusted(),
            max_connections=1,
            max_keepalive_connections=1,
            keepalive_expiry=IDLE_S,
            network_backend=backend,
        )

    def post(self, target: Target, headers: Mapping[str, str], body: bytes) -> Said:
        """Raises FetchFailedError without an answer, UrlRefusedError for an address out of bounds; then close it."""
        self._deadline.begin()
        with without_wire_errors():
            try:
                said = self._exchange(target, headers, body)
            except (httpcore.ReadError, httpcore.WriteError, httpcore.RemoteProtocolError):
                # one that was kept may be closed by the other side just as it is used again
                if not self._again:
                    raise
                said = self._exchange(target, headers, body)
        self._again, self.used = True, time.monotonic()
        return said

    def close(self) -> None:
        self._pool.close()

    def _exchange(self, target: Target, headers: Mapping[str, str], body: bytes) -> Said:
        with asked(self._pool, "POST", target, headers=headers, content=body) as response:
            said = Said(response.status, header(response, "retry-after"))
            read = 0
            for piece in response.iter_stream():
                read += len(piece)
                if read > MOST_READ:
                    break
        return said


class Connections:
    """Those that are open and free, by receiver; `opens` makes another."""

    def __init__(self, opens: Callable[[], Connection]):
        self._opens, self._lock = opens, Lock()
        self._free: dict[tuple[str, str], list[Connection]] = defaultdict(list)

    def borrow(self, target: Target) -> Connection:
        with self._lock:
            free = self._free[target.scheme, target.authority]
            # the one used last is the one most likely to be open still
            return free.pop() if free else self._opens()

    def give_back(self, target: Target, connection: Connection) -> None:
        if time.monotonic() - connection.opened > OLDEST_S:
            connection.close()
            return
        with self._lock:
            self._free[target.scheme, target.authority].append(connection)

    def tidy(self, idle_s: float = IDLE_S) -> None:
        """Closes those that nobody used for so long."""
        since = time.monotonic() - idle_s
        with self._lock:
            every = [(place, connection) for place, free in self._free.items() for connection in free]
            self._free.clear()
            for place, connection in every:
                if connection.used > since:
                    self._free[place].append(connection)
        for _, connection in every:
            if connection.used <= since:
                connection.close()
