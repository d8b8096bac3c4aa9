"""Calls handed in and found again, on both databases."""

import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from callgrade.adapters.blobs import FsspecBlobs
from callgrade.calls import repository, service
from callgrade.calls.metadata import RecordingMetadata
from callgrade.calls.service import CallFilters
from callgrade.db.session import Database
from callgrade.db.tables import Call, TranscriptVersion
from callgrade.domain.calls import Speaker, Transcript, Turn
from callgrade.domain.errors import (
    ConflictError,
    GoneError,
    NotReadyError,
    TranscriptError,
    UnexpectedError,
    UnknownResourceError,
)
from tests.calls.made import SECRET, STARTED, client_in, recording, transcript

SOUND = b"RIFF, made up"


@pytest.fixture
def blobs(tmp_path) -> FsspecBlobs:
    return FsspecBlobs(str(tmp_path / "blobs"))


@pytest.fixture
def elsewhere(database: Database) -> Iterator[Database]:
    """The same database, as another process opens it."""
    opened = Database(database.url.render_as_string(hide_password=False))
    yield opened
    opened.close()


def submit(database: Database, principal: Any, told: Transcript) -> Call:
    with database.writing() as session:
        return service.submit_transcript(session, principal, told)


def submit_sound(database: Database, principal: Any, blobs: FsspecBlobs, sound=SOUND, **changes: Any) -> Call:
    blob = blobs.put(io.BytesIO(sound))
    with database.writing() as session:
        return service.submit_recording(session, principal, recording(**changes), blob, blobs=blobs)


def test_what_was_handed_in_is_found_again(database: Database) -> None:
    principal = client_in(database)
    told = transcript()
    call = submit(database, principal, told)
    with database.reading() as session:
        found = service.find(session, principal.client_id, call.id)
        assert (found.call_id, found.agent_id, found.team, found.queue) == ("C-1", "8031", "sales-2", "outbound-5g")
        assert found.started_at == STARTED
        assert found.facts == told.facts
        assert service.transcript_of(session, found) == told
        assert [v.origin for v in service.transcript_versions(session, found)] == ["client"]


def test_the_same_again_is_the_same_call(database: Database) -> None:
    principal = client_in(database)
    first = submit(database, principal, transcript())
    # the same, written another way
    again = transcript(started_at="2026-11-01T01:30:00Z", facts={"outcome": "closed", "direction": "outbound"})
    assert submit(database, principal, again).id == first.id
    with database.reading() as session:
        assert len(service.transcript_versions(session, first)) == 1


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("turns", {"turns": [{"speaker": "agent", "text": "别的话"}]}),
        ("agent", {"agent": {"id": "9000", "team": "sales-2"}}),
        ("started_at", {"started_at": "2026-11-01T09:31:00+08:00"}),
        ("facts", {"facts": {"direction": True}}),
        ("queue", {"queue": None}),
        ("customer", {"customer": None}),
    ],
)
def test_other_content_under_the_same_id_names_the_field_and_not_the_value(
    field: str, change: dict[str, Any], database: Database
) -> None:
    principal = client_in(database)
    submit(database, principal, transcript())
    with pytest.raises(ConflictError, match=f"^{field}:") as raised:
        submit(database, principal, transcript(**change))
    for secret in (SECRET, "别的话", "9000", "8031", "客户甲"):
        assert secret not in str(raised.value)


def test_one_and_true_are_not_the_same_fact(database: Database) -> None:
    principal = client_in(database)
    submit(database, principal, transcript(facts={"complaint": 1}))
    with pytest.raises(ConflictError, match="facts"):
        submit(database, principal, transcript(facts={"complaint": True}))


def test_two_clients_may_use_the_same_id(database: Database) -> None:
    one, other = client_in(database, "a"), client_in(database, "b")
    first, second = submit(database, one, transcript()), submit(database, other, transcript(queue="other"))
    assert first.id != second.id
    with database.reading() as session, pytest.raises(UnknownResourceError):
        service.find(session, other.client_id, first.id)


