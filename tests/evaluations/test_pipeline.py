import asyncio
from pathlib import Path

import pytest
from sqlalchemy import func, select

from callgrade.adapters.rules import RuleJudge
from callgrade.calls import service as calls
from callgrade.calls.metadata import RecordingMetadata
from callgrade.db.tables import Batch, Delivery
from callgrade.domain.errors import NotReadyError, RecordingError
from callgrade.evaluations import chunks, outlines, patience, registry, repository, traces
from callgrade.evaluations.failures import NoOutage
from callgrade.evaluations.outbox import DELIVERIES
from callgrade.evaluations.tables import BATCH_FAULT, CALL, EVALUATION, SCORECARD
from tests.evaluations.made import (
    CLIENT,
    FORM,
    US,
    Model,
    as_json,
    batch,
    begin,
    evaluation,
    pipeline,
    submit,
    transcript,
    webhook,
)


def scorecard(database, id_):
    with database.reading() as session:
        return repository.scorecard_of(session, repository.find(session, CLIENT, id_))


async def until(holds):
    while not holds():  # noqa: ASYNC110 - what is waited for happens in a database
        await asyncio.sleep(0.02)


def count(database, table):
    with database.reading() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


async def test_a_call_is_judged_and_told_of_once(database, tmp_path):
    made = submit(database, transcript(), begin(database))
    webhook(database, "evaluation.proposed")
    heard = []
    database.listen(DELIVERIES, lambda: heard.append(1))
    model = Model()
    work = pipeline(database, tmp_path, [RuleJudge(), model])
    for _ in range(3):
        await work.judge(made.id)
    assert evaluation(database, made.id).status == "proposed"
    assert scorecard(database, made.id).total.value == 10
    assert model.asked == ["C-1"]
    with database.reading() as session:
        (delivery,) = session.execute(select(Delivery)).scalars()
    assert len(heard) == 1
    assert delivery.payload["data"] == {"evaluation_id": made.id, "call_id": "C-1", "attempt": 1}
    assert (delivery.call_id, delivery.status) == (made.call_id, "waiting")
    await work.aclose()


async def test_a_worker_that_died_over_a_call_is_replaced(database, tmp_path):
    made = submit(database, transcript(), begin(database))
    with database.writing() as session:
        repository.begin(session, made.id, "judging")
    await pipeline(database, tmp_path, [RuleJudge(), Model()]).judge(made.id)
    assert evaluation(database, made.id).status == "proposed"


@pytest.mark.parametrize("kind", ["model-unavailable", "rate-limited", "quota-exhausted", "key-refused"])
async def test_an_outage_parks_the_call_until_it_is_over(database, tmp_path, kind):
    made = submit(database, transcript(), begin(database))
    over = asyncio.Event()

    class Away(NoOutage):
        async def over(self):
            await over.wait()

    model = Model(kind, kind)
    work = pipeline(database, tmp_path, [RuleJudge(), model], outage=Away())
    task = asyncio.create_task(work.judge(made.id))
    await until(lambda: evaluation(database, made.id).status == "parked")
    over.set()
    await task
    assert (evaluation(database, made.id).status, len(model.asked)) == ("proposed", 3)


async def test_a_parked_call_can_be_cancelled(database, tmp_path):
    made = submit(database, transcript(), begin(database))

    class Cancelled(NoOutage):
        async def over(self):
            with database.writing() as session:
                repository.cancel(session, CLIENT, made.id)

    await pipeline(database, tmp_path, [Model("model-unavailable")], outage=Cancelled()).judge(made.id)
    assert evaluation(database, made.id).status == "cancelled"


