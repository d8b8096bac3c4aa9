"""The disk full: while a recording is uploaded, while a batch comes in, and while calls are judged."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from evals.mock_openai.process import running

from callgrade.db.session import Database
from tests.failure.census import Census
from tests.failure.conftest import has_failed
from tests.failure.harness import PATIENCE_S, RUBRIC, MockModel, Site, as_lines, call, until
from tests.failure.small_disk import SmallDisk, small_disk

MEGABYTES = 24
ROOM = 2_000_000
"""What is left while it is as good as full: for the database's logs, not for what is uploaded."""
LARGE = b"RIFF" + bytes(4_000_000)
CALLS = 60


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", MEGABYTES) as made:
        yield made


class SiteOnIt(Site):
    """Its folder and its database are on the small disk, where only a process that is there too can look."""

    def __post_init__(self) -> None:
        """The first service fills the database."""

    def key(self, client: str = "default") -> str:
        if client not in self.keys:
            self.keys[client] = self._said("callgrade", "key", "create", "k", "--client", client, "--plain").strip()
        return self.keys[client]

    def census(self) -> Census:
        return Census(**json.loads(self._said("tests.failure.census", str(self.database.url), str(self.folder))))

    def _said(self, module: str, *words: str) -> str:
        command = [*self.within, sys.executable, "-m", module, *words]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def site(disk: SmallDisk, request: pytest.FixtureRequest) -> Iterator[Site]:
    database = Database(f"sqlite:///{disk.path / 'callgrade.db'}")
    with running("--quotes", "--latency-ms", "300") as model:
        made = SiteOnIt(disk.path / "data", database, MockModel(model), within=disk.enter)
        yield made
        made.end(failed=has_failed(request))


def recording(http: httpx.Client, name: str, sound: bytes) -> httpx.Response:
    form = {"audio": ("a.wav", sound, "audio/wav"), "metadata": (None, f'{{"call_id": "{name}"}}')}
    return http.post("/v1/calls", files=form)


def is_refused(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json"), answer.text
    assert (answer.json()["type"], answer.json()["retryable"]) == ("urn:callgrade:problem:not-ready", True)
    assert int(answer.headers["retry-after"]) > 0
    assert "disk" not in answer.json()["detail"]


def test_what_has_no_room_is_refused_and_leaves_nothing_behind(site, disk):
    service = site.service()
    with site.http(service) as http:
        assert recording(http, "R-1", LARGE[:1000]).status_code == 202
        disk.fill(leave=ROOM)
        is_refused(recording(http, "R-2", LARGE))
        found = site.census()
        assert (found.calls, found.recordings, found.left) == (1, 1, {})
        # to read goes on, and so does what is small
        assert http.get("/v1/calls").status_code == 200
        assert recording(http, "R-3", LARGE[:1001]).status_code == 202
        disk.clear()
        assert recording(http, "R-2", LARGE).status_code == 202
    found = site.settled()
    assert (found.calls, found.recordings, found.left) == (3, 3, {})


def test_a_batch_on_a_full_disk_is_refused_or_done_and_never_half(site, disk):
    service = site.service()
    body = as_lines([call(place) for place in range(CALLS)])
    headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": "the-batch"}
    path = f"/v1/batches?rubric={RUBRIC}"
    with site.http(service) as http, site.client(service) as client:
        disk.fill()
        is_refused(http.post(path, content=body, headers=headers))
        assert (http.get("/healthz").status_code, http.get("/readyz").status_code) == (200, 503)
        assert site.model.billed == 0
        disk.clear()
        made = http.post(path, content=body, headers=headers)
        assert made.status_code == 202, made.text
        # and once more, while its calls are judged
        batch_id, some = made.json()["batch_id"], site.draws.randrange(1, 20)
        until(lambda: client.batches.get(batch_id).proposed >= some, f"{some} calls")
        disk.fill()
        assert client.batches.get(batch_id).status == "running"
        until(lambda: site.model.seen()["in_flight"] == 0, "the model to be left alone")
        disk.clear()
        assert client.batches.wait(batch_id, timeout_s=PATIENCE_S, poll_s=0.3).status == "done"
    found = site.settled()
    assert (found.calls, found.evaluations, found.scorecards) == (CALLS, {"proposed": CALLS}, CALLS)
    assert (found.batches.get("done"), found.left) == (1, {})
    assert (site.model.billed, site.model.billed_again) == (CALLS, 0)
