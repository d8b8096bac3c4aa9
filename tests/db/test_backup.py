"""A backup is proved by restoring it and comparing every row; it is whole or not there, and overwrites nothing."""

import json
import shutil
import sqlite3
import stat
import struct
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import func, select

from callgrade.db import migrate
from callgrade.db.backup import backup, restore
from callgrade.db.session import Database
from callgrade.db.tables import AuditEvent, Client, RateSecond, metadata
from callgrade.domain.errors import ConfigurationError, InputError, NotReadyError, SettingsError
from tests.db.databases import Postgres
from tests.db.rows import AWKWARD, everything, fill
from tests.db.test_migrations import NEXT

PARTS = 6
"""Of a backup, damaged one after the other."""


@pytest.fixture
def filled(database: Database) -> Database:
    with database.writing() as session:
        fill(session)
    return database


@pytest.fixture
def url(filled: Database, database_url: str) -> str:
    return database_url


def test_every_row_comes_back(filled: Database, url: str, empty_url: str, tmp_path: Path) -> None:
    with filled.reading() as session:
        before = everything(session)
    assert all(before.values())

    made = backup(url, tmp_path / "backup")
    assert made.revision == migrate.head()
    assert made.rows == {name: len(rows) for name, rows in before.items()}
    assert restore(empty_url, tmp_path / "backup") == made

    migrate.require_current(empty_url)
    assert migrate.differences(empty_url) == []
    restored = Database(empty_url)
    with restored.reading() as session:
        assert everything(session) == before
    # and the new database goes on where the old one was
    with restored.writing() as session:
        event = AuditEvent(client_id="c1", actor="system", action="x", subject="y")
        session.add(event)
        session.flush()
        assert event.id == max(row["id"] for row in before["audit_event"]) + 1
    restored.close()


def test_a_database_without_rows_comes_back_too(database_url: str, empty_url: str, tmp_path: Path) -> None:
    backup(database_url, tmp_path / "backup")
    assert restore(empty_url, tmp_path / "backup").total == 0
    restored = Database(empty_url)
    with restored.writing() as session:
        session.add(Client(id="c", name="n"))
        session.flush()
        event = AuditEvent(client_id="c", actor="system", action="x", subject="y")
        session.add(event)
        session.flush()
        assert event.id == 1
    restored.close()


def test_one_moment_of_a_database_in_use(filled: Database, url: str, empty_url: str, tmp_path: Path) -> None:
    """Each transaction adds a client and, in another table, a second; a backup that holds more of one has torn it."""
    stop, written = threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            with filled.writing() as session:
                number = len(written)
                session.add(Client(name=f"{number} {AWKWARD * 50}"))
                session.flush()
                session.add(RateSecond(name="moment", second=number))
            written.append(number)

    thread = threading.Thread(target=write)
    thread.start()

    def wait_for(number: int) -> None:
        while len(written) < number and thread.is_alive():
            time.sleep(0.005)

    try:
        wait_for(20)
        made = backup(url, tmp_path / "backup")
        during = len(written)
        wait_for(during + 5)
    finally:
        stop.set()
        thread.join()
    assert made.rows["client"] - 2 == made.rows["rate_second"] - 1
    assert 20 <= made.rows["rate_second"] - 1 <= during + 1
    assert restore(empty_url, tmp_path / "backup") == made


