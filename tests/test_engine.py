"""The engine in this process. Workers that are killed, ended and adopted: tests/failure."""

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from callgrade.db.tables import Batch, BatchChunk
from callgrade.domain.errors import SettingsError
from callgrade.engine import Engine, EngineClient
from callgrade.engine import engine as room
from callgrade.engine.queue import calibration_workflow, system_url
from callgrade.engine.slots import FileSlots, open_slots
from callgrade.evaluations import chunks
from callgrade.settings import load_settings
from tests.db.databases import *  # noqa: F403
from tests.evaluations.made import CLIENT, Model, begin, pipeline
from tests.evaluations.made import batch as a_batch
from tests.evaluations.made import transcript as words

PATIENCE_S = 90


def until(holds, what):
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come about in {PATIENCE_S} s"
        time.sleep(0.05)


@pytest.fixture
def engine(database, database_url, tmp_path):
    settings = load_settings({"CALLGRADE_DATA_DIR": str(tmp_path), "CALLGRADE_DATABASE_URL": database_url})
    made = Engine(settings, pipeline(database, tmp_path, [Model()]))
    made.url = settings.engine
    begin(database)
    made.launch()
    yield made
    made.shutdown(grace_s=1)


def succeeded(engine, workflow_id):
    return engine.statuses([workflow_id]) == {workflow_id: "SUCCESS"}


def test_work_may_be_handed_in_from_outside_and_twice(engine, database, tmp_path):
    client = EngineClient(engine.url)
    batch_id = a_batch(database, tmp_path, [words(f"C-{place}") for place in range(30)], chunk=10)
    for _ in range(2):
        for number in range(3):
            client.enqueue_chunk(batch_id, number)
    until(lambda: done(database, batch_id), "the batch")
    with database.reading() as session:
        assert chunks.progress(session, session.get(Batch, batch_id)) == ("done", 30, 30, 0, 0, 0)
    client.close()


def test_the_sweep_finds_what_nobody_handed_in_or_what_broke(engine, database, tmp_path):
    batch_id = a_batch(database, tmp_path, [words(f"C-{place}") for place in range(5)])
    engine.sweep()
    until(lambda: succeeded(engine, f"chunk:{batch_id}:0"), "the chunk")
    with database.writing() as session:
        chunk = session.get(BatchChunk, (batch_id, 0))
        chunk.status = "queued"
        batch = session.get(Batch, batch_id)
        batch.status = "running"
        session.add_all([chunk, batch])
    assert engine.sweep() == 1, "its workflow is finished, and the chunk is not"
    until(lambda: done(database, batch_id), "the batch")


class Calibrations:
    """Keeps what it is given to do."""

    def __init__(self):
        self.done = []

    def carry_out(self, run_id, by, why, stopping):
        assert not stopping()
        self.done.append((run_id, by, why))


def test_a_calibration_run_is_worked_off_and_can_be_gone_on_with(engine):
    engine._calibrations = work = Calibrations()
    for number in (1, 2):
        engine.enqueue_calibration("r", by="system", why="a last look")
        until(lambda number=number: len(work.done) == number, "the run")
        until(lambda: succeeded(engine, calibration_workflow("r")), "its end")
    assert work.done == [("r", "system", "a last look")] * 2


def done(database, batch_id):
    with database.reading() as session:
        return session.get(Batch, batch_id).status == "done"


def test_what_another_host_has_adopted_by_now_is_left_alone(engine, database, monkeypatch):
    belongs = ["dead"]

    class Pending:
        workflow_id, queue_name = "chunk:x:0", "bulk"
        executor_id = property(lambda self: belongs[0])

    class Slots:
        def take(self, name):
            return True

        def free(self, name):
            return None

    resumed = []
    monkeypatch.setattr(room.DBOS, "list_workflows", lambda **_: [Pending()])
    monkeypatch.setattr(room.DBOS, "resume_workflow", lambda id_, **_: resumed.append(id_))
    monkeypatch.setattr(engine, "_is_free", lambda *_: belongs == ["dead"])
    slots, engine._slots = engine._slots, Slots()
    try:
        assert engine.adopt_dead() == 0
        monkeypatch.setattr(engine, "_is_free", lambda *_: belongs.append("another") or belongs.pop(0) == "dead")
        assert engine.adopt_dead() == 0
    finally:
        engine._slots = slots
    assert resumed == []


