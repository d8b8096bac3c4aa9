"""The blob store over a real S3 API on loopback."""

import hashlib
import io
import os
import sys
from collections.abc import Callable

import pytest

from callgrade.adapters.blobs import FsspecBlobs
from callgrade.calls.erasure import erase
from callgrade.calls.service import submit_recording
from callgrade.db.session import Database
from callgrade.domain.errors import MissingExtraError, NotReadyError, TooLargeError, UnknownResourceError
from tests.adapters.s3 import *  # noqa: F403
from tests.adapters.s3 import BUCKET, S3
from tests.adapters.test_blobs import Breaking
from tests.calls.made import client_in, recording
from tests.db.databases import *  # noqa: F403

WORDS = "您好，请问有什么可以帮您？".encode() * 100_000
DIGEST = hashlib.sha256(WORDS).hexdigest()
KEY = f"calls/{DIGEST[:2]}/{DIGEST[2:4]}/{DIGEST}"


def test_what_is_put_is_one_object_and_comes_back(s3: S3) -> None:
    stored = s3.store.put(io.BytesIO(WORDS))
    assert (stored.sha256, stored.size) == (DIGEST, len(WORDS))
    assert s3.keys() == [KEY]
    assert s3.store.exists(DIGEST)
    with s3.store.open(DIGEST) as stream:
        assert stream.read() == WORDS
    with s3.store.as_file(DIGEST) as path:
        assert path.read_bytes() == WORDS
    assert s3.store.put(io.BytesIO(WORDS)) == stored
    assert s3.keys() == [KEY]


def test_ranges(s3: S3) -> None:
    s3.store.put(io.BytesIO(WORDS))
    with s3.store.open(DIGEST) as stream:
        assert stream.seekable()
        stream.seek(1_000_001)
        assert stream.read(300) == WORDS[1_000_001:1_000_301]
        stream.seek(-5, os.SEEK_END)
        assert stream.read() == WORDS[-5:]


def test_what_other_hosts_put_and_delete_is_seen_at_once(s3: S3) -> None:
    store = s3.store
    store.put(io.BytesIO(b"ours"))
    assert len(list(store.kept())) == 1
    s3.client.put_object(Bucket=BUCKET, Key=KEY, Body=WORDS)
    with store.open(DIGEST) as stream:
        assert stream.read() == WORDS
    assert len(list(store.kept())) == 2
    s3.client.delete_object(Bucket=BUCKET, Key=KEY)
    assert not store.exists(DIGEST)
    with pytest.raises(UnknownResourceError):
        store.open(DIGEST)


def test_what_is_deleted_is_gone(s3: S3) -> None:
    s3.store.put(io.BytesIO(WORDS))
    s3.store.delete(DIGEST)
    s3.store.delete(DIGEST)
    assert s3.keys() == []
    assert not s3.store.exists(DIGEST)
    assert list(s3.store.kept()) == []
    with pytest.raises(UnknownResourceError):
        s3.store.open(DIGEST)


def test_each_blob_is_listed_once_with_its_age_and_nothing_else(s3: S3) -> None:
    put = {s3.store.put(io.BytesIO(bytes([number]))).sha256 for number in range(20)}
    s3.client.put_object(Bucket=BUCKET, Key="calls/README", Body=b"not ours")
    s3.client.put_object(Bucket=BUCKET, Key=f"elsewhere/{DIGEST}", Body=b"not ours")
    kept = list(s3.store.kept())
    assert sorted(found.sha256 for found in kept) == sorted(put)
    assert all(found.since.tzinfo for found in kept)


def test_a_stream_that_breaks_leaves_no_object(s3: S3) -> None:
    with pytest.raises(ConnectionResetError):
        s3.store.put(Breaking(ConnectionResetError("gone")))
    with pytest.raises(TooLargeError):
        s3.store.put(io.BytesIO(WORDS), largest=10)
    assert s3.keys() == []


def test_an_upload_in_parts_that_fails_leaves_neither_an_object_nor_parts(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    import s3fs

    small_parts: Callable[..., int] = lambda size, **_: 5 << 20  # noqa: E731
    monkeypatch.setattr(s3fs.core, "calculate_chunksize", small_parts)
    store = s3.store
    ask, asked = store._fs._call_s3, []

    async def failing(method: str, *args: object, **kwargs: object) -> object:
        asked.append(method)
        if method == "upload_part" and kwargs["PartNumber"] == 3:
            raise OSError("the line broke")
        return await ask(method, *args, **kwargs)

    monkeypatch.setattr(store._fs, "_call_s3", failing)
    with pytest.raises(NotReadyError):
        store.put(io.BytesIO(bytes(12 << 20)))
    assert asked.count("upload_part") == 3
    assert s3.keys() == []
    assert "Uploads" not in s3.client.list_multipart_uploads(Bucket=BUCKET)
    monkeypatch.setattr(store._fs, "_call_s3", ask)
    assert store.put(io.BytesIO(bytes(12 << 20))).size == 12 << 20
    assert len(s3.keys()) == 1


def every_use_of(store: FsspecBlobs) -> list[Callable[[], object]]:
    return [
        store.check,
        lambda: store.put(io.BytesIO(b"x")),
        lambda: store.open(DIGEST),
        lambda: store.exists(DIGEST),
        lambda: store.delete(DIGEST),
        lambda: list(store.kept()),
    ]


def test_without_its_bucket_it_is_not_ready_and_nothing_seems_erased(s3: S3) -> None:
    for use in every_use_of(FsspecBlobs("s3://nobody-made-it/calls")):
        with pytest.raises(NotReadyError, match="bucket for blobs does not exist") as raised:
            use()
        assert "nobody-made-it" not in str(raised.value)
    assert s3.store.check() == "ok"


def test_wrong_credentials_are_not_ready_and_are_not_told(s3: S3) -> None:
    store = s3.store
    store.put(io.BytesIO(WORDS))
    s3.ask_for_credentials()
    for use in every_use_of(store):
        with pytest.raises(NotReadyError, match="cannot be used") as raised:
            use()
        assert not any(secret in str(raised.value) for secret in ("desk", "a-secret", BUCKET, s3.endpoint))


def test_an_erased_call_leaves_no_object(s3: S3, database: Database) -> None:
    principal, blob = client_in(database), s3.store.put(io.BytesIO(WORDS))
    with database.writing() as session:
        call = submit_recording(session, principal, recording("C-1"), blob, blobs=s3.store)
    assert s3.keys() == [KEY]
    assert erase(database, s3.store, principal, call.id, "asked by the customer").recordings == 1
    assert s3.keys() == []


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it is where s3fs is not installed: its import fails."""
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    with pytest.raises(MissingExtraError, match=r"pip install 'callgrade\[s3\]'"):
        FsspecBlobs("s3://bucket/calls")
