"""The session boundary: whole or not at all, readers never wait, two writers never deadlock, faults say what to do."""

# ruff: noqa: PT012  (where a session ends is what is tested)

import builtins
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlmodel import select

from callgrade.db import engines, migrate
from callgrade.db.session import Database, announce
from callgrade.db.tables import Call, Client, Evaluation, IdempotentRequest, RateSecond
from callgrade.domain.errors import ConfigurationError, NotReadyError, SettingsError
from tests.db.databases import Postgres
from tests.db.rows import AT, AWKWARD, NESTED, fill

SECRET = "words of a customer"


def names(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.exec(select(Client.name).order_by(Client.name)).all())


def together(*works: Callable[[], None]) -> list[BaseException]:
    faults: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def test_commits_once_at_the_end(database: Database) -> None:
    with database.writing() as session:
        session.add(Client(name="a"))
        session.flush()
        assert names(database) == []
    assert names(database) == ["a"]


def test_who_listens_hears_of_what_is_stored_and_of_nothing_else(database: Database) -> None:
    heard: list[list[str]] = []
    database.listen("clients", lambda: heard.append(names(database)))
    with database.writing() as session:
        session.add(Client(name="a"))
        for topic in ("clients", "clients", "calls"):
            announce(session, topic)
        assert heard == []
    assert heard == [["a"]]
    with pytest.raises(ValueError, match="x"), database.writing() as session:
        session.add(Client(name="b"))
        announce(session, "clients")
        raise ValueError("x")
    with database.writing() as session:
        session.add(Client(name="c"))
    assert heard == [["a"]]


@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt])
def test_any_exception_undoes_everything(database: Database, fault: type[BaseException]) -> None:
    with pytest.raises(fault), database.writing() as session:
        session.add(Client(name="a"))
        session.flush()
        raise fault
    assert names(database) == []


def test_only_the_boundary_commits(database: Database) -> None:
    with pytest.raises(RuntimeError, match="boundary commits"), database.writing() as session:
        session.add(Client(name="a"))
        session.commit()
    assert names(database) == []


def test_a_part_may_fail_alone(database: Database) -> None:
    with database.writing() as session:
        session.add(Client(name="a"))
        with pytest.raises(IntegrityError), session.begin_nested():
            session.add(Client(name="a"))
            session.flush()
        session.add(Client(name="b"))
    assert names(database) == ["a", "b"]


def test_a_broken_unique_key_passes_as_it_is(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add_all([Client(name="a"), Client(name="a")])


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(Call(client_id="nobody", call_id="1", channel="phone", language="zh"))


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError), database.reading() as session:
        session.execute(text("DELETE FROM client"))
    # and leaves the connection as it was for the next one
    with database.writing() as session:
        session.add(Client(name="a"))
    assert names(database) == ["a"]


def test_rows_can_be_read_after_the_end(database: Database) -> None:
    with database.writing() as session:
        client = Client(name="a")
        session.add(client)
    assert client.name == "a"


def test_what_goes_in_comes_out(database: Database) -> None:
    with database.writing() as session:
        fill(session)
    with database.reading() as session:
        evaluation = session.exec(select(Evaluation).where(Evaluation.id == "e1")).one()
        assert (evaluation.total, evaluation.low) == (Decimal("87.3333"), Decimal("-0.0001"))
        assert evaluation.high == Decimal("99999999.9999")
        assert evaluation.called_at == AT
        assert evaluation.called_at.tzinfo is UTC
        assert session.exec(select(Evaluation).where(Evaluation.total >= Decimal("87.3333"))).all()  # type: ignore[operator]
        assert not session.exec(select(Evaluation).where(Evaluation.total > Decimal("87.3333"))).all()  # type: ignore[operator]
        call = session.exec(select(Call).where(Call.id == "call1")).one()
        assert call.facts == NESTED
        assert call.facts["zh"] == AWKWARD
        # no error is NULL, not the JSON text `null`
        assert len(session.execute(text("SELECT 1 FROM evaluation WHERE error IS NULL")).all()) == 2


