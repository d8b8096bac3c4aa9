"""What only shows on a real connection: senders that go away, bodies without a length, answers that come bit by bit."""

import json
import socket
import time
from typing import Any

import httpx
import pytest

from tests.api.made import RUBRIC, Service, transcript
from tests.api.wire import Address


def eventually(look: Any, wanted: Any) -> None:
    for _ in range(200):
        if look() == wanted:
            return
        time.sleep(0.05)
    assert look() == wanted


def test_a_sender_who_goes_away_leaves_an_incomplete_batch(service: Service, address: Address) -> None:
    key = service.key()["Authorization"]
    head = (
        f"POST /v1/batches?rubric={RUBRIC} HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n"
        "Content-Type: application/x-ndjson\r\nIdempotency-Key: b\r\nContent-Length: 99999999\r\n\r\n"
    )
    with socket.create_connection(address) as connection:
        connection.sendall(head.encode())
        for number in range(25):
            connection.sendall(json.dumps(transcript(f"B-{number}")).encode() + b"\n")
        eventually(lambda: [b["proposed"] for b in service.get("/v1/batches").json()["items"]], [20])
    eventually(lambda: [b["status"] for b in service.get("/v1/batches").json()["items"]], ["incomplete"])
    # its key is free again, and what was graded is not graded twice
    again = service.batch([transcript(f"B-{number}") for number in range(25)], **{"Idempotency-Key": "b"})
    assert again.status_code == 202
    assert len(service.get("/v1/evaluations", limit=200).json()["items"]) == 25


def test_a_sender_who_goes_away_in_a_recording_leaves_nothing(service: Service, address: Address) -> None:
    key = service.key()["Authorization"]
    part = b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\n' + b"RIFF" * 1000
    head = (
        f"POST /v1/calls HTTP/1.1\r\nHost: x\r\nAuthorization: {key}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 900000\r\n\r\n"
    )
    with socket.create_connection(address) as connection:
        connection.sendall(head.encode() + part)
        time.sleep(0.2)
    folder = service.settings.data_dir / "blobs"
    eventually(lambda: [path for path in folder.rglob("*") if path.is_file()], [])
    assert service.get("/v1/calls").json()["items"] == []


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_cap_is_cut_off(service: Service, address: Address, announced: bool) -> None:
    body = b"x" * 3_000_000
    headers = {**service.key(), "Content-Type": "application/json"}
    if announced:
        answer = httpx.post(f"http://127.0.0.1:{address[1]}/v1/webhooks", content=body, headers=headers)
    else:
        pieces = (body[i : i + 65_536] for i in range(0, len(body), 65_536))
        try:
            answer = httpx.post(f"http://127.0.0.1:{address[1]}/v1/webhooks", content=pieces, headers=headers)
        except httpx.TransportError:
            return  # the answer came and the line was closed before all was sent
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:callgrade:problem:too-large")
    assert answer.headers["connection"] == "close"


def test_progress_comes_while_it_goes_on(service: Service, address: Address) -> None:
    service.queue.pipeline = None
    batch_id = service.batch([transcript("B-1"), transcript("B-2")]).json()["batch_id"]
    url = f"http://127.0.0.1:{address[1]}/v1/batches/{batch_id}/events"
    seen: list[dict[str, Any]] = []
    with httpx.stream("GET", url, headers=service.key(), timeout=30) as answer:
        for line in answer.iter_lines():
            if not line.startswith("data: "):
                continue
            seen.append(json.loads(line.removeprefix("data: ")))
            if len(seen) == 1:
                service.queue.pipeline = service.pipeline
                service.queue.enqueue_chunk(batch_id, 0)
    assert (seen[0]["status"], seen[0]["pending"]) == ("running", 2)
    assert (seen[-1]["status"], seen[-1]["proposed"], seen[-1]["pending"]) == ("done", 2, 0)


def test_an_endless_answer_ends_when_the_process_is_asked_to(service: Service, address: Address) -> None:
    service.queue.pipeline = None
    batch_id = service.batch([transcript("B-1")]).json()["batch_id"]
    url = f"http://127.0.0.1:{address[1]}/v1/batches/{batch_id}/events"
    with httpx.stream("GET", url, headers=service.key(), timeout=30) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: progress"
        service.app.state.services.stopping.set()
        assert all(not line.startswith("event: end") for line in lines)
