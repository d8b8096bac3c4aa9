"""Lines that name recordings: each leaves one trace, is fetched once, goes on as a single call does, and its batch ends
with the last of them."""

import asyncio
import io
import threading
from typing import Any

import pytest
from sqlmodel import select

from callgrade.adapters.blobs import FsspecBlobs
from callgrade.adapters.guarded import FetchFailedError
from callgrade.calls import awaiting, erasure
from callgrade.calls import service as calls
from callgrade.calls.manifest import read_line
from callgrade.db.session import Database
from callgrade.db.tables import AwaitedRecording, Batch, BatchChunk, Call, Delivery, Evaluation, Recording
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import InputError, NotReadyError, RecordingError
from callgrade.evaluations import chunks, recorded, repository, results
from callgrade.evaluations.clearing import clear_all
from callgrade.evaluations.fetching import PAUSES_S
from callgrade.evaluations.pipeline import Pipeline
from callgrade.evaluations.traces import CancelledError
from callgrade.ports import StoredBlob
from tests.db.rows import everything
from tests.evaluations.made import CLIENT, US, Model, as_json, batch, begin, pipeline, transcript, webhook

SECRET = "sig=5ec12e7"


def line(call_id: str, **more: Any) -> str:
    return as_json(audio_url=f"https://storage.example.com/{call_id}.wav?{SECRET}", call_id=call_id, **more)


class Storage:
    """What is at the URLs: a recording of its own at each, unless `answers` says what goes wrong, and how often."""

    def __init__(self, **answers: list[Exception]):
        self.answers, self.asked = answers, list[str]()

    def fetch(self, url: str, blobs: Any) -> StoredBlob:
        call_id = url.rpartition("/")[2].partition(".wav")[0]
        self.asked.append(call_id)
        if left := self.answers.get(call_id.replace("-", "_")):
            raise left.pop(0)
        stored: StoredBlob = blobs.put(io.BytesIO(b"RIFF" + call_id.encode()))
        return stored


class Ears:
    def __init__(self) -> None:
        self.heard = list[str]()

    def transcribe(self, path: Any, *, agent_channel: str | None = None) -> Transcript:
        said = path.read_bytes()[4:].decode()
        self.heard.append(said)
        if said == "R-silent":
            raise RecordingError("no audio in it")
        return transcript(path.name, said=f"这是{said}，不满意随时取消", recogniser="tiny")


class Queue:
    """Keeps what is handed in; `work_off` does it, the earliest first."""

    def __init__(self, work: Pipeline):
        self.work, self.left, self.all = work, list[tuple[str, ...]](), list[tuple[str, ...]]()

    def enqueue_evaluation(self, id_: str, *, queue: str, priority: int, attempt: int) -> None:
        self._add(queue, id_, str(attempt), str(priority))

    def enqueue_chunk(self, batch_id: str, number: int) -> None:
        self._add("chunk", batch_id, str(number))

    def enqueue_fetch(self, id_: str, *, call_id: str, priority: int, number: int = 0, delay_s: float = 0.0) -> None:
        self._add("fetch", id_, call_id, str(number), str(delay_s))

    def cancel_evaluation(self, id_: str, *, attempt: int) -> None:
        self._add("cancel", id_)

    def _add(self, *what: str) -> None:
        self.left.append(what)
        self.all.append(what)

    async def work_off(self, *kinds: str) -> None:
        while found := [item for item in self.left if item[0] in kinds or not kinds]:
            self.left.remove(found[0])
            await self.do(found[0])

    async def do(self, item: tuple[str, ...]) -> None:
        match item:
            case ("fetch", id_, call_id, number, _):
                await self.work.fetch(id_, call_id, int(number))
            case ("asr", id_, attempt, priority):
                if await self.work.transcribe(id_):
                    self._add("score", id_, attempt, priority)
            case ("score", id_, *_):
                await self.work.judge(id_)
            case ("chunk", batch_id, number):
                await self.work.judge_chunk(batch_id, int(number))


