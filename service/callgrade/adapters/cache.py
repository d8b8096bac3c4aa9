"""The answer cache: what a model said to a request, so that nobody pays for it twice.

One SQLite file in WAL mode, safe for threads and processes. Only answers that validated are put in, and answers
hold what was said in a call (redacted): the file is readable by its owner alone. A cache is worth nothing by
itself, so it never stops a run: a damaged file is moved aside and begun anew, and a disk that is full or read-only
means a warning and no cache.

Each answer knows, by a digest, whose and which call it is about, so that erasing a call finds it. What was forgotten is
overwritten in the file and cut from its log, and no answer about that call is taken any more: one may still be on its
way when the call is erased.
"""

import hashlib
import json
import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from time import time
from typing import Any

from callgrade.domain.errors import NotReadyError

_LOG = logging.getLogger(__name__)
BUSY_S = 5.0
REFUSED_S = 30 * 86_400
"""How long answers about a forgotten call are refused: far longer than any question may be under way."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, answer TEXT NOT NULL, model TEXT NOT NULL, usage TEXT NOT NULL, created_at REAL NOT NULL,
    call TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS forgotten (call TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
"""
_PUT = """
INSERT OR IGNORE INTO answer (key, answer, model, usage, created_at, call)
SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE NOT EXISTS (SELECT 1 FROM forgotten WHERE call = ?6)
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

    def put(
        self, key: str, answer: str, model: str, usage: dict[str, Any], *, client: str = "", call_id: str = ""
    ) -> None:
        """Keeps the first answer to a key: two processes that asked the same at once must not disagree later. Never
        raises. `client` and `call_id` (the client's own) say which call it is about."""
        row = (key, answer, model, json.dumps(usage), time(), _digest(client, call_id))
        with self._lock:
            try:
                if connection := self._open():
                    connection.execute(_PUT, row)
            except sqlite3.Error as error:
                self._give_up(error)

    def forget(self, client: str, call_ids: Iterable[str]) -> None:
        """Deletes what was answered about these calls, for good, and takes no more of it.

        Another call with the very same words asks anew. Raises NotReadyError where the file cannot be written, or is
        being read so that its log cannot be cut: try again.
        """
        calls = [_digest(client, call_id) for call_id in call_ids]
        with self._lock:
            try:
                if self.path.exists():
                    self._forget(calls)
                # a file that was moved aside cannot be searched
                for aside in self.path.parent.glob(f"{self.path.name}.damaged-*"):
                    aside.unlink(missing_ok=True)
            except (sqlite3.Error, OSError) as error:
                kind = getattr(error, "sqlite_errorname", type(error).__name__)
                raise NotReadyError(f"the answer cache could not forget a call ({kind}); try again") from error

    def _forget(self, calls: Sequence[str]) -> None:
        self._broken = False
        connection = self._open()
        assert connection is not None
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.execute("DELETE FROM forgotten WHERE at < ?", (time() - REFUSED_S,))
            connection.executemany("INSERT OR REPLACE INTO forgotten VALUES (?, ?)", [(call, time()) for call in calls])
            connection.executemany("DELETE FROM answer WHERE call = ?", [(call,) for call in calls])
        except sqlite3.Error:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        # the log still holds the pages as they were, from this time or from one that was cut short
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise sqlite3.OperationalError("the cache's log is being read")

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
        # what is deleted is overwritten with zeros, not only unlinked
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(_SCHEMA)
        if "call" not in {column[1] for column in connection.execute("PRAGMA table_info(answer)")}:
            # a file of before; another process may be adding it at this very moment
            with suppress(sqlite3.OperationalError):
                connection.execute("ALTER TABLE answer ADD COLUMN call TEXT NOT NULL DEFAULT ''")
        connection.execute("CREATE INDEX IF NOT EXISTS answer_of_call ON answer (call)")
        connection.execute("SELECT key, answer, model, usage, created_at, call FROM answer LIMIT 1").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _digest(client: str, call_id: str) -> str:
    return hashlib.sha256(f"{client}\0{call_id}".encode("utf-8", "surrogatepass")).hexdigest()


def _is_damaged(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorname", "") in ("SQLITE_NOTADB", "SQLITE_CORRUPT")


def _move_aside(path: Path) -> None:
    aside = path.with_name(f"{path.name}.damaged-{int(time())}")
    _LOG.warning("the answer cache %s is damaged; moved aside to %s and begun anew", path, aside.name)
    path.replace(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
