"""The database that the settings name, for commands that work on it. Loaded when the first of them runs."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from callgrade.domain.errors import UnknownResourceError
from callgrade.settings import load_settings

if TYPE_CHECKING:
    from sqlmodel import Session

    from callgrade.db.session import Database


@contextmanager
def open_database() -> "Iterator[Database]":
    """Raises ConfigurationError, with what to do, for a database that was not upgraded."""
    from callgrade.db.migrate import require_current
    from callgrade.db.session import Database

    url = load_settings().database
    require_current(url)
    with closing(Database(url)) as database:
        yield database


def client_id(session: "Session", name: str | None) -> str | None:
    """The client of this name; None for none. Raises UnknownResourceError."""
    from callgrade.access.repository import client_named

    if name is None:
        return None
    client = client_named(session, name)
    if client is None:
        raise UnknownResourceError(f"there is no client {name!r}")
    return client.id
