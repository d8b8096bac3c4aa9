"""Prometheus figures of this process. No label holds an id, a name or anything that was said."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from callgrade.domain.errors import SettingsError
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.views import Waiting

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
STAGE_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900)
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Made once an app; `registry` belongs to it alone. Implements evaluations.watching.Watch."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "callgrade_http_requests", "Requests.", ("method", "route", "status"), registry=self.registry
        )
        self._latency = Histogram(
            "callgrade_http_seconds", "From the request to the end of its answer.", ("method", "route"),
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self._stage = Histogram(
            "callgrade_stage_seconds", "One piece of work.", ("stage",), buckets=STAGE_SECONDS, registry=self.registry
        )
        self._scorecards = Counter("callgrade_scorecards", "Proposed.", ("rubric",), registry=self.registry)
        self._verdicts = Counter(
            "callgrade_verdicts", "Judgements.", ("rubric", "criterion", "status"), registry=self.registry
        )
        self._errors = Counter("callgrade_errors", "Failures by type.", ("stage", "type"), registry=self.registry)
        self._tokens = Counter("callgrade_tokens", "Of the model.", ("kind",), registry=self.registry)
        self._model_requests = Counter("callgrade_model_requests", "Sent to the model.", registry=self.registry)
        self._cost = Counter("callgrade_cost_dollars", "Where prices are known.", registry=self.registry)
        self._cache_hits = Counter("callgrade_cache_hits", "Answers that were at hand.", registry=self.registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method, route, str(status)).inc()
        self._latency.labels(method, route).observe(seconds)

    def done(self, stage: str, seconds: float, error: str | None) -> None:
        self._stage.labels(stage).observe(seconds)
        if error is not None:
            self._errors.labels(stage, error).inc()

    def scored(self, card: Scorecard) -> None:
        rubric = f"{card.rubric.id}@{card.rubric.version}"
        self._scorecards.labels(rubric).inc()
        for judgement in card.judgements:
            self._verdicts.labels(rubric, judgement.criterion_id, judgement.status).inc()
            if judgement.error is not None:
                self._errors.labels("judgement", judgement.error.type).inc()
        made = card.provenance
        self._model_requests.inc(made.requests)
        self._cache_hits.inc(made.cache_hits)
        self._cost.inc(made.cost or 0)
        for kind, count in made.tokens.items():
            self._tokens.labels(kind).inc(count)

    def listen(self, host: str, port: int) -> None:
        """For a process that serves nothing else. Raises SettingsError where the port is taken."""
        try:
            start_http_server(port, host, self.registry)
        except OSError as error:
            raise SettingsError(f"--metrics-port {port}: {error.strerror}") from None

    def exposition(self, waiting: Mapping[str, Waiting], lines: Waiting, deliveries: Waiting) -> bytes:
        """With how many evaluations wait by their status, how many lines of batches, and how many webhook events."""
        return generate_latest(self.registry) + generate_latest(_queue(waiting, lines, deliveries))


def _queue(waiting: Mapping[str, Waiting], lines: Waiting, deliveries: Waiting) -> CollectorRegistry:
    registry = CollectorRegistry()

    class Queue(Collector):
        def collect(self) -> Iterable[GaugeMetricFamily]:
            depth = GaugeMetricFamily("callgrade_evaluations_waiting", "Not done yet.", labels=("status",))
            age = GaugeMetricFamily("callgrade_evaluations_oldest_seconds", "Since it changed.", labels=("status",))
            for status, found in waiting.items():
                depth.add_metric([status], found.number)
                age.add_metric([status], found.oldest_s)
            batches = GaugeMetricFamily("callgrade_batch_lines_waiting", "In chunks not done yet.", lines.number)
            oldest = GaugeMetricFamily("callgrade_batch_oldest_seconds", "Since it came in.", lines.oldest_s)
            events = GaugeMetricFamily("callgrade_deliveries_waiting", "Webhook events.", deliveries.number)
            untold = GaugeMetricFamily("callgrade_deliveries_oldest_seconds", "Since it happened.", deliveries.oldest_s)
            return [depth, age, batches, oldest, events, untold]

    registry.register(Queue())
    return registry
