"""The migrations make what the models say, up and down, on data that is there, and from an installed package."""

import shutil
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from callgrade.db import migrate
from callgrade.db.engines import open_engine
from callgrade.db.session import Database
from callgrade.db.tables import metadata
from callgrade.db.urls import database_url as parsed
from callgrade.domain.errors import ConfigurationError, SettingsError
from tests.db.rows import everything, fill

NEXT = '''
"""Synthetic: what a later revision might do to tables that hold rows."""

import sqlalchemy as sa
from alembic import op

revision = "test_next"
down_revision = "HEAD"


def upgrade() -> None:
    with op.batch_alter_table("call") as batch:
        batch.add_column(sa.Column("importance", sa.Integer(), nullable=False, server_default="3"))
        batch.alter_column("queue", new_column_name="line")
        batch.alter_column("channel", existing_type=sa.String(), type_=sa.Text(), nullable=True)
        batch.create_check_constraint("importance_small", "importance < 10")
    with op.batch_alter_table("evaluation") as batch:
        batch.drop_constraint(op.f("uq_evaluation_client_id_dedupe"), type_="unique")
        batch.create_unique_constraint("uq_evaluation_client_id_dedupe_attempt", ["client_id", "dedupe", "attempt"])
    op.create_table("note", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("text", sa.Text()))
    op.execute("INSERT INTO note (text) SELECT call_id FROM call")


def downgrade() -> None:
    op.drop_table("note")
    with op.batch_alter_table("evaluation") as batch:
        batch.drop_constraint(op.f("uq_evaluation_client_id_dedupe_attempt"), type_="unique")
        batch.create_unique_constraint("uq_evaluation_client_id_dedupe", ["client_id", "dedupe"])
    with op.batch_alter_table("call") as batch:
        batch.drop_constraint(op.f("ck_call_importance_small"), type_="check")
        batch.alter_column("channel", existing_type=sa.Text(), type_=sa.String(), nullable=False)
        batch.alter_column("line", new_column_name="queue")
        batch.drop_column("importance")
'''

