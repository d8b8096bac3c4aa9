"""`callgrade worker` beside a web process: ended, killed, adopted, and left alone by its model."""

import socket

import pytest
from evals.mock_openai.process import running

from callgrade.client import Client
from tests.failure.harness import IN_FLIGHT, RUBRIC, call, until

CALLS = 40


def submit(client: Client, number: int) -> None:
    for place in range(number):
        client.calls.submit_transcript(call(place), rubric=RUBRIC)


def test_what_one_worker_leaves_the_next_takes_up_and_what_a_dead_one_leaves_another_adopts(begin):
    site = begin("--latency-ms", "400", CALLGRADE_LLM__CONCURRENCY="4")
    with site.client(site.service(CALLGRADE_QUEUES="")) as client:
        submit(client, CALLS)
    ended, killed = sorted(site.draws.sample(range(2, 25), 2))
    first = site.worker("first")
    until(lambda: site.ended() >= ended, f"{ended} calls")
    assert first.end() == 0
    assert site.census().evaluations.keys().isdisjoint({"failed", "cancelled"})
    second = site.worker("second")
    until(lambda: site.ended() >= killed, f"{killed} calls")
    second.kill()
    third = site.worker("third")
    until(lambda: site.ended() == CALLS, "all calls")
    found = site.settled()
    assert (first.said, second.said, third.said) == ("first", "second", "third")
    assert (found.calls, found.evaluations, found.scorecards) == (CALLS, {"proposed": CALLS}, CALLS)
    assert found.left == {}
    # none of the first's: it was given time to hear its answers; at most what the second had in flight
    assert site.model.billed - CALLS == site.model.billed_again <= IN_FLIGHT


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_while_the_model_is_away_calls_are_parked_and_go_on_by_themselves(begin):
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    site = begin(CALLGRADE_LLM__BASE_URL=f"http://127.0.0.1:{port}/v1")
    with site.client(site.service(CALLGRADE_LLM__ATTEMPTS="2")) as client:
        submit(client, 12)
    until(lambda: site.census().evaluations == {"parked": 12}, "all calls parked")
    with running("--quotes", "--latency-ms", "50", "--port", str(port)) as back:
        until(lambda: site.ended() == 12, "all calls")
        found = site.settled()
        assert (found.evaluations, found.scorecards, found.left) == ({"proposed": 12}, 12, {})
        seen = back.stats()
        assert (seen["good_answers"], seen["bodies_answered"]) == (12, 12)
