"""Measures judging against the mock server, beside the bare openai client: `python -m evals.bench`, or `make bench`.

Each part runs in a process of its own, the server in another, so that none measures what another left behind. Speed
that misses what was wanted is marked; the exit status is 1 only where a count is wrong, for a busy machine is slow and
not broken.
"""

import argparse
import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

from evals.bench.figures import Table
from evals.mock_openai.process import ROOT

PARTS = ("hot", "flight", "memory", "faults")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be given again")
    parser.add_argument("--calls", type=int, help="in each part, instead of its own number")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    return parser.parse_args()


def run_here(part: str, calls: int | None) -> list[Table]:
    from evals.bench.faults import faults
    from evals.bench.flight import flight
    from evals.bench.hot import hot
    from evals.bench.memory import memory

    parts: dict[str, Callable[..., Awaitable[list[Table]]]] = {
        "hot": hot,
        "flight": flight,
        "memory": memory,
        "faults": faults,
    }
    measure = partial(parts[part], calls=calls) if calls else parts[part]

    async def measure_it(folder: Path) -> list[Table]:
        return await measure(folder)

    with tempfile.TemporaryDirectory(prefix="callgrade-bench-") as folder:
        return asyncio.run(measure_it(Path(folder)))


def run_apart(part: str, calls: int | None) -> list[Table]:
    size = ["--calls", str(calls)] if calls else []
    command = [sys.executable, "-m", "evals.bench", "--json", "--only", part, *size]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False, text=True)
    if not done.stdout:
        raise SystemExit(f"the part {part!r} failed")
    return [Table.from_json(table) for table in json.loads(done.stdout)["tables"]]


def machine() -> str:
    """Date, processor, how busy and how fast it is just now, and the libraries."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("openai", "aiohttp", "httpx", "pydantic"))
    return (
        f"{time.strftime('%Y-%m-%d')}, {_processor()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}, a loop of a million steps in {_loop_ms():.0f} ms, "
        f"Python {platform.python_version()}, {libraries}"
    )


def _loop_ms() -> float:
    """The best of five: a shared processor's speed changes by the hour, and figures are worth as much as it tells."""
    times = []
    for _ in range(5):
        began = time.process_time()
        total = 0
        for step in range(1_000_000):
            total += step
        times.append(time.process_time() - began)
    return min(times) * 1000


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def main() -> int:
    chosen = options()
    parts = chosen.only or list(PARTS)
    measure = run_here if len(parts) == 1 else run_apart
    if not chosen.json:
        print(machine(), flush=True)
    tables: list[Table] = []
    for part in parts:
        measured = measure(part, chosen.calls)
        tables += measured
        if not chosen.json:
            print("", *(table.text() for table in measured), sep="\n", flush=True)
    if chosen.json:
        print(json.dumps({"machine": machine(), "tables": [t.as_json() for t in tables]}, ensure_ascii=False))
    return 1 if any(table.broken for table in tables) else 0


if __name__ == "__main__":
    sys.exit(main())
