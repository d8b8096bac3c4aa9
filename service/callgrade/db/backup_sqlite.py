"""Backup and restore by SQLite's own backup, which copies one moment while others read and write.

The log ahead makes that possible: the copy is one long read.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from callgrade.db import migrate
from callgrade.db.contents import Contents
from callgrade.db.faults import explained
from callgrade.db.urls import describe, sqlite_file
from callgrade.domain.errors import ConfigurationError, InputError

MAGIC = b"SQLite format 3\x00"
WAIT_S = 30


def backup(place: URL, to: Path) -> Contents:
    if not sqlite_file(place).exists():
        raise ConfigurationError(f"{describe(place)} is not there: nothing to back up")
    migrate.require_known(place, _revision(place))
    with _explained(place), _opened(sqlite_file(place)) as source, _opened(to) as copy:
        source.backup(copy)
        # alone in one file: no log beside it, and nothing needs to write where the backup is kept
        copy.execute("PRAGMA journal_mode = DELETE")
        fault = _fault(copy, to)
        if fault:
            raise ConfigurationError(f"{describe(place)} is damaged, and so would be its backup: {fault}")
        return _contents(copy)


def restore(place: URL, from_: Path) -> Contents:
    with _opened(from_, read_only=True) as source:
        try:
            fault = _fault(source, from_)
            contents = _contents(source) if not fault else None
        except sqlite3.DatabaseError as error:
            fault, contents = str(error), None
    if fault or contents is None:
        raise InputError(f"{from_} is damaged: {fault}")
    migrate.require_known(place, contents.revision, what=str(from_))
    migrate.make_private(sqlite_file(place))
    with _explained(place), _opened(sqlite_file(place)) as target:
        _require_empty(place, target)
        # from here to the end nobody else gets at the file
        target.execute("PRAGMA locking_mode = EXCLUSIVE")
        target.execute("BEGIN IMMEDIATE")
        _require_empty(place, target)
        target.execute("COMMIT")
        with _opened(from_, read_only=True) as source:
            source.backup(target)
        restored = _contents(target)
    if restored != contents:
        raise ConfigurationError(f"{describe(place)} does not hold what {from_} holds")
    return contents


def _require_empty(place: URL, target: sqlite3.Connection) -> None:
    tables = [row[0] for row in target.execute("SELECT name FROM sqlite_schema WHERE type = 'table' LIMIT 4")]
    if tables:
        raise ConfigurationError(
            f"{describe(place)} is not empty (it holds {', '.join(tables)}…): name a new file, or move this one away"
        )


def _revision(place: URL) -> str:
    found = migrate.current(place.render_as_string(hide_password=False))
    if found is None:
        raise ConfigurationError(f"{describe(place)} holds no tables of callgrade's: nothing to back up")
    return found


def _contents(connection: sqlite3.Connection) -> Contents:
    names = [
        row[0]
        for row in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name"
        )
    ]
    if migrate.VERSION_TABLE not in names:
        raise sqlite3.DatabaseError("it is a SQLite database, but not callgrade's")
    revision = connection.execute(f"SELECT version_num FROM {migrate.VERSION_TABLE}").fetchone()  # noqa: S608
    rows = {
        name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])  # noqa: S608
        for name in names
        if name != migrate.VERSION_TABLE
    }
    return Contents(revision=revision[0] if revision else "base", rows=rows)


def _fault(connection: sqlite3.Connection, path: Path) -> str | None:
    """A file cut short, a page that is broken, or a row that refers to none."""
    pages, size = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    if path.stat().st_size != pages * size:
        return f"it has {path.stat().st_size} bytes, and should have {pages * size}"
    found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        return str(found)
    orphan = connection.execute("PRAGMA foreign_key_check").fetchone()
    return f"a row in {orphan[0]} refers to a row that is not there" if orphan else None


@contextmanager
def _opened(path: Path, *, read_only: bool = False) -> Iterator[sqlite3.Connection]:
    uri = f"{path.resolve().as_uri()}?mode={'ro' if read_only else 'rw'}"
    with closing(sqlite3.connect(uri, uri=True, timeout=WAIT_S, isolation_level=None)) as connection:
        yield connection


@contextmanager
def _explained(place: URL) -> Iterator[None]:
    with explained(place, writing=True):
        try:
            yield
        except sqlite3.Error as error:
            raise OperationalError(None, None, error) from error