def test_a_batch_is_given_up_when_the_process_that_took_it_in_is_seen_to_be_dead(engine, database):
    def receiving(receiver):
        row = Batch(client_id=CLIENT, rubric_id="r", rubric_version="v1", status="receiving", receiver=receiver)
        with database.writing() as session:
            session.add(row)
        return row.id

    def status(id_):
        with database.reading() as session:
            return session.get(Batch, id_).status

    ours, dead, older = receiving(engine.executor_id), receiving("dead:0"), receiving(None)
    engine.adopt_dead()
    engine.adopt_dead()
    assert [status(id_) for id_ in (ours, dead, older)] == ["receiving", "incomplete", "incomplete"]


def test_what_is_finished_for_long_is_forgotten(engine, database, tmp_path, monkeypatch):
    batch_id = a_batch(database, tmp_path, [words(f"C-{place}") for place in range(5)])
    engine.enqueue_chunk(batch_id, 0)
    until(lambda: done(database, batch_id), "the batch")
    until(lambda: succeeded(engine, f"chunk:{batch_id}:0"), "the end")
    assert engine.cleanup() == 0
    monkeypatch.setitem(room.KEPT, "SUCCESS", timedelta(seconds=-5))
    assert engine.cleanup() == 1
    assert engine.statuses([f"chunk:{batch_id}:0"]) == {}


def test_a_queue_that_is_none_is_named(database, tmp_path):
    settings = load_settings({"CALLGRADE_DATA_DIR": str(tmp_path), "CALLGRADE_QUEUES": "score,sorce"})
    with pytest.raises(SettingsError, match="'sorce'"):
        Engine(settings, pipeline(database, tmp_path, [])).launch()


# names


def test_a_name_belongs_to_one_worker(backend, request, tmp_path):
    url = "sqlite:///x" if backend == "sqlite" else request.getfixturevalue("postgres").url()
    ours, theirs = open_slots(url, tmp_path), open_slots(url, tmp_path)
    assert ours.take("host/1:0")
    assert not theirs.take("host/1:0")
    assert theirs.take("host/1:1")
    ours.free("host/1:0")
    assert theirs.take("host/1:0")
    theirs.close()
    until(lambda: ours.take("host/1:0"), "the end of the other connection")
    assert ours.keep()
    ours.close()


def test_a_name_is_taken_again_when_the_connection_breaks(request, tmp_path):
    postgres = request.getfixturevalue("postgres")
    ours, theirs = open_slots(postgres.url(), tmp_path), open_slots(postgres.url(), tmp_path)
    assert ours.take("a")
    postgres.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'callgrade slots'")
    assert ours.keep()
    assert theirs.keep()
    assert not theirs.take("a")
    postgres.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'callgrade slots'")
    assert theirs.keep()
    assert theirs.take("a")
    assert not ours.keep()
    ours.close()
    theirs.close()


def test_a_dead_process_holds_no_name(tmp_path):
    script = (
        "import os, pathlib, sys; from callgrade.engine.slots import FileSlots; "
        "print(FileSlots(pathlib.Path(sys.argv[1])).take('a'), flush=True); os.kill(os.getpid(), 9)"
    )
    found = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (found.stdout, found.returncode) == ("True\n", -9)
    assert FileSlots(Path(tmp_path)).take("a")


def test_the_engine_gets_its_url_as_it_wants_it():
    assert system_url("postgresql+psycopg://u:p@h/d") == "postgresql://u:p@h/d"
    assert system_url("postgres://u:p@h/d") == "postgresql://u:p@h/d"
    assert system_url("sqlite:////data/engine.db") == "sqlite:////data/engine.db"
