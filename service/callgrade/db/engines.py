"""How connections are opened. A process has one pool a database; see session.Database.

SQLite: a pool of readers and exactly one writer, because SQLite knows only one at a time, and threads that queue for a
connection wait more evenly than threads that poll for a lock. PostgreSQL: one pool for both.
"""

import json
import sqlite3
import time
from functools import partial
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event

from callgrade.db.faults import keep_values_out
from callgrade.db.urls import is_sqlite
from callgrade.domain.errors import ConfigurationError, SettingsError

Use = Literal["read", "write", "migrate"]

WAIT_S = 30
"""How long a writer waits for another, and a thread for a connection."""
STATEMENT_S = 60
READERS = 16
POSTGRES_POOL = (5, 10)
"""Connections kept, and how many more at busy times. A PostgreSQL takes 100 by default, from all hosts together."""

_dump = partial(json.dumps, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def open_engine(url: URL, use: Use) -> Engine:
    """Connects to nothing yet. Raises ConfigurationError where the driver is missing."""
    engine = _sqlite(url, use) if is_sqlite(url) else _postgres(url, use)
    keep_values_out(engine)
    return engine


def _sqlite(url: URL, use: Use) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        json_serializer=_dump,
        poolclass=QueuePool,
        pool_size=READERS if use == "read" else 1,
        max_overflow=0,
        pool_timeout=WAIT_S,
        connect_args={"timeout": WAIT_S, "check_same_thread": False, "isolation_level": None},
    )
    begin = "BEGIN" if use == "read" else "BEGIN IMMEDIATE"

    def prepare(connection: Any, _record: object) -> None:
        _prepare(connection, use)

    # the driver opens transactions on its own terms, too late for IMMEDIATE and not at all for a reader
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", start)
    return engine


def _prepare(connection: Any, use: Use) -> None:
    _log_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA cache_size = -16000")  # KiB
    connection.execute("PRAGMA journal_size_limit = 67108864")
    # rebuilding a table drops the old one, which must not count as deleting its rows
    connection.execute(f"PRAGMA foreign_keys = {'OFF' if use == 'migrate' else 'ON'}")
    if use == "read":
        connection.execute("PRAGMA query_only = ON")


def _log_ahead(connection: Any) -> None:
    """Once for a file's life. The change itself waits for nobody: whoever meets another at it has to try again."""
    give_up = time.monotonic() + WAIT_S
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.02)
            continue
        if mode != "wal":
            raise SettingsError(f"the SQLite database's file system allows no write-ahead log (journal mode {mode})")


def _postgres(url: URL, use: Use) -> Engine:
    timeouts = {"lock_timeout": WAIT_S, "statement_timeout": STATEMENT_S, "idle_in_transaction_session_timeout": 120}
    ours: dict[str, Any] = {
        "application_name": "callgrade",
        "connect_timeout": 10,
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": WAIT_S * 1000,
        "options": "" if use == "migrate" else " ".join(f"-c {name}={s}s" for name, s in timeouts.items()),
    }
    try:
        return create_engine(
            url,
            hide_parameters=True,
            json_serializer=_dump,
            pool_size=POSTGRES_POOL[0],
            max_overflow=POSTGRES_POOL[1],
            pool_timeout=WAIT_S,
            pool_pre_ping=True,
            pool_recycle=1800,
            connect_args={name: value for name, value in ours.items() if name not in url.query},
        )
    except ImportError as error:
        raise ConfigurationError(
            "PostgreSQL needs the driver psycopg 3, which is missing here or lacks libpq: pip install 'psycopg[binary]'"
        ) from error
