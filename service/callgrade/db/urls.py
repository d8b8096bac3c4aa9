"""What a database's URL may say, and how a database is named in messages: without a password."""

from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from callgrade.domain.errors import SettingsError

SHAPES = "sqlite:////absolute/path/callgrade.db or postgresql://user:password@host:5432/database"
POSTGRES = ("postgres", "postgresql", "postgresql+psycopg")
SQLITE = ("sqlite", "sqlite+pysqlite")


def database_url(text: str) -> URL:
    """The URL as SQLAlchemy wants it. `postgres://` and `postgresql://` both mean psycopg 3.

    Raises SettingsError, which never holds the URL itself: a password may stand in it.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise SettingsError(f"CALLGRADE_DATABASE_URL is not a database's URL; it looks like {SHAPES}") from None
    if url.drivername in POSTGRES:
        if not url.database:
            raise SettingsError(f"CALLGRADE_DATABASE_URL names no database; it looks like {SHAPES}")
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in SQLITE:
        return _sqlite(url)
    raise SettingsError(f"CALLGRADE_DATABASE_URL: {url.drivername!r} is not supported; use {SHAPES}")


def _sqlite(url: URL) -> URL:
    if url.host:
        raise SettingsError(
            "CALLGRADE_DATABASE_URL: a SQLite URL has three slashes before a relative path, four before an absolute one"
        )
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise SettingsError(
            "CALLGRADE_DATABASE_URL: name a file (sqlite:///callgrade.db); what is only in memory is lost, and other "
            "threads and processes cannot see it"
        )
    return url.set(drivername="sqlite+pysqlite")


def is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"


def sqlite_file(url: URL) -> Path:
    return Path(url.database or "")


def describe(url: URL) -> str:
    """For messages: which database, without user and password."""
    if is_sqlite(url):
        return f"the SQLite database {url.database}"
    host = url.host or url.query.get("host") or "localhost"
    return f"the PostgreSQL database {url.database} at {host}{f':{url.port}' if url.port else ''}"
