"""After an erasure the words of a call are nowhere: every table, blob and file is searched for them."""

import hashlib
import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.adapters.blobs import FsspecBlobs
from callgrade.adapters.cache import DiskCache
from callgrade.calls import service
from callgrade.calls.erasure import catch_up, erase
from callgrade.calls.service import CallFilters
from callgrade.catalog.rubrics import load_rubric
from callgrade.db.session import Database
from callgrade.db.tables import (
    Batch,
    BatchChunk,
    Call,
    Delivery,
    Evaluation,
    EvaluationFlag,
    IdempotentRequest,
    Recording,
    StoredScorecard,
    TranscriptVersion,
    Webhook,
)
from callgrade.db.types import new_id
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import GoneError, InputError, NotReadyError, UnknownResourceError
from callgrade.domain.judgements import Evidence, JudgeFailure, Judgement
from callgrade.domain.scorecards import Scorecard, score
from tests.calls.made import SECRET, STARTED, client_in, recording, transcript
from tests.db.rows import everything

REASON = "客户书面要求删除，见 2026-11-20 来函"
SOUND = f"RIFF, made up, {SECRET}".encode()


@dataclass
class House:
    """A service with everything that may hold words, on one machine."""

    database: Database
    blobs: FsspecBlobs
    cache: DiskCache
    folder: Path
    principal: Principal

    def erase(self, id_: str, reason: str = REASON) -> Any:
        return erase(self.database, self.blobs, self.principal, id_, reason, memories=[self.cache])

    def places(self, words: str) -> set[str]:
        """Where these words still stand: tables by name, and files by theirs."""
        with self.database.reading() as session:
            tables = everything(session)
        found = {name for name, rows in tables.items() if any(words in written(row) for row in rows)}
        looked_for = [words.encode(), json.dumps(words)[1:-1].encode()]
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return found | {path.name for path in files if any(text in path.read_bytes() for text in looked_for)}


def written(row: Any) -> str:
    return json.dumps(row, ensure_ascii=False, default=str)


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    cache = DiskCache(tmp_path / "answers.sqlite")
    yield House(database, FsspecBlobs(str(tmp_path / "blobs")), cache, tmp_path, client_in(database))
    cache.close()


def scorecard(call_id: str, words: str) -> str:
    rubric = load_rubric("service-quality-core")
    criterion = next(c for c in rubric.criteria if c.judge == "llm")
    evidence = Evidence(quote=words, grounding="unfounded", why="not_found")
    failure = JudgeFailure(type="bad-answer", message=words, retryable=True)
    judgement = Judgement(
        criterion_id=criterion.id, status="failed", reason=words, method="llm", error=failure, evidence=(evidence,)
    )
    return score(rubric, {criterion.id: judgement}, {}, call_id=call_id, digest="sha256:0").model_dump_json(
        by_alias=True
    )


def evaluate(session: Session, call: Call, words: str, status: str = "proposed", **columns: Any) -> Evaluation:
    row = Evaluation(
        client_id=call.client_id, call_id=call.id, dedupe=new_id(), rubric_id="service-quality-core",
        rubric_version="v1", rubric_digest="d", status=status, called_at=STARTED,
        error={"type": "bad-answer", "message": words, "retryable": True}, **columns,
    )  # fmt: skip
    session.add(row)
    session.flush()
    session.add(StoredScorecard(evaluation_id=row.id, attempt=1, content=scorecard(call.call_id, words)))
    session.add(EvaluationFlag(evaluation_id=row.id, flag="needs_review", client_id=call.client_id))
    session.flush()
    return row


