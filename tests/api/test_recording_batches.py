"""Batches of recordings over HTTP: from a list of URLs to scorecards, fetched from a server of our own."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from callgrade.adapters.fetching import Fetcher
from callgrade.api import examples
from callgrade.calls import awaiting
from tests.api.made import RUBRIC, Service, transcript
from tests.api.test_batches import results

WORDS = "您可以先开通，不满意随时取消。"
SECRET = "sig=5ec12e7"


class Storage(BaseHTTPRequestHandler):
    """`/<call>.wav` is a recording; `server.asked` is what was asked for."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.server.asked.append(path)  # type: ignore[attr-defined]
        body = b"RIFF" + WORDS.encode() + path.encode() if path.endswith(".wav") else b"there is nothing"
        self.send_response(200 if path.endswith(".wav") else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Storage)
        self.asked: list[str] = []

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{name}?{SECRET}"


@pytest.fixture
def storage(service: Service) -> Iterator[Server]:
    """The service may fetch from there; nothing else private."""
    running = Server()
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    hosts = ("127.0.0.1",)
    ours = service.settings.service.model_copy(update={"audio_hosts": hosts})
    for holder in (service.pipeline, service.app.state.services):
        object.__setattr__(holder, "settings", service.settings.model_copy(update={"service": ours}))
    service.pipeline.fetcher = Fetcher(hosts=hosts).keep
    yield running
    running.shutdown()
    running.server_close()


def send(service: Service, body: str, media_type: str = "text/csv", **headers: str) -> Any:
    sent = {**service.key(), "Content-Type": media_type, **headers}
    return service.http.post("/v1/batches", params={"rubric": RUBRIC}, content=body.encode(), headers=sent)


def shown(service: Service, batch_id: str) -> dict[str, Any]:
    found = service.get(f"/v1/batches/{batch_id}").json()
    names = ("status", "total", "proposed", "failed", "cancelled", "pending", "parked", "faulty")
    return {name: found[name] for name in names if found[name]}


def test_a_list_of_recordings_becomes_scorecards_with_quotes(service: Service, storage: Server) -> None:
    rows = [
        "audio_url,call_id,started_at,agent.id,team,facts.direction,agent_channel",
        f"{storage.url('a.wav')},C-1,2026-11-01T09:30:00+08:00,8031,sales-2,outbound,0",
        f"{storage.url('b.wav')},C-2",
        f"{storage.url('missing')},C-3,,,,,",
        "http://10.0.0.7/c.wav,C-4,,,,,",
        f"{storage.url('e.wav')},C-5,yesterday,,,,",
        f"{storage.url('f.wav')},C-6,,,,,",
    ]
    answer = send(service, "\n".join(rows) + "\n\n", "text/csv; charset=utf-8")
    assert answer.status_code == 202, answer.text
    assert answer.json()["total"] == 6
    batch_id = answer.json()["batch_id"]
    assert shown(service, batch_id) == {"status": "done", "total": 6, "proposed": 2, "failed": 4, "faulty": 3}
    found = results(service, batch_id)
    told = [(line["line"], line["call_id"], line["status"], (line["error"] or {}).get("type")) for line in found]
    assert told == [
        (2, "C-1", "proposed", None),
        (3, None, "failed", "manifest"),
        (4, "C-3", "failed", "recording-not-fetched"),
        (5, None, "failed", "url-refused"),
        (6, None, "failed", "manifest"),
        (7, "C-6", "proposed", None),
    ]
    quotes = [e["quote"] for j in found[0]["scorecard"]["judgements"] for e in j["evidence"]]
    assert quotes
    assert all(quote in WORDS for quote in quotes)
    call = service.get("/v1/calls", call_id="C-1").json()["items"][0]
    assert (call["agent"], call["facts"]) == ({"id": "8031", "team": "sales-2"}, {"direction": "outbound"})
    assert (call["recording"]["file_name"], call["recording"]["agent_channel"]) == ("a.wav", "0")
    assert SECRET not in json.dumps([service.get(path).json() for path in ("/v1/calls", "/v1/evaluations")])
    assert sorted(storage.asked) == ["/a.wav", "/f.wav", "/missing"]


def test_transcripts_and_recordings_come_in_one_batch(service: Service, storage: Server) -> None:
    lines = [
        transcript("T-1"),
        {"audio_url": storage.url("a.wav"), "call_id": "R-1", "agent": {"id": "8031"}, "priority": 9},
        {"audio_url": storage.url("a.wav"), "call_id": "R-2", "priority": 10},
    ]
    batch_id = service.batch(lines).json()["batch_id"]
    assert [line["status"] for line in results(service, batch_id)] == ["proposed", "proposed", "failed"]
    assert shown(service, batch_id) == {"status": "done", "total": 3, "proposed": 2, "failed": 1, "faulty": 1}
    assert service.get("/v1/evaluations", agent="8031").json()["items"][-1]["priority"] in (0, 9)


