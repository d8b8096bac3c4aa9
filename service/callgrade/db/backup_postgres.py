"""Backup and restore of our tables on PostgreSQL, by COPY.

The archive is a zip: `manifest.json` (format, revision, and of each table its columns, rows and SHA-256) and one
`<table>.copy` in COPY's text format, which any later PostgreSQL reads. Which tables are ours at a revision is what the
migrations make of an empty database, whatever else lives beside them.
"""

import hashlib
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import Connection as Driver
from psycopg import sql
from sqlalchemy import URL, Connection, MetaData, inspect, text
from sqlalchemy.exc import OperationalError

from callgrade.db import migrate
from callgrade.db.contents import Contents
from callgrade.db.engines import open_engine
from callgrade.db.faults import explained, without_values
from callgrade.db.urls import database_url, describe
from callgrade.domain.errors import ConfigurationError, InputError
from callgrade.domain.frozen import Frozen

MAGIC = b"PK"
MANIFEST = "manifest.json"
PIECE = 1 << 20
# a damaged archive meets zipfile and zlib in many ways, and what they let through PostgreSQL
NOT_WHOLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    RuntimeError,
    ValueError,
    struct.error,
    psycopg.DataError,
    psycopg.IntegrityError,
)


class Table(Frozen):
    name: str
    columns: tuple[str, ...]
    rows: int
    sha256: str


class Manifest(Frozen):
    """Tables stand in the order in which they may be filled: parents first."""

    format: Literal["callgrade.backup/1"] = "callgrade.backup/1"
    revision: str
    tables: tuple[Table, ...]

    @property
    def contents(self) -> Contents:
        return Contents(revision=self.revision, rows={table.name: table.rows for table in self.tables})


def backup(place: URL, to: Path) -> Contents:
    engine = open_engine(place, "migrate")
    moment = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    try:
        with (
            explained(place),
            moment.connect() as connection,
            zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            revision = migrate.revision_of(connection)
            if revision is None:
                raise ConfigurationError(f"{describe(place)} holds no tables of callgrade's: nothing to back up")
            migrate.require_known(place, revision)
            tables = tuple(_copy_out(connection, table, archive) for table in _tables_at(revision))
            manifest = Manifest(revision=revision, tables=tables)
            archive.writestr(MANIFEST, manifest.model_dump_json(indent=1))
            return manifest.contents
    finally:
        engine.dispose()


def restore(place: URL, from_: Path) -> Contents:
    try:
        with zipfile.ZipFile(from_) as archive:
            manifest = Manifest.model_validate_json(archive.read(MANIFEST))
            migrate.require_known(place, manifest.revision, what=str(from_))
            # in one transaction: the tables, the rows, and the check that they are the same
            with migrate.changing(place) as connection, _passed_on():
                _require_empty(place, connection)
                migrate.upgrade_within(connection, to=manifest.revision)
                if {table.name for table in manifest.tables} != _ours(inspect(connection).get_table_names()):
                    raise InputError(f"{from_} does not hold the tables of revision {manifest.revision}")
                for table in manifest.tables:
                    _copy_in(connection, table, archive, from_)
                    _go_on_counting(connection, table.name)
    except NOT_WHOLE as error:
        raise InputError(f"{from_} is not a whole backup of callgrade's ({type(error).__name__})") from error
    return manifest.contents


def _tables_at(revision: str) -> list[str]:
    """Parents first. Tried out on an empty database of the smallest kind."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'empty.db'}"
        migrate.upgrade(url, to=revision)
        engine = open_engine(database_url(url), "read")
        try:
            found = MetaData()
            found.reflect(engine)
        finally:
            engine.dispose()
    return [table.name for table in found.sorted_tables if table.name in _ours(found.tables)]


def _ours(names: Iterable[str]) -> set[str]:
    return set(names) - {migrate.VERSION_TABLE}


def _copy_out(connection: Connection, name: str, archive: zipfile.ZipFile) -> Table:
    columns = tuple(column["name"] for column in inspect(connection).get_columns(name))
    digest, lines = hashlib.sha256(), 0
    with (
        archive.open(f"{name}.copy", "w", force_zip64=True) as member,
        _driver(connection).cursor() as cursor,
        cursor.copy(_statement("COPY {} ({}) TO STDOUT", name, columns)) as rows,
    ):
        for piece in rows:
            digest.update(piece)
            member.write(piece)
            lines += bytes(piece).count(b"\n")  # a line end inside a value is written as two characters
    return Table(name=name, columns=columns, rows=lines, sha256=digest.hexdigest())


def _copy_in(connection: Connection, table: Table, archive: zipfile.ZipFile, from_: Path) -> None:
    digest = hashlib.sha256()
    with (
        archive.open(f"{table.name}.copy") as member,
        _driver(connection).cursor() as cursor,
        cursor.copy(_statement("COPY {} ({}) FROM STDIN", table.name, table.columns)) as rows,
    ):
        while piece := member.read(PIECE):
            digest.update(piece)
            rows.write(piece)
    there = _driver(connection).execute(_statement("SELECT count(*) FROM {}", table.name)).fetchone()
    if digest.hexdigest() != table.sha256 or there is None or there[0] != table.rows:
        raise InputError(f"{from_} is damaged: the rows of {table.name} are not those that were backed up")


def _go_on_counting(connection: Connection, name: str) -> None:
    """A column that PostgreSQL numbers goes on after the highest number that is there."""
    for column in inspect(connection).get_columns(name):
        found = text("SELECT pg_get_serial_sequence(:table, :column)")
        sequence = connection.execute(found, {"table": f'"{name}"', "column": column["name"]}).scalar()
        if sequence is not None:
            following = _statement("SELECT coalesce(max({}), 0) + 1 FROM {}", column["name"], name)
            row: Any = _driver(connection).execute(following).fetchone()
            connection.execute(text("SELECT setval(:name, :next, false)"), {"name": sequence, "next": row[0]})


def _require_empty(place: URL, connection: Connection) -> None:
    tables = inspect(connection).get_table_names()
    if tables:
        raise ConfigurationError(
            f"{describe(place)} is not empty (it holds {', '.join(sorted(tables)[:4])}…): create a new database "
            "(CREATE DATABASE …), restore into that, and point CALLGRADE_DATABASE_URL at it"
        )


@contextmanager
def _passed_on() -> Iterator[None]:
    """COPY is the driver's own, and so are its errors: they quote lines. Rows that cannot be are left to the caller."""
    try:
        yield
    except psycopg.Error as error:
        if error.sqlstate is not None:
            without_values(error)
        if isinstance(error, psycopg.DataError | psycopg.IntegrityError):
            raise
        raise OperationalError(None, None, error) from None


def _statement(pattern: str, *names: str | tuple[str, ...]) -> sql.Composed:
    parts = [
        sql.SQL(", ").join(sql.Identifier(part) for part in name) if isinstance(name, tuple) else sql.Identifier(name)
        for name in names
    ]
    return sql.SQL(pattern).format(*parts)


def _driver(connection: Connection) -> Driver[tuple[Any, ...]]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, Driver)
    return driver