def told_of(session: Session, call: Call, evaluation: Evaluation, words: str, status: str = "delivered") -> Delivery:
    hook = Webhook(client_id=call.client_id, url="https://example.com/", secret="s", events=[])
    session.add(hook)
    session.flush()
    row = Delivery(
        webhook_id=hook.id, client_id=call.client_id, call_id=call.id, event_id=new_id(),
        event="evaluation.proposed", status=status, payload={"data": {"evaluation_id": evaluation.id, "note": words}},
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def chunk_of(house: House, session: Session, calls: list[Transcript], status: str = "queued") -> Batch:
    batch = Batch(client_id=house.principal.client_id, rubric_id="r", rubric_version="v1", status="running")
    session.add(batch)
    session.flush()
    lines = "".join(call.model_dump_json(by_alias=True) + "\n" for call in calls).encode()
    blob = house.blobs.put(io.BytesIO(lines))
    chunk = BatchChunk(batch_id=batch.id, number=1, first_line=1, lines=len(calls), blob=blob.sha256, status=status)
    session.add(chunk)
    session.flush()
    return batch


def neighbour(call_id: str) -> Transcript:
    return transcript(call_id, turns=[{"speaker": "agent", "text": "您好"}])


def live(house: House, call_id: str, words: str) -> str:
    """A call with everything that a call may leave behind; gives its id."""
    told = transcript(call_id, turns=[{"speaker": "customer", "text": words}], facts={"note": words})
    with house.database.writing() as session:
        call = service.submit_transcript(session, house.principal, told)
        service.add_transcript(session, call, told.model_copy(update={"notes": (words,)}), new_id())
        batch = chunk_of(house, session, [neighbour("before"), told, neighbour("after")], status="done")
        evaluation = evaluate(session, call, words, batch_id=batch.id, line=2)
        evaluate(session, call, words, status="judging")
        told_of(session, call, evaluation, words)
        chunk_of(house, session, [told, neighbour(f"next to {call_id}")])
        answer = {"id": call.id, "note": words}
        session.add(
            IdempotentRequest(client_id=call.client_id, key=new_id(), fingerprint=new_id(), status=202, answer=answer)
        )
        blob = house.blobs.put(io.BytesIO(words.encode() * 100))
        session.add(
            Recording(
                call_id=call.id, client_id=call.client_id, sha256=blob.sha256, size=blob.size, agent_channel="0",
                media_type="audio/wav", file_name=f"{words}.wav", customer=words,
            )
        )  # fmt: skip
    house.cache.put(new_id(), words * 50, "m", {}, client=house.principal.client_id, call_id=call_id)
    return call.id


OTHER = "今天天气真好呀"


def test_nothing_that_was_said_is_left_anywhere(house: House) -> None:
    id_, other = live(house, "C-1", SECRET), live(house, "C-2", OTHER)
    everywhere = {
        "call", "transcript_version", "recording", "scorecard", "evaluation", "delivery", "idempotent_request",
    }  # fmt: skip
    assert everywhere <= house.places(SECRET)
    before = house.places(OTHER)
    erased = house.erase(id_)
    assert house.places(SECRET) == set()
    assert erased.scrubbed
    assert (erased.transcripts, erased.recordings, erased.scorecards) == (2, 1, 2)
    assert (erased.deliveries, erased.answers, erased.chunks) == (1, 1, 2)
    # of its neighbour nothing is missing
    left = house.places(OTHER)
    assert everywhere <= left
    assert {name for name in before - left if not name.startswith(("callgrade.db", "answers"))} == set()
    with house.database.reading() as session:
        assert service.find(session, house.principal.client_id, other).call_id == "C-2"
        assert house.cache.get("x") is None


def test_the_tombstone_says_when_and_why(house: House) -> None:
    id_ = live(house, "C-1", SECRET)
    house.erase(id_)
    with house.database.reading() as session:
        row = session.get(Call, id_)
        assert (row.call_id, row.erased_because, row.facts) == ("C-1", REASON, {})
        assert row.erased_at is not None
        with pytest.raises(GoneError, match="来函"):
            service.find(session, house.principal.client_id, id_)
        assert [c.call_id for c in service.list_page(session, house.principal.client_id, CallFilters()).items] == []
    with pytest.raises(GoneError):
        house.erase(id_)
    with pytest.raises(GoneError), house.database.writing() as session:
        service.submit_transcript(session, house.principal, transcript("C-1"))


def test_points_stay_and_words_go(house: House) -> None:
    id_ = live(house, "C-1", SECRET)
    with house.database.reading() as session:
        rows = session.exec(select(StoredScorecard)).all()
        before = Scorecard.model_validate_json(rows[0].content)
    house.erase(id_)
    with house.database.reading() as session:
        rows = session.exec(select(StoredScorecard)).all()
        assert len(rows) == 2
        card = Scorecard.model_validate_json(rows[0].content)
        assert (card.total, card.sections, card.assessed) == (before.total, before.sections, before.assessed)
        assert [j.points for j in card.judgements] == [j.points for j in before.judgements]
        assert {j.reason for j in card.judgements} == {""}
        assert {len(j.evidence) for j in card.judgements} == {0}
        assert "erased" in card.flags
        flags = {(f.evaluation_id, f.flag) for f in session.exec(select(EvaluationFlag))}
        assert flags == {(row.evaluation_id, flag) for row in rows for flag in ("needs_review", "erased")}
        errors = [evaluation.error for evaluation in session.exec(select(Evaluation))]
        assert {error["type"] for error in errors} == {"bad-answer"}


def test_what_was_at_work_is_cancelled_and_named(house: House) -> None:
    id_ = live(house, "C-1", SECRET)
    erased = house.erase(id_)
    with house.database.reading() as session:
        statuses = {evaluation.id: evaluation.status for evaluation in session.exec(select(Evaluation))}
    assert sorted(statuses.values()) == ["cancelled", "proposed"]
    assert [statuses[evaluation] for evaluation, _ in erased.cancelled] == ["cancelled"]


def test_what_was_not_delivered_never_will_be(house: House) -> None:
    with house.database.writing() as session:
        call = service.submit_transcript(session, house.principal, transcript())
        told_of(session, call, evaluate(session, call, SECRET), SECRET, status="waiting")
    house.erase(call.id)
    with house.database.reading() as session:
        (row,) = session.exec(select(Delivery)).all()
        assert (row.status, row.payload) == ("given_up", {"erased": True})


def test_lines_keep_their_numbers(house: House) -> None:
    id_ = live(house, "C-1", SECRET)
    house.erase(id_)
    with house.database.reading() as session:
        chunks = session.exec(select(BatchChunk)).all()
        lines = [house.blobs.open(chunk.blob).read().decode().split("\n") for chunk in chunks]
    by_length = sorted(lines, key=len)
    assert [bool(line) for line in by_length[0]] == [False, True, False]
    assert [bool(line) for line in by_length[1]] == [True, False, True, False]
    assert len(list(house.blobs.kept())) == 2


@pytest.mark.parametrize("name", ["a/b", 'quo"te', "客户-7", "back\\slash"])
@pytest.mark.parametrize("ascii_", [True, False])
def test_a_line_is_found_however_its_id_is_written(name: str, ascii_: bool, house: House) -> None:
    told = transcript(name)
    line = json.dumps(json.loads(told.model_dump_json(by_alias=True)), ensure_ascii=ascii_).replace("/", "\\/")
    with house.database.writing() as session:
        call = service.submit_transcript(session, house.principal, told)
        chunk_of(house, session, [transcript("x")])
        chunk = session.exec(select(BatchChunk)).one()
        chunk.blob = house.blobs.put(io.BytesIO(line.encode())).sha256
        session.add(chunk)
    assert house.erase(call.id).chunks == 1
    with house.database.reading() as session:
        assert house.blobs.open(session.exec(select(BatchChunk)).one().blob).read() == b""


def sounded(house: House, principal: Principal, call_id: str) -> str:
    blob = house.blobs.put(io.BytesIO(SOUND))
    with house.database.writing() as session:
        return service.submit_recording(session, principal, recording(call_id), blob, blobs=house.blobs).id


def test_sound_that_another_client_has_too_stays_for_them(house: House) -> None:
    other = client_in(house.database, "another")
    mine, theirs = sounded(house, house.principal, "C-1"), sounded(house, other, "C-9")
    house.erase(mine)
    digest = hashlib.sha256(SOUND).hexdigest()
    assert house.blobs.exists(digest)
    with house.database.reading() as session:
        assert service.recording_of(session, service.find(session, other.client_id, theirs)).sha256 == digest
    erase(house.database, house.blobs, other, theirs, REASON)
    assert not house.blobs.exists(digest)
    assert house.places(SECRET) == set()


def test_another_clients_call_cannot_be_erased(house: House) -> None:
    id_ = sounded(house, house.principal, "C-1")
    with pytest.raises(UnknownResourceError):
        erase(house.database, house.blobs, client_in(house.database, "b"), id_, REASON)
    with house.database.reading() as session:
        assert service.find(session, house.principal.client_id, id_).erased_at is None


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 501, "客户 13812345678 要求", "电话 138-1234-5678", "a\0b"])
def test_a_reason_is_asked_for_that_names_nobody(reason: str, house: House) -> None:
    id_ = sounded(house, house.principal, "C-1")
    with pytest.raises(InputError, match="reason") as raised:
        house.erase(id_, reason)
    assert "138" not in str(raised.value)


