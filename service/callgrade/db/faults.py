"""What a database's errors mean to the one who meets them, and what of them may be shown.

PostgreSQL puts values into its errors ("Failing row contains (…)"). They may be words of a call, and errors end up in
logs: `keep_values_out` cuts them away. Parameters are hidden by the engine itself (`hide_parameters`).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Engine, ExceptionContext, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from callgrade.db.urls import describe
from callgrade.domain.errors import CallgradeError, ConfigurationError, NotReadyError, SettingsError

UPGRADE = "run `callgrade db upgrade`"

# Waiting or trying again helps with these: https://www.postgresql.org/docs/current/errcodes-appendix.html
PASSING = ("08", "53", "57P", "58", "40001", "40P01", "55P03", "57014", "25P0")
MISSING = ("42P01", "42703", "3F000")
MISTAKEN = ("28", "3D000", "42501")
MISTAKEN_WORDS = ("authentication failed", "does not exist", "pg_hba.conf", "could not translate host name")


@contextmanager
def explained(url: URL, *, writing: bool = False) -> Iterator[None]:
    """Turns what the database said into NotReadyError (try again later), SettingsError or ConfigurationError.

    What is a matter of the rows, such as a broken unique key, passes as it is.
    """
    try:
        yield
    except PoolTimeoutError:
        raise NotReadyError(f"{describe(url)}: every connection stayed busy") from None
    except DBAPIError as error:
        meaning = _meaning(url, error, writing)
        if meaning is None:
            raise
        raise meaning from error


def _meaning(url: URL, error: DBAPIError, writing: bool) -> CallgradeError | None:
    if isinstance(error.orig, sqlite3.Error):
        return _of_sqlite(describe(url), error.orig, writing)
    return _of_postgres(describe(url), error, writing)


def _of_sqlite(where: str, fault: sqlite3.Error, writing: bool) -> CallgradeError | None:
    name: str = getattr(fault, "sqlite_errorname", "") or ""
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return NotReadyError(f"{where} stayed locked by another writer")
    if name == "SQLITE_FULL":
        return NotReadyError(f"{where}: the disk is full; nothing was changed")
    if name.startswith("SQLITE_IOERR"):
        return NotReadyError(f"{where}: the disk failed ({name})")
    if name.startswith("SQLITE_CANTOPEN"):
        return SettingsError(f"{where} cannot be opened: is its folder there, and may this user write to it?")
    if name == "SQLITE_NOTADB":
        return SettingsError(f"{where}: the file is not a SQLite database")
    if name.startswith("SQLITE_CORRUPT"):
        return ConfigurationError(f"{where} is damaged: restore a backup into a new file with `callgrade db restore`")
    if name.startswith("SQLITE_READONLY") and writing:
        return SettingsError(f"{where} cannot be written to: may this user write to the file and its folder?")
    if str(fault).startswith(("no such table", "no such column")) or "has no column named" in str(fault):
        return _not_upgraded(where)
    return None


def _of_postgres(where: str, error: DBAPIError, writing: bool) -> CallgradeError | None:
    state: str | None = getattr(error.orig, "sqlstate", None)
    text = " ".join(str(error.orig).split())
    if state is None and not error.connection_invalidated and type(error).__name__ != "OperationalError":
        return None
    if (state or "").startswith(MISTAKEN) or (state is None and any(word in text for word in MISTAKEN_WORDS)):
        return SettingsError(f"{where} refuses us: {text}")
    if state is None or error.connection_invalidated:
        return NotReadyError(f"{where} cannot be reached: {text}")
    if state.startswith(PASSING) or (state == "25006" and writing):
        return NotReadyError(f"{where}: {text}")
    return _not_upgraded(where) if state in MISSING else None


def _not_upgraded(where: str) -> ConfigurationError:
    return ConfigurationError(f"{where} lacks a table or column that this callgrade needs: {UPGRADE}")


def keep_values_out(engine: Engine) -> None:
    event.listen(engine, "handle_error", _cut)


def without_values(fault: Any) -> str:
    """What a psycopg error says, less what it quotes; the error itself says no more from now on."""
    state: str = fault.sqlstate
    # a message of class 22 (data exceptions) quotes the value itself
    said = "" if state.startswith("22") else (fault.diag.message_primary or "")
    fault.args = (said or f"{type(fault).__name__} ({state})",)
    return str(fault.args[0])


def _cut(context: ExceptionContext) -> None:
    original: Any = context.original_exception
    if getattr(original, "sqlstate", None) is None:
        return
    said = without_values(original)
    if context.sqlalchemy_exception is not None:
        context.sqlalchemy_exception.args = (f"({type(original).__module__}.{type(original).__name__}) {said}",)