class House:
    def __init__(self, database: Database, folder: Any, storage: Storage | None = None, model: Any = None):
        self.database, self.folder = database, folder
        self.storage, self.ears, self.model = storage or Storage(), Ears(), model or Model()
        self.work = pipeline(database, folder, [self.model], recordings=self.ears, fetcher=self.storage.fetch)
        self.queue = Queue(self.work)
        self.work.queue = self.queue  # type: ignore[assignment]
        self.blobs = FsspecBlobs(str(folder / "blobs"))

    def batch(self, *lines: Any, **more: Any) -> str:
        return batch(self.database, self.folder, lines, **more)

    def tally(self, batch_id: str) -> dict[str, Any]:
        with self.database.reading() as session:
            row = session.get(Batch, batch_id)
            assert row is not None
            counts = {name: n for name, n in results.tally(session, row)._asdict().items() if n}
            return {"status": row.status, **counts}

    def lines(self, batch_id: str) -> list[tuple[int, str | None, str, str | None]]:
        with self.database.reading() as session:
            row = session.get(Batch, batch_id)
        assert row is not None
        found = results.lines(self.database, row)
        return [(x.line, x.call_id, x.status, x.error["type"] if x.error else None) for x in found]

    def rows(self, table: Any) -> list[Any]:
        with self.database.reading() as session:
            return list(session.exec(select(table)))

    def kept(self, words: str) -> set[str]:
        """Where these words stand: tables, and blobs."""
        with self.database.reading() as session:
            found = {name for name, rows in everything(session).items() if words in str(rows)}
        files = [path for path in (self.folder / "blobs").rglob("*") if path.is_file()]
        return found | {"blobs" for path in files if words.encode() in path.read_bytes()}


@pytest.fixture
def house(database: Database, tmp_path: Any) -> House:
    begin(database)
    return House(database, tmp_path)


async def test_lines_of_both_kinds_go_their_ways_and_each_leaves_one_trace(house: House) -> None:
    hook_events = ["evaluation.proposed", "evaluation.failed", "batch.done"]
    webhook(house.database, *hook_events)
    batch_id = house.batch(
        line("R-1", agent={"id": "8031", "team": "sales-2"}, agent_channel="0", priority=7),
        transcript("T-1"),
        line("R-silent"),
        "no transcript",
        as_json(audio_url="http://169.254.169.254/latest", call_id="R-2"),
        as_json(audio_url="https://storage.example.com/a.wav", call_id="R-3", turns=[]),
        transcript("R-1"),
        line("R-4"),
    )
    await house.work.judge_chunk(batch_id, 0)
    # transcripts wait for no download, and the batch waits for the recordings
    assert house.storage.asked == []
    assert house.tally(batch_id) == {
        "status": "running", "total": 8, "proposed": 1, "failed": 4, "pending": 3, "faulty": 4,
    }  # fmt: skip
    assert [x[:3] for x in house.lines(batch_id) if x[2] == "queued"] == [
        (1, "R-1", "queued"), (3, "R-silent", "queued"), (8, "R-4", "queued"),
    ]  # fmt: skip
    assert house.kept(SECRET) == {"awaited_recording"}
    await house.queue.work_off()
    assert house.lines(batch_id) == [
        (1, "R-1", "proposed", None),
        (2, "T-1", "proposed", None),
        (3, "R-silent", "failed", "recording"),
        (4, None, "failed", "transcript"),
        (5, None, "failed", "url-refused"),
        (6, None, "failed", "manifest"),
        (7, None, "failed", "conflict"),
        (8, "R-4", "proposed", None),
    ]
    assert house.tally(batch_id) == {"status": "done", "total": 8, "proposed": 3, "failed": 5, "faulty": 4}
    assert house.kept(SECRET) == set()
    assert sorted(house.storage.asked) == sorted(house.ears.heard) == ["R-1", "R-4", "R-silent"]
    first = next(row for row in house.rows(Evaluation) if row.line == 1)
    assert (first.priority, first.agent_id, first.team) == (7, "8031", "sales-2")
    told = [(row.event, row.payload["data"].get("line")) for row in house.rows(Delivery)]
    assert sorted(told, key=str) == [
        ("batch.done", None), ("evaluation.failed", 3), ("evaluation.proposed", 1), ("evaluation.proposed", 2),
        ("evaluation.proposed", 8),
    ]  # fmt: skip


