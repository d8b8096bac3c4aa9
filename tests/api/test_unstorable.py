"""NUL and half a character, wherever a client may put them: refused with the field's name, on both databases.

Sent as JSON escapes; a body that holds them raw is no JSON.
"""

import base64
import json
from typing import Any

import pytest

from tests.api.made import RUBRIC, Service, transcript

NUL, HIGH, LOW = "\\u0000", "\\ud800", "\\udfff"
MARK = "MARK"
TURN = {"speaker": "agent", "text": "您好"}

PLACES: dict[str, dict[str, Any]] = {
    "call_id": {"call_id": f"C{MARK}"},
    "channel": {"channel": MARK},
    "language": {"language": f"zh{MARK}"},
    "queue": {"queue": MARK},
    "recogniser": {"recogniser": MARK},
    "notes[1]": {"notes": ["a", MARK]},
    "agent.id": {"agent": {"id": MARK}},
    "agent.team": {"agent": {"id": "8031", "team": MARK}},
    "customer.id": {"customer": {"id": MARK}},
    "turns[1].text": {"turns": [TURN, {**TURN, "text": f"好的{MARK}。"}]},
    "turns[0].emotion": {"turns": [{**TURN, "emotion": MARK}]},
    "facts.outcome": {"facts": {"outcome": MARK}},
    "facts.list[1][0]": {"facts": {"list": [1, [MARK]]}},
    "facts: a name": {"facts": {f"a{MARK}": 1}},
}
OF_A_RECORDING = [place for place in PLACES if place not in ("recogniser",) and not place.startswith("turns")]
BAD = pytest.mark.parametrize("bad", [NUL, HIGH, LOW], ids=["NUL", "high half", "low half"])


def written(document: dict[str, Any], bad: str) -> bytes:
    return json.dumps(document, ensure_ascii=False).replace(MARK, bad).encode()


def refused(answer: Any, place: str) -> None:
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert place in answer.json()["detail"]


@BAD
def test_in_a_transcript(service: Service, bad: str) -> None:
    for place, changes in PLACES.items():
        body = written({**transcript("C-1"), **changes}, bad)
        sent = {**service.key(), "Content-Type": "application/json"}
        refused(service.http.post("/v1/calls", params={"rubric": RUBRIC}, content=body, headers=sent), place)
    assert service.get("/v1/calls").json()["items"] == []


@BAD
def test_in_a_recordings_metadata(service: Service, bad: str) -> None:
    for place in OF_A_RECORDING:
        metadata = written({"call_id": "R-1", **PLACES[place]}, bad)
        form = {"audio": ("a.wav", b"RIFFhello", "audio/wav"), "metadata": (None, metadata)}
        refused(service.http.post("/v1/calls", files=form, headers=service.key()), place)
    assert service.get("/v1/calls").json()["items"] == []


@pytest.mark.parametrize("name", [b"a\x00b.wav", b"a\xed\xa0\x80b.wav", b"\xff\xfe.wav"])
def test_in_a_recordings_file_name_it_is_left_out(service: Service, name: bytes) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n{"call_id": "R-1"}\r\n--x\r\n'
    head += b'Content-Disposition: form-data; name="audio"; filename="' + name + b'"\r\n\r\nRIFFhello\r\n--x--\r\n'
    sent = {**service.key(), "Content-Type": "multipart/form-data; boundary=x"}
    answer = service.http.post("/v1/calls", content=head, headers=sent)
    assert answer.status_code in (202, 422), answer.text
    if answer.status_code == 202:
        shown = service.get(f"/v1/calls/{answer.json()['id']}").json()["recording"]["file_name"]
        assert "\0" not in shown


@BAD
def test_in_a_batch_it_is_the_fault_of_its_line(service: Service, bad: str) -> None:
    lines = [written({**transcript(f"L-{n}"), **PLACES[place]}, bad) for n, place in enumerate(PLACES)]
    named = "".join(["https://storage.example.com/", "a.wav"])
    recordings = [place for place in OF_A_RECORDING if place != "notes[1]"]
    lines += [written({"audio_url": named, "call_id": f"A-{place}", **PLACES[place]}, bad) for place in recordings]
    lines += [written({"audio_url": f"{named}{MARK}", "call_id": "A-url"}, bad)]
    lines += [json.dumps(transcript("L-good"), ensure_ascii=False).encode()]
    sent = {**service.key(), "Content-Type": "application/x-ndjson"}
    answer = service.http.post("/v1/batches", params={"rubric": RUBRIC}, content=b"\n".join(lines), headers=sent)
    assert answer.status_code == 202, answer.text
    batch = service.get(f"/v1/batches/{answer.json()['batch_id']}").json()
    assert (batch["status"], batch["total"], batch["proposed"]) == ("done", len(lines), 1)
    shown = service.get(f"/v1/batches/{batch['id']}/results").text.strip().split("\n")
    errors = [json.loads(line)["error"] for line in shown]
    for place, error in zip([*PLACES, *recordings, "audio_url"], errors, strict=False):
        assert error is not None, place
        assert (error["retryable"], place in error["message"]) == (False, True), error
    assert errors[-1] is None
    assert [call["call_id"] for call in service.get("/v1/calls").json()["items"]] == ["L-good"]


