"""kill -9 of web and workers at random moments while a batch of 300 comes in and is worked off."""

from typing import Any

import pytest

from callgrade.client import Client
from tests.failure.harness import IN_FLIGHT, PATIENCE_S, RUBRIC, Process, Site, Upload, as_lines, call, until

CALLS = 300
SLOWLY = ("--latency-ms", "300")
"""So that there is time to be killed in."""


def on(backend: str) -> Any:
    return pytest.mark.parametrize("backend", [backend], indirect=True)


def submit(client: Client, body: bytes, key: str) -> Any:
    return client.batches.submit(body.splitlines(), rubric=RUBRIC, idempotency_key=key)


def kill_at(site: Site, process: Process, ended: int) -> None:
    until(lambda: site.ended() >= ended, f"{ended} calls")
    process.kill()


def read_all(client: Client, batch_id: str) -> None:
    """Each line of the batch once, with its scorecard."""
    batch = client.batches.wait(batch_id, timeout_s=PATIENCE_S, poll_s=0.3)
    assert batch.status == "done"
    results = list(client.batches.results(batch_id))
    assert [result.line for result in results] == list(range(1, CALLS + 1))
    assert {(result.status, result.scorecard is not None) for result in results} == {("proposed", True)}
    assert len({result.call_id for result in results}) == CALLS


@on("sqlite")
def test_web_killed_three_times_once_while_the_batch_comes_in(begin):
    site = begin(*SLOWLY)
    body = as_lines([call(place) for place in range(CALLS)])
    service = site.service()
    half = Upload(site, service, body, "the-batch")
    kill_at(site, service, 1)
    half.close()
    service = site.service()
    with site.client(service) as client:
        (first,) = client.batches.list()
        assert first.status == "incomplete"
        again = submit(client, body, "the-batch")
    assert (again.total, again.batch_id != first.id) == (CALLS, True)
    for calls in sorted(site.draws.sample(range(120, 280), 2)):
        kill_at(site, service, calls)
        service = site.service()
    with site.client(service) as client:
        read_all(client, again.batch_id)
        assert submit(client, body, "the-batch") == again
    found = site.settled()
    assert (found.calls, found.evaluations, found.scorecards) == (CALLS, {"proposed": CALLS}, CALLS)
    assert found.batches == {"incomplete": 1, "done": 1}
    assert found.left == {}
    assert site.model.billed - CALLS == site.model.billed_again <= 3 * IN_FLIGHT


@on("postgres")
def test_of_two_workers_one_is_killed_for_good_and_web_once(begin):
    site = begin(*SLOWLY)
    body = as_lines([call(place) for place in range(CALLS)])
    web, worker = site.service(CALLGRADE_QUEUES=""), site.worker("one")
    site.worker("two")
    with site.client(web) as client:
        made = submit(client, body, "the-batch")
    first, second = sorted(site.draws.sample(range(20, 200), 2))
    kill_at(site, worker, first)
    kill_at(site, web, second)
    web = site.service(CALLGRADE_QUEUES="")
    with site.client(web) as client:
        read_all(client, made.batch_id)
        assert submit(client, body, "the-batch") == made
    found = site.settled()
    assert (found.calls, found.evaluations, found.scorecards) == (CALLS, {"proposed": CALLS}, CALLS)
    assert (found.batches, found.left) == ({"done": 1}, {})
    assert site.model.billed - CALLS == site.model.billed_again <= IN_FLIGHT