async def test_worked_off_twice_nothing_comes_twice(house: House) -> None:
    batch_id = house.batch(*(line(f"R-{n}") for n in range(30)), "no call", line("R-3"))
    with house.database.reading() as session:
        chunk = session.get(BatchChunk, (batch_id, 0))
    assert chunk is not None
    await asyncio.gather(*(house.work.judge_chunk(batch_id, 0) for _ in range(2)))
    fetches = [item for item in house.queue.left if item[0] == "fetch"]
    for item in fetches * 2:
        await house.queue.do(item)
    for item in [item for item in house.queue.left if item[0] == "asr"] * 2:
        await house.queue.do(item)
    house.queue.left = [item for item in house.queue.left if item[0] == "score"] * 2
    await house.queue.work_off()
    assert house.tally(batch_id) == {"status": "done", "total": 32, "proposed": 31, "failed": 1, "faulty": 1}
    assert len(house.storage.asked) == len(house.ears.heard) == len(house.model.asked) == 30
    assert [len(house.rows(table)) for table in (Call, Recording, Evaluation)] == [30, 30, 30]


async def test_a_chunk_that_died_between_its_store_and_its_queue_is_found_by_the_sweeps_pages(house: House) -> None:
    batch_id = house.batch(line("R-1"), line("R-2"))
    house.work.queue = None
    await house.work.judge_chunk(batch_id, 0)
    with house.database.reading() as session:
        waiting = awaiting.page(session, "", 10)
        assert repository.open_ones(session, "", 10) == [], "to fetch is the work"
        assert chunks.ended_ones(session, 10) == []
    house.work.queue = house.queue  # type: ignore[assignment]
    for row in waiting:
        house.queue.enqueue_fetch(row.id, call_id=row.call_id, priority=row.priority, number=row.tries)
    await house.queue.work_off()
    assert house.tally(batch_id) == {"status": "done", "total": 2, "proposed": 2}


async def test_a_worker_that_died_after_it_stored_the_recording_hands_on_what_waited(house: House) -> None:
    batch_id = house.batch(line("R-1"))
    await house.work.judge_chunk(batch_id, 0)
    (item,) = house.queue.left
    house.work.queue = None
    await house.queue.do(item)
    assert house.rows(AwaitedRecording) == []
    house.work.queue = house.queue  # type: ignore[assignment]
    await house.queue.work_off()
    assert house.storage.asked == ["R-1"]
    assert house.tally(batch_id)["status"] == "done"


async def test_what_may_work_later_is_tried_again_and_not_for_ever(database: Database, tmp_path: Any) -> None:
    begin(database)
    away = [FetchFailedError("the URL's host answers 503") for _ in range(10)]
    house = House(database, tmp_path, Storage(R_1=away[:2], R_2=list(away)))
    batch_id = house.batch(line("R-1"), line("R-2"))
    await house.work.judge_chunk(batch_id, 0)
    await house.queue.work_off()
    assert house.storage.asked.count("R-1") == 3
    assert house.storage.asked.count("R-2") == 1 + len(PAUSES_S)
    pauses = [float(item[4]) for item in house.queue.all if item[0] == "fetch" and item[3] != "0"]
    assert sorted(pauses) == sorted([*PAUSES_S, *PAUSES_S[:2]])
    assert house.lines(batch_id) == [(1, "R-1", "proposed", None), (2, "R-2", "failed", "recording-not-fetched")]
    assert house.tally(batch_id) == {"status": "done", "total": 2, "proposed": 1, "failed": 1}
    (failed,) = [row for row in house.rows(Evaluation) if row.status == "failed"]
    assert "answers 503" in failed.error["message"]
    assert "storage.example.com" not in str(failed.error)
    assert failed.error["retryable"] is False
    assert house.kept(SECRET) == set()


