"""The blob store, in a folder and elsewhere."""

import errno
import hashlib
import io
import os
import stat
from pathlib import Path

import fsspec
import pytest

from callgrade.adapters.blobs import FsspecBlobs
from callgrade.domain.errors import (
    MissingExtraError,
    NotReadyError,
    SettingsError,
    TooLargeError,
    UnknownResourceError,
)

WORDS = "您好，请问有什么可以帮您？".encode() * 100_000
DIGEST = hashlib.sha256(WORDS).hexdigest()


@pytest.fixture(params=["folder", "memory"])
def url(request: pytest.FixtureRequest, tmp_path: Path):
    if request.param == "folder":
        yield str(tmp_path / "deep" / "blobs")
        return
    yield f"memory://{tmp_path.name}"
    memory = fsspec.filesystem("memory")
    if memory.exists(f"/{tmp_path.name}"):
        memory.rm(f"/{tmp_path.name}", recursive=True)


@pytest.fixture
def blobs(url: str) -> FsspecBlobs:
    return FsspecBlobs(url)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "blobs"


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


class Breaking(io.BytesIO):
    """A stream that fails after some bytes, as a client does that goes away."""

    def __init__(self, error: Exception):
        super().__init__(WORDS)
        self.error = error

    def read(self, size: int | None = -1) -> bytes:
        if self.tell() > len(WORDS) // 2:
            raise self.error
        return super().read(size)


def test_what_is_put_is_got_under_its_digest(blobs: FsspecBlobs) -> None:
    stored = blobs.put(io.BytesIO(WORDS))
    assert (stored.sha256, stored.size) == (DIGEST, len(WORDS))
    assert blobs.exists(DIGEST)
    with blobs.open(DIGEST) as stream:
        assert stream.read() == WORDS


def test_ranges(blobs: FsspecBlobs) -> None:
    blobs.put(io.BytesIO(WORDS))
    with blobs.open(DIGEST) as stream:
        assert stream.seekable()
        stream.seek(1_000_001)
        assert stream.read(300) == WORDS[1_000_001:1_000_301]
        stream.seek(-5, os.SEEK_END)
        assert stream.read() == WORDS[-5:]


def test_nothing_at_all_is_a_blob_too(blobs: FsspecBlobs) -> None:
    stored = blobs.put(io.BytesIO())
    assert stored.size == 0
    with blobs.open(stored.sha256) as stream:
        assert stream.read() == b""


def test_the_same_again_changes_nothing(blobs: FsspecBlobs) -> None:
    assert blobs.put(io.BytesIO(WORDS)) == blobs.put(io.BytesIO(WORDS))
    assert [kept.sha256 for kept in blobs.kept()] == [DIGEST]


def test_what_is_deleted_is_gone(blobs: FsspecBlobs) -> None:
    blobs.put(io.BytesIO(WORDS))
    blobs.delete(DIGEST)
    blobs.delete(DIGEST)
    assert not blobs.exists(DIGEST)
    assert list(blobs.kept()) == []
    with pytest.raises(UnknownResourceError):
        blobs.open(DIGEST)


def test_an_empty_store_holds_nothing(blobs: FsspecBlobs) -> None:
    assert not blobs.exists(DIGEST)
    assert list(blobs.kept()) == []
    blobs.delete(DIGEST)
    assert blobs.tidy() == 0


@pytest.mark.parametrize("name", ["../../etc/passwd", "", DIGEST[:-1], DIGEST.upper(), f"{DIGEST}\n"])
def test_no_name_leads_out_of_the_store(name: str, blobs: FsspecBlobs) -> None:
    for look in (blobs.open, blobs.exists, blobs.delete):
        with pytest.raises(UnknownResourceError):
            look(name)


def test_as_a_file(blobs: FsspecBlobs) -> None:
    blobs.put(io.BytesIO(WORDS))
    with blobs.as_file(DIGEST) as path:
        assert path.read_bytes() == WORDS
    with pytest.raises(UnknownResourceError), blobs.as_file("0" * 64):
        pass


