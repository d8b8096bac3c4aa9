"""The clients hand in recordings by URL: one by one in a batch, and as a CSV file."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx

from callgrade.client import AsyncClient, Client, RemoteRecording
from callgrade.domain.calls import Party
from callgrade.domain.errors import InputError
from tests.api.made import Service, transcript
from tests.api.test_recording_batches import RUBRIC, Server, storage

__all__ = ["storage"]
URL = "https://callgrade.example.com"
ACCEPTED = {"batch_id": "2" * 32, "total": 2}
LIST = b"audio_url,call_id\nhttps://storage.example.com/1.wav,C-1\nhttps://storage.example.com/2.wav,C-2\n"


@pytest.fixture
def wire() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=URL, assert_all_called=False) as router:
        yield router


def test_recordings_and_transcripts_in_one_batch(client: Client, storage: Server) -> None:
    told = RemoteRecording(audio_url=storage.url("a.wav"), call_id="R-1", agent=Party(id="8031"), priority=3)
    made = client.batches.submit(
        iter([told, transcript("T-1"), {"audio_url": storage.url("no"), "call_id": "R-2"}]), rubric=RUBRIC
    )
    batch = client.batches.wait(made.batch_id, poll_s=0.01)
    assert (batch.status, batch.proposed, batch.failed, batch.parked) == ("done", 2, 1, 0)
    found = list(client.batches.results(made.batch_id))
    assert [(line.line, line.call_id, line.status) for line in found] == [
        (1, "R-1", "proposed"), (2, "T-1", "proposed"), (3, "R-2", "failed"),
    ]  # fmt: skip
    assert found[2].error is not None
    assert found[2].error.type == "recording-not-fetched"
    assert client.evaluations.get(str(found[0].evaluation_id)).agent == "8031"


@pytest.mark.parametrize("kind", ["path", "bytes", "file"])
def test_a_csv_file(client: Client, storage: Server, tmp_path: Path, kind: str) -> None:
    text = f"audio_url,call_id,agent.id\n{storage.url('a.wav')},R-1,8031\n{storage.url('b.wav')},R-2\n".encode()
    path = tmp_path / "recordings.csv"
    path.write_bytes(text)
    given: dict[str, Any] = {"path": path, "bytes": text, "file": io.BytesIO(b"passed over" + text)}
    if kind == "file":
        given["file"].seek(len(b"passed over"))
    seen: list[tuple[int, int | None]] = []
    made = client.batches.submit_manifest(given[kind], rubric=RUBRIC, progress=lambda *at: seen.append(at))
    assert made.total == 2
    assert seen[-1] == (len(text), len(text))
    found = list(client.batches.results(made.batch_id))
    assert [(line.line, line.call_id, line.status) for line in found] == [(2, "R-1", "proposed"), (3, None, "failed")]


def test_a_header_that_makes_no_sense_is_an_input_error(client: Client) -> None:
    with pytest.raises(InputError, match="audio_url"):
        client.batches.submit_manifest(b"url,id\n", rubric=RUBRIC)


def test_a_file_is_sent_again_from_its_beginning(wire: respx.MockRouter) -> None:
    route = wire.post("/v1/batches").mock(
        side_effect=[httpx.ConnectError("refused"), httpx.Response(502), httpx.Response(202, json=ACCEPTED)]
    )
    with Client(URL, "cg_id_secret", sleep=lambda _: None) as client:
        assert client.batches.submit_manifest(io.BytesIO(LIST), rubric="r").total == 2
    requests = [call.request for call in route.calls]
    assert [request.content for request in requests][1:] == [LIST, LIST]
    assert {request.headers["Content-Type"] for request in requests} == {"text/csv"}
    assert len({request.headers["Idempotency-Key"] for request in requests}) == 1
    assert requests[0].headers["Content-Length"] == str(len(LIST))


async def test_asynchronously_too(wire: respx.MockRouter, tmp_path: Path) -> None:
    route = wire.post("/v1/batches").mock(return_value=httpx.Response(202, json=ACCEPTED))
    path = tmp_path / "recordings.csv"
    path.write_bytes(LIST)
    async with AsyncClient(URL, "cg_id_secret") as client:
        assert (await client.batches.submit_manifest(path, rubric="r")).total == 2
        told = RemoteRecording(audio_url="https://storage.example.com/1.wav", call_id="C-1")
        await client.batches.submit([told], rubric="r")
    assert route.calls[0].request.content == LIST
    sent = json.loads(route.calls[1].request.content)
    assert (sent["audio_url"], sent["call_id"]) == ("https://storage.example.com/1.wav", "C-1")


def test_what_the_client_writes_is_what_the_service_reads(service: Service) -> None:
    service.queue.pipeline = None
    written = RemoteRecording(audio_url="https://storage.example.com/1.wav", call_id="C-1").model_dump_json()
    answer = service.batch([written])
    service.queue.pipeline = service.pipeline
    service.queue.enqueue_chunk(answer.json()["batch_id"], 0)
    shown = service.get(f"/v1/batches/{answer.json()['batch_id']}").json()
    assert shown["faulty"] == 0


def test_a_url_does_not_show() -> None:
    with pytest.raises(ValueError, match="call_id") as caught:
        RemoteRecording(audio_url="https://storage.example.com/1.wav?sig=5ec12e7", call_id="")
    assert "5ec12e7" not in str(caught.value)
