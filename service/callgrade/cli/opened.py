"""The database that the settings name, for commands that work on it. Loaded when the first of them runs."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from callgrade.domain.errors import UnknownResourceError
from callgrade.settings import load_settings

if TYPE_CHECKING:
    from sqlmodel import Session

    from callgrade.access.principals import Principal
    from callgrade.db.session import Database

SHIPPED = ("golden", "shipped")
"""Both name the golden set that ships."""


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


def acting_for(database: "Database", client: str) -> "Principal":
    """The system, on behalf of a client. Raises UnknownResourceError for a misspelt name, which must make no new one;
    the default client is made when it is first needed."""
    from callgrade.access.keys import DEFAULT_CLIENT, ensure_client
    from callgrade.access.principals import system

    with database.writing() as session:
        id_ = ensure_client(session).id if client == DEFAULT_CLIENT else client_id(session, client)
    assert id_ is not None
    return system(id_)


def golden_set_id(database: "Database", us: "Principal", name: str) -> str:
    """The shipped set, which its first use puts into the database, or one of the client's own. Raises
    UnknownResourceError."""
    from callgrade.calibration import golden, golden_repository

    if name in SHIPPED:
        return golden.shipped(database)
    with database.reading() as session:
        row = golden_repository.named(session, us, name)
        if row is None:
            raise UnknownResourceError(f"there is no golden set {name!r}; `callgrade golden list` shows them")
        return row.id
