"""The wall clock put forward by a day and back by an hour, while a batch comes in, requests wait for their second, and
webhooks for their next attempt."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.failure.clock import Clock
from tests.failure.harness import PATIENCE_S, RUBRIC, Upload, as_lines, call, until

CALLS = 120
A_DAY, AN_HOUR = timedelta(days=1), timedelta(hours=1)


class Hook:
    """A client's endpoint that refuses each event the first time."""

    def __init__(self) -> None:
        self.came: Counter[str] = Counter()
        self.taken: Counter[str] = Counter()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                event = json.loads(body)["id"]
                hook.came[event] += 1
                again = hook.came[event] > 1
                hook.taken[event] += again
                self.send_response(204 if again else 503)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_clock_that_jumps_loses_nothing_and_does_nothing_twice(begin, hook, tmp_path: Path):
    clock = Clock(tmp_path)
    site = begin(CALLGRADE_LLM__REQUESTS_PER_MINUTE="1800", **clock.environment)
    service = site.service()
    body = as_lines([call(place) for place in range(CALLS)])
    with site.client(service) as client, site.http(service) as http:
        client.webhooks.create(hook.url, ["evaluation.proposed", "batch.done"])
        upload = Upload(site, service, body, "the-batch")
        until(lambda: any(batch.total for batch in client.batches.list()), "the first chunk")
        clock.jump(A_DAY, service)
        # the first is still at it, however late it is
        again = http.post(
            f"/v1/batches?rubric={RUBRIC}",
            content=body,
            headers={"Content-Type": "application/x-ndjson", "Idempotency-Key": "the-batch"},
        )
        assert again.status_code == 409
        upload.go_on()
        assert upload.status() == 202
        some = site.draws.randrange(20, 90)
        until(lambda: site.ended() >= some, f"{some} calls")
        clock.jump(-AN_HOUR, service)
        (batch,) = client.batches.list()
        assert client.batches.wait(batch.id, timeout_s=PATIENCE_S, poll_s=0.3).status == "done"
        assert client.calls.submit_transcript(call(CALLS), rubric=RUBRIC).evaluation_id
        until(lambda: site.ended() == CALLS + 1, "the last call")
        # what was to be sent at a moment that the clock has left behind is sent when it comes again
        clock.jump(2 * AN_HOUR, service)
        until(lambda: sum(hook.taken.values()) >= CALLS + 2, "every event")
    found = site.settled()
    assert (found.calls, found.evaluations, found.scorecards) == (CALLS + 1, {"proposed": CALLS + 1}, CALLS + 1)
    assert (found.batches, found.deliveries, found.left) == ({"done": 1}, {"delivered": CALLS + 2}, {})
    assert (site.model.billed, site.model.billed_again) == (CALLS + 1, 0)
    assert set(hook.taken.values()) == {1}, "once each: no attempt overlapped another"