async def test_a_try_whose_next_one_was_not_handed_in_hands_it_in(database: Database, tmp_path: Any) -> None:
    begin(database)
    house = House(database, tmp_path, Storage(R_1=[FetchFailedError("away")]))
    await house.work.judge_chunk(house.batch(line("R-1")), 0)
    (first,) = house.queue.left
    house.work.queue = None
    await house.queue.do(first)
    house.work.queue = house.queue  # type: ignore[assignment]
    await house.queue.do(first)
    assert house.storage.asked == ["R-1"], "it waits before it asks again"
    assert house.queue.left[-1][3:] == ("1", str(PAUSES_S[0]))


async def test_what_will_not_work_fails_at_once_and_a_bug_tells_nothing_of_the_url(
    database: Database, tmp_path: Any
) -> None:
    begin(database)
    house = House(
        database,
        tmp_path,
        Storage(R_1=[InputError("the URL's host answers 403")], R_2=[ValueError(f"https://x/?{SECRET}")]),
    )
    batch_id = house.batch(line("R-1"), line("R-2"))
    await house.work.judge_chunk(batch_id, 0)
    await house.queue.work_off()
    assert sorted(house.storage.asked) == ["R-1", "R-2"]
    assert {x[3] for x in house.lines(batch_id)} == {"recording-not-fetched"}
    assert house.kept(SECRET) == house.kept("storage.example.com") == set()


async def test_where_our_own_side_is_down_nothing_is_given_up(database: Database, tmp_path: Any) -> None:
    begin(database)
    house = House(database, tmp_path, Storage(R_1=[NotReadyError("no room is left where blobs are kept")]))
    batch_id = house.batch(line("R-1"))
    await house.work.judge_chunk(batch_id, 0)
    (item,) = house.queue.left
    with pytest.raises(NotReadyError):
        await house.queue.do(item)
    await house.queue.work_off()
    assert house.tally(batch_id) == {"status": "done", "total": 1, "proposed": 1}


async def test_a_cancelled_batch_fetches_nothing_more_and_forgets_where(house: House) -> None:
    batch_id = house.batch(line("R-1"), line("R-2"), line("R-3"), transcript("T-1"), chunk=2)
    await house.work.judge_chunk(batch_id, 0)
    fetches = list(house.queue.left)
    await house.queue.do(fetches[0])
    (asr,) = [item for item in house.queue.left if item[0] == "asr"]
    with house.database.writing() as session:
        chunks.cancel_batch(session, CLIENT, batch_id)
    assert house.kept(SECRET) == {"blobs"}, "its other chunk was not worked off"
    assert clear_all(house.database, house.blobs) == 1
    assert house.kept(SECRET) == set()
    for item in (*fetches, asr, ("chunk", batch_id, "1")):
        await house.queue.do(item)
    assert (house.storage.asked, house.ears.heard, house.model.asked) == (["R-1"], [], [])
    assert house.tally(batch_id) == {"status": "cancelled", "total": 4, "cancelled": 4}


async def test_a_recording_that_comes_in_after_its_batch_was_cancelled_is_not_kept(house: House) -> None:
    batch_id = house.batch(line("R-1"))
    await house.work.judge_chunk(batch_id, 0)
    fetch = house.storage.fetch

    def cancelled_meanwhile(url: str, blobs: Any) -> StoredBlob:
        stored = fetch(url, blobs)
        with house.database.writing() as session:
            chunks.cancel_batch(session, CLIENT, batch_id)
        return stored

    house.work.fetcher = cancelled_meanwhile
    await house.queue.work_off()
    assert house.rows(Recording) == []
    assert house.kept("RIFF") == set()
    assert house.tally(batch_id) == {"status": "cancelled", "total": 1, "cancelled": 1}


async def test_a_chunk_whose_batch_was_cancelled_meanwhile_stores_nothing(house: House) -> None:
    batch_id = house.batch(line("R-1"))
    with house.database.reading() as session:
        chunk = chunks.open_chunk(session, batch_id, 0)
    assert chunk is not None
    with house.database.writing() as session:
        chunks.cancel_batch(session, CLIENT, batch_id)
    read = [read_line(1, line("R-1").encode())]
    with pytest.raises(CancelledError), house.database.writing() as session:
        recorded.store(session, chunk, read)
    assert house.rows(Call) == house.rows(AwaitedRecording) == []


