"""Deleting by age: each kind in its time, in bounded pieces, with the reason on record."""

import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlmodel import select

from callgrade.access import audit
from callgrade.calls import retention, service
from callgrade.calls.retention import Applied, RetentionPolicy, apply_retention, drop_unclaimed, policy_of, set_policy
from callgrade.calls.service import CallFilters
from callgrade.db.tables import Call, Delivery, Evaluation, EvaluationFlag, IdempotentRequest, StoredScorecard
from callgrade.db.types import now
from callgrade.domain.errors import GoneError, InputError
from callgrade.domain.scorecards import Scorecard
from tests.calls.made import SECRET, client_in, transcript
from tests.calls.test_erasure import House, chunk_of, evaluate, house, live, neighbour, sounded, told_of
from tests.db.rows import everything

__all__ = ["house"]

WHY = "合同第 7 条：保存期限"


def policy(house: House, **days: int) -> RetentionPolicy:
    return RetentionPolicy(client_id=house.principal.client_id, reason=WHY, **days)


def run(house: House, later: int = 0, **days: int) -> Applied:
    """As if `later` days had passed."""
    at = now() + timedelta(days=later)
    return apply_retention(house.database, house.blobs, policy(house, **days), at, memories=[house.cache])


def graded(house: House, call_id: str, words: str = SECRET) -> str:
    told = transcript(call_id, started_at=now().isoformat(), turns=[{"speaker": "customer", "text": words}])
    with house.database.writing() as session:
        call = service.submit_transcript(session, house.principal, told)
        evaluation = evaluate(session, call, words)
        evaluation.error = None
        told_of(session, call, evaluation, words)
    house.cache.put(call_id, words, "m", {}, client=house.principal.client_id, call_id=call_id)
    return call.id


def test_each_kind_goes_in_its_time(house: House) -> None:
    id_ = graded(house, "C-1")
    days = {"transcripts_days": 10, "scorecards_days": 20}
    assert run(house, 9, **days) == Applied()
    assert run(house, 11, **days) == Applied(transcripts=1, deliveries=1)
    assert house.places(SECRET) == {"scorecard"} | {n for n in house.places(SECRET) if n.startswith("callgrade.db")}
    with house.database.reading() as session:
        call = service.find(session, house.principal.client_id, id_)
        with pytest.raises(GoneError, match="保存期限"):
            service.transcript_of(session, call)
    assert run(house, 21, **days) == Applied(scorecards=1)
    assert house.places(SECRET) == set()
    assert run(house, 99, **days) == Applied()
    with house.database.reading() as session:
        row = session.exec(select(StoredScorecard)).one()
        assert Scorecard.model_validate_json(row.content).judgements
        assert {flag.flag for flag in session.exec(select(EvaluationFlag))} == {"needs_review", "erased"}
        # the call itself is still there: its recording has no limit
        assert service.find(session, house.principal.client_id, id_).erased_at is None


def test_what_came_in_again_is_still_known_after_its_words_went(house: House) -> None:
    with house.database.writing() as session:
        call = service.submit_transcript(session, house.principal, transcript())
    run(house, 11, transcripts_days=10)
    with house.database.writing() as session:
        assert service.submit_transcript(session, house.principal, transcript()).id == call.id


def test_a_recording_goes_and_its_facts_stay(house: House) -> None:
    id_ = sounded(house, house.principal, "C-1")
    assert run(house, 30, recordings_days=60) == Applied()
    assert run(house, 90, recordings_days=60) == Applied(recordings=1)
    assert list(house.blobs.kept()) == []
    assert house.places(SECRET) == set()
    with house.database.reading() as session:
        call = service.find(session, house.principal.client_id, id_)
        with pytest.raises(GoneError, match="policy"):
            service.recording_of(session, call)
        (row,) = everything(session)["recording"]
        assert (row["agent"], row["customer"], row["file_name"]) == (None, None, "")
        assert row["ended_at"] is not None
    assert run(house, 90, recordings_days=60) == Applied()


def test_sound_that_a_younger_call_has_too_stays(house: House) -> None:
    other = client_in(house.database, "another")
    sounded(house, house.principal, "C-1")
    theirs = sounded(house, other, "C-1")
    assert run(house, 90, recordings_days=60).recordings == 1
    with house.database.reading() as session:
        row = service.recording_of(session, service.find(session, other.client_id, theirs))
        assert house.blobs.exists(row.sha256)


def test_when_nothing_is_kept_any_more_the_call_is_erased(house: House) -> None:
    id_ = live(house, "C-1", SECRET)
    house.erase(live(house, "C-2", "别的"))
    days = {"recordings_days": 1, "transcripts_days": 2, "scorecards_days": 3}
    with house.database.writing() as session:
        for answer in session.exec(select(IdempotentRequest)):
            session.delete(answer)  # a day has passed
    assert run(house, 4, **days).calls == 1
    with house.database.reading() as session:
        row = session.get(Call, id_)
        assert (row.erased_because, row.facts) == (WHY, {})
    # what waits in a batch goes when it has been worked off
    assert {name for name in house.places(SECRET) if len(name) != 64} == set()


