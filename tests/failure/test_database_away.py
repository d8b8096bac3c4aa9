"""The database restarted, and locked, in the middle of a batch."""

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from callgrade.client import Client
from tests.failure.harness import PATIENCE_S, RUBRIC, Service, Site, as_lines, call, until

CALLS = 150
LOCKED_S = 8.0
"""Longer than SQLite's drivers wait by themselves; shorter than a statement of ours does."""


def begin_batch(site: Site, client: Client) -> str:
    calls = [call(place) for place in range(CALLS)]
    made = client.batches.submit(as_lines(calls).splitlines(), rubric=RUBRIC)
    some = site.draws.randrange(10, 60)
    until(lambda: site.ended() >= some, f"{some} calls")
    return made.batch_id


def count_all(site: Site, singles: int) -> None:
    """Nothing lost, nothing twice, and nothing paid twice: no process died."""
    found = site.settled()
    assert (found.calls, found.evaluations) == (CALLS + singles, {"proposed": CALLS + singles})
    assert (found.scorecards, found.batches, found.left) == (CALLS + singles, {"done": 1}, {})
    assert (site.model.billed, site.model.billed_again) == (CALLS + singles, 0)


@pytest.mark.parametrize("backend", ["postgres"], indirect=True)
def test_postgres_stopped_and_started_in_mid_run(begin, postgres):
    site = begin("--latency-ms", "200")
    service = site.service()
    with site.client(service) as client, site.http(service) as http, ThreadPoolExecutor() as pool:
        batch_id = begin_batch(site, client)
        with postgres.away():
            refused = http.post(f"/v1/calls?rubric={RUBRIC}", json=call(CALLS))
            assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
            assert (refused.json()["type"], refused.json()["retryable"]) == ("urn:callgrade:problem:not-ready", True)
            assert int(refused.headers["retry-after"]) > 0
            assert "callgrade" not in refused.json()["detail"]
            assert (http.get("/healthz").status_code, http.get("/readyz").status_code) == (200, 503)
            # one that is patient is sent again until it is taken
            patient = pool.submit(submit_patiently, site, service)
            time.sleep(3)
        patient.result()
        assert client.batches.wait(batch_id, timeout_s=PATIENCE_S, poll_s=0.3).status == "done"
        until(lambda: http.get("/readyz").status_code == 200, "readiness")
    count_all(site, singles=1)


def submit_patiently(site: Site, service: Service) -> None:
    with site.client(service, attempts=10) as client:
        client.calls.submit_transcript(call(CALLS), rubric=RUBRIC)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_both_files_locked_by_another_writer_in_mid_run(begin):
    site = begin("--latency-ms", "200")
    service = site.service()
    with site.client(service) as client, ThreadPoolExecutor() as pool:
        batch_id = begin_batch(site, client)
        held = [hold(Path(str(site.database.url.database))), hold(site.folder / "engine.db")]
        waiting = pool.submit(submit_patiently, site, service)
        # readers are not kept waiting
        assert client.batches.get(batch_id).status in ("receiving", "running")
        time.sleep(LOCKED_S)
        for connection in held:
            connection.close()
        waiting.result()
        assert client.batches.wait(batch_id, timeout_s=PATIENCE_S, poll_s=0.3).status == "done"
    count_all(site, singles=1)


def hold(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    return connection
