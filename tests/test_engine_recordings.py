"""Recordings that are fetched, with real workers that are killed in the middle, and what the sweep finds."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from evals.mock_openai.process import ROOT
from sqlalchemy import func, select

from callgrade.calls import erasure
from callgrade.db.tables import Batch, Call
from callgrade.engine import Engine
from callgrade.evaluations import results
from callgrade.evaluations.tables import AWAITED, CALL, EVALUATION, RECORDING, SCORECARD, TRANSCRIPT
from callgrade.settings import load_settings
from tests.db.databases import *  # noqa: F403
from tests.evaluations.made import US, Model, begin, pipeline, webhook
from tests.evaluations.made import batch as a_batch
from tests.evaluations.test_fetching import Ears, Storage, line
from tests.test_engine import done, until

CALLS = 24


class Slow(BaseHTTPRequestHandler):
    """A recording at each URL, in two pieces with half a second between."""

    def do_GET(self):
        self.server.asked[self.path] += 1
        body = f"RIFF {self.path} 不满意随时取消 ".encode() * 20
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body[:100])
            self.wfile.flush()
            time.sleep(0.5)
            self.wfile.write(body[100:])
        except OSError:
            return
        self.server.served[self.path] += 1

    def log_message(self, *_):
        pass


@pytest.fixture
def storage():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    server.daemon_threads = True
    server.asked, server.served = Counter(), Counter()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def start(database_url, tmp_path):
    """Starts a worker that works off all queues."""
    environment = {
        **os.environ,
        "CALLGRADE_DATA_DIR": str(tmp_path),
        "CALLGRADE_DATABASE_URL": database_url,
        "CALLGRADE_SERVICE__AUDIO_HOSTS": "127.0.0.1",
    }
    started = []

    def start_one():
        worker = subprocess.Popen(
            [sys.executable, "-m", "tests.engine_worker"], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
        )
        started.append(worker)
        assert worker.stdout.readline().strip(), "the worker did not start"
        return worker

    yield start_one
    for worker in started:
        worker.kill()
        worker.wait()


def count(database, table):
    with database.reading() as session:
        return session.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_worker_killed_among_its_downloads_fetches_none_of_the_others_again(database, tmp_path, storage, start):
    begin(database)
    urls = [f"http://127.0.0.1:{storage.server_address[1]}/R-{n}.wav?sig=x" for n in range(CALLS)]
    lines = [f'{{"audio_url": "{url}", "call_id": "R-{n}"}}' for n, url in enumerate(urls)]
    batch_id = a_batch(database, tmp_path, lines, chunk=10)
    first = start()
    until(lambda: count(database, RECORDING) >= CALLS // 4, "a quarter of the recordings")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert not done(database, batch_id)
    start()
    until(lambda: done(database, batch_id), "the whole batch")
    assert [count(database, table) for table in (CALL, RECORDING, TRANSCRIPT, EVALUATION, SCORECARD)] == [CALLS] * 5
    assert count(database, AWAITED) == 0
    assert len(storage.asked) == CALLS
    # only what was under way when it died was asked for again
    assert max(storage.asked.values()) <= 2
    assert sum(storage.asked.values()) <= CALLS + 8
    with database.reading() as session:
        tally = results.tally(session, session.get(Batch, batch_id))
    assert (tally.proposed, tally.failed, tally.pending) == (CALLS, 0, 0)


@pytest.fixture
def engine(database, database_url, tmp_path):
    settings = load_settings({"CALLGRADE_DATA_DIR": str(tmp_path), "CALLGRADE_DATABASE_URL": database_url})
    begin(database)
    work = pipeline(database, tmp_path, [Model()], recordings=Ears(), fetcher=Storage().fetch)
    made = Engine(settings, work)
    made.work = work
    made.launch()
    yield made
    made.shutdown(grace_s=1)


def test_a_recordings_line_goes_all_the_way_and_what_was_lost_is_swept(engine, database, tmp_path):
    webhook(database, "batch.done")
    batch_id = a_batch(database, tmp_path, [line("R-1"), line("R-2", priority=9)])
    engine.work.queue = None
    engine.enqueue_chunk(batch_id, 0)
    until(lambda: count(database, AWAITED) == 2, "the lines stored")
    engine.work.queue = engine
    assert engine.sweep() >= 2, "their fetches were handed in by nobody"
    until(lambda: done(database, batch_id), "the batch")
    assert count(database, SCORECARD) == 2


def test_a_batch_whose_last_line_was_erased_is_ended_by_the_sweep(engine, database, tmp_path):
    engine.work.queue = None
    batch_id = a_batch(database, tmp_path, [line("R-1")])
    engine.enqueue_chunk(batch_id, 0)
    until(lambda: count(database, AWAITED) == 1, "the line stored")
    with database.reading() as session:
        (call,) = session.execute(select(Call)).scalars().all()
    erasure.erase(database, engine.work.blobs, US, call.id, "客户书面要求删除")
    until(lambda: engine.sweep() == 0 and done(database, batch_id), "its end")