def test_a_start_in_the_future_keeps_nothing_for_good(house: House) -> None:
    with house.database.writing() as session:
        service.submit_transcript(session, house.principal, transcript(started_at="2090-01-01T00:00:00Z"))
    assert run(house, 11, transcripts_days=10).transcripts == 1


def test_a_call_of_long_ago_is_old_when_it_comes_in(house: House) -> None:
    with house.database.writing() as session:
        service.submit_transcript(session, house.principal, transcript(started_at="2001-01-01T00:00:00Z"))
    assert run(house, transcripts_days=10).transcripts == 1


def test_a_new_grading_of_an_old_call_is_as_old_as_itself(house: House) -> None:
    with house.database.writing() as session:
        call = service.submit_transcript(
            session, house.principal, transcript(started_at="2001-01-01T00:00:00Z", turns=[])
        )
        evaluate(session, call, SECRET)
    assert run(house, scorecards_days=10) == Applied()
    assert run(house, 11, scorecards_days=10).scorecards == 1


def test_in_pieces_and_other_clients_keep_theirs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    other = client_in(house.database, "another")
    with house.database.writing() as session:
        for number in range(7):
            service.submit_transcript(session, house.principal, neighbour(f"C-{number}"))
            service.submit_transcript(session, other, neighbour(f"C-{number}"))
    for number in range(7):
        graded(house, f"G-{number}")
    days = {"transcripts_days": 10, "scorecards_days": 10}
    assert run(house, 11, **days) == Applied(transcripts=14, scorecards=7, deliveries=7)
    assert run(house, 11, recordings_days=10, **days).calls == 14
    assert house.places(SECRET) == set()
    with house.database.reading() as session:
        page = service.list_page(session, other.client_id, CallFilters())
        assert len(page.items) == 7
        assert all(service.transcript_of(session, call).turns for call in page.items)
        pieces = [e for e in everything(session)["audit_event"] if e["action"].startswith("retention.")]
    named = [len(event["facts"]["ids"]) for event in pieces]
    assert max(named) == 3
    assert sum(named) == 14 + 7 + 14
    with house.database.writing() as session:
        audit.seal(session, house.principal.client_id)
    with house.database.reading() as session:
        assert list(audit.verify(session, house.principal.client_id)) == []


def test_what_stops_in_the_middle_goes_on(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    for number in range(5):
        graded(house, f"G-{number}")
    left = [2]

    class Stopping:
        def forget(self, client: str, call_ids: Any) -> None:
            if not left.pop():
                raise KeyboardInterrupt
            left.append(0)

    at = now() + timedelta(days=11)
    with pytest.raises(KeyboardInterrupt):
        apply_retention(house.database, house.blobs, policy(house, transcripts_days=10), at, memories=[Stopping()])
    assert run(house, 11, transcripts_days=10).transcripts == 3


def test_what_waits_to_be_delivered_is_delivered_first(house: House) -> None:
    with house.database.writing() as session:
        call = service.submit_transcript(session, house.principal, transcript())
        told_of(session, call, evaluate(session, call, "x"), "x", status="waiting")
    assert run(house, 11, transcripts_days=10).deliveries == 0
    with house.database.reading() as session:
        assert session.exec(select(Delivery)).one().payload != {"erased": True}


def test_a_policy_is_kept_with_its_reason(house: House) -> None:
    client = house.principal.client_id
    with house.database.reading() as session:
        assert policy_of(session, client) is None
    for days in (90, 30):
        with house.database.writing() as session:
            set_policy(session, house.principal, policy(house, recordings_days=days))
    with house.database.reading() as session:
        assert policy_of(session, client) == policy(house, recordings_days=30)
        assert retention.policies(session) == [policy(house, recordings_days=30)]
        assert len(everything(session)["retention_rule"]) == 2
        assert [e["action"] for e in everything(session)["audit_event"]] == ["retention.set"] * 2
    for reason in ("", "13812345678"):
        with pytest.raises(InputError, match="reason"), house.database.writing() as session:
            set_policy(session, house.principal, policy(house).model_copy(update={"reason": reason}))
    with pytest.raises(ValidationError):
        policy(house, recordings_days=0)


def test_uploads_whose_request_failed_go(house: House, tmp_path: Path) -> None:
    id_ = sounded(house, house.principal, "C-1")
    with house.database.writing() as session:
        chunk_of(house, session, [neighbour("x")])
    lost = house.blobs.put(io.BytesIO(b"nobody's")).sha256
    fresh = house.blobs.put(io.BytesIO(b"its row is on its way")).sha256
    for path in (tmp_path / "blobs").rglob("?" * 64):
        if path.name != fresh:
            os.utime(path, (path.stat().st_mtime - 2 * 86_400,) * 2)
    assert drop_unclaimed(house.database, house.blobs, now()) == 1
    assert not house.blobs.exists(lost)
    assert len(list(house.blobs.kept())) == 3
    with house.database.reading() as session:
        call = service.find(session, house.principal.client_id, id_)
        assert house.blobs.exists(service.recording_of(session, call).sha256)
        assert session.exec(select(Evaluation)).all() == []
