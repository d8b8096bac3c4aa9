"""The engine with real worker processes, killed in the middle of their work."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from evals.mock_openai.process import ROOT, running
from sqlalchemy import func, select

from callgrade.access.principals import system
from callgrade.calls import service as calls
from callgrade.catalog import load_rubric
from callgrade.db.tables import Batch, BatchChunk
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import SettingsError
from callgrade.engine import Engine, EngineClient
from callgrade.engine import engine as room
from callgrade.engine.queue import system_url
from callgrade.engine.slots import FileSlots, open_slots
from callgrade.evaluations import chunks, registry, repository
from callgrade.evaluations.tables import CALL, EVALUATION, SCORECARD
from callgrade.settings import load_settings
from tests.db.databases import *  # noqa: F403
from tests.evaluations.made import CLIENT, Model, begin, pipeline
from tests.evaluations.made import batch as a_batch
from tests.evaluations.made import transcript as words

RUBRIC, PATIENCE_S = "service-quality-core", 90
FOUND = json.loads((ROOT / "examples/calls/call.json").read_text("utf-8"))


def transcript(place):
    turns = [*FOUND["turns"], {"speaker": "agent", "text": f"这是第{place}通电话。"}]
    return Transcript.model_validate({**FOUND, "call_id": f"C-{place}", "turns": turns})


def until(holds, what):
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not come about in {PATIENCE_S} s"
        time.sleep(0.05)


class Service:
    """A database with the shipped rubrics, and workers beside it."""

    def __init__(self, database, url, folder, model_url):
        self.database, self.folder = database, folder
        self._environment = {
            "CALLGRADE_DATA_DIR": str(folder),
            "CALLGRADE_DATABASE_URL": url,
            "CALLGRADE_LLM__MODEL": "mock",
            "CALLGRADE_LLM__BASE_URL": model_url,
            "CALLGRADE_LLM__CONCURRENCY": "8",
        }
        begin(database, load_rubric(RUBRIC))
        self.workers = []

    def start(self, **settings):
        """A worker that works; its process and its name."""
        environment = {**os.environ, **self._environment, **settings}
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.engine_worker"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        self.workers.append(worker)
        name = worker.stdout.readline().strip()
        assert name, "the worker did not start"
        return worker, name

    def batch(self, number):
        batch_id = a_batch(self.database, self.folder, [transcript(place) for place in range(number)])
        with self.database.writing() as session:
            batch = session.get(Batch, batch_id)
            batch.rubric_id = RUBRIC
            session.add(batch)
        return batch_id

    def evaluations(self, number):
        with self.database.writing() as session:
            version = registry.rubric_version(session, RUBRIC)
            for place in range(number):
                call = calls.submit_transcript(session, system(CLIENT), transcript(place))
                repository.create_evaluation(session, system(CLIENT), call, version)

    def progress(self, batch_id):
        with self.database.reading() as session:
            return chunks.progress(session, session.get(Batch, batch_id))

    def statuses(self):
        with self.database.reading() as session:
            rows = session.execute(select(EVALUATION.c.status, func.count()).group_by(EVALUATION.c.status))
            return Counter(dict(rows.all()))

    def each_once(self, number):
        """Whether there is one call, one evaluation and one scorecard for each."""
        with self.database.reading() as session:
            counts = [
                session.execute(select(func.count()).select_from(t)).scalar_one() for t in (CALL, EVALUATION, SCORECARD)
            ]
            different = session.execute(select(func.count(EVALUATION.c.call_id.distinct()))).scalar_one()
        return [*counts, different] == [number] * 4


@contextmanager
def mock():
    with running("--latency-ms", "300", "--quotes") as found:
        yield found


@pytest.fixture
def model():
    with mock() as found:
        yield found


@pytest.fixture
def service(database, database_url, tmp_path, model):
    made = Service(database, database_url, tmp_path, model.base_url)
    yield made
    for worker in made.workers:
        if worker.poll() is None:
            worker.kill()
        worker.wait()


def kill(worker):
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()


def test_a_worker_killed_in_the_middle_of_a_chunk_bills_no_answer_twice(service, model):
    batch_id = service.batch(60)
    worker, name = service.start()
    until(lambda: service.progress(batch_id).proposed >= 15, "a quarter of the batch")
    kill(worker)
    killed = service.progress(batch_id)
    assert killed.status == "running"
    assert killed.proposed < 60
    again, same = service.start()
    until(lambda: service.progress(batch_id).status == "done", "the whole batch")
    assert same == name
    assert service.progress(batch_id) == ("done", 60, 60, 0, 0, 0)
    assert service.each_once(60)
    seen = model.stats()
    in_flight = 8
    assert seen["distinct_bodies"] == 60
    assert seen["by_status"]["200"] <= 60 + in_flight
    assert seen["most_sends_of_one_body"] <= 2
    again.terminate()
    assert again.wait(timeout=60) == 0


def test_another_worker_adopts_what_a_dead_one_leaves(service, model):
    service.evaluations(40)
    worker, dead = service.start()
    until(lambda: service.statuses()["proposed"] >= 10, "a quarter of the calls")
    kill(worker)
    _, name = service.start(CALLGRADE_EXECUTOR_ID="another")
    assert (name, dead) == ("another", dead)
    until(lambda: service.statuses()["proposed"] == 40, "all calls")
    assert service.each_once(40)
    seen = model.stats()
    assert seen["distinct_bodies"] == 40
    assert seen["by_status"]["200"] <= 40 + 8


def test_a_worker_that_is_ended_leaves_its_work_to_the_next(service, model):
    service.evaluations(30)
    worker, _ = service.start(CALLGRADE_LLM__CONCURRENCY="2")
    until(lambda: service.statuses()["proposed"] >= 4, "some calls")
    worker.terminate()
    assert worker.wait(timeout=60) == 0
    assert service.statuses()["failed"] == 0
    service.start()
    until(lambda: service.statuses()["proposed"] == 30, "all calls")
    assert service.each_once(30)


def test_while_the_model_is_away_calls_are_parked_and_go_on_by_themselves(database, database_url, tmp_path):
    with mock() as found:
        port = found.base_url.split(":")[2].split("/")[0]
        service = Service(database, database_url, tmp_path, found.base_url)
    service.evaluations(12)
    try:
        service.start(CALLGRADE_LLM__ATTEMPTS="2", CALLGRADE_LLM__CONCURRENCY="6")
        until(lambda: service.statuses()["parked"] == 12, "all calls parked")
        with running("--latency-ms", "50", "--quotes", "--port", port):
            until(lambda: service.statuses()["proposed"] == 12, "all calls")
        assert service.each_once(12)
    finally:
        for worker in service.workers:
            worker.kill()
            worker.wait()


# in this process


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


def done(database, batch_id):
    with database.reading() as session:
        return session.get(Batch, batch_id).status == "done"


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
