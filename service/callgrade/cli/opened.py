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
    from callgrade.evaluations.registry import Synced


@contextmanager
def open_database(*, make: bool = False) -> "Iterator[Database]":
    """Raises ConfigurationError, with what to do, for a database that was not upgraded. `make`: one without any tables
    is made, as `db upgrade` would."""
    from callgrade.db.migrate import current, require_current
    from callgrade.db.session import Database

    url = load_settings().database
    if make and current(url) is None:
        bring_up(url)
    require_current(url)
    with closing(Database(url)) as database:
        yield database


def bring_up(url: str) -> "Synced":
    """The schema to its newest revision, and what ships into the registry."""
    from callgrade.db.migrate import upgrade
    from callgrade.db.session import Database
    from callgrade.evaluations.registry import sync_shipped

    upgrade(url)
    with closing(Database(url)) as database, database.writing() as session:
        return sync_shipped(session)


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
    from callgrade.calibration.drafted import set_id_of

    return set_id_of(database, us, name)
