"""The one session boundary: what is done in `with database.writing()` is stored whole, or not at all.

Keep sessions short and never wait for anything else inside one (no await, no request to a model): SQLite has one writer
at a time, and a second `writing()` inside the first waits for itself until it gives up. On PostgreSQL writers run side
by side: what is read and then changed needs a unique key or `with_for_update()`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from sqlalchemy import Engine
from sqlmodel import Session

from callgrade.db.engines import open_engine
from callgrade.db.faults import explained
from callgrade.db.urls import database_url, is_sqlite


class BoundSession(Session):
    """A session that only its boundary ends. `begin_nested()` is there for what may fail in part."""

    def commit(self) -> NoReturn:
        raise RuntimeError("the session boundary commits, once: leave the `with database.writing()` block instead")


def announce(session: Session, topic: str) -> None:
    """Once it is stored, whoever listens for `topic` in this process is called. Undone, nobody is."""
    session.info.setdefault("announced", set()).add(topic)


class Database:
    """One per process; threads share it.

    Both kinds of session raise NotReadyError where the database cannot be reached, stays locked or has no room,
    SettingsError where it refuses us, and ConfigurationError where it was not upgraded.
    """

    def __init__(self, url: str):
        """Connects to nothing yet. Raises SettingsError for a URL that is none, ConfigurationError without a driver."""
        self.url = database_url(url)
        self._writer = open_engine(self.url, "write")
        self._reader = open_engine(self.url, "read") if is_sqlite(self.url) else self._one_pool(self._writer)
        self._listeners: dict[str, list[Callable[[], None]]] = defaultdict(list)

    @staticmethod
    def _one_pool(engine: Engine) -> Engine:
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.url.get_backend_name()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Commits once at the end; any exception undoes everything. On SQLite one writer works at a time."""
        with (
            explained(self.url, writing=True),
            BoundSession(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session
        for topic in session.info.get("announced", ()):
            for call in tuple(self._listeners[topic]):
                call()

    def listen(self, topic: str, call: Callable[[], None]) -> None:
        """`call` is called in the thread that stored something, and must neither wait nor fail."""
        self._listeners[topic].append(call)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One moment's view of the database, whatever is written meanwhile. It blocks nobody and cannot write."""
        with explained(self.url), BoundSession(self._reader, expire_on_commit=False, autoflush=False) as session:
            yield session

    def close(self) -> None:
        self._reader.dispose()
        self._writer.dispose()
