"""Spans for OpenTelemetry, where the extra `otel` is installed and OTEL_EXPORTER_OTLP_ENDPOINT says where they go.

    POST /v1/calls                   one request, by its route
    transcribe                       one call, from its recording
    evaluate ─▶ judge ─▶ ask         one call; `ask` is one request to the model
             └▶ store
    chunk ─▶ judge_in_bulk ─▶ ask    a chunk of a batch
          └▶ store                   a group of its results

A span says ids, counts and kinds of failure: what may stand in it is named in `Attributes`, so that nothing that was
said, no name, no address with its query and no error's text can. The work on a call begins a trace of its own, hours
after the request perhaps; `callgrade.evaluation_id` ties the two together.

The provider is ours alone. With a global one every library in the process would send spans of its own, texts of
exceptions and whole addresses among them. When off, nothing is imported and a span costs a microsecond.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypedDict, Unpack

from callgrade import __version__
from callgrade.domain.errors import CallgradeError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
FLUSH_MS = 3_000
"""What has not been sent by then at the end of the process is lost: no collector keeps a service from ending."""
log = logging.getLogger(__name__)


class Attributes(TypedDict, total=False):
    """What a span may say. Ids are ours, `rubric` is `id@vN`, `route` a pattern and never a path."""

    request_id: str
    evaluation_id: str
    batch_id: str
    chunk: int
    rubric: str
    criteria: int
    results: int
    method: str
    route: str
    status: int
    model: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int


_CONVENTIONS = {
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "model": "gen_ai.request.model",
    "prompt_tokens": "gen_ai.usage.input_tokens",
    "cached_tokens": "gen_ai.usage.cache_read.input_tokens",
    "completion_tokens": "gen_ai.usage.output_tokens",
}
"""OpenTelemetry's own names; the others begin with `callgrade.`"""


class _Exporting:
    """The provider of this process and its tracer, while it sends."""

    provider: "TracerProvider | None" = None
    tracer: "Tracer | None" = None


def start(exporter: "SpanExporter | None" = None, environment: Mapping[str, str] | None = None) -> bool:
    """Begins to send spans, where that is asked for and possible; says whether it does. `exporter` is for tests: it is
    given each span at once."""
    environment = os.environ if environment is None else environment
    if _Exporting.tracer is not None or not (exporter or _asked_for(environment)):
        return _Exporting.tracer is not None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
    except ImportError:
        log.warning("OTEL_EXPORTER_OTLP_ENDPOINT is set, and no spans are sent: pip install 'callgrade[otel]'")
        return False
    own = {"service.version": __version__}
    if "OTEL_SERVICE_NAME" not in environment and "service.name=" not in environment.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    ):
        own["service.name"] = "callgrade"
    provider = TracerProvider(resource=Resource.create(own), shutdown_on_exit=False)
    provider.add_span_processor(
        SimpleSpanProcessor(exporter) if exporter else BatchSpanProcessor(OTLPSpanExporter(timeout=FLUSH_MS / 1000))
    )
    _Exporting.provider, _Exporting.tracer = provider, provider.get_tracer("callgrade", __version__)
    return True


def stop() -> None:
    """Sends what is left, and no more."""
    provider, _Exporting.provider, _Exporting.tracer = _Exporting.provider, None, None
    if provider is not None:
        provider.force_flush(FLUSH_MS)
        provider.shutdown()


@contextmanager
def span(name: str, *, caller: Mapping[str, str] | None = None, **attributes: Unpack[Attributes]) -> Iterator[None]:
    """What is done inside, with its failure's type where it fails. `caller` is the header of a request that may carry
    a `traceparent`; with one the span is the server's."""
    tracer = _Exporting.tracer
    if tracer is None:
        yield
        return
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    with tracer.start_as_current_span(
        name,
        context=None if caller is None else TraceContextTextMapPropagator().extract(caller),
        kind=SpanKind.INTERNAL if caller is None else SpanKind.SERVER,
        # both would write the exception's text into the span
        record_exception=False,
        set_status_on_exception=False,
    ):
        note(**attributes)
        try:
            yield
        except BaseException as error:
            if kind := _kind(error):
                _failed(kind)
            raise


def note(**attributes: Unpack[Attributes]) -> None:
    """Says more of what is under way."""
    if _Exporting.tracer is None:
        return
    from opentelemetry.trace import get_current_span

    current = get_current_span()
    for name, value in attributes.items():
        current.set_attribute(_CONVENTIONS.get(name, f"callgrade.{name}"), value)  # type: ignore[arg-type]


def answered(method: str, route: str, status: int) -> None:
    """Names the span of a request by what it turned out to be."""
    if _Exporting.tracer is None:
        return
    from opentelemetry.trace import get_current_span

    get_current_span().update_name(f"{method} {route}")
    note(method=method, route=route, status=status)
    if status >= 500:
        _failed(str(status))


def trace_id() -> str | None:
    """Of what is under way, as 32 hexadecimal digits; None outside of a span."""
    if _Exporting.tracer is None:
        return None
    from opentelemetry.trace import format_trace_id, get_current_span

    found = get_current_span().get_span_context()
    return format_trace_id(found.trace_id) if found.is_valid else None


def _kind(error: BaseException) -> str | None:
    """Ours, and never a text of the error's own. A class of ours says `traced_as` where it is called otherwise, and
    None where it is no failure."""
    if isinstance(error, CallgradeError):
        return error.type
    own: str | None = getattr(error, "traced_as", type(error).__name__)
    return own


def _failed(kind: str) -> None:
    from opentelemetry.trace import StatusCode, get_current_span

    current = get_current_span()
    current.set_attribute("error.type", kind)
    current.set_status(StatusCode.ERROR)


def _asked_for(environment: Mapping[str, str]) -> bool:
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    return any(environment.get(name) for name in ENDPOINTS)