def test_in_a_csv_it_is_the_fault_of_its_line(service: Service) -> None:
    rows = ["audio_url,call_id,agent.id", "https://storage.example.com/a.wav,A-1\0,8031"]
    rows += ["https://storage.example.com/a.wav,A-2,80\x0031"]
    sent = {**service.key(), "Content-Type": "text/csv"}
    body = "\n".join(rows).encode()
    answer = service.http.post("/v1/batches", params={"rubric": RUBRIC}, content=body, headers=sent)
    assert answer.status_code == 202, answer.text
    shown = service.get(f"/v1/batches/{answer.json()['batch_id']}/results").text.strip().split("\n")
    messages = [json.loads(line)["error"]["message"] for line in shown]
    assert ["call_id" in messages[0], "agent.id" in messages[1]] == [True, True], messages


BODIES: list[tuple[str, dict[str, Any], str]] = [
    ("/v1/webhooks", {"url": f"https://crm.example.com/{MARK}"}, "url"),
    ("/v1/webhooks", {"url": "https://crm.example.com/", "events": [MARK]}, "events"),
    ("/v1/webhooks", {"url": "https://crm.example.com/", f"a{MARK}": 1}, "body"),
    ("/v1/releases", {"rubric": MARK}, "rubric"),
    ("/v1/releases", {"rubric": RUBRIC, "prompt": MARK}, "prompt"),
    ("/v1/releases", {"rubric": RUBRIC, "team": MARK}, "team"),
    ("/v1/releases", {"rubric": RUBRIC, "model": MARK}, "model"),
    ("/v1/releases", {"rubric": RUBRIC, "recogniser": MARK}, "recogniser"),
    ("/v1/releases", {"rubric": RUBRIC, "redaction": MARK}, "redaction"),
    ("/v1/releases", {"rubric": RUBRIC, "active_from": MARK}, "active_from"),
    ("/v1/releases", {"rubric": RUBRIC, "parameters": {f"a{MARK}": 1}}, "parameters"),
    ("/v1/releases", {"rubric": RUBRIC, "parameters": {"output": MARK}}, "parameters.output"),
    ("/v1/calls/{id}/evaluations", {"rubric": MARK}, "rubric"),
    ("/v1/calls/{id}/evaluations", {"release": MARK}, "release"),
]


@BAD
def test_in_any_other_body(service: Service, bad: str) -> None:
    sent = {**service.key(), "Content-Type": "application/json"}
    for path, document, place in BODIES:
        answer = service.http.post(path.replace("{id}", "0" * 32), content=written(document, bad), headers=sent)
        refused(answer, place)


@BAD
def test_beside_another_fault_it_is_still_an_answer(service: Service, bad: str) -> None:
    """What is wrong is told by path, and a path may hold what cannot be written."""
    for body in ({f"a{MARK}": 1, "call_id": "C-1"}, {"call_id": 7, "facts": {f"a{MARK}": [MARK]}}, {"turns": MARK}):
        sent = {**service.key(), "Content-Type": "application/json"}
        answer = service.http.post("/v1/calls", content=written(body, bad), headers=sent)
        assert answer.status_code == 422, answer.text
        form = {"audio": ("a.wav", b"RIFFhello", "audio/wav"), "metadata": (None, written(body, bad))}
        assert service.http.post("/v1/calls", files=form, headers=service.key()).status_code == 422


@pytest.mark.parametrize("raw", ["%00", "%ED%A0%80", "a%00b"])
def test_in_a_filter(service: Service, raw: str) -> None:
    for name in ("call_id", "agent", "team", "queue", "channel", "cursor"):
        answer = service.http.get(f"/v1/calls?{name}={raw}", headers=service.key())
        assert answer.status_code in (200, 422), answer.text
    cursor = base64.urlsafe_b64encode(b"a\0b").decode().rstrip("=")
    for path in ("/v1/calls", "/v1/evaluations", "/v1/batches", "/v1/releases", "/v1/rubrics"):
        assert service.get(path, cursor=cursor).status_code in (200, 422)
