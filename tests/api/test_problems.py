"""Errors: one shape everywhere, a request id that finds them in the log, and nothing in either that was said."""

import json
import logging
from typing import Any

import pytest

from callgrade.access.rates import Rates
from callgrade.api.middleware import JsonLines
from callgrade.api.problems import Problem, title_of
from callgrade.calls import service as calls
from tests.api.made import RUBRIC, Service, transcript

SAID = "我的卡号是六二二二"


@pytest.mark.parametrize(
    ("method", "path", "status", "type_"),
    [
        ("GET", "/", 404, "no-such-route"),
        ("GET", "/v1/nothing", 404, "no-such-route"),
        ("GET", "/v1/calls/", 404, "no-such-route"),
        ("PUT", "/v1/calls", 405, "method-not-allowed"),
        ("POST", "/healthz", 405, "method-not-allowed"),
        ("GET", "/v1/calls", 401, "not-authenticated"),
    ],
)
def test_every_error_is_a_problem(service: Service, method: str, path: str, status: int, type_: str) -> None:
    answer = service.http.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = Problem.model_validate(answer.json())
    assert (problem.status, problem.type) == (status, f"urn:callgrade:problem:{type_}")
    assert problem.request_id == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/v1/calls", "GET, POST"), (f"/v1/calls/{'0' * 32}", "DELETE, GET"), ("/healthz", "GET")],
)
def test_a_method_that_is_not_there_is_told_which_are(service: Service, path: str, allowed: str) -> None:
    answer = service.http.request("OPTIONS", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize(
    ("status", "title"),
    [(404, "Not Found"), (413, "Content Too Large"), (416, "Range Not Satisfiable"), (422, "Unprocessable Content")],
)
def test_titles_are_the_same_on_every_python(status: int, title: str) -> None:
    assert title_of(status) == title


def test_a_request_that_does_not_fit_names_each_fault(service: Service) -> None:
    answer = service.http.post("/v1/webhooks", json={"url": "ftp://x", "evnts": []}, headers=service.key())
    assert answer.status_code == 422
    places = {fault["where"] for fault in answer.json()["errors"]}
    assert places == {"body.url", "body.evnts"}
    assert "ftp://x" not in answer.text


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[1]", b"null", b'{"url": "a\\ud800"}'])
def test_a_body_that_is_no_json_object_is_a_problem_too(service: Service, body: bytes) -> None:
    headers = {**service.key(), "Content-Type": "application/json"}
    answer = service.http.post("/v1/webhooks", content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


def test_a_bug_tells_its_place_and_not_its_text(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError(SAID)

    monkeypatch.setattr(calls, "list_page", fails)
    answer = service.get("/v1/calls")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:callgrade:problem:unexpected")
    assert SAID not in answer.text
    (record,) = [record for record in caplog.records if record.getMessage() == "bug"]
    assert record.request_id == answer.json()["request_id"]  # type: ignore[attr-defined]
    assert record.error == "RuntimeError"  # type: ignore[attr-defined]
    assert any("fails" in frame for frame in record.frames)  # type: ignore[attr-defined]
    assert SAID not in JsonLines().format(record)


def test_a_key_over_its_rate_is_told_when_to_come_back(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = 0.0
    rates = Rates(2, clock=lambda: moment)
    object.__setattr__(service.app.state.services, "rates", rates)
    assert [service.get("/v1/calls").status_code for _ in range(3)] == [200, 200, 429]
    refused = service.get("/v1/calls")
    assert (refused.json()["type"], refused.json()["retryable"]) == ("urn:callgrade:problem:too-many-requests", True)
    assert refused.headers["retry-after"] == "30"
    # another key has an allowance of its own, and what is open costs none
    assert service.get("/v1/calls", client="stranger").status_code == 200
    assert service.http.get("/healthz").status_code == 200
    moment = 30.0
    assert service.get("/v1/calls").status_code == 200


def test_the_access_log_names_the_request_and_nobody(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "callgrade.access")
    service.submit(transcript("客户甲", turns=[{"speaker": "customer", "text": SAID}]))
    service.get("/v1/calls", agent="8031", call_id="客户甲")
    service.get("/v1/nobody/13800138000")
    lines = [JsonLines().format(record) for record in caplog.records if record.name == "callgrade.access"]
    told = [json.loads(line) for line in lines]
    assert [(line["method"], line["route"], line["status"]) for line in told] == [
        ("POST", "/v1/calls", 202),
        ("GET", "/v1/calls", 200),
        ("GET", "unknown", 404),
    ]
    assert all(len(line["request_id"]) == 32 for line in told)
    assert told[0]["actor"].startswith("key:")
    assert told[0]["client"]
    assert told[2]["client"] is None
    for word in ("客户甲", SAID, "8031", "13800138000", service.key()["Authorization"][-20:], "testclient"):
        assert all(word not in line for line in lines), word


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("019a2f6e-6cf7-7c3f-8bd0-a1b2c3d4e5f6", True),
        ("019a2f6e6cf77c3f8bd0a1b2c3d4e5f6", True),
        ("13800138000", False),
        ("x" * 500, False),
    ],
)
def test_the_callers_request_id_is_taken_where_it_is_one(service: Service, given: str, kept: bool) -> None:
    answer = service.http.get("/healthz", headers={"X-Request-Id": given})
    assert (answer.headers["x-request-id"] == given) == kept


def test_headers_that_browsers_heed(service: Service) -> None:
    for answer in (service.http.get("/healthz"), service.http.get("/nowhere"), service.submit()):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"


def test_the_body_of_what_is_small_is_capped(service: Service) -> None:
    answer = service.http.post("/v1/webhooks", content=b" " * 1_100_000, headers=service.key())
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:callgrade:problem:too-large")
    long = service.submit(transcript(turns=[{"speaker": "agent", "text": "x" * 2_000_000}]), rubric=None)
    assert long.status_code == 202
    assert service.submit(transcript("C-2", notes=["x" * 53_000_000]), rubric=RUBRIC).status_code == 413