def test_two_at_once_make_one_call(database: Database) -> None:
    principal = client_in(database)
    with ThreadPoolExecutor(8) as threads:
        calls = list(threads.map(lambda _: submit(database, principal, transcript()), range(16)))
    assert len({call.id for call in calls}) == 1
    with database.reading() as session:
        assert len(service.list_page(session, principal.client_id, CallFilters()).items) == 1
        assert len(service.transcript_versions(session, calls[0])) == 1


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("agent_id", {"agent": {"id": "x" * 3000}}),
        ("team", {"agent": {"team": "a\0b"}}),
        ("queue", {"queue": "\ud800"}),
        ("no text", {"turns": [{"speaker": "agent", "text": "\ud800"}]}),
        ("call_id", {"call_id": "a\0b"}),
        ("facts", {"facts": {"note": "a\0b"}}),
        ("facts", {"facts": {"ratio": float("inf")}}),
        ("started_at", {"started_at": "1066-10-14T09:00:00Z"}),
        ("channel", {"channel": "c" * 201}),
    ],
)
def test_what_cannot_be_stored_is_refused_by_name(field: str, change: dict[str, Any], database: Database) -> None:
    principal = client_in(database)
    with pytest.raises(TranscriptError, match=field):
        submit(database, principal, transcript(**change))


def test_nul_in_what_is_said_is_kept(database: Database) -> None:
    principal = client_in(database)
    told = transcript(turns=[{"speaker": "agent", "text": "a\0b"}])
    call = submit(database, principal, told)
    with database.reading() as session:
        assert service.transcript_of(session, call) == told


def test_pages_filters_and_order(database: Database) -> None:
    principal = client_in(database)
    for number in range(7):
        agent = {"id": str(number % 2), "team": "t"}
        started = (STARTED + timedelta(days=number)).isoformat()
        submit(database, principal, transcript(f"C-{number}", agent=agent, started_at=started))
    submit(database, client_in(database, "another"), transcript("X"))

    def names(filters: CallFilters, limit: int = 3) -> list[list[str]]:
        pages, cursor = [], None
        with database.reading() as session:
            while True:
                page = service.list_page(session, principal.client_id, filters, cursor, limit)
                pages.append([call.call_id for call in page.items])
                cursor = page.next
                if cursor is None:
                    return pages

    assert names(CallFilters()) == [["C-6", "C-5", "C-4"], ["C-3", "C-2", "C-1"], ["C-0"]]
    assert names(CallFilters(agent="1")) == [["C-5", "C-3", "C-1"]]
    assert names(CallFilters(agent="1", team="x")) == [[]]
    assert names(CallFilters(call_id="C-4")) == [["C-4"]]
    assert names(CallFilters(queue="outbound-5g", channel="phone"), limit=7) == [[f"C-{n}" for n in range(6, -1, -1)]]
    between = CallFilters(since=STARTED + timedelta(days=2), until=STARTED + timedelta(days=4))
    assert names(between) == [["C-3", "C-2"]]


def test_a_recording_is_on_record(database: Database, blobs: FsspecBlobs) -> None:
    principal = client_in(database)
    call = submit_sound(database, principal, blobs)
    with database.reading() as session:
        row = service.recording_of(session, call)
        assert (row.agent, row.customer, row.media_type, row.size) == ("8031", "客户甲", "audio/wav", len(SOUND))
        assert (row.ended_at - row.started_at).total_seconds() == 60
        with blobs.open(row.sha256) as stream:
            assert stream.read() == SOUND
        with pytest.raises(UnknownResourceError, match="no transcript"):
            service.transcript_of(session, call)


def test_what_is_missing_on_record_is_said() -> None:
    assert recording().missing == ()
    assert RecordingMetadata(call_id="C").missing == ("started_at", "ended_at", "agent", "customer")
    with pytest.raises(ValidationError, match="ended_at lies before"):
        recording(ended_at="2026-11-01T09:29:00+08:00")


def test_a_recording_again(database: Database, blobs: FsspecBlobs) -> None:
    principal = client_in(database)
    first = submit_sound(database, principal, blobs)
    assert submit_sound(database, principal, blobs).id == first.id
    assert submit_sound(database, principal, blobs, started_at="2026-11-01T01:30:00Z").id == first.id
    for field, changes in {
        "audio": {"sound": b"another"},
        "metadata.customer": {"customer": {"id": "别人"}},
        "metadata.ended_at": {"ended_at": "2026-11-01T09:32:00+08:00"},
        "metadata.agent": {"agent": None},
        "metadata.agent_channel": {"agent_channel": "1"},
    }.items():
        with pytest.raises(ConflictError, match=f"^{field}:"):
            submit_sound(database, principal, blobs, **changes)


