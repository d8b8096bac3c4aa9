"""Blobs, each kept once under its SHA-256: in a folder by default, in S3 and the like by URL through fsspec.

    <root>/ab/cd/abcd…      a blob; the folders keep directories small
    <root>/.incoming/…      what is still coming in; never a blob, and swept away when nobody writes to it any more

A blob appears whole or not at all: in a folder it is written aside, synced and renamed; elsewhere it is gathered on
this machine first (its name is known only at its end) and handed over in one piece, which object stores keep whole or
not at all. Files are readable by their owner alone.
"""

import errno
import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import IO, Any, BinaryIO, NamedTuple, cast
from uuid import uuid4

import fsspec  # type: ignore[import-untyped]
from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

from callgrade.domain.errors import MissingExtraError, NotReadyError, SettingsError, TooLargeError, UnknownResourceError
from callgrade.ports import StoredBlob

PIECE = 1 << 20
ABANDONED_S = 6 * 3600
"""After so long without a byte nobody is writing any more."""
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_BUCKETS = frozenset({"s3", "gs", "gcs", "az", "abfs", "oss"})
"""Know no folders, and to make one would make the bucket, which is for an operator to do."""
_NAME = re.compile(r"[0-9a-f]{64}")


class KeptSince(NamedTuple):
    sha256: str
    since: datetime


class FsspecBlobs:
    """Implements `ports.BlobStore`. `largest` is the most bytes a blob may have; None: as many as there is room for.

    Raises SettingsError for a URL that is none, MissingExtraError for `s3://…` without s3fs. Nothing is made or
    reached until the first blob.
    """

    def __init__(self, url: str, *, largest: int | None = None):
        self._largest = largest
        try:
            # what another process puts or deletes must be seen at once: no listing is kept from before
            self._fs, root = fsspec.core.url_to_fs(str(url), use_listings_cache=False)
        except ImportError:
            scheme = str(url).partition("://")[0]
            raise MissingExtraError("s3", f"keeping blobs at {scheme}://…") from None
        except ValueError as error:
            raise SettingsError(f"CALLGRADE_BLOB_URL: {error}") from None
        self._root = str(root).rstrip("/")
        spoken = self._fs.protocol
        self._has_buckets = not _BUCKETS.isdisjoint((spoken,) if isinstance(spoken, str) else spoken)
        self._folder = Path(self._root) if isinstance(self._fs, LocalFileSystem) else None

    def check(self) -> str:
        """Raises NotReadyError where the store cannot be reached, refuses us, or has no such bucket."""
        with _explained():
            if self._has_buckets:
                self._find_bucket()
            elif self._folder and self._folder.exists() and not os.access(self._folder, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "this user may not write there")
        return "ok"

    def put(self, stream: BinaryIO, *, largest: int | None = None) -> StoredBlob:
        """Keeps everything in `stream`, whole or not at all. Putting the same again changes nothing.

        Raises TooLargeError as soon as more than `largest` bytes have come, NotReadyError where there is no room or
        the store cannot be reached. Either way, and when the stream itself fails, nothing of it is left behind.
        """
        most = self._largest if largest is None else largest
        try:
            with _explained():
                if self._folder:
                    return self._put_in_folder(self._folder, stream, most)
                return self._put_elsewhere(stream, most)
        except _StreamFailed as failed:
            raise failed.error from None

    def open(self, sha256: str) -> BinaryIO:
        """A seekable stream. Raises UnknownResourceError where there is no such blob."""
        with _explained(), self._told_from_no_bucket():
            return cast("BinaryIO", self._fs.open(self._place(sha256), "rb"))

    @contextmanager
    def as_file(self, sha256: str) -> Iterator[Path]:
        """The blob as a file on this machine, for programs that want one. It may be gone after the block."""
        if self._folder:
            path = Path(self._place(sha256))
            if not path.is_file():
                raise _unknown()
            yield path
            return
        with tempfile.TemporaryDirectory(prefix="callgrade-") as folder:
            path = Path(folder) / sha256
            with self.open(sha256) as source, path.open("wb") as copy:
                shutil.copyfileobj(source, copy, PIECE)
            yield path

    def exists(self, sha256: str) -> bool:
        with _explained():
            found = bool(self._fs.exists(self._place(sha256)))
            if not found and self._has_buckets:
                self._find_bucket()
            return found

    def delete(self, sha256: str) -> None:
        """No error where there is none. NotReadyError where that cannot be known: an erasure must not seem done."""
        with _explained(), suppress(FileNotFoundError), self._told_from_no_bucket():
            self._fs.rm_file(self._place(sha256))

    def kept(self) -> Iterator[KeptSince]:
        """Every blob, in no order. To find those that nobody refers to."""
        with _explained():
            if self._has_buckets:
                self._find_bucket()
            if not self._fs.exists(self._root):
                return
            for name, facts in self._listed():
                if _NAME.fullmatch(name):
                    yield KeptSince(name, _moment(facts))

    def _listed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        if not self._has_buckets:
            for _, _, files in self._fs.walk(self._root, detail=True):
                yield from files.items()
            return
        # a bucket lists a thousand objects a request, and one request a folder would be 65,000 of them; what is listed
        # is held in memory, so a part at a time
        for part in self._fs.ls(self._root, detail=False):
            for place, facts in self._fs.find(part, detail=True).items():
                yield place.rpartition("/")[2], facts

    def tidy(self, abandoned_s: float = ABANDONED_S) -> int:
        """Removes what processes that were killed left half written, and says how much that was. Call it at start."""
        incoming = self._folder / ".incoming" if self._folder else None
        removed = 0
        for path in incoming.iterdir() if incoming and incoming.is_dir() else ():
            with suppress(FileNotFoundError):
                if time() - path.stat().st_mtime > abandoned_s:
                    path.unlink()
                    removed += 1
        return removed

    def _place(self, sha256: str) -> str:
        # a name from outside must not lead out of the store
        if not _NAME.fullmatch(sha256):
            raise _unknown()
        return f"{self._root}/{sha256[:2]}/{sha256[2:4]}/{sha256}"

    @contextmanager
    def _told_from_no_bucket(self) -> Iterator[None]:
        """Without its bucket a store says of every blob that it is not there."""
        try:
            yield
        except FileNotFoundError:
            if self._has_buckets:
                self._find_bucket()
            raise

    def _find_bucket(self) -> None:
        try:
            self._fs.info(self._root.partition("/")[0])
        except FileNotFoundError as error:
            raise NotReadyError("the bucket for blobs does not exist; an operator has to make it") from error

    def _put_in_folder(self, folder: Path, stream: BinaryIO, most: int | None) -> StoredBlob:
        incoming = folder / ".incoming"
        _make(incoming)
        aside = incoming / uuid4().hex
        try:
            with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                blob = _copy(stream, file, most)
                file.flush()
                os.fsync(file.fileno())
            place = Path(self._place(blob.sha256))
            _make(place.parent)
            # over the same blob too: whoever is just now deleting that one deletes it before or after, never half,
            # and its age starts anew for those who look for blobs that nobody refers to
            aside.replace(place)
            _sync(place.parent)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        return blob

    def _put_elsewhere(self, stream: BinaryIO, most: int | None) -> StoredBlob:
        with tempfile.TemporaryDirectory(prefix="callgrade-") as folder:
            gathered = Path(folder) / "blob"
            with gathered.open("wb") as file:
                blob = _copy(stream, file, most)
            place = self._place(blob.sha256)
            if not self._has_buckets:
                self._fs.makedirs(place.rpartition("/")[0], exist_ok=True)
            # even where it is there already, as above
            with self._told_from_no_bucket():
                self._fs.put_file(str(gathered), place)
        return blob


