"""A backup of a database in use, in one file, and the way back into an empty one.

SQLite: a copy of the file as of one moment, itself a SQLite database. PostgreSQL: a zip of what COPY gives for each of
our tables, as of one moment, with a manifest; pg_dump is not needed. Recordings are in the blob store and need a backup
of their own, made after this one, so that no row is without its blob. The engine's tables need none: what was queued is
found again in ours.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from callgrade.db import backup_postgres, backup_sqlite
from callgrade.db.contents import Contents
from callgrade.db.urls import database_url, is_sqlite
from callgrade.domain.errors import InputError, SettingsError


def backup(url: str, to: Path) -> Contents:
    """Writes the file `to` whole or not at all; nobody else may read it. Others may write to the database meanwhile.

    Raises SettingsError where `to` is there already or cannot be written, ConfigurationError for a database without our
    tables or of a newer callgrade, NotReadyError where the database cannot be reached.
    """
    place = database_url(url)
    with _in_one_go(to) as unfinished:
        if is_sqlite(place):
            return backup_sqlite.backup(place, unfinished)
        return backup_postgres.backup(place, unfinished)


def restore(url: str, from_: Path) -> Contents:
    """Fills an empty database, whole or not at all. A backup of an older callgrade then waits for `db upgrade`.

    Raises InputError for a file that is no backup, is damaged or belongs to the other kind of database,
    ConfigurationError for a database that is not empty or a backup of a newer callgrade.
    """
    place = database_url(url)
    try:
        with from_.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise InputError(f"{from_} cannot be read: {error.strerror}") from None
    sqlite = start == backup_sqlite.MAGIC
    if not sqlite and not start.startswith(backup_postgres.MAGIC):
        raise InputError(f"{from_} is not a backup of callgrade's")
    if sqlite != is_sqlite(place):
        kind = "SQLite" if sqlite else "PostgreSQL"
        raise InputError(f"{from_} is the backup of a {kind} database, and can only be restored into one")
    return backup_sqlite.restore(place, from_) if sqlite else backup_postgres.restore(place, from_)


@contextlib.contextmanager
def _in_one_go(to: Path) -> Iterator[Path]:
    if to.exists():
        raise SettingsError(f"{to} is there already; a backup overwrites nothing")
    unfinished: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(prefix=f"{to.name}.", suffix=".unfinished", dir=to.parent)
        os.close(descriptor)
        unfinished = Path(name)
        yield unfinished
        _to_disk(unfinished)
        unfinished.rename(to)
        _to_disk(to.parent)
    except OSError as error:
        raise SettingsError(f"{to} cannot be written: {error.strerror}") from error
    finally:
        if unfinished is not None:
            unfinished.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
