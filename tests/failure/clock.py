"""A wall clock that can be put forward and back under a running process, as by an operator or a time server.

libfaketime (preloaded; its package carries it compiled) stands between the process and its clock, for Python and C
alike. The monotonic clock goes on as it is: that is what a real jump does.
"""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from tests.failure.harness import Service, until


class Clock:
    """`environment` is for the processes that go by it."""

    def __init__(self, folder: Path):
        spec = find_spec("libfaketime")
        if spec is None or spec.origin is None:
            pytest.skip("needs the package libfaketime")
        library = Path(spec.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
        self._file = folder / "clock"
        self._ahead = timedelta(0)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }
        self._write(timedelta(days=1))
        told = "import time; print(time.time())"
        shown = subprocess.run([sys.executable, "-c", told], env=self.environment, capture_output=True, text=True)
        if abs(float(shown.stdout) - datetime.now(UTC).timestamp() - 86_400) > 600:
            pytest.skip("libfaketime moves no clock here")
        self._write(self._ahead)

    def jump(self, by: timedelta, service: Service) -> None:
        """Until the service goes by it."""
        self._ahead += by
        self._write(self._ahead)

        def seen() -> bool:
            told = parsedate_to_datetime(httpx.get(f"{service.url}/healthz", trust_env=False).headers["date"])
            return abs(told - datetime.now(UTC) - self._ahead) < timedelta(minutes=5)

        until(seen, f"a clock that is {self._ahead} ahead")

    def _write(self, ahead: timedelta) -> None:
        aside = self._file.with_suffix(".new")
        aside.write_text(f"{ahead.total_seconds():+.0f}\n")
        aside.replace(self._file)