@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
def test_a_batch_is_not_cancelled_while_lines_of_it_are_stored(house: House) -> None:
    batch_id = house.batch(line("R-1"))
    begun, cancelled = threading.Event(), threading.Event()

    def cancel() -> None:
        begun.set()
        with house.database.writing() as session:
            chunks.cancel_batch(session, CLIENT, batch_id)
        cancelled.set()

    canceller = threading.Thread(target=cancel)
    with house.database.writing() as session:
        chunk = chunks.open_chunk(session, batch_id, 0)
        assert chunk is not None
        assert chunks.hold_wanted(session, batch_id, 0)
        canceller.start()
        assert begun.wait(10)
        assert not cancelled.wait(0.5)
        recorded.store(session, chunk, [read_line(1, line("R-1").encode())])
    canceller.join(30)
    assert [row.status for row in house.rows(Evaluation)] == ["cancelled"]
    assert house.rows(AwaitedRecording) == []


async def test_what_nobody_waits_for_any_more_is_not_fetched(house: House) -> None:
    await house.work.judge_chunk(house.batch(line("R-1")), 0)
    (made,) = house.rows(Evaluation)
    with house.database.writing() as session:
        repository.cancel(session, CLIENT, made.id)
    await house.queue.work_off()
    assert house.storage.asked == []
    assert house.kept(SECRET) == set()


async def test_two_batches_want_one_call_and_one_of_them_is_cancelled(house: House) -> None:
    first, second = house.batch(line("R-1")), house.batch(line("R-1"), line("R-2"))
    await house.work.judge_chunk(first, 0)
    await house.work.judge_chunk(second, 0)
    with house.database.writing() as session:
        chunks.cancel_batch(session, CLIENT, second)
    await house.queue.work_off()
    assert house.storage.asked == ["R-1"]
    assert house.tally(first) == {"status": "done", "total": 1, "proposed": 1}
    # the first line is told by the evaluation that was there
    assert house.tally(second) == {"status": "cancelled", "total": 2, "proposed": 1, "cancelled": 1}


async def test_an_erased_call_is_not_fetched_and_its_batch_ends(house: House) -> None:
    batch_id = house.batch(line("R-1"))
    await house.work.judge_chunk(batch_id, 0)
    (call,) = house.rows(Call)
    done = erasure.erase(house.database, house.blobs, US, call.id, "客户书面要求删除")
    assert len(done.cancelled) == 1
    assert house.kept(SECRET) == set()
    await house.queue.work_off()
    assert house.storage.asked == []
    with house.database.writing() as session:
        (ended,) = chunks.ended_ones(session, 10)
        chunks.end(session, ended)
    assert house.tally(batch_id) == {"status": "done", "total": 1, "cancelled": 1}


async def test_an_erasure_finds_the_lines_of_a_chunk_that_waits(house: House) -> None:
    batch_id = house.batch(line("R-1"), line("R-2"))
    other = house.batch(line("R-1"), line("R-3"))
    await house.work.judge_chunk(batch_id, 0)
    call = next(row for row in house.rows(Call) if row.call_id == "R-1")
    erasure.erase(house.database, house.blobs, US, call.id, "客户书面要求删除")
    assert house.kept("/R-1.wav") == set()
    await house.work.judge_chunk(other, 0)
    await house.queue.work_off()
    assert house.lines(other) == [(1, None, "failed", "transcript"), (2, "R-3", "proposed", None)]


async def test_the_batchs_end_is_told_once_whoever_comes_last(house: House) -> None:
    webhook(house.database, "batch.done")
    batch_id = house.batch(*(line(f"R-{n}") for n in range(12)))
    await house.work.judge_chunk(batch_id, 0)
    await house.queue.work_off("fetch", "asr")
    await asyncio.gather(*(house.queue.do(item) for item in house.queue.left))
    await house.work.end_batch(batch_id)
    assert house.tally(batch_id) == {"status": "done", "total": 12, "proposed": 12}
    assert [row.event for row in house.rows(Delivery)] == ["batch.done"]


