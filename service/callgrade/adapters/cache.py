"""The answer cache: what a model said to a request, so that nobody pays for it twice.

One SQLite file in WAL mode, safe for threads and processes. Only answers that validated are put in, and answers
hold what was said in a call (redacted): the file is readable by its owner alone. A cache is worth nothing by
itself, so it never stops a run: a damaged file is moved aside and begun anew, and a disk that is full or read-only
means a warning and no cache.
"""

import json
import logging
import os
import sqlite3
import threading
from pathlib import Path
from time import time
from typing import Any

_LOG = logging.getLogger(__name__)
BUSY_S = 5.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, answer TEXT NOT NULL, model TEXT NOT NULL, usage TEXT NOT NULL, created_at REAL NOT NULL
) WITHOUT ROWID
"""


class DiskCache:
    """`path` is made, with its folder, when the first answer is looked for."""

    def __init__(self, path: Path):
        self.path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._owner = 0
        self._broken = False

    def get(self, key: str) -> tuple[str, str] | None:
        """(answer, the model that gave it), or None. Never raises."""
        with self._lock:
            try:
                connection = self._open()
                row = (
                    connection
                    and connection.execute("SELECT answer, model FROM answer WHERE key = ?", (key,)).fetchone()
                )
            except sqlite3.Error as error:
                self._give_up(error)
                return None
        return (str(row[0]), str(row[1])) if row else None

    def put(self, key: str, answer: str, model: str, usage: dict[str, Any]) -> None:
        """Keeps the first answer to a key: two processes that asked the same at once must not disagree later. Never
        raises."""
        row = (key, answer, model, json.dumps(usage), time())
        with self._lock:
            try:
                if connection := self._open():
                    connection.execute("INSERT OR IGNORE INTO answer VALUES (?, ?, ?, ?, ?)", row)
            except sqlite3.Error as error:
                self._give_up(error)

    def close(self) -> None:
        with self._lock:
            if self._connection is not None and self._owner == os.getpid():
                self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection | None:
        if self._broken:
            return None
        # a connection must not be carried over a fork: the child's writes would damage the file
        if self._connection is None or self._owner != os.getpid():
            try:
                self._connection = _connect(self.path)
            except sqlite3.DatabaseError as error:
                if not _is_damaged(error):
                    raise
                _move_aside(self.path)
                self._connection = _connect(self.path)
            self._owner = os.getpid()
        return self._connection

    def _give_up(self, error: sqlite3.Error) -> None:
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            return
        _LOG.warning("the answer cache %s cannot be used (%s); going on without it", self.path, error)
        self._broken = True


def _connect(path: Path) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # SQLite gives its side files the mode of the file itself
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise sqlite3.OperationalError(str(error.strerror)) from error
    # autocommit: an answer is kept the moment it is put; WAL with NORMAL loses at most the last ones with the power
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(_SCHEMA)
        connection.execute("SELECT key, answer, model, usage, created_at FROM answer LIMIT 1").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _is_damaged(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorname", "") in ("SQLITE_NOTADB", "SQLITE_CORRUPT")


def _move_aside(path: Path) -> None:
    aside = path.with_name(f"{path.name}.damaged-{int(time())}")
    _LOG.warning("the answer cache %s is damaged; moved aside to %s and begun anew", path, aside.name)
    path.replace(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