BROKEN = '''
"""Synthetic: fails after it has changed something."""

from alembic import op

revision = "test_broken"
down_revision = "test_next"


def upgrade() -> None:
    op.execute("UPDATE call SET line = 'changed'")
    op.drop_table("note")
    op.execute("SELECT * FROM nothing_of_this_name")
'''


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of a callgrade of tomorrow: ours, and two more."""
    scripts = tmp_path / "tomorrow"
    shutil.copytree(migrate.SCRIPTS, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    (scripts / "versions" / "next.py").write_text(NEXT.replace("HEAD", migrate.head()), "utf-8")
    (scripts / "versions" / "broken.py").write_text(BROKEN, "utf-8")
    return scripts


def tables_of(url: str) -> set[str]:
    engine = open_engine(parsed(url), "read")
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def run(url: str, sql: str) -> list[tuple[object, ...]]:
    engine = open_engine(parsed(url), "read")
    try:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]
    finally:
        engine.dispose()


def test_models_and_migrations_agree(database_url: str) -> None:
    assert migrate.differences(database_url) == []


def test_a_difference_is_seen(database_url: str) -> None:
    with migrate.changing(parsed(database_url)) as connection:
        connection.execute(text("DROP INDEX evaluation_newest"))
        connection.execute(text("ALTER TABLE call ADD COLUMN extra INTEGER"))
    found = " ".join(migrate.differences(database_url))
    assert "evaluation_newest" in found
    assert "extra" in found


def test_up_down_and_up_again(empty_url: str) -> None:
    assert migrate.current(empty_url) is None
    assert migrate.pending(empty_url)
    migrate.upgrade(empty_url)
    assert migrate.current(empty_url) == migrate.head()
    assert not migrate.pending(empty_url)
    migrate.require_current(empty_url)
    assert tables_of(empty_url) == {*metadata.tables, migrate.VERSION_TABLE}
    migrate.upgrade(empty_url)
    migrate.downgrade(empty_url, to="base")
    assert tables_of(empty_url) == {migrate.VERSION_TABLE}
    migrate.upgrade(empty_url)
    assert migrate.differences(empty_url) == []


def test_every_constraint_has_a_name() -> None:
    for table in metadata.tables.values():
        for constraint in table.constraints:
            assert constraint.name, (table.name, constraint)
        assert all(index.name for index in table.indexes)


def test_upgrades_and_downgrades_rows_that_are_there(database_url: str, later: Path) -> None:
    database = Database(database_url)
    with database.writing() as session:
        fill(session)
    with database.reading() as session:
        before = everything(session)
    database.close()
    assert migrate.pending(database_url, scripts=later)

    migrate.upgrade(database_url, to="test_next", scripts=later)
    assert migrate.current(database_url) == "test_next"
    assert run(database_url, "SELECT importance, line, channel FROM call") == [(3, None, "phone")] * 2
    assert run(database_url, "SELECT text FROM note") == [("C-1",), ("C-1",)]
    # the children of a rebuilt table are still there
    assert run(database_url, "SELECT count(*) FROM evaluation") == [(2,)]
    assert run(database_url, "SELECT count(*) FROM scorecard") == [(2,)]

    migrate.downgrade(database_url, to=migrate.head(), scripts=later)
    assert migrate.differences(database_url) == []
    database = Database(database_url)
    with database.reading() as session:
        assert everything(session) == before
    database.close()


def test_a_failed_upgrade_changes_nothing(database_url: str, later: Path) -> None:
    migrate.upgrade(database_url, to="test_next", scripts=later)
    with migrate.changing(parsed(database_url)) as connection:
        connection.execute(text("INSERT INTO client VALUES ('c', 'n', CURRENT_TIMESTAMP)"))
        connection.execute(
            text(
                "INSERT INTO call (id, client_id, call_id, channel, language, line, facts, created_at) "
                "VALUES ('1', 'c', 'C-1', 'phone', 'zh', 'as it was', '{}', CURRENT_TIMESTAMP)"
            )
        )
    with pytest.raises(ConfigurationError, match="nothing_of_this_name|lacks a table"):
        migrate.upgrade(database_url, scripts=later)
    assert migrate.current(database_url) == "test_next"
    assert run(database_url, "SELECT line FROM call") == [("as it was",)]
    assert "note" in tables_of(database_url)


def test_a_rebuilt_table_may_not_lose_its_children(tmp_path: Path, sqlite_template: Path) -> None:
    path = tmp_path / "callgrade.db"
    shutil.copy(sqlite_template, path)
    url = f"sqlite:///{path}"
    with (
        pytest.raises(ConfigurationError, match="rows in call would refer"),
        migrate.changing(parsed(url)) as connection,
    ):
        connection.execute(
            text(
                "INSERT INTO call (id, client_id, call_id, channel, language, facts, created_at) "
                "VALUES ('1', 'nobody', 'C-1', 'phone', 'zh', '{}', CURRENT_TIMESTAMP)"
            )
        )
    assert run(url, "SELECT count(*) FROM call") == [(0,)]


def test_a_newer_database_is_refused(database_url: str, later: Path) -> None:
    migrate.upgrade(database_url, to="test_next", scripts=later)
    for ask in (migrate.require_current, migrate.pending, migrate.upgrade):
        with pytest.raises(ConfigurationError, match="test_next.*newer one"):
            ask(database_url)


def test_an_older_database_and_an_empty_one_say_what_to_do(empty_url: str) -> None:
    with pytest.raises(ConfigurationError, match="no tables yet: run `callgrade db upgrade`"):
        migrate.require_current(empty_url)
    migrate.upgrade(empty_url)
    migrate.downgrade(empty_url, to="base")
    with pytest.raises(ConfigurationError, match="callgrade db upgrade"):
        migrate.require_current(empty_url)


def test_hosts_that_upgrade_at_once_wait_for_each_other(empty_url: str, tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from callgrade.db import migrate; print('ready', flush=True)\n"
        "while not Path(sys.argv[2]).exists(): time.sleep(0.001)\n"
        "migrate.upgrade(sys.argv[1])"
    )
    go = tmp_path / "go"
    command = [sys.executable, "-c", code, empty_url, str(go)]
    hosts = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    for host in hosts:
        assert host.stdout is not None
        assert host.stdout.readline() == "ready\n"
    go.touch()
    assert [(host.communicate()[1], host.returncode) for host in hosts] == [("", 0)] * 3
    assert migrate.differences(empty_url) == []


def test_threads_that_upgrade_at_once_wait_for_each_other(tmp_path: Path) -> None:
    """Each its own database: what they share is Alembic, which keeps the connection in one place for all."""
    urls = [f"sqlite:///{tmp_path / str(number)}.db" for number in range(4)]
    threads = [threading.Thread(target=migrate.upgrade, args=(url,)) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [migrate.differences(url) for url in urls] == [[]] * 4


def test_asking_makes_no_file(tmp_path: Path) -> None:
    assert migrate.current(f"sqlite:///{tmp_path / 'none.db'}") is None
    assert list(tmp_path.iterdir()) == []


def test_a_new_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "data" / "deep" / "callgrade.db"
    migrate.upgrade(f"sqlite:///{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="file/callgrade.db cannot be made"):
        migrate.upgrade(f"sqlite:///{tmp_path / 'file' / 'callgrade.db'}")


def test_the_package_carries_its_migrations(tmp_path: Path) -> None:
    """Copied away from the checkout, as an installed wheel is."""
    package = Path(migrate.__file__).parent.parent
    shutil.copytree(package / "db", tmp_path / "callgrade" / "db")
    shutil.copytree(package / "domain", tmp_path / "callgrade" / "domain")
    (tmp_path / "callgrade" / "__init__.py").write_text("")
    code = (
        "from callgrade.db import migrate; import sys; assert str(migrate.SCRIPTS).startswith(sys.argv[1]); "
        "migrate.upgrade('sqlite:///new.db'); assert migrate.differences('sqlite:///new.db') == []"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=tmp_path, check=True)
