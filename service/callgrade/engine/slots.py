"""Which worker is alive: each holds the lock of its name for as long as it lives, and a lock that can be had is the
name of a dead one. No clock is asked.

SQLite serves one machine, so there it is a locked file beside it. PostgreSQL serves many; there it is an advisory lock
of a session, which ends with the process, or with the connection: the server is told to notice a silent one soon.
"""

import fcntl
import logging
import os
import re
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import psycopg

log = logging.getLogger(__name__)
# A host that lost its power says nothing more: the server asks it after 10 s, and gives it up after 25.
_NOTICE = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c tcp_user_timeout=25000"
_KEY = "hashtextextended('callgrade executor ' || %s, 0)"


class Slots(Protocol):
    """Names of workers, each held by at most one process."""

    def take(self, name: str) -> bool:
        """Whether it was free; then it is ours until `free`, or until we die."""
        ...

    def free(self, name: str) -> None: ...

    def keep(self) -> bool:
        """To be called every few seconds. False where something we held is another's by now."""
        ...

    def close(self) -> None: ...


def open_slots(engine_url: str, folder: Path) -> Slots:
    """`folder` is for the lock files of a SQLite engine."""
    return FileSlots(folder) if engine_url.startswith("sqlite") else PostgresSlots(engine_url)


class FileSlots:
    def __init__(self, folder: Path):
        self._folder = folder
        self._held: dict[str, int] = {}

    def take(self, name: str) -> bool:
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # inherited by no child: a worker's subprocess must not keep its parent alive
        handle = os.open(self._folder / f"{quote(name, safe='')}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._held[name] = handle
        return True

    def free(self, name: str) -> None:
        # the file stays: whoever deleted it could delete the one that a third process has just locked
        handle = self._held.pop(name, None)
        if handle is not None:
            os.close(handle)

    def keep(self) -> bool:
        return True

    def close(self) -> None:
        for name in list(self._held):
            self.free(name)


class PostgresSlots:
    """One connection of its own, which a pool must not hand to others: the locks belong to it."""

    def __init__(self, url: str):
        self._url = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", url)
        self._connection: psycopg.Connection | None = None
        self._held: set[str] = set()

    def take(self, name: str) -> bool:
        if name in self._held or not self._lock(name):
            return False
        self._held.add(name)
        return True

    def free(self, name: str) -> None:
        if name in self._held:
            self._held.discard(name)
            self._connected().execute(f"SELECT pg_advisory_unlock({_KEY})", (name,))

    def keep(self) -> bool:
        try:
            self._connected().execute("SELECT 1")
            return True
        except psycopg.OperationalError:
            log.warning("the connection that holds this worker's name was lost; taking it anew")
            self._connection = None
        held, self._held = self._held, set()
        taken = [name for name in sorted(held) if self.take(name)]
        self._held = held
        return len(taken) == len(held)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._held.clear()

    def _lock(self, name: str) -> bool:
        row = self._connected().execute(f"SELECT pg_try_advisory_lock({_KEY})", (name,)).fetchone()
        return bool(row and row[0])

    def _connected(self) -> "psycopg.Connection":
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(
                self._url,
                autocommit=True,
                connect_timeout=10,
                application_name="callgrade slots",
                options=_NOTICE,
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=3,
            )
        return self._connection