def test_a_moment_needs_its_zone(database: Database) -> None:
    with pytest.raises(StatementError, match="needs its zone"), database.writing() as session:
        session.add(Client(name="a", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_a_reader_sees_one_moment(database: Database) -> None:
    with database.reading() as session:
        assert session.exec(select(Client.name)).all() == []
        with database.writing() as writer:
            writer.add(Client(name="a"))
        assert session.exec(select(Client.name)).all() == []
    assert names(database) == ["a"]


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    with database.writing() as session:
        session.add(Client(name="a"))
        session.flush()
        assert (
            together(*[lambda: None if names(database) == [] else pytest.fail("saw what is not there yet")] * 8) == []
        )


def test_many_writers_lose_nothing(database: Database) -> None:
    """Each reads before it writes: what deadlocks where a transaction begins as a reader."""
    with database.writing() as session:
        session.add(RateSecond(name="n", second=1))

    def work() -> None:
        for _ in range(10):
            with database.writing() as session:
                row = session.exec(select(RateSecond).with_for_update()).one()
                row.requests += 1

    assert together(*[work] * 8) == []
    with database.reading() as session:
        assert session.exec(select(RateSecond.requests)).one() == 80


def test_processes_that_write_at_once_wait_for_each_other(database: Database, database_url: str) -> None:
    """Two Database objects share nothing but the database, as two processes do."""
    others = [database, Database(database_url), Database(database_url)]
    with database.writing() as session:
        session.add(RateSecond(name="n", second=1))

    def work(mine: Database) -> Callable[[], None]:
        def add() -> None:
            for _ in range(10):
                with mine.writing() as session:
                    row = session.exec(select(RateSecond).with_for_update()).one()
                    row.requests += 1

        return add

    assert together(*[work(mine) for mine in others]) == []
    with database.reading() as session:
        assert session.exec(select(RateSecond.requests)).one() == 30
    for other in others[1:]:
        other.close()


def test_sqlite_is_set_up_to_lose_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'callgrade.db'}"
    migrate.upgrade(url)
    database = Database(url)
    for session_of in (database.writing, database.reading):
        with session_of() as session:
            found = {
                name: session.execute(text(f"PRAGMA {name}")).scalar_one()
                for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            }
        assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    database.close()


def test_a_locked_file_is_a_matter_of_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "WAIT_S", 0.2)
    path = tmp_path / "callgrade.db"
    migrate.upgrade(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(NotReadyError, match="locked by another writer"), database.writing() as session:
        session.add(Client(name="a"))
    # a writer inside a writer waits for itself, and says so in the end
    other.execute("ROLLBACK")
    other.close()
    with (
        pytest.raises(NotReadyError, match="every connection stayed busy"),
        database.writing() as outer,
        database.writing() as inner,
    ):
        outer.execute(text("SELECT 1"))
        inner.execute(text("SELECT 1"))
    database.close()


def test_a_full_disk_changes_nothing(tmp_path: Path) -> None:
    """SQLite says the same of a file that may not grow as of a disk that is full."""
    url = f"sqlite:///{tmp_path / 'callgrade.db'}"
    migrate.upgrade(url)
    database = Database(url)
    with database.writing() as session:
        session.execute(text("PRAGMA max_page_count = 1"))  # as small as it is now
    with pytest.raises(NotReadyError, match="disk is full"), database.writing() as session:
        session.add_all(Client(name=f"{n} {AWKWARD * 100}") for n in range(1000))
    with database.writing() as session:
        session.execute(text("PRAGMA max_page_count = 1000000"))
        session.add(Client(name="a"))
    assert names(database) == ["a"]
    database.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", "is not a database's URL"),
        ("callgrade.db", "is not a database's URL"),
        ("postgresql://user:geheim@host:port/x", "is not a database's URL"),
        ("mysql://user:geheim@host/x", "'mysql' is not supported"),
        ("postgresql+asyncpg://user:geheim@host/x", "'postgresql.asyncpg' is not supported"),
        ("postgresql://user:geheim@host", "names no database"),
        ("sqlite://data/callgrade.db", "three slashes"),
        ("sqlite://", "only in memory"),
        ("sqlite:///:memory:", "only in memory"),
    ],
)
def test_a_wrong_url_is_explained(url: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as error:
        Database(url)
    assert "geheim" not in str(error.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgres_has_several_names(scheme: str) -> None:
    database = Database(f"{scheme}://user:pass%40word@host:5432/x?sslmode=require")
    assert database.dialect == "postgresql"
    assert database.url.drivername == "postgresql+psycopg"
    assert database.url.password == "pass@word"


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_psycopg(name: str, *args: object, **more: object) -> object:
        if name.split(".")[0] == "psycopg":
            raise ImportError("no pq wrapper available")
        return real(name, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without_psycopg)
    with pytest.raises(ConfigurationError, match=r"pip install 'psycopg\[binary\]'"):
        Database("postgresql://host/x")


def test_an_unreachable_server_is_named_without_its_password() -> None:
    database = Database("postgresql://user:geheim@127.0.0.1:1/x?connect_timeout=2")
    with pytest.raises(NotReadyError, match=r"database x at 127.0.0.1:1 cannot be reached") as error:
        names(database)
    assert "geheim" not in str(error.value)
    assert "geheim" not in str(error.value.__cause__)


def test_a_database_that_is_not_there_is_a_matter_of_settings(postgres: Postgres) -> None:
    for url in (postgres.url("nothing"), postgres.url().replace("postgres:@", "nobody:@")):
        with pytest.raises(SettingsError, match="refuses us.*does not exist"):
            names(Database(url))


def test_a_folder_or_file_that_will_not_do_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be opened"):
        names(Database(f"sqlite:///{tmp_path / 'none' / 'callgrade.db'}"))
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam, " * 100)
    with pytest.raises(SettingsError, match="letter.txt: the file is not a SQLite database"):
        names(Database(f"sqlite:///{tmp_path / 'letter.txt'}"))


def test_a_damaged_file_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "callgrade.db"
    migrate.upgrade(f"sqlite:///{path}")
    page = 4096
    content = bytearray(path.read_bytes())
    content[page:] = b"\x7f" * (len(content) - page)
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="is damaged: restore a backup"):
        names(Database(f"sqlite:///{path}"))


def test_a_database_without_tables_says_upgrade(empty_url: str) -> None:
    database = Database(empty_url)
    with pytest.raises(ConfigurationError, match="run `callgrade db upgrade`"):
        names(database)
    database.close()


def test_no_value_gets_into_a_message(database: Database) -> None:
    """PostgreSQL would name the key that is there already, and the whole row that a NULL stands in."""
    with database.writing() as session:
        session.add(Client(id="c", name=SECRET))
    wrong = [
        Client(id="d", name=SECRET),
        Client(id="d", name=None, created_at=AT),
        IdempotentRequest(client_id="c", key=SECRET, fingerprint=None),
        IdempotentRequest(client_id="c", key="k", fingerprint="f", answer={"x": float("nan"), "y": SECRET}),
        IdempotentRequest(client_id=SECRET, key="k", fingerprint="f"),
        RateSecond(name=SECRET, second=1, requests=2**70),
    ]
    for row in wrong:
        with pytest.raises((StatementError, OverflowError, ValueError)) as caught, database.writing() as session:
            session.add(row)
        link: BaseException | None = caught.value
        while link is not None:
            assert SECRET not in f"{link} {link!r}"
            link = link.__cause__ or link.__context__


def test_a_value_that_cannot_be_read_stays_out_too(postgres: Postgres) -> None:
    database = Database(postgres.url())
    with pytest.raises(DBAPIError) as caught, database.reading() as session:
        session.execute(text("SELECT CAST(:words AS integer)"), {"words": SECRET})
    assert SECRET not in f"{caught.value} {caught.value.orig}"
    database.close()


def test_a_restarted_server_is_survived(postgres: Postgres) -> None:
    database = Database(postgres.url(postgres.create(upgraded=True)))
    with database.writing() as session:
        session.add(Client(name="a"))
    with database.reading() as one, database.reading() as two:
        one.execute(text("SELECT 1"))
        two.execute(text("SELECT 1"))
    postgres.restart()
    assert names(database) == ["a"]
    with database.writing() as session:
        session.add(Client(name="b"))
    # cut off in the middle: everything is undone, and the next one works
    with pytest.raises(NotReadyError, match="cannot be reached"), database.writing() as session:
        session.add(Client(name="c"))
        session.flush()
        postgres.restart()
        session.execute(text("SELECT 1"))
    assert names(database) == ["a", "b"]
    database.close()


def test_a_statement_may_not_take_for_ever(postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "STATEMENT_S", 1)
    database = Database(postgres.url())
    with pytest.raises(NotReadyError, match="statement timeout"), database.reading() as session:
        session.execute(text("SELECT pg_sleep(20)"))
    with database.reading() as session:
        assert session.execute(text("SHOW idle_in_transaction_session_timeout")).scalar_one() == "2min"
        assert session.execute(text("SHOW lock_timeout")).scalar_one() == "30s"
    database.close()


def test_writers_that_meet_crosswise_on_postgres_are_told_to_try_again(postgres: Postgres) -> None:
    database = Database(postgres.url(postgres.create(upgraded=True)))
    with database.writing() as session:
        session.add_all([Client(id="1", name="a"), Client(id="2", name="b")])
    barrier = threading.Barrier(2, timeout=20)

    def change(first: str, second: str) -> Callable[[], None]:
        def work() -> None:
            with database.writing() as session:
                session.execute(text("UPDATE client SET name = name WHERE id = :id"), {"id": first})
                barrier.wait()
                session.execute(text("UPDATE client SET name = name WHERE id = :id"), {"id": second})

        return work

    faults = together(change("1", "2"), change("2", "1"))
    assert [type(fault) for fault in faults] == [NotReadyError]
    assert "deadlock" in str(faults[0])
    database.close()


def test_the_url_may_say_otherwise(postgres: Postgres) -> None:
    database = Database(postgres.url() + "&application_name=mine")
    with database.reading() as session:
        assert session.execute(text("SHOW application_name")).scalar_one() == "mine"
    database.close()


def test_nothing_is_held_after_the_end(database: Database) -> None:
    """More sessions, one after the other, than the pools have connections."""
    for _ in range(40):
        names(database)
        with pytest.raises(ValueError, match="x"), database.reading():
            raise ValueError("x")