@pytest.mark.parametrize("kind", ["content-filtered", "context-too-long", "model-timeout"])
async def test_where_waiting_does_not_help_it_fails_with_the_reason(database, tmp_path, kind):
    made = submit(database, transcript(), begin(database))
    webhook(database, "evaluation.failed", "evaluation.proposed")
    work = pipeline(database, tmp_path, [RuleJudge(), Model(kind)])
    await work.judge(made.id)
    found = evaluation(database, made.id)
    assert (found.status, found.error["type"], found.error["message"]) == ("failed", kind, "it failed")
    with database.writing() as session:
        repository.retry(session, CLIENT, made.id)
    await work.judge(made.id)
    assert evaluation(database, made.id).status == "proposed"
    with database.reading() as session:
        events = sorted(delivery.event for delivery in session.execute(select(Delivery)).scalars())
    assert events == ["evaluation.failed", "evaluation.proposed"]


async def test_a_call_that_only_the_model_itself_refuses_does_not_wait_for_ever(database, tmp_path, monkeypatch):
    monkeypatch.setattr("callgrade.evaluations.judging.PAUSE_S", 0.0)
    made = submit(database, transcript(), begin(database))

    class Others(NoOutage):
        @property
        def answers(self):
            return len(model.asked)

    model = Model(*["model-unavailable"] * 9)
    await pipeline(database, tmp_path, [model], outage=Others()).judge(made.id)
    assert evaluation(database, made.id).error["type"] == "model-unavailable"
    assert len(model.asked) == 4


async def test_a_bug_fails_the_call_and_tells_nothing_of_it(database, tmp_path):
    made = submit(database, transcript(), begin(database))

    class Broken:
        async def judge(self, words, form):
            raise ValueError(words.turns[0].text)

    await pipeline(database, tmp_path, [Broken()]).judge(made.id)
    error = evaluation(database, made.id).error
    assert error == {"type": "unexpected", "message": "internal error (ValueError)", "retryable": False}


# recordings


class Recogniser:
    def __init__(self, error=None):
        self.error, self.heard = error, []

    def transcribe(self, path: Path, *, agent_channel=None):
        self.heard.append((path.read_bytes(), agent_channel))
        if self.error:
            raise self.error(path)
        return transcript("whatever the file is called").model_copy(update={"recogniser": "tiny"})


def recorded(database, work, tmp_path, version):
    sound = tmp_path / "sound"
    sound.write_bytes(b"sound")
    with sound.open("rb") as stream:
        blob = work.blobs.put(stream)
    told = RecordingMetadata(
        call_id="R-1", agent={"id": "8031", "team": "t"}, agent_channel="1", facts={"direction": "out"}
    )
    with database.writing() as session:
        call = calls.submit_recording(session, US, told, blob, blobs=work.blobs)
        return repository.create_evaluation(session, US, call, version)[0]


async def test_a_recording_gets_its_words_and_then_its_judge(database, tmp_path):
    ears = Recogniser()
    work = pipeline(database, tmp_path, [RuleJudge(), Model()], recordings=ears)
    made = recorded(database, work, tmp_path, begin(database))
    with database.reading() as session:
        assert repository.needs_recogniser(session, made)
    assert await work.transcribe(made.id)
    assert evaluation(database, made.id).status == "queued"
    assert await work.transcribe(made.id), "once more, after a crash"
    assert ears.heard == [(b"sound", "1")]
    await work.judge(made.id)
    assert not await work.transcribe(made.id), "it is done"
    assert evaluation(database, made.id).status == "proposed"
    with database.reading() as session:
        words = calls.transcript_of(session, calls.find(session, CLIENT, made.call_id))
    assert (words.call_id, words.agent.id, words.facts["direction"], words.recogniser) == ("R-1", "8031", "out", "tiny")


@pytest.mark.parametrize("drawn", [(2_000, ((0.5, 1.0),)), None, RecordingError("no audio in it", source="x")])
async def test_whoever_has_heard_a_recording_keeps_its_outline(database, tmp_path, drawn):
    def draw(_path):
        if isinstance(drawn, Exception):
            raise drawn
        return drawn

    work = pipeline(database, tmp_path, [Model()], recordings=Recogniser(), draw=draw)
    made = recorded(database, work, tmp_path, begin(database))
    assert await work.transcribe(made.id), "the words are there without it too"
    with database.reading() as session:
        assert outlines.kept(session, made.call_id) == (drawn if isinstance(drawn, tuple) else None)


