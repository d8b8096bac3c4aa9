"""What the server saw."""

import os
import time
from collections import Counter
from typing import Any

MOST_SAMPLES = 200_000


class Stats:
    def __init__(self) -> None:
        self.in_flight = self.connections = 0
        self.reset()

    def reset(self) -> None:
        """Forget what was, but for what is going on."""
        self.requests = self.bad_requests = self.connections_opened = self.aborted = 0
        self.body_bytes = self.prompt_tokens = self.completion_tokens = 0
        self.by_status: Counter[str] = Counter()
        self.by_fault: Counter[str] = Counter()
        self.good_for: Counter[bytes] = Counter()
        """Valid answers that were sent, by the request they answer. Each is billed."""
        self.peak_in_flight, self.peak_connections = self.in_flight, self.connections
        self._late_ms: list[float] = []
        self._first: float | None = None
        self._last: float | None = None
        self._cpu = time.process_time()

    def received(self, body: bytes) -> None:
        self.requests += 1
        self.body_bytes += len(body)
        self._first = self._first or time.monotonic()
        self.in_flight += 1
        self.peak_in_flight = max(self.peak_in_flight, self.in_flight)

    def answered(self, late_ms: float) -> None:
        self.in_flight -= 1
        self._last = time.monotonic()
        if len(self._late_ms) < MOST_SAMPLES:
            self._late_ms.append(late_ms)

    def dropped(self) -> None:
        self.in_flight -= 1
        self._last = time.monotonic()

    def connected(self) -> None:
        self.connections += 1
        self.connections_opened += 1
        self.peak_connections = max(self.peak_connections, self.connections)

    def view(self) -> dict[str, Any]:
        span = self._last - self._first if self._first and self._last else None
        late = sorted(self._late_ms)
        return {
            "requests": self.requests,
            "bad_requests": self.bad_requests,
            "by_status": dict(self.by_status),
            "by_fault": dict(self.by_fault),
            "good_answers": self.good_for.total(),
            "bodies_answered": len(self.good_for),
            "in_flight": self.in_flight,
            "peak_in_flight": self.peak_in_flight,
            "connections_opened": self.connections_opened,
            "peak_connections": self.peak_connections,
            "aborted_by_client": self.aborted,
            "body_bytes": self.body_bytes,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "span_s": None if span is None else round(span, 4),
            "requests_per_s": round(self.requests / span, 1) if span else None,
            "late_ms_p50": _quantile(late, 0.5),
            "late_ms_p99": _quantile(late, 0.99),
            "late_ms_max": _quantile(late, 1.0),
            "server_cpu_s": round(time.process_time() - self._cpu, 3),
            "pid": os.getpid(),
        }


def _quantile(rising: list[float], share: float) -> float | None:
    return round(rising[min(len(rising) - 1, int(share * len(rising)))], 2) if rising else None