def test_it_is_on_record_and_the_record_still_holds(house: House) -> None:
    id_ = live(house, "C-1", SECRET)
    client = house.principal.client_id
    with house.database.writing() as session:
        audit.record(session, house.principal, "call.read", id_)
        audit.seal(session, client)
    house.erase(id_)
    with house.database.writing() as session:
        audit.seal(session, client)
    with house.database.reading() as session:
        assert list(audit.verify(session, client)) == []
        events = everything(session)["audit_event"]
    (event,) = [event for event in events if event["action"] == "call.erased"]
    assert event["subject"] == id_
    assert event["facts"]["reason"] == f"sha256:{hashlib.sha256(REASON.encode()).hexdigest()}"
    assert REASON not in written(events)


class Stuck:
    def forget(self, client: str, call_ids: Any) -> None:
        raise NotReadyError("the answer cache could not forget a call; try again")


class Unreachable(FsspecBlobs):
    def delete(self, sha256: str) -> None:
        raise NotReadyError("the place where blobs are kept cannot be used")


@pytest.mark.parametrize("broken", ["memory", "blobs"])
def test_an_erasure_that_fails_leaves_the_call_and_can_be_repeated(broken: str, house: House) -> None:
    id_ = sounded(house, house.principal, "C-1")
    blobs = Unreachable(str(house.folder / "blobs")) if broken == "blobs" else house.blobs
    memories = [Stuck()] if broken == "memory" else []
    with pytest.raises(NotReadyError):
        erase(house.database, blobs, house.principal, id_, REASON, memories=memories)
    with house.database.reading() as session:
        call = service.find(session, house.principal.client_id, id_)
        assert house.blobs.exists(service.recording_of(session, call).sha256)
    house.erase(id_)
    assert list(house.blobs.kept()) == []