async def test_a_batch_that_still_comes_in_is_not_ended_by_its_recordings(house: House) -> None:
    batch_id = house.batch(line("R-1"))
    with house.database.writing() as session:
        row = session.get(Batch, batch_id)
        assert row is not None
        row.status = "receiving"
        session.add(row)
    await house.work.judge_chunk(batch_id, 0)
    await house.queue.work_off()
    assert house.tally(batch_id)["status"] == "receiving"
    with house.database.writing() as session:
        chunks.received(session, batch_id, 1)
    assert house.tally(batch_id)["status"] == "done"


async def test_a_recording_that_did_not_come_gets_another_url_by_another_batch(
    database: Database, tmp_path: Any
) -> None:
    begin(database)
    house = House(database, tmp_path, Storage(R_1=[InputError("the URL's host answers 403")]))
    first = house.batch(line("R-1"))
    await house.work.judge_chunk(first, 0)
    await house.queue.work_off()
    assert house.tally(first) == {"status": "done", "total": 1, "failed": 1}
    second = house.batch(line("R-1"))
    await house.work.judge_chunk(second, 0)
    await house.queue.work_off()
    (made,) = house.rows(Evaluation)
    assert (made.status, made.attempt, made.batch_id) == ("proposed", 2, first)
    assert house.lines(second) == house.lines(first) == [(1, "R-1", "proposed", None)]


async def test_a_call_that_is_there_already_is_not_fetched_for_another_rubric_or_batch(house: House) -> None:
    first = house.batch(line("R-1"))
    await house.work.judge_chunk(first, 0)
    await house.queue.work_off()
    second = house.batch(line("R-1"))
    with house.database.writing() as session:
        for row in session.exec(select(Evaluation)):
            row.dedupe = "of another rubric"
            session.add(row)
    await house.work.judge_chunk(second, 0)
    await house.queue.work_off()
    assert house.storage.asked == house.ears.heard == ["R-1"]
    assert house.tally(second) == {"status": "done", "total": 1, "proposed": 1}


async def test_lines_go_as_soon_as_they_are_worked_off(house: House) -> None:
    batch_id = house.batch(transcript("T-1", said="我的卡号是六二二二"), line("R-1"))
    same = house.batch(transcript("T-1", said="我的卡号是六二二二"), line("R-1"))
    await house.work.judge_chunk(batch_id, 0)
    assert "blobs" in house.kept(SECRET), "another batch has the very same lines"
    await house.work.judge_chunk(same, 0)
    assert house.kept(SECRET) == {"awaited_recording"}
    assert {row.blob for row in house.rows(BatchChunk)} == {""}
    await house.queue.work_off()
    assert [house.tally(x)["status"] for x in (batch_id, same)] == ["done", "done"]


async def test_lines_that_wait_for_the_model_are_counted_as_parked(
    database: Database, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(database)
    monkeypatch.setattr("callgrade.evaluations.bulk.TELL_S", 0.01)
    model = Model(*["model-unavailable"] * 3)
    house = House(database, tmp_path, model=model)
    batch_id = house.batch(*(transcript(f"T-{n}") for n in range(3)))
    work = asyncio.create_task(house.work.judge_chunk(batch_id, 0))
    seen = set[int]()
    while not work.done():
        seen.add(house.tally(batch_id).get("parked", 0))
        await asyncio.sleep(0.01)
    await work
    assert 3 in seen
    assert house.tally(batch_id) == {"status": "done", "total": 3, "proposed": 3}


async def test_an_evaluation_asked_for_while_the_recording_is_under_way_waits_for_it(house: House) -> None:
    await house.work.judge_chunk(house.batch(line("R-1")), 0)
    (call,) = house.rows(Call)
    (evaluation,) = house.rows(Evaluation)
    assert not await house.work.transcribe(evaluation.id)
    assert house.rows(Evaluation)[0].status == "queued", "it did not fail for want of a recording"
    await house.queue.work_off()
    assert house.rows(Evaluation)[0].status == "proposed"
    with house.database.reading() as session:
        assert calls.recording_of(session, call).size == len(b"RIFFR-1")
