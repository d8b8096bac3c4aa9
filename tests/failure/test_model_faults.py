"""A model that lets its callers down in every way of evals/mock_openai/cases.py: what becomes of the calls, and what
is paid for."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from callgrade.client import Client
from tests.failure.harness import IN_FLIGHT, PATIENCE_S, RUBRIC, Site, call, until


class End(NamedTuple):
    """How a call ends that asked for a fault. `requests` is what its scorecard says it took; None where a slow machine
    may have parked it between two of them, for then its last attempt counts its own."""

    status: str
    error: str | None = None
    billed: int = 0
    requests: int | None = None
    unfounded: bool = False
    """Not one of the words that it quotes was said."""


ATTEMPTS = 3
ENDS = {
    "rate": End("failed", "rate-limited"),
    "ratetwice": End("proposed", billed=1),
    "down": End("failed", "model-unavailable"),
    "downtwice": End("proposed", billed=1),
    "overloaded": End("failed", "model-unavailable"),
    "drop": End("failed", "model-unavailable"),
    "droptwice": End("proposed", billed=1),
    "slow": End("failed", "model-timeout"),
    "ctx": End("failed", "context-too-long"),
    "filter": End("failed", "content-filtered"),
    "inspection": End("failed", "content-filtered"),
    "filterfinish": End("failed", "content-filtered"),
    "refusal": End("failed", "refused"),
    "length": End("failed", "answer-cut"),
    "badjson": End("failed", "bad-answer"),
    "badjsononce": End("proposed", billed=1, requests=2),
    "badshape": End("failed", "bad-answer"),
    "badquote": End("proposed", billed=2, requests=2, unfounded=True),
    "badquoteonce": End("proposed", billed=2, requests=2),
    "escaped": End("proposed", billed=1, requests=1),
    "think": End("proposed", billed=1, requests=1),
    "fence": End("proposed", billed=1, requests=1),
}
OF_THE_ACCOUNT = ("quota", "auth", "notfound")


def site_for(begin: Any) -> Site:
    return begin(CALLGRADE_LLM__ATTEMPTS=str(ATTEMPTS), CALLGRADE_LLM__TIMEOUT_S="4")


def submit(client: Client, place: int, says: str = "") -> str:
    made = client.calls.submit_transcript(call(place, says=says), rubric=RUBRIC)
    assert made.evaluation_id is not None
    return made.evaluation_id


@contextmanager
def other_calls(client: Client, ids: list[str]) -> Iterator[None]:
    """Without them an endpoint that fails one call would be one that is down, and the call would wait for it."""
    over = threading.Event()

    def go_on() -> None:
        place = 1000
        while not over.wait(0.3):
            ids.append(submit(client, place))
            place += 1

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_each_fault_ends_its_call_as_it_should(begin):
    site, others = site_for(begin), list[str]()
    with site.client(site.service(), attempts=5) as client:
        # an endpoint whose first answers are all bad is taken to ignore schemas
        others.append(submit(client, 999))
        client.evaluations.wait(others[0], timeout_s=PATIENCE_S)
        with other_calls(client, others):
            ids = {case: submit(client, place, f"fault-case-{case} 您好") for place, case in enumerate(ENDS)}
            ends = {case: client.evaluations.wait(id_, timeout_s=PATIENCE_S, poll_s=0.3) for case, id_ in ids.items()}
        for id_ in others:
            assert client.evaluations.wait(id_, timeout_s=PATIENCE_S).status == "proposed"
    assert {case: ended(found, ENDS[case]) for case, found in ends.items()} == ENDS
    found = site.settled()
    proposed = sum(end.status == "proposed" for end in ENDS.values()) + len(others)
    assert found.left == {}
    assert found.evaluations == {"proposed": proposed, "failed": len(ENDS) + len(others) - proposed}
    assert (found.calls, found.scorecards) == (len(ENDS) + len(others), proposed)
    assert site.model.billed == sum(end.billed for end in ENDS.values()) + len(others)
    assert site.model.billed_again == 0


def ended(found: Any, wanted: End) -> End:
    """`billed` cannot be told from a call: it is held to the sum of all."""
    assert (found.error is None) is (found.status == "proposed")
    assert (found.scorecard is None) is (found.status == "failed")
    if found.scorecard is None:
        assert found.error.message
        return End(found.status, found.error.type)
    judged = [item for item in found.scorecard.judgements if item.method == "llm"]
    assert all(item.error is None for item in judged)
    unfounded = {evidence.grounding for item in judged for evidence in item.evidence} == {"unfounded"}
    requests = found.scorecard.provenance.requests
    assert 1 <= requests <= ATTEMPTS
    return End(found.status, None, wanted.billed, None if wanted.requests is None else requests, unfounded)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", OF_THE_ACCOUNT)
def test_what_the_account_lacks_parks_all_calls_until_it_is_mended(begin, case):
    site = site_for(begin)
    site.model.lay_on_all(case)
    with site.client(site.service()) as client:
        ids = [submit(client, place) for place in range(6)]
        until(lambda: site.census().evaluations == {"parked": 6}, "six parked calls")
        assert site.model.billed == 0
        # one look at the door, not six that knock all the time
        assert site.model.seen()["requests"] <= IN_FLIGHT
        site.model.lay_on_all("none")
        assert {client.evaluations.wait(id_, timeout_s=PATIENCE_S, poll_s=0.3).status for id_ in ids} == {"proposed"}
    found = site.settled()
    assert (found.calls, found.evaluations, found.scorecards, found.left) == (6, {"proposed": 6}, 6, {})
    assert (site.model.billed, site.model.billed_again) == (6, 0)