def _copy(stream: BinaryIO, file: IO[bytes], most: int | None) -> StoredBlob:
    digest, size = hashlib.sha256(), 0
    while piece := _read(stream):
        size += len(piece)
        if most is not None and size > most:
            raise TooLargeError(f"more than {most} bytes; that is the largest that is taken here")
        digest.update(piece)
        file.write(piece)
    return StoredBlob(sha256=digest.hexdigest(), size=size)


class _StreamFailed(Exception):  # noqa: N818
    """What comes in broke, not what keeps it: its own error is for whoever reads from there."""

    def __init__(self, error: Exception):
        self.error = error


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read(PIECE)
    except Exception as error:
        raise _StreamFailed(error) from error


def _make(folder: Path) -> None:
    # mkdir(parents=True) gives the mode to the last folder only
    for missing in reversed([place for place in (folder, *folder.parents) if not place.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
        _sync(missing.parent)


def _sync(folder: Path) -> None:
    """The new name itself must outlive a power cut, not the bytes alone."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _moment(facts: dict[str, Any]) -> datetime:
    for name in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = facts.get(name)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.now(UTC)


def _unknown() -> UnknownResourceError:
    return UnknownResourceError("no such blob; it may have been erased")


@contextmanager
def _explained() -> Iterator[None]:
    """What a store says, in our words and without its places: clients read the message."""
    try:
        yield
    except FileNotFoundError:
        raise _unknown() from None
    except OSError as error:
        if error.errno in FULL:
            raise NotReadyError("no room is left where blobs are kept; nothing of this one was kept") from error
        raise NotReadyError(f"the place where blobs are kept cannot be used ({_kind(error)})") from error
    except Exception as error:
        # object stores' clients have errors of their own
        if type(error).__module__.partition(".")[0] in ("botocore", "aiobotocore", "aiohttp"):
            raise NotReadyError(f"the place where blobs are kept cannot be used ({_kind(error)})") from error
        raise


def _kind(error: Exception) -> str:
    return errno.errorcode.get(getattr(error, "errno", None) or 0, type(error).__name__)