def test_recordings_that_wait_are_pending_and_are_cancelled_with_their_batch(service: Service, storage: Server) -> None:
    service.queue.pipeline = None
    batch_id = send(service, f"audio_url,call_id\n{storage.url('a.wav')},R-1\n{storage.url('b.wav')},R-2\n").json()[
        "batch_id"
    ]
    waiting = [item for item in service.queue.handed_in if item[0] == "chunk"]
    service.queue.pipeline = service.pipeline
    # the chunk alone: what it hands in is left to wait
    service.pipeline.queue = None
    service.queue.enqueue_chunk(waiting[0][1], int(waiting[0][2]))
    assert shown(service, batch_id) == {"status": "running", "total": 2, "pending": 2}
    assert [(line["line"], line["status"]) for line in results(service, batch_id)] == [(2, "queued"), (3, "queued")]
    done = service.http.delete(f"/v1/batches/{batch_id}", headers=service.key())
    assert (done.status_code, done.json()["status"]) == (200, "cancelled")
    assert shown(service, batch_id) == {"status": "cancelled", "total": 2, "cancelled": 2}
    assert [line["status"] for line in results(service, batch_id)] == ["cancelled"] * 2
    assert storage.asked == []


def test_the_last_recording_cancelled_by_itself_asks_for_nothing(service: Service, storage: Server) -> None:
    service.pipeline.queue = None
    batch_id = service.batch([{"audio_url": storage.url("a.wav"), "call_id": "R-1"}]).json()["batch_id"]
    (line,) = results(service, batch_id)
    key = service.key()
    assert service.http.post(f"/v1/evaluations/{line['evaluation_id']}/cancel", headers=key).status_code == 200
    assert shown(service, batch_id)["cancelled"] == 1
    # tried again it has nothing to try with, and says so
    service.http.post(f"/v1/evaluations/{line['evaluation_id']}/retry", headers=key)
    failed = service.get(f"/v1/evaluations/{line['evaluation_id']}").json()
    assert (failed["status"], failed["error"]["retryable"]) == ("failed", False)
    assert "neither words nor a recording" in failed["error"]["message"]
    assert storage.asked == []


def test_another_rubric_asked_for_meanwhile_waits_for_the_same_recording(service: Service, storage: Server) -> None:
    service.pipeline.queue = None
    service.batch([{"audio_url": storage.url("a.wav"), "call_id": "R-1"}])
    call = service.get("/v1/calls").json()["items"][0]
    asked = service.http.post(
        f"/v1/calls/{call['id']}/evaluations", json={"rubric": "service-quality-core"}, headers=service.key()
    )
    assert asked.status_code == 202
    assert not [item for item in service.queue.handed_in if item[0] == "evaluation"]
    service.pipeline.queue = service.queue
    service.batch([{"audio_url": storage.url("a.wav"), "call_id": "R-1"}])
    with service.database.reading() as session:
        (row,) = awaiting.page(session, "", 10)
    service.queue.enqueue_fetch(row.id, call_id=row.call_id, priority=0)
    assert {item["status"] for item in service.get("/v1/evaluations").json()["items"]} == {"proposed"}
    assert storage.asked == ["/a.wav"]


@pytest.mark.parametrize(
    ("body", "said"),
    [("call_id\nC-1\n", "audio_url"), ("audio_url,call_id,colour\n", "means nothing"), ("", "audio_url")],
)
def test_a_header_that_makes_no_sense_begins_no_batch(service: Service, body: str, said: str) -> None:
    answer = send(service, body, **{"Idempotency-Key": "k"})
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert service.get("/v1/batches").json()["items"] == []


@pytest.mark.parametrize("media_type", ["application/json", "application/vnd.ms-excel", "multipart/form-data", ""])
def test_another_kind_of_body_is_told_what_is_taken(service: Service, media_type: str) -> None:
    answer = send(service, "audio_url,call_id\n", media_type)
    assert answer.status_code == 415
    assert "application/x-ndjson" in answer.json()["detail"]
    assert "text/csv" in answer.json()["detail"]


def test_a_repeated_list_is_the_same_batch(service: Service, storage: Server) -> None:
    body, key = f"audio_url,call_id\n{storage.url('a.wav')},R-1\n", {"Idempotency-Key": "k"}
    first, again = send(service, body, **key), send(service, body, **key)
    assert first.json() == again.json()
    assert send(service, body + f"{storage.url('b.wav')},R-2\n", **key).status_code == 409
    assert storage.asked == ["/a.wav"]


def test_a_list_may_not_be_longer_than_a_batch(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service.app.state.services.reception, "_most_lines", 2)
    service.queue.pipeline = None
    row = "https://storage.example.com/a.wav,C-{}\n"
    assert send(service, "audio_url,call_id\n" + row.format(1) + row.format(2)).status_code == 202
    assert send(service, "audio_url,call_id\n" + row.format(1) + row.format(2) + row.format(3)).status_code == 413


def test_the_documented_list_is_one(service: Service) -> None:
    service.queue.pipeline = None
    assert send(service, examples.MANIFEST).json()["total"] == 1
    lines = [examples.TRANSCRIPT, examples.RECORDING_LINE]
    assert service.batch(lines).json()["total"] == 2
    assert service.get("/v1/batches").json()["items"][0]["faulty"] == 0
