"""Many that hand in the same call at the same moment, through two web processes: a row each, and the same answer."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from threading import Barrier
from typing import Any

import httpx

from tests.failure.harness import RUBRIC, Service, Site, as_lines, call

AT_ONCE = 8
PATH = f"/v1/calls?rubric={RUBRIC}"
Send = Callable[[httpx.Client], httpx.Response]


Two = tuple[Site, Sequence[Service]]


def all_at_once(two: Two, sends: Sequence[tuple[str, Send]]) -> list[httpx.Response]:
    """The answers, in the order of `sends`: (which client sends, what it does)."""
    site, services = two
    ready = Barrier(len(sends))
    lines = [site.http(service, client) for service, (client, _) in zip(cycle(services), sends)]

    def go(line: httpx.Client, send: Send) -> httpx.Response:
        # a connection that stands, so that nothing but the request itself is left to do
        line.get("/healthz")
        ready.wait()
        return send(line)

    with ThreadPoolExecutor(len(sends)) as pool:
        answers = list(pool.map(go, lines, (send for _, send in sends)))
    for line in lines:
        line.close()
    return answers


def posts(body: dict[str, Any], **headers: str) -> Send:
    return lambda line: line.post(PATH, json=body, headers=headers)


def told(answers: Sequence[httpx.Response]) -> set[tuple[str, ...]]:
    assert {answer.status_code for answer in answers} == {202}, [answer.text for answer in answers]
    return {tuple(answer.json()[name] for name in ("call_id", "id", "evaluation_id")) for answer in answers}


def two_clients(two: Two) -> None:
    ours, theirs = ("default", posts(call(1))), ("other", posts(call(1)))
    answers = all_at_once(two, [ours, theirs] * AT_ONCE)
    mine, others = told(answers[::2]), told(answers[1::2])
    assert (len(mine), len(others), mine & others) == (1, 1, set())


def one_client_with_and_without_a_key(two: Two) -> None:
    with_key, without = ("default", posts(call(2), **{"Idempotency-Key": "k"})), ("default", posts(call(2)))
    assert len(told(all_at_once(two, [with_key, without] * AT_ONCE))) == 1


def two_contents_under_one_id(two: Two) -> None:
    one, other = ("default", posts(call(3))), ("default", posts(call(3, says="另外一句话。")))
    answers = all_at_once(two, [one, other] * AT_ONCE)
    statuses = {answer.status_code for answer in answers[::2]}, {answer.status_code for answer in answers[1::2]}
    assert statuses in (({202}, {409}), ({409}, {202}))


def a_batch_and_its_calls_one_by_one(two: Two) -> None:
    site, services = two
    calls = [call(place) for place in range(10, 30)]
    body = as_lines(calls)

    def batch(line: httpx.Client) -> httpx.Response:
        headers = {"Content-Type": "application/x-ndjson"}
        return line.post(f"/v1/batches?rubric={RUBRIC}", content=body, headers=headers)

    answers = all_at_once(two, [("default", batch)] * 4 + [("default", posts(one)) for one in calls])
    assert {answer.status_code for answer in answers} == {202}, [answer.text for answer in answers]
    assert site.settled().left == {}
    with site.client(services[0]) as client:
        for answer in answers[:4]:
            results = list(client.batches.results(answer.json()["batch_id"]))
            assert [(result.line, result.status) for result in results] == [(n, "proposed") for n in range(1, 21)]


def the_same_recording(two: Two) -> None:
    form = {"audio": ("a.wav", b"RIFF" + bytes(2000), "audio/wav"), "metadata": (None, '{"call_id": "R-1"}')}

    def send(line: httpx.Client) -> httpx.Response:
        return line.post("/v1/calls", files=form)

    answers = all_at_once(two, [("default", send), ("other", send)] * AT_ONCE)
    assert {answer.status_code for answer in answers} == {202}
    ids = [{answer.json()["id"] for answer in answers[place::2]} for place in (0, 1)]
    assert (len(ids[0]), len(ids[1]), len(ids[0] | ids[1])) == (1, 1, 2)


def test_the_same_call_at_once(begin):
    site = begin()
    two = site, [site.service(CALLGRADE_EXECUTOR_ID=name) for name in ("a", "b")]
    # evaluations, calls without one, and different requests, after each
    for scene, judged, heard, bodies in (
        (two_clients, 2, 0, 1),
        (one_client_with_and_without_a_key, 3, 0, 2),
        (two_contents_under_one_id, 4, 0, 3),
        (a_batch_and_its_calls_one_by_one, 24, 0, 23),
        (the_same_recording, 24, 2, 23),
    ):
        scene(two)
        found = site.settled()
        assert (found.calls, found.evaluations) == (judged + heard, {"proposed": judged}), scene.__name__
        assert (found.scorecards, found.left) == (judged, {}), scene.__name__
        # what a model said to one client is nobody else's, so the first scene's words are paid for twice
        assert site.model.seen()["bodies_answered"] == bodies, scene.__name__
        assert site.model.billed_again == 1, scene.__name__
    assert found.recordings == 1, "one blob for both clients"