@pytest.mark.parametrize("largest", [0, 1, len(WORDS) - 1])
def test_too_large_leaves_nothing(largest: int, folder: Path) -> None:
    with pytest.raises(TooLargeError, match=str(largest)):
        FsspecBlobs(str(folder), largest=largest).put(io.BytesIO(WORDS))
    assert files(folder) == []


def test_the_largest_may_be_reached_and_a_call_has_its_own(blobs: FsspecBlobs) -> None:
    assert blobs.put(io.BytesIO(WORDS), largest=len(WORDS)).size == len(WORDS)
    with pytest.raises(TooLargeError):
        blobs.put(io.BytesIO(WORDS), largest=10)


def test_only_its_owner_reads_it(folder: Path) -> None:
    before = os.umask(0)
    try:
        FsspecBlobs(str(folder)).put(io.BytesIO(WORDS))
    finally:
        os.umask(before)
    modes = {path.is_file(): stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}
    assert modes == {True: 0o600, False: 0o700}
    assert (folder / DIGEST[:2] / DIGEST[2:4] / DIGEST).is_file()


@pytest.mark.parametrize("error", [ConnectionResetError("gone"), OSError(errno.ENOSPC, "spool"), ValueError("x")])
def test_a_stream_that_breaks_leaves_nothing_and_says_itself_why(
    error: Exception, blobs: FsspecBlobs, folder: Path
) -> None:
    with pytest.raises(type(error)) as raised:
        blobs.put(Breaking(error))
    assert raised.value is error
    assert list(blobs.kept()) == []
    store = FsspecBlobs(str(folder))
    with pytest.raises(type(error)):
        store.put(Breaking(error))
    assert files(folder) == []


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_nothing(call: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))

    monkeypatch.setattr(*((os, "fsync", full) if call == "fsync" else (Path, "replace", full)))
    folder.mkdir()
    with pytest.raises(NotReadyError, match="no room is left") as raised:
        FsspecBlobs(str(folder)).put(io.BytesIO(WORDS))
    assert str(folder) not in str(raised.value)
    monkeypatch.undo()
    assert files(folder) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a disk that is always full")
def test_a_disk_that_is_really_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def full(path: Path, flags: int, *mode: int) -> int:
        is_aside = path.parent.name == ".incoming"
        return opened("/dev/full", os.O_WRONLY) if is_aside else opened(path, flags, *mode)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(NotReadyError, match="no room is left"):
        FsspecBlobs(str(folder)).put(io.BytesIO(WORDS))
    assert files(folder) == []


def test_a_place_that_cannot_be_used_is_named_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotReadyError) as raised:
        FsspecBlobs(str(tmp_path / "file" / "blobs")).put(io.BytesIO(WORDS))
    assert str(tmp_path) not in str(raised.value)


def test_what_a_killed_process_left_is_swept_away(folder: Path) -> None:
    blobs = FsspecBlobs(str(folder))
    blobs.put(io.BytesIO(WORDS))
    for name, age in (("old", 7 * 3600), ("new", 60)):
        left = folder / ".incoming" / name
        left.write_bytes(b"half")
        os.utime(left, (left.stat().st_atime - age, left.stat().st_mtime - age))
    assert blobs.tidy() == 1
    assert {path.name for path in files(folder)} == {DIGEST, "new"}
    assert [kept.sha256 for kept in blobs.kept()] == [DIGEST]


def test_an_age_starts_anew_when_the_same_is_put_again(folder: Path) -> None:
    blobs = FsspecBlobs(str(folder))
    blobs.put(io.BytesIO(WORDS))
    place = folder / DIGEST[:2] / DIGEST[2:4] / DIGEST
    os.utime(place, (0, 0))
    blobs.put(io.BytesIO(WORDS))
    assert next(blobs.kept()).since.timestamp() > 1_000_000_000


def test_s3_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(MissingExtraError, match=r"callgrade\[s3\]"):
        FsspecBlobs("s3://bucket/calls")


def test_a_url_of_no_kind_we_know() -> None:
    with pytest.raises(SettingsError, match="CALLGRADE_BLOB_URL"):
        FsspecBlobs("gopher://x")
