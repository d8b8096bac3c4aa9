"""Batches over HTTP: many lines in, each one's result out, whatever is wrong with some of them."""

import json
from typing import Any

import pytest

from callgrade.access.keys import ensure_client
from callgrade.access.requests import fingerprint
from callgrade.db.tables import Batch, IdempotentRequest
from tests.api.made import RUBRIC, Service, transcript


def results(service: Service, batch_id: str, **params: Any) -> list[dict[str, Any]]:
    answer = service.get(f"/v1/batches/{batch_id}/results", **params)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    return [json.loads(line) for line in answer.text.splitlines()]


def test_each_line_gets_its_result_and_bad_ones_stop_nothing(service: Service) -> None:
    lines: list[Any] = [transcript(f"B-{number}") for number in range(1, 26)]
    lines[2], lines[11], lines[24] = "{broken", {"call_id": "no-turns-but", "turns": "x"}, "[]"
    answer = service.batch(lines)
    assert answer.status_code == 202, answer.text
    assert answer.json()["total"] == 25
    batch_id = answer.json()["batch_id"]
    assert [item for item in service.queue.handed_in if item[0] == "chunk"] == [
        ("chunk", batch_id, str(number)) for number in range(3)
    ]
    shown = service.get(f"/v1/batches/{batch_id}").json()
    counted = {name: shown[name] for name in ("status", "total", "proposed", "failed", "pending", "faulty")}
    assert counted == {"status": "done", "total": 25, "proposed": 22, "failed": 3, "pending": 0, "faulty": 3}
    found = results(service, batch_id)
    assert [line["line"] for line in found] == list(range(1, 26))
    for line in found:
        if line["line"] in (3, 12, 25):
            assert (line["status"], line["call_id"], line["scorecard"]) == ("failed", None, None)
            assert line["error"]["type"] == "transcript"
            assert str(line["line"]) in line["error"]["message"]
        else:
            assert (line["status"], line["call_id"], line["error"]) == ("proposed", f"B-{line['line']}", None)
            assert line["scorecard"]["call_id"] == line["call_id"]
    assert [line["line"] for line in results(service, batch_id, after=20)] == [21, 22, 23, 24, 25]


def test_a_line_graded_before_has_that_result(service: Service) -> None:
    single = service.submit(transcript("B-1")).json()
    first = service.batch([transcript("B-1"), transcript("B-2"), transcript("B-2")]).json()["batch_id"]
    found = results(service, first)
    assert found[0]["evaluation_id"] == single["evaluation_id"]
    assert found[1]["evaluation_id"] == found[2]["evaluation_id"]
    assert [line["status"] for line in found] == ["proposed"] * 3
    assert all(line["scorecard"] for line in found)
    shown = service.get(f"/v1/batches/{first}").json()
    assert (shown["status"], shown["proposed"], shown["failed"], shown["pending"]) == ("done", 3, 0, 0)
    assert len(service.get("/v1/evaluations").json()["items"]) == 2


def test_another_content_under_a_known_id_is_told_on_its_line(service: Service) -> None:
    service.submit(transcript("B-1"))
    batch_id = service.batch([transcript("B-1", queue="other")]).json()["batch_id"]
    (line,) = results(service, batch_id)
    assert (line["status"], line["error"]["type"]) == ("failed", "conflict")


