"""Memory of the web process while a batch of a million lines goes in: as much as with ten thousand.

    python -m evals.bench.intake                                        # 10,000, 100,000 and 1,000,000 lines
    python -m evals.bench.intake --lines 10000 --lines 50000 --on postgres

The lines are small transcripts, made while they are sent. `callgrade serve` works nothing off meanwhile
(CALLGRADE_QUEUES is empty), so that only taking them in is measured; each size has a service and a database of its own.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
from evals.bench.__main__ import machine
from evals.bench.clients import register
from evals.bench.databases import KINDS, Kind, new_database
from evals.bench.figures import Figure, Table
from evals.bench.processes import cpu_s, forget_peak, peak_bytes, resident_bytes, serving
from evals.bench.workload import rubric

SIZES = (10_000, 100_000, 1_000_000)
LINES_A_PIECE = 500
MB = 1_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", choices=KINDS, action="append")
    parser.add_argument("--lines", type=int, action="append")
    chosen = parser.parse_args()
    print(machine(), flush=True)
    sizes = chosen.lines or SIZES
    for kind in chosen.on or KINDS:
        taken = []
        for lines in sizes:
            table, peak = take_in(kind, lines)
            taken.append(peak)
            print("", table.text(), sep="\n", flush=True)
        growth = Figure("growth of the peak", (taken[-1] - taken[0]) / MB, "MB", at_most=20)
        print("", Table(f"{kind}: from {sizes[0]:,} to {sizes[-1]:,} lines", (growth,)).text(), sep="\n", flush=True)


def take_in(kind: Kind, lines: int) -> tuple[Table, int]:
    """What it took, and the peak in bytes."""
    with (
        tempfile.TemporaryDirectory(prefix="callgrade-bench-") as place,
        new_database(kind, Path(place)) as url,
    ):
        key = register(url)
        environment = {"CALLGRADE_DATA_DIR": place, "CALLGRADE_DATABASE_URL": url, "CALLGRADE_QUEUES": ""}
        with serving(environment) as service:
            _send(service.base_url, key, 1_000)
            before = resident_bytes(service.web)
            forget_peak(service.web)
            cpu, wall = cpu_s(service.web), time.perf_counter()
            total = _send(service.base_url, key, lines)
            cpu, wall = cpu_s(service.web) - cpu, time.perf_counter() - wall
            peak = peak_bytes(service.web)
    figures = (
        Figure("lines taken in", total, at_least=lines, must=True),
        Figure("resident before", before / MB, "MB"),
        Figure("resident at the peak", peak / MB, "MB"),
        Figure("lines a second", lines / wall),
        Figure("CPU of the web process a line", cpu / lines * 1000, "ms"),
    )
    return Table(f"{kind}: a batch of {lines:,} lines goes in", figures), peak


def _send(base_url: str, key: str, lines: int) -> int:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/x-ndjson"}
    params = {"rubric": f"{rubric().id}@{rubric().version}"}
    with httpx.Client(base_url=base_url, trust_env=False, timeout=None) as http:
        answer = http.post("/v1/batches", params=params, content=_pieces(lines), headers=headers)
    answer.raise_for_status()
    return int(answer.json()["total"])


def _pieces(lines: int) -> Iterator[bytes]:
    for first in range(0, lines, LINES_A_PIECE):
        some = range(first, min(first + LINES_A_PIECE, lines))
        yield "".join(_line(number) for number in some).encode()


def _line(number: int) -> str:
    turns = [
        {"speaker": "agent", "text": "您好，请问有什么可以帮您？"},
        {"speaker": "customer", "text": "没有，谢谢。"},
    ]
    return json.dumps({"call_id": f"M-{number:08d}", "turns": turns}, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