async def test_a_recording_that_cannot_be_read_fails_without_a_place(database, tmp_path):
    ears = Recogniser(lambda path: RecordingError("no audio in it", source=str(path)))
    work = pipeline(database, tmp_path, [Model()], recordings=ears)
    made = recorded(database, work, tmp_path, begin(database))
    assert not await work.transcribe(made.id)
    error = evaluation(database, made.id).error
    assert error == {"type": "recording", "message": "the recording: no audio in it", "retryable": False}


# chunks


def progress(database, batch_id):
    with database.reading() as session:
        return chunks.progress(session, session.get(Batch, batch_id))


def faults(database):
    with database.reading() as session:
        rows = session.execute(select(BATCH_FAULT.c.line, BATCH_FAULT.c.error).order_by(BATCH_FAULT.c.line))
        return {row.line: row.error for row in rows}


async def test_every_line_of_a_chunk_leaves_one_trace(database, tmp_path):
    begin(database)
    webhook(database, "evaluation.proposed", "batch.done")
    earlier = submit(database, transcript("C-early"), registry_version(database))
    lines = [transcript(f"C-{place}") for place in range(45)]
    lines[3] = "no transcript"
    lines[5] = b"\xff\xfe"
    lines[7] = ""
    lines[9] = transcript("C-8")
    lines[11] = transcript("C-10", said="别的话说得不一样")
    lines[13] = transcript("C-early")
    lines[15] = as_json(call_id="C-15", agent={"id": "a\0b"}, turns=[])
    model = Model(calls={"C-20": "content-filtered"})
    batch_id = batch(database, tmp_path, lines)
    work = pipeline(database, tmp_path, [RuleJudge(), model])
    for _ in range(2):
        await work.judge_chunk(batch_id, 0)
    assert progress(database, batch_id) == ("done", 45, 37, 1, 7, 0)
    found = faults(database)
    unreadable = dict.fromkeys((4, 6, 8, 16), "transcript")
    refused = {10: "duplicate", 12: "conflict", 14: "duplicate"}
    assert {line: error["type"] for line, error in found.items()} == unreadable | refused
    assert found[14]["evaluation_id"] == earlier.id
    assert len(model.asked) == len(set(model.asked)) + 2  # lines 10 and 12 were under way with their twins
    with database.reading() as session:
        told = session.execute(select(Delivery)).scalars().all()
        assert [(bool(row.call_id), row.event) for row in told if row.event != "evaluation.proposed"] == [
            (False, "batch.done")
        ]
        assert len({row.call_id for row in told} - {None}) == len(told) - 1 == 37
        row = session.execute(select(EVALUATION).where(EVALUATION.c.line == 21)).one()
        assert (row.status, row.error["type"]) == ("failed", "content-filtered")
        assert session.get(Batch, batch_id).faulty == 7


def registry_version(database):
    with database.reading() as session:
        return registry.rubric_version(session, FORM.id)


async def test_a_chunk_that_was_broken_off_goes_on_where_it_was(database, tmp_path):
    begin(database)
    batch_id = batch(database, tmp_path, [transcript(f"C-{place}") for place in range(60)])

    class Dying(Model):
        async def judge(self, words, form):
            if len(self.asked) == 40:
                await asyncio.Event().wait()
            return await super().judge(words, form)

    work = pipeline(database, tmp_path, [Dying()])
    task = asyncio.create_task(work.judge_chunk(batch_id, 0))
    await until(lambda: progress(database, batch_id).proposed == 40)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    after = Model()
    await pipeline(database, tmp_path, [after]).judge_chunk(batch_id, 0)
    assert progress(database, batch_id) == ("done", 60, 60, 0, 0, 0)
    assert len(after.asked) == 20
    assert count(database, SCORECARD) == count(database, EVALUATION) == count(database, CALL) == 60


