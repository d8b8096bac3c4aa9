"""The answer cache on disk."""

import logging
import os
import stat
import threading
from multiprocessing import get_context
from pathlib import Path

import pytest

from callgrade.adapters.cache import DiskCache

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