def test_the_events_end_with_the_batch(service: Service) -> None:
    batch_id = service.batch([transcript("B-1")]).json()["batch_id"]
    answer = service.get(f"/v1/batches/{batch_id}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    event, data, *_ = answer.text.split("\n")
    assert event == "event: end"
    assert json.loads(data.removeprefix("data: ")) == service.get(f"/v1/batches/{batch_id}").json()


def test_a_batch_that_waits_is_cancelled(service: Service) -> None:
    service.queue.pipeline = None
    batch_id = service.batch([transcript("B-1"), transcript("B-2")]).json()["batch_id"]
    shown = service.get(f"/v1/batches/{batch_id}").json()
    assert (shown["status"], shown["pending"]) == ("running", 2)
    done = service.http.delete(f"/v1/batches/{batch_id}", headers=service.key())
    assert (done.status_code, done.json()["status"]) == (200, "cancelled")
    assert (done.json()["pending"], done.json()["cancelled"]) == (0, 2)
    finished = service.batch([transcript("B-3")])
    service.queue.pipeline = service.pipeline
    service.queue.enqueue_chunk(finished.json()["batch_id"], 0)
    assert service.http.delete(f"/v1/batches/{finished.json()['batch_id']}", headers=service.key()).status_code == 409


def test_a_receiver_that_fails_leaves_an_incomplete_batch(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = service.app.state.services.blobs
    put, calls = blobs.put, []

    def fails_at_the_third(stream: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            from callgrade.domain.errors import NotReadyError

            raise NotReadyError("no room is left")
        return put(stream)

    monkeypatch.setattr(blobs, "put", fails_at_the_third)
    lines = [transcript(f"B-{number}") for number in range(25)]
    key = {"Idempotency-Key": "b"}
    failed = service.batch(lines, **key)
    assert (failed.status_code, failed.headers["retry-after"]) == (503, "5")
    (shown,) = service.get("/v1/batches").json()["items"]
    assert (shown["status"], shown["proposed"], shown["pending"]) == ("incomplete", 20, 0)
    # the same once more: what was graded is not graded again, and its key is free
    again = service.batch(lines, **key)
    assert again.status_code == 202
    assert [line["status"] for line in results(service, again.json()["batch_id"])] == ["proposed"] * 25
    assert len(service.get("/v1/evaluations", limit=200).json()["items"]) == 25


def test_a_repeated_batch_is_the_same_batch(service: Service) -> None:
    lines, key = [transcript("B-1"), transcript("B-2")], {"Idempotency-Key": "b"}
    first, again = service.batch(lines, **key), service.batch(lines, **key)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert service.batch(lines[:1], **key).status_code == 409
    assert len(service.get("/v1/batches").json()["items"]) == 1


@pytest.mark.parametrize(
    ("params", "media_type", "status"),
    [
        ({"rubric": "no-such"}, "application/x-ndjson", 404),
        ({"rubric": "../etc"}, "application/x-ndjson", 422),
        ({}, "application/x-ndjson", 422),
        ({"rubric": RUBRIC}, "application/json", 415),
    ],
)
def test_what_cannot_be_a_batch_makes_none(
    service: Service, params: dict[str, str], media_type: str, status: int
) -> None:
    headers = {**service.key(), "Content-Type": media_type}
    answer = service.http.post("/v1/batches", params=params, content=b"{}\n", headers=headers)
    assert answer.status_code == status, answer.text
    assert service.get("/v1/batches").json()["items"] == []


def test_an_empty_batch_is_done(service: Service) -> None:
    batch_id = service.batch([]).json()["batch_id"]
    shown = service.get(f"/v1/batches/{batch_id}").json()
    assert (shown["status"], shown["total"]) == ("done", 0)
    assert results(service, batch_id) == []


def test_blank_lines_at_the_end_are_none_and_others_keep_their_numbers(service: Service) -> None:
    batch_id = service.batch([transcript("B-1"), "", transcript("B-3"), "", ""]).json()["batch_id"]
    assert [(line["line"], line["status"]) for line in results(service, batch_id)] == [
        (1, "proposed"),
        (2, "failed"),
        (3, "proposed"),
    ]


def test_who_asks_again_while_the_first_is_at_work_is_told_when_to_come_back(service: Service) -> None:
    with service.database.writing() as session:
        asked = fingerprint("POST", f"/v1/batches?rubric={RUBRIC}", "")
        client = ensure_client(session).id
        first = Batch(client_id=client, rubric_id=RUBRIC, rubric_version="v1", status="receiving")
        session.add(first)
        noted = {"batch_id": first.id}
        session.add(IdempotentRequest(client_id=client, key="b", fingerprint=asked, answer=noted))
    answer = service.batch([transcript("B-1")], **{"Idempotency-Key": "b"})
    assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")
    told = answer.json()
    assert (told["type"], told["retryable"]) == ("urn:callgrade:problem:still-at-work", True)
    other = service.batch([transcript("B-1")], rubric="service-quality-core", **{"Idempotency-Key": "b"})
    assert (other.status_code, other.json()["type"], other.json()["retryable"]) == (
        409, "urn:callgrade:problem:conflict", False,
    )  # fmt: skip
    assert "retry-after" not in other.headers
