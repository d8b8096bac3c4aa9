"""A recording that is fetched comes in as one that was uploaded, once, and its URL stays no longer than it has to."""

import io
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from callgrade.access.principals import Principal
from callgrade.adapters.blobs import FsspecBlobs
from callgrade.calls import awaiting, service
from callgrade.calls.erasure import erase
from callgrade.calls.manifest import ManifestEntry
from callgrade.db.session import Database
from callgrade.db.tables import AwaitedRecording, Recording
from callgrade.domain.errors import ConflictError, GoneError
from callgrade.ports import StoredBlob
from tests.calls.made import client_in, recording, transcript
from tests.db.rows import everything

URL = "https://storage.example.com/2026/C-1.wav?sig=5ec12e7"


def entry(call_id: str = "C-1", url: str = URL, **changes: Any) -> ManifestEntry:
    told = {"agent": {"id": "8031"}, "customer": {"id": "客户甲"}, "facts": {"direction": "outbound"}}
    return ManifestEntry.model_validate({"audio_url": url, "call_id": call_id, **told, **changes})


def submit(database: Database, who: Principal, told: ManifestEntry) -> tuple[str, str | None]:
    with database.writing() as session:
        call, id_ = awaiting.submit_url(session, who.client_id, told)
        return call.id, id_


def kept(database: Database, words: str) -> set[str]:
    with database.reading() as session:
        return {name for name, rows in everything(session).items() if words in str(rows)}


def put(folder: Path, sound: bytes = b"RIFF made up") -> tuple[FsspecBlobs, StoredBlob]:
    blobs = FsspecBlobs(str(folder / "blobs"))
    return blobs, blobs.put(io.BytesIO(sound))


def arrive(database: Database, folder: Path, id_: str, sound: bytes = b"RIFF made up") -> bool:
    blobs, blob = put(folder, sound)
    with database.writing() as session:
        found = awaiting.find(session, id_)
        assert found is not None
        return awaiting.arrived(session, found, blob, blobs)


def recorded(session: Session) -> list[Recording]:
    return list(session.exec(select(Recording)))


def test_it_comes_in_as_an_uploaded_one(database: Database, tmp_path: Path) -> None:
    who = client_in(database)
    told = entry(started_at="2026-11-01T09:30:00+08:00", ended_at="2026-11-01T09:31:00+08:00", agent_channel="1")
    call_id, id_ = submit(database, who, told)
    assert id_ is not None
    assert arrive(database, tmp_path, id_)
    with database.reading() as session:
        call = service.find(session, who.client_id, call_id)
        (found,) = recorded(session)
        assert (call.call_id, call.agent_id, call.facts) == ("C-1", "8031", {"direction": "outbound"})
        assert (found.file_name, found.media_type, found.agent_channel) == ("C-1.wav", "audio/x-wav", "1")
        assert (found.agent, found.customer, found.started_at) == ("8031", "客户甲", call.started_at)
        assert found.ended_at == told.ended_at
        assert found.size == len(b"RIFF made up")
    assert kept(database, "5ec12e7") == set()


def test_a_call_is_fetched_once_by_whatever_url(database: Database, tmp_path: Path) -> None:
    who = client_in(database)
    first = submit(database, who, entry())
    assert first[1] is not None
    again = entry(url="https://storage.example.com/2026/C-1.wav?sig=another")
    assert submit(database, who, again) == (first[0], None)
    assert kept(database, "another") == set()
    assert arrive(database, tmp_path, first[1])
    assert submit(database, who, again) == (first[0], None)
    with database.reading() as session:
        assert len(recorded(session)) == 1


def test_another_call_under_the_same_id_is_refused_by_its_field(database: Database) -> None:
    who = client_in(database)
    submit(database, who, entry())
    for changes, field in (
        ({"agent": {"id": "8032"}}, "agent"),
        ({"customer": {"id": "x"}}, "customer"),
        ({"agent_channel": "0"}, "agent_channel"),
        ({"facts": {}}, "facts"),
    ):
        with pytest.raises(ConflictError, match=f"metadata.{field}"):
            submit(database, who, entry(**changes))
    with database.writing() as session:
        service.submit_transcript(session, who, transcript("C-2"))
    with pytest.raises(ConflictError, match="for a transcript"):
        submit(database, who, entry("C-2"))


def test_what_could_not_be_fetched_may_be_given_another_url(database: Database, tmp_path: Path) -> None:
    who = client_in(database)
    call_id, first = submit(database, who, entry())
    with database.writing() as session:
        awaiting.drop(session, call_id)
    assert kept(database, "5ec12e7") == set()
    same, second = submit(database, who, entry(url="https://storage.example.com/C-1.wav"))
    assert same == call_id
    assert second not in (None, first)
    assert arrive(database, tmp_path, str(second))


def test_or_be_uploaded_after_all(database: Database, tmp_path: Path) -> None:
    who = client_in(database)
    call_id, id_ = submit(database, who, entry())
    assert id_ is not None
    blobs, blob = put(tmp_path, b"RIFF uploaded")
    metadata = recording(**entry().model_dump(exclude={"audio_url", "priority", "schema_"}, exclude_unset=True))
    metadata = metadata.model_copy(update={"started_at": None, "ended_at": None})
    with database.reading() as session:
        awaited = awaiting.find(session, id_)
    for _ in range(2):
        with database.writing() as session:
            assert service.submit_recording(session, who, metadata, blob, blobs=blobs).id == call_id
    assert kept(database, "5ec12e7") == set()
    # the fetch was under way meanwhile
    with database.writing() as session:
        assert awaited is not None
        assert not awaiting.arrived(session, awaited, put(tmp_path)[1], blobs)
    with database.reading() as session:
        assert [row.sha256 for row in recorded(session)] == [blob.sha256]


def test_an_upload_that_tells_another_call_is_refused_though_nothing_was_fetched(
    database: Database, tmp_path: Path
) -> None:
    who = client_in(database)
    submit(database, who, entry())
    blobs, blob = put(tmp_path)
    with pytest.raises(ConflictError, match="metadata.started_at"), database.writing() as session:
        service.submit_recording(session, who, recording(facts={"direction": "outbound"}), blob, blobs=blobs)


def test_an_erasure_takes_the_url_and_what_arrives_later_is_not_stored(database: Database, tmp_path: Path) -> None:
    who = client_in(database)
    call_id, id_ = submit(database, who, entry())
    with database.reading() as session:
        awaited = awaiting.find(session, str(id_))
    assert awaited is not None
    blobs, blob = put(tmp_path)
    erase(database, blobs, who, call_id, "客户书面要求删除")
    assert kept(database, "5ec12e7") == set()
    files = [path for path in tmp_path.rglob("*") if path.is_file() and "blobs" not in path.parts]
    assert not [path.name for path in files if b"5ec12e7" in path.read_bytes()]
    with database.writing() as session:
        assert not awaiting.arrived(session, awaited, blob, blobs)
    with pytest.raises(GoneError):
        submit(database, who, entry())
    with database.reading() as session:
        assert recorded(session) == []
        assert list(session.exec(select(AwaitedRecording))) == []