async def test_two_workers_on_one_chunk_store_everything_once(database, tmp_path):
    begin(database)
    batch_id = batch(database, tmp_path, [transcript(f"C-{place}") for place in range(60)])
    both = [pipeline(database, tmp_path, [Model()]).judge_chunk(batch_id, 0) for _ in range(2)]
    await asyncio.gather(*both)
    assert progress(database, batch_id) == ("done", 60, 60, 0, 0, 0)
    assert count(database, SCORECARD) == 60


async def test_the_last_chunk_ends_the_batch_and_not_before_all_has_come_in(database, tmp_path):
    begin(database)
    lines = [transcript(f"C-{place}") for place in range(30)]
    batch_id = batch(database, tmp_path, lines, chunk=10)
    with database.writing() as session:
        row = session.get(Batch, batch_id)
        row.status = "receiving"
        session.add(row)
    work = pipeline(database, tmp_path, [Model()])
    await asyncio.gather(*(work.judge_chunk(batch_id, number) for number in range(3)))
    assert progress(database, batch_id).status == "receiving"
    with database.writing() as session:
        chunks.received(session, batch_id, 30)
    assert progress(database, batch_id) == ("done", 30, 30, 0, 0, 0)


async def test_a_cancelled_batch_keeps_what_it_has(database, tmp_path):
    begin(database)
    batch_id = batch(database, tmp_path, [transcript(f"C-{place}") for place in range(60)])

    class Cancelling(Model):
        async def judge(self, words, form):
            card = await super().judge(words, form)
            if len(self.asked) > 30:
                # the others in flight wait here too, so that nothing is stored but the first group
                await until(lambda: progress(database, batch_id).proposed)
                with database.writing() as session:
                    assert chunks.cancel_batch(session, CLIENT, batch_id).status == "cancelled"
            return card

    work = pipeline(database, tmp_path, [Cancelling()])
    await work.judge_chunk(batch_id, 0)
    found = progress(database, batch_id)
    assert found.status == "cancelled"
    assert 0 < found.proposed < 60
    await work.judge_chunk(batch_id, 0)
    assert progress(database, batch_id) == found


async def test_lines_whose_keeping_was_lost_fail_one_by_one(database, tmp_path):
    begin(database)
    batch_id = batch(database, tmp_path, [transcript(f"C-{place}") for place in range(3)])
    for blob in (tmp_path / "blobs").rglob("*"):
        if blob.is_file():
            blob.unlink()
    await pipeline(database, tmp_path, [Model()]).judge_chunk(batch_id, 0)
    assert progress(database, batch_id) == ("done", 3, 0, 0, 3, 0)


async def test_without_the_database_answers_wait_to_be_stored_and_are_asked_for_once(database, tmp_path, monkeypatch):
    begin(database)
    batch_id = batch(database, tmp_path, [transcript(f"C-{place}") for place in range(60)])
    model, store, away = Model(), traces.store, [True] * 3

    def sometimes_away(session, chunk, results):
        if away:
            away.pop()
            raise NotReadyError("the database cannot be reached")
        return store(session, chunk, results)

    monkeypatch.setattr(patience, "SHORTEST_S", 0.01)
    monkeypatch.setattr(traces, "store", sometimes_away)
    await pipeline(database, tmp_path, [model]).judge_chunk(batch_id, 0)
    assert progress(database, batch_id) == ("done", 60, 60, 0, 0, 0)
    assert sorted(model.asked) == sorted(f"C-{place}" for place in range(60))


async def test_a_chunk_that_cannot_be_begun_without_the_database_is_left_to_the_engine(database, tmp_path, monkeypatch):
    begin(database)
    batch_id = batch(database, tmp_path, [transcript(f"C-{place}") for place in range(3)])
    work = pipeline(database, tmp_path, [Model()])

    def away(*_):
        raise NotReadyError("the database cannot be reached")

    with monkeypatch.context() as broken:
        broken.setattr(chunks, "open_chunk", away)
        with pytest.raises(NotReadyError):
            await work.judge_chunk(batch_id, 0)
    await work.judge_chunk(batch_id, 0)
    assert progress(database, batch_id) == ("done", 3, 3, 0, 0, 0)
