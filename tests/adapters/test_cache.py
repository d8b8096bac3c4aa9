"""The answer cache on disk."""

import logging
import os
import sqlite3
import stat
import threading
from multiprocessing import get_context
from pathlib import Path

import pytest

from callgrade.adapters.cache import DiskCache
from callgrade.domain.errors import NotReadyError

USAGE = {"prompt_tokens": 1, "completion_tokens": 1}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "answers.sqlite"


def test_what_is_put_is_got_and_the_first_answer_stays(path: Path) -> None:
    cache = DiskCache(path)
    assert cache.get("k") is None
    cache.put("k", "答", "m", USAGE)
    cache.put("k", "另一个", "m2", USAGE)
    assert cache.get("k") == ("答", "m")
    cache.close()
    assert DiskCache(path).get("k") == ("答", "m")


def test_only_its_owner_reads_it(path: Path) -> None:
    before = os.umask(0)
    try:
        cache = DiskCache(path)
        cache.put("k", "答", "m", USAGE)
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes
    assert set(modes.values()) == {0o600}


def test_a_wide_open_file_is_closed_up(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o666)
    DiskCache(path).get("k")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", [b"this is no database, " * 50, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_damaged_file_is_moved_aside(damage: bytes, path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.parent.mkdir()
    path.write_bytes(damage)
    cache = DiskCache(path)
    cache.put("k", "答", "m", USAGE)
    assert cache.get("k") == ("答", "m")
    aside = [file for file in path.parent.iterdir() if "damaged" in file.name]
    assert [file.read_bytes() for file in aside] == [damage]
    assert "begun anew" in caplog.text


def test_a_place_that_cannot_be_written_costs_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    cache = DiskCache(tmp_path / "file" / "answers.sqlite")
    assert cache.get("k") is None
    cache.put("k", "答", "m", USAGE)
    assert cache.get("k") is None
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_threads(path: Path) -> None:
    cache = DiskCache(path)

    def work(number: int) -> None:
        for i in range(50):
            cache.put(f"{number}-{i}", "答", "m", USAGE)
            assert cache.get(f"{number}-{i}") == ("答", "m")

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(cache.get(f"{n}-{i}") for n in range(4) for i in range(50))


def _fill(cache: DiskCache, name: str) -> None:
    for i in range(50):
        cache.put(f"{name}-{i}", "答", "m", USAGE)


def test_processes_even_after_a_fork(path: Path) -> None:
    cache = DiskCache(path)
    cache.put("parent", "答", "m", USAGE)
    context = get_context("fork")
    children = [context.Process(target=_fill, args=(cache, f"child{n}")) for n in range(2)]
    for child in children:
        child.start()
    _fill(cache, "own")
    for child in children:
        child.join()
        assert child.exitcode == 0
    assert all(cache.get(f"{name}-{i}") for name in ("own", "child0", "child1") for i in range(50))


SAID = "我要投诉你们"


def bytes_of(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir())


def test_a_forgotten_call_leaves_nothing_in_the_files(path: Path) -> None:
    cache = DiskCache(path)
    for number in range(40):
        cache.put(f"k{number}", SAID * 400, "m", USAGE, client="c", call_id="C-1")
        cache.put(f"other{number}", "好的" * 400, "m", USAGE, client="c", call_id="C-2")
    assert SAID.encode() in bytes_of(path)
    cache.forget("c", ["C-1"])
    assert SAID.encode() not in bytes_of(path)
    assert cache.get("k1") is None
    assert cache.get("other1") is not None
    cache.forget("c", ["C-1", "C-9"])


def test_another_clients_call_of_the_same_name_stays(path: Path) -> None:
    cache = DiskCache(path)
    cache.put("k", "答", "m", USAGE, client="c", call_id="C-1")
    cache.forget("d", ["C-1"])
    assert cache.get("k") == ("答", "m")


def test_an_answer_that_comes_after_its_call_was_forgotten_is_not_taken(path: Path) -> None:
    asking, erasing = DiskCache(path), DiskCache(path)
    assert asking.get("k") is None
    erasing.forget("c", ["C-1"])
    asking.put("k", SAID, "m", USAGE, client="c", call_id="C-1")
    assert asking.get("k") is None
    assert SAID.encode() not in bytes_of(path)


def test_forgetting_where_there_is_no_file_makes_none(path: Path) -> None:
    DiskCache(path).forget("c", ["C-1"])
    assert not path.exists()


def test_forgetting_takes_damaged_files_along(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database, " + SAID.encode() * 50)
    cache = DiskCache(path)
    cache.get("k")
    assert SAID.encode() in bytes_of(path)
    cache.forget("c", ["C-1"])
    assert SAID.encode() not in bytes_of(path)


def test_what_cannot_be_forgotten_is_said_and_done_the_next_time(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("callgrade.adapters.cache.BUSY_S", 0.05)
    cache = DiskCache(path)
    cache.put("k", SAID, "m", USAGE, client="c", call_id="C-1")
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM answer").fetchall()
    with pytest.raises(NotReadyError, match="try again"):
        cache.forget("c", ["C-1"])
    reader.close()
    cache.forget("c", ["C-1"])
    assert SAID.encode() not in bytes_of(path)


def test_a_file_of_before_is_used_on(path: Path) -> None:
    path.parent.mkdir()
    with sqlite3.connect(path) as old:
        old.execute(
            "CREATE TABLE answer (key TEXT PRIMARY KEY, answer TEXT NOT NULL, model TEXT NOT NULL, "
            "usage TEXT NOT NULL, created_at REAL NOT NULL) WITHOUT ROWID"
        )
        old.execute("INSERT INTO answer VALUES ('k', '答', 'm', '{}', 1)")
    old.close()
    cache = DiskCache(path)
    assert cache.get("k") == ("答", "m")
    cache.put("l", SAID, "m", USAGE, client="c", call_id="C-1")
    cache.forget("c", ["C-1"])
    assert cache.get("l") is None