def test_a_call_comes_in_as_one_or_the_other(database: Database, blobs: FsspecBlobs) -> None:
    principal = client_in(database)
    submit_sound(database, principal, blobs, call_id="sound")
    with pytest.raises(ConflictError, match="recording"):
        submit(database, principal, transcript("sound"))
    submit(database, principal, transcript("words"))
    with pytest.raises(ConflictError, match="transcript"):
        submit_sound(database, principal, blobs, call_id="words")


def test_of_two_who_hold_a_blob_one_waits(database: Database, elsewhere: Database) -> None:
    order = list[str]()

    def late() -> None:
        with elsewhere.writing() as session:
            repository.hold_blob(session, "a" * 64)
            order.append("late")

    with database.writing() as session:
        repository.hold_blob(session, "a" * 64)
        other = threading.Thread(target=late)
        other.start()
        other.join(0.3)
        order.append("first")
    other.join()
    assert order == ["first", "late"]


def test_a_blob_that_went_meanwhile_is_asked_for_again(database: Database, blobs: FsspecBlobs) -> None:
    principal = client_in(database)
    blob = blobs.put(io.BytesIO(SOUND))
    blobs.delete(blob.sha256)
    with pytest.raises(NotReadyError, match="send it again"), database.writing() as session:
        service.submit_recording(session, principal, recording(), blob, blobs=blobs)
    with database.reading() as session:
        assert service.list_page(session, principal.client_id, CallFilters()).items == []


def test_versions_are_appended_and_keep_whose_call_it_is(database: Database, blobs: FsspecBlobs) -> None:
    principal = client_in(database)
    call = submit_sound(database, principal, blobs)
    heard = Transcript(
        call_id="a1b2.wav", channel="unknown", recogniser="tiny", facts={"hold_ms": [1]},
        turns=(Turn(speaker=Speaker.AGENT, text="你好"),),
    )  # fmt: skip
    for _ in range(2):
        with database.writing() as session:
            assert service.add_transcript(session, call, heard, "recogniser").version == 1
    mended = heard.model_copy(update={"turns": (Turn(speaker=Speaker.AGENT, text="您好"),)})
    with database.writing() as session:
        assert service.add_transcript(session, call, mended, "u" * 32).version == 2
    with database.reading() as session:
        newest = service.transcript_of(session, call)
        assert (newest.call_id, newest.channel, newest.started_at) == ("C-1", "phone", STARTED)
        assert (newest.agent.id, newest.customer.id, newest.facts) == ("8031", "客户甲", {"hold_ms": [1]})
        assert newest.turns[0].text == "您好"
        assert service.transcript_of(session, call, 1).turns[0].text == "你好"
        with pytest.raises(UnknownResourceError):
            service.transcript_of(session, call, 3)


def test_a_correction_of_words_that_came_as_words_keeps_the_customer(database: Database) -> None:
    principal = client_in(database)
    call = submit(database, principal, transcript())
    with database.writing() as session:
        service.add_transcript(session, call, transcript("other", customer={"id": "乙"}, turns=[]), "u" * 32)
    with database.reading() as session:
        newest = service.transcript_of(session, call)
        assert (newest.call_id, newest.customer.id, newest.turns) == ("C-1", "客户甲", ())
    # what came in first still counts for what comes in again
    assert submit(database, principal, transcript()).id == call.id


def test_an_unknown_stored_version_is_never_guessed_at(database: Database) -> None:
    principal = client_in(database)
    call = submit(database, principal, transcript())
    with database.writing() as session:
        row = session.get(TranscriptVersion, (call.id, 1))
        row.content = '{"schema": "callgrade.transcript/9"}'
        session.add(row)
    with database.reading() as session, pytest.raises(UnexpectedError, match="schema"):
        service.transcript_of(session, call)


def test_an_erased_call_is_gone_and_says_why(database: Database) -> None:
    principal = client_in(database)
    call = submit(database, principal, transcript())
    with database.writing() as session:
        row = session.get(Call, call.id)
        row.erased_at, row.erased_because = STARTED, "客户书面要求"
        session.add(row)
    with database.writing() as session:
        for wanted in (
            lambda: service.find(session, principal.client_id, call.id),
            lambda: service.hold(session, principal.client_id, call.id),
            lambda: service.submit_transcript(session, principal, transcript()),
            lambda: service.add_transcript(session, call, transcript(), "x"),
        ):
            with pytest.raises(GoneError, match="客户书面要求"):
                wanted()
        assert service.list_page(session, principal.client_id, CallFilters()).items == []
