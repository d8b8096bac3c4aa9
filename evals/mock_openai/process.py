"""The mock in a process of its own, for a bench or a test: started on a free port, ended by its process id."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Mock:
    base_url: str
    """Ends in /v1."""

    def stats(self) -> dict[str, Any]:
        return self._asked("/stats", "GET")

    def reset(self) -> None:
        self._asked("/reset", "POST")

    def lay_on_all(self, case: str) -> None:
        """See cases.py; `none` ends it."""
        self._asked(f"/case/{case}", "POST")

    def _asked(self, path: str, method: str) -> dict[str, Any]:
        request = urllib.request.Request(self.base_url.removesuffix("/v1") + path, method=method)
        # a proxy that the environment names is for the world outside
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            seen: dict[str, Any] = json.load(answer)
        return seen


@contextmanager
def running(*options: str) -> Iterator[Mock]:
    """`options` as on the command line. Raises RuntimeError when the server does not come up."""
    command = [sys.executable, "-m", "evals.mock_openai", "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            base_url = server.stdout.readline().strip()
            if not base_url:
                raise RuntimeError(f"the mock did not start: {' '.join(command)}")
            yield Mock(base_url)
        finally:
            server.terminate()