def test_a_backup_is_one_file_for_its_owner_alone(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    backup(url, folder / "backup")
    assert [path.name for path in folder.iterdir()] == ["backup"]
    assert stat.S_IMODE((folder / "backup").stat().st_mode) == 0o600


def test_a_backup_overwrites_nothing(url: str, tmp_path: Path) -> None:
    (tmp_path / "backup").write_text("dear")
    with pytest.raises(SettingsError, match="is there already"):
        backup(url, tmp_path / "backup")
    assert (tmp_path / "backup").read_text() == "dear"
    with pytest.raises(SettingsError, match="none/backup cannot be written: No such file"):
        backup(url, tmp_path / "none" / "backup")


def test_nothing_is_restored_over_what_is_there(url: str, filled: Database, tmp_path: Path) -> None:
    backup(url, tmp_path / "backup")
    with filled.reading() as session:
        before = everything(session)
    with pytest.raises(ConfigurationError, match="is not empty"):
        restore(url, tmp_path / "backup")
    with filled.reading() as session:
        assert everything(session) == before


def test_nothing_is_restored_beside_someone_elses_tables(url: str, empty_url: str, tmp_path: Path) -> None:
    backup(url, tmp_path / "backup")
    other = Database(empty_url)
    with other.writing() as session:
        session.execute(text("CREATE TABLE something (id INTEGER)"))
    other.close()
    with pytest.raises(ConfigurationError, match=r"is not empty \(it holds something"):
        restore(empty_url, tmp_path / "backup")


def test_there_must_be_something_to_back_up(empty_url: str, tmp_path: Path) -> None:
    for _ in range(2):  # SQLite: no file at first, then one without tables
        with pytest.raises(ConfigurationError, match="nothing to back up"):
            backup(empty_url, tmp_path / "backup")
        Database(empty_url).close()
        if empty_url.startswith("sqlite"):
            (tmp_path / "empty.db").touch()
    assert not list(tmp_path.glob("backup*"))


def test_an_older_backup_is_upgraded_after_it_is_restored(
    url: str, empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made by today's callgrade, restored by tomorrow's."""
    made = backup(url, tmp_path / "backup")
    today = migrate.head()
    scripts = tmp_path / "tomorrow"
    shutil.copytree(migrate.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "next.py").write_text(NEXT.replace("HEAD", today), "utf-8")
    for function in (migrate.require_known, migrate.upgrade_within, migrate.upgrade, migrate.head, migrate.pending):
        monkeypatch.setitem(function.__kwdefaults__, "scripts", scripts)

    assert restore(empty_url, tmp_path / "backup") == made
    assert migrate.current(empty_url) == today
    assert migrate.pending(empty_url)
    migrate.upgrade(empty_url)
    assert migrate.current(empty_url) == "test_next"
    # and what tomorrow's backs up, today's refuses
    later = backup(empty_url, tmp_path / "later")
    assert later.rows["note"] == 2
    monkeypatch.undo()
    with pytest.raises(ConfigurationError, match="later is at revision test_next, which this callgrade does not know"):
        restore(empty_url, tmp_path / "later")
    with pytest.raises(ConfigurationError, match="does not know"):
        backup(empty_url, tmp_path / "again")


def test_what_is_no_backup_is_refused(empty_url: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none cannot be read: No such file"):
        restore(empty_url, tmp_path / "none")
    (tmp_path / "letter").write_text("Dear Sir or Madam")
    with pytest.raises(InputError, match="letter is not a backup"):
        restore(empty_url, tmp_path / "letter")
    (tmp_path / "nothing").touch()
    with pytest.raises(InputError, match="nothing is not a backup"):
        restore(empty_url, tmp_path / "nothing")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("readme", "hello")
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE x (y)").connection.close()
    other = tmp_path / ("other.db" if empty_url.startswith("sqlite") else "other.zip")
    with pytest.raises(InputError, match="not callgrade's|not a whole backup"):
        restore(empty_url, other)
    assert migrate.current(empty_url) is None


def test_the_other_kinds_backup_is_refused(url: str, tmp_path: Path, postgres: Postgres) -> None:
    backup(url, tmp_path / "backup")
    sqlite = url.startswith("sqlite")
    target = postgres.url(postgres.create(upgraded=False)) if sqlite else f"sqlite:///{tmp_path / 'new.db'}"
    with pytest.raises(InputError, match=f"backup of a {'SQLite' if sqlite else 'PostgreSQL'} database"):
        restore(target, tmp_path / "backup")
    assert not (tmp_path / "new.db").exists()


def test_a_damaged_backup_restores_nothing(url: str, empty_url: str, tmp_path: Path) -> None:
    """Cut short, or with a byte changed in one of its parts: in PARTS of them, first and last among them."""
    backup(url, tmp_path / "backup")
    content = (tmp_path / "backup").read_bytes()
    damaged = [content[: len(content) // 2], content[:-100]]
    if empty_url.startswith("sqlite"):
        page = int.from_bytes(content[16:18], "big")
        damaged += [content[:page] + b"\x7f" * (len(content) - page)]
    else:
        places: list[int] = []
        with zipfile.ZipFile(tmp_path / "backup") as archive:
            members = archive.infolist()
        for member in {members[place * (len(members) - 1) // (PARTS - 1)] for place in range(PARTS)}:
            # name and extra fields stand between a member's header and what it holds
            lengths = struct.unpack_from("<HH", content, member.header_offset + 26)
            places.append(member.header_offset + 30 + sum(lengths) + member.compress_size // 2)
        damaged += [content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :] for place in places]
    for number, bad in enumerate(damaged):
        (tmp_path / f"bad{number}").write_bytes(bad)
        with pytest.raises(InputError, match="damaged|not a whole backup|is not a backup"):
            restore(empty_url, tmp_path / f"bad{number}")
        assert migrate.current(empty_url) is None
    # what failed left nothing behind that would be in the way
    restore(empty_url, tmp_path / "backup")


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:-1],
        lambda lines: [*lines, lines[0]],
        lambda lines: [b"words of a customer\n"],
        lambda lines: [lines[0].replace(b"C-1", b"C-2"), *lines[1:]],
    ],
    ids=["a row less", "a row twice", "no row at all", "another row"],
)
def test_a_falsified_archive_is_found_out(
    postgres: Postgres, tmp_path: Path, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    url = postgres.url(postgres.create(upgraded=True))
    database = Database(url)
    with database.writing() as session:
        fill(session)
    database.close()
    backup(url, tmp_path / "backup")
    with zipfile.ZipFile(tmp_path / "backup") as archive, zipfile.ZipFile(tmp_path / "false", "w") as false:
        for name in archive.namelist():
            lines = archive.read(name).splitlines(keepends=True)
            false.writestr(name, b"".join(change(lines) if name == "call.copy" else lines))
    target = postgres.url(postgres.create(upgraded=False))
    with pytest.raises(InputError, match="damaged|not a whole backup") as error:
        restore(target, tmp_path / "false")
    assert "words of a customer" not in f"{error.value}"
    assert migrate.current(target) is None


def test_the_manifest_says_what_is_in_the_archive(postgres: Postgres, tmp_path: Path) -> None:
    """Tables of other programs in the same database are none of ours."""
    url = postgres.url(postgres.create(upgraded=True))
    database = Database(url)
    with database.writing() as session:
        session.execute(text("CREATE TABLE someone_elses (id INTEGER)"))
        session.execute(text("CREATE SCHEMA dbos"))
        session.execute(text("CREATE TABLE dbos.call (id INTEGER)"))
    database.close()
    backup(url, tmp_path / "backup")
    with zipfile.ZipFile(tmp_path / "backup") as archive:
        manifest = json.loads(archive.read("manifest.json"))
        names = set(archive.namelist())
    assert manifest["format"] == "callgrade.backup/1"
    assert manifest["revision"] == migrate.head()
    assert {table["name"] for table in manifest["tables"]} == set(metadata.tables)
    assert names == {"manifest.json", *(f"{name}.copy" for name in metadata.tables)}


def test_an_unreachable_server_is_named(tmp_path: Path, url: str) -> None:
    gone = "postgresql://user:geheim@127.0.0.1:1/x?connect_timeout=2"
    with pytest.raises(NotReadyError, match="cannot be reached") as error:
        backup(gone, tmp_path / "backup")
    assert "geheim" not in str(error.value)
    assert not list(tmp_path.glob("backup*"))


def test_a_server_that_goes_away_leaves_no_half_backup(postgres: Postgres, tmp_path: Path) -> None:
    url = postgres.url(postgres.create(upgraded=True))
    database = Database(url)
    with database.writing() as session:
        session.execute(
            text("INSERT INTO client SELECT i::text, repeat('x', 2000) || i, now() FROM generate_series(1, 30000) i")
        )
    with database.reading() as session:
        assert session.exec(select(func.count()).select_from(Client)).one() == 30_000
    database.close()
    faults: list[BaseException] = []

    def work() -> None:
        try:
            backup(url, tmp_path / "backup")
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=work)
    thread.start()
    while not postgres.run("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'COPY%' AND state = 'active'"):
        if not thread.is_alive():
            break
    postgres.restart()
    thread.join()
    if faults:  # it may have been quicker than we
        assert [type(fault) for fault in faults] == [NotReadyError], faults
        assert not list(tmp_path.glob("backup*"))
