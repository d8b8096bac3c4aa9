"""Spans: what they say, what they never say, and where they go."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from callgrade import tracing
from callgrade.adapters.llm.errors import Fault
from callgrade.adapters.llm.traced import TracedEndpoint
from callgrade.adapters.llm.wire import Reply, Request, Tokens
from callgrade.api.middleware import JsonLines
from callgrade.domain.errors import RateLimitedError
from callgrade.evaluations.watching import NoFault, Unwatched, timed
from tests.api.made import *  # noqa: F403
from tests.api.made import Service, transcript
from tests.db.databases import *  # noqa: F403

PHONE, SAID = "13800138000", "我的卡号被盗刷了三千块"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    assert tracing.start(exporter)
    yield exporter
    tracing.stop()


def named(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in spans.get_finished_spans()}


def parent_of(span: ReadableSpan, spans: InMemorySpanExporter) -> str | None:
    found = {each.context.span_id: each.name for each in spans.get_finished_spans()}
    return found.get(span.parent.span_id) if span.parent else None


def call(call_id: str) -> dict[str, Any]:
    turns = [{"speaker": "customer", "text": SAID}, {"speaker": "agent", "text": f"您的电话是{PHONE}吗？"}]
    return transcript(call_id, turns=turns, agent={"id": "8031", "team": "张三组"})


def test_a_call_from_its_request_to_its_scorecard(service: Service, spans: InMemorySpanExporter) -> None:
    made = service.submit(call("C-1"), **{"traceparent": "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"}).json()
    found = named(spans)
    request = found["POST /v1/calls"]
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/calls",
        "http.response.status_code": 202,
        "callgrade.request_id": request.attributes["callgrade.request_id"],
        "callgrade.evaluation_id": made["evaluation_id"],
    }
    assert (request.kind.name, f"{request.context.trace_id:x}") == ("SERVER", "ab" * 16)
    assert found["evaluate"].attributes["callgrade.evaluation_id"] == made["evaluation_id"]
    judge = found["judge"].attributes
    assert judge["callgrade.rubric"] == "telesales-misconduct@v1"
    assert judge["callgrade.criteria"] > 10
    assert {name: parent_of(found[name], spans) for name in ("judge", "store")} == {
        "judge": "evaluate",
        "store": "evaluate",
    }


def test_a_batch(service: Service, spans: InMemorySpanExporter) -> None:
    made = service.batch([call("C-1"), call("C-2"), "no transcript"]).json()
    found = named(spans)
    assert found["POST /v1/batches"].attributes["callgrade.batch_id"] == made["batch_id"]
    assert found["chunk"].attributes == {"callgrade.batch_id": made["batch_id"], "callgrade.chunk": 0}
    names = [span.name for span in spans.get_finished_spans()]
    assert names.count("judge_in_bulk") == 2
    stored = [span.attributes["callgrade.results"] for span in spans.get_finished_spans() if span.name == "store"]
    assert sum(stored) == 3
    assert {parent_of(found[name], spans) for name in ("judge_in_bulk", "store")} == {"chunk"}


def test_nothing_personal_is_in_any_span(
    service: Service, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.submit(call(PHONE))
    service.get("/v1/calls", agent_id=PHONE)
    service.get(f"/v1/nobody/{PHONE}", q=SAID)
    service.http.request(PHONE, "/v1/calls")
    service.http.post("/v1/calls", content=f'{{"call_id": "{PHONE}", "x": 1}}', headers=service.key())

    async def breaks(*_: object) -> None:
        raise ValueError(SAID)

    monkeypatch.setattr(service.pipeline, "_judged", breaks)
    service.submit(call("C-9"))
    monkeypatch.setattr(service.app.state.services.health, "look", lambda: [][1])
    assert service.http.get("/readyz").status_code == 500
    text = "".join(span.to_json() for span in spans.get_finished_spans())
    assert {"judge", "GET /readyz", "GET unknown"} <= set(named(spans))
    failed = [span.attributes.get("error.type") for span in spans.get_finished_spans() if span.status.status_code.value]
    assert "ValueError" in failed
    assert all(not span.events for span in spans.get_finished_spans())
    for words in (PHONE, SAID, json.dumps(SAID)[1:-1], "8031", "张三组", "testserver", "cg_", "?"):
        assert words not in text, words


def test_lines_of_the_log_name_their_trace(spans: InMemorySpanExporter) -> None:
    record = logging.makeLogRecord({"msg": "x", "levelname": "INFO"})
    assert "trace_id" not in json.loads(JsonLines().format(record))
    with tracing.span("evaluate"):
        line = json.loads(JsonLines().format(record))
    assert line["trace_id"] == f"{named(spans)['evaluate'].context.trace_id:032x}"


class Endpoint:
    place = identity = "model.internal"

    async def send(self, request: Request) -> Reply:
        if request.body["messages"] == SAID:
            raise Fault(RateLimitedError(f"429: {PHONE}"))
        return Reply(SAID, None, "stop", "m", Tokens(prompt=900, cached=400, completion=50))

    async def aclose(self) -> None:
        return


async def test_a_request_to_the_model(spans: InMemorySpanExporter) -> None:
    endpoint = TracedEndpoint(Endpoint())
    await endpoint.send(Request({"model": "m", "messages": "x"}))
    with pytest.raises(Fault):
        await endpoint.send(Request({"model": "m", "messages": SAID}))
    answered, refused = spans.get_finished_spans()
    assert answered.attributes == {
        "gen_ai.request.model": "m",
        "gen_ai.usage.input_tokens": 900,
        "gen_ai.usage.cache_read.input_tokens": 400,
        "gen_ai.usage.output_tokens": 50,
    }
    assert refused.attributes["error.type"] == RateLimitedError("x").type
    assert not any(words in span.to_json() for words in (PHONE, SAID) for span in (answered, refused))


def test_what_is_no_failure_is_not_marked_as_one(spans: InMemorySpanExporter) -> None:
    with pytest.raises(NoFault), timed(Unwatched(), "judge"):
        raise NoFault
    assert named(spans)["judge"].status.status_code.name == "UNSET"


@pytest.fixture
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Takes OTLP over HTTP, as a collector does."""
    came: list[ExportTraceServiceRequest] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces"
            came.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Collector)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", came
    server.shutdown()
    thread.join()
    server.server_close()


def test_over_the_wire(collector: tuple[str, list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    place, came = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", place)
    assert tracing.start()
    with tracing.span("evaluate", evaluation_id="e-1"):
        tracing.note(criteria=3)
    tracing.stop()
    (resource,) = came[0].resource_spans
    assert {a.key: a.value.string_value for a in resource.resource.attributes}["service.name"] == "callgrade"
    (sent,) = resource.scope_spans[0].spans
    assert sent.name == "evaluate"
    assert [a.key for a in sent.attributes] == ["callgrade.evaluation_id", "callgrade.criteria"]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": ""},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_unless_it_is_asked_for_nothing_is_traced(environment: dict[str, str]) -> None:
    assert not tracing.start(environment=environment)
    with tracing.span("evaluate", evaluation_id="e-1"):
        tracing.note(criteria=3)
        assert tracing.trace_id() is None


def test_without_the_extra_the_log_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert not tracing.start(environment={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
    assert "pip install 'callgrade[otel]'" in caplog.text


def test_when_off_nothing_of_it_is_imported() -> None:
    script = (
        "import sys, callgrade.cli.app, callgrade.wiring, callgrade.evaluations.watching as w\n"
        "with w.timed(w.Unwatched(), 'judge', evaluation_id='e'): pass\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
