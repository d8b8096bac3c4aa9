"""Which version a database's schema has, and how it gets to another. All or nothing, on both databases.

Hosts that upgrade one database at the same time wait for each other; the second finds nothing left to do.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, text

from callgrade.db.engines import open_engine
from callgrade.db.faults import UPGRADE, explained
from callgrade.db.tables import metadata
from callgrade.db.urls import database_url, describe, is_sqlite, sqlite_file
from callgrade.domain.errors import ConfigurationError, SettingsError

SCRIPTS = Path(str(files("callgrade.db"))) / "migrations"
VERSION_TABLE = "callgrade_schema"
"""Not Alembic's usual name: a PostgreSQL database may hold other programs' tables beside ours."""
LOCK = 7_236_113_042_651_001
"""PostgreSQL's advisory lock on the schema; any number will do, as long as it stays the same."""

_one_at_a_time = threading.Lock()  # Alembic hands its connection to env.py through the module `alembic.context`


def head(*, scripts: Path = SCRIPTS) -> str:
    """The newest revision that this callgrade knows."""
    newest = ScriptDirectory(str(scripts)).get_current_head()
    if newest is None:
        raise ConfigurationError(f"this installation of callgrade has no migrations (looked in {scripts})")
    return newest


def current(url: str) -> str | None:
    """The revision of the database; None for one without our tables. A missing file is not made by asking."""
    place = database_url(url)
    if is_sqlite(place) and not sqlite_file(place).exists():
        return None
    engine = open_engine(place, "read")
    try:
        with explained(place), engine.connect() as connection:
            return revision_of(connection)
    finally:
        engine.dispose()


def pending(url: str, *, scripts: Path = SCRIPTS) -> bool:
    """Whether there is something to upgrade. Raises ConfigurationError for a database of a newer callgrade."""
    found = current(url)
    require_known(database_url(url), found, scripts=scripts)
    return found != head(scripts=scripts)


def require_current(url: str) -> None:
    """Raises ConfigurationError, with what to do, unless the schema is the one this callgrade works with."""
    found = current(url)
    place = database_url(url)
    require_known(place, found)
    if found is None:
        raise ConfigurationError(f"{describe(place)} holds no tables yet: {UPGRADE}")
    if found != head():
        raise ConfigurationError(f"{describe(place)} is at revision {found}, callgrade needs {head()}: {UPGRADE}")


def upgrade(url: str, *, to: str = "head", scripts: Path = SCRIPTS) -> None:
    """Makes the database if need be (SQLite: the file and its folder) and brings it to a later revision."""
    place = database_url(url)
    if is_sqlite(place):
        make_private(sqlite_file(place))
    with changing(place) as connection:
        require_known(place, revision_of(connection), scripts=scripts)
        upgrade_within(connection, to=to, scripts=scripts)


def downgrade(url: str, *, to: str, scripts: Path = SCRIPTS) -> None:
    """Takes revisions back, `base` all of them, together with the data that only they had room for."""
    place = database_url(url)
    with changing(place) as connection:
        require_known(place, revision_of(connection), scripts=scripts)
        with _one_at_a_time:
            command.downgrade(_config(connection, scripts), to)


def differences(url: str) -> list[str]:
    """Where the database's schema is not that of `db/tables`. Empty when models and migrations agree."""
    engine = open_engine(database_url(url), "read")
    try:
        with engine.connect() as connection:
            options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
            found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
            return [repr(difference) for difference in found]
    finally:
        engine.dispose()


def revision_of(connection: Connection) -> str | None:
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def require_known(place: URL, revision: str | None, *, what: str = "", scripts: Path = SCRIPTS) -> None:
    """Raises ConfigurationError for a revision that only a newer callgrade knows. `what` is at it: the database itself,
    where nothing else is named."""
    known = {script.revision for script in ScriptDirectory(str(scripts)).walk_revisions()}
    if revision is not None and revision not in known:
        raise ConfigurationError(
            f"{what or describe(place)} is at revision {revision}, which this callgrade does not know: it was made by "
            "a newer one. Install that version, or restore an older backup into an empty database"
        )


def upgrade_within(connection: Connection, *, to: str, scripts: Path = SCRIPTS) -> None:
    """The same inside the caller's transaction."""
    with _one_at_a_time:
        command.upgrade(_config(connection, scripts), to)


@contextmanager
def changing(place: URL) -> Iterator[Connection]:
    """One transaction that may change the schema; nobody else changes it meanwhile."""
    engine = open_engine(place, "migrate")
    try:
        with explained(place, writing=True), engine.begin() as connection:
            if not is_sqlite(place):
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
                # a table that is long in use must not make everybody queue behind us
                connection.execute(text("SET LOCAL lock_timeout = '60s'"))
            yield connection
            if is_sqlite(place):
                _require_whole(connection)
    finally:
        engine.dispose()


def _require_whole(connection: Connection) -> None:
    """Foreign keys are off while tables are rebuilt, so they are checked before anything is kept."""
    tables = {row[0] for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}
    if tables:
        raise ConfigurationError(f"rows in {', '.join(sorted(tables))} would refer to rows that are not there")


def _config(connection: Connection, scripts: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.attributes.update(connection=connection, version_table=VERSION_TABLE)
    return config


def make_private(path: Path) -> None:
    """What customers said is nobody else's: SQLite gives its side files the rights of the file."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as error:
        raise SettingsError(f"{path} cannot be made: {error.strerror}") from None