def test_other_hosts_catch_up(house: House) -> None:
    id_ = live(house, "C-1", SECRET)
    elsewhere = DiskCache(house.folder / "elsewhere" / "answers.sqlite")
    elsewhere.put("k", SECRET, "m", {}, client=house.principal.client_id, call_id="C-1")
    elsewhere.put("l", OTHER, "m", {}, client=house.principal.client_id, call_id="C-2")
    begin = catch_up(house.database, elsewhere, STARTED)
    assert elsewhere.get("k") is not None
    house.erase(id_)
    again = catch_up(house.database, elsewhere, begin)
    assert again >= begin
    assert elsewhere.get("k") is None
    assert elsewhere.get("l") is not None
    assert house.places(SECRET) == set()


def test_no_transcript_comes_in_behind_an_erasure(house: House) -> None:
    id_ = sounded(house, house.principal, "C-1")
    with house.database.reading() as session:
        call = service.find(session, house.principal.client_id, id_)
    house.erase(id_)
    with pytest.raises(GoneError), house.database.writing() as session:
        service.add_transcript(session, call, transcript("C-1"), "recogniser")
    with house.database.reading() as session:
        assert session.exec(select(TranscriptVersion)).all() == []


def test_the_same_sound_handed_in_and_erased_at_once(house: House) -> None:
    """Whatever comes first, no call that is there ever lacks its sound, and no sound is left that nobody has."""

    def come_and_go(thread: int) -> int:
        refused = 0
        for turn in range(8):
            try:
                id_ = sounded(house, house.principal, f"C-{thread}-{turn}")
            except NotReadyError:
                refused += 1
                continue
            with house.database.reading() as session:
                sha256 = service.recording_of(session, service.find(session, house.principal.client_id, id_)).sha256
            house.blobs.open(sha256).close()
            erase(house.database, house.blobs, house.principal, id_, REASON)
        return refused

    with ThreadPoolExecutor(4) as threads:
        refused = sum(threads.map(come_and_go, range(4)))
    assert refused < 32
    assert list(house.blobs.kept()) == []
