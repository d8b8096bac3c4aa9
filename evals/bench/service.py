"""From HTTP in to scorecards stored, through the service as it is run: one by one, and as a batch.

    python -m evals.bench.service                                       # everything, some minutes
    python -m evals.bench.service --how bulk --on sqlite --workers 1 --calls 1000

One worker is `callgrade serve` alone, two are `serve` and a `callgrade worker` beside it with half of the requests to
the model each. Counted is the processor time of these processes, from the first byte sent until the last scorecard is
stored; what PostgreSQL takes is told beside it. The model's server, the sender of the calls and whoever looks whether
they are done are processes of their own, or this one.
"""

import argparse
import asyncio
import json
import math
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from evals.bench.__main__ import machine
from evals.bench.clients import register
from evals.bench.databases import KINDS, Kind, new_database, postmaster
from evals.bench.figures import Figure, Table
from evals.bench.processes import Service, cpu_s, family_of, peak_bytes, serving
from evals.bench.workload import WARM_UP, rubric
from evals.mock_openai.process import running
from evals.synthetic_calls import make_call
from sqlalchemy import func, select
from sqlmodel import Session, col

from callgrade.db.session import Database
from callgrade.db.tables import Batch, Evaluation

HOWS = ("bulk", "single")
AIMS_MS = {"bulk": 10.0, "single": 40.0}
SENDERS = 100
LOOK_EVERY_S = 0.1


@dataclass(frozen=True)
class Case:
    how: str
    kind: Kind
    workers: int
    calls: int
    concurrency: int
    latency_s: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--how", choices=HOWS, action="append")
    parser.add_argument("--on", choices=KINDS, action="append")
    parser.add_argument("--workers", type=int, choices=(1, 2), action="append")
    parser.add_argument("--calls", type=int, default=1000, help="of a batch; one by one half as many")
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument("--latency-ms", type=float, default=2000)
    chosen = parser.parse_args()
    print(machine(), flush=True)
    for kind in chosen.on or KINDS:
        for workers in chosen.workers or (1, 2):
            for how in chosen.how or HOWS:
                calls = chosen.calls if how == "bulk" else chosen.calls // 2
                case = Case(how, kind, workers, calls, chosen.concurrency, chosen.latency_ms / 1000)
                print("", measure(case).text(), sep="\n", flush=True)


def measure(case: Case) -> Table:
    with (
        tempfile.TemporaryDirectory(prefix="callgrade-bench-") as place,
        running("--quotes", "--latency-ms", str(case.latency_s * 1000)) as mock,
        new_database(case.kind, Path(place)) as url,
    ):
        key = register(url)
        environment = {
            "CALLGRADE_DATA_DIR": place,
            "CALLGRADE_DATABASE_URL": url,
            "CALLGRADE_LLM__MODEL": "mock",
            "CALLGRADE_LLM__BASE_URL": mock.base_url,
            "CALLGRADE_LLM__CONCURRENCY": str(case.concurrency // case.workers),
            "CALLGRADE_SERVICE__REQUESTS_PER_MINUTE": "100000000",
        }
        with serving(environment, workers=case.workers - 1) as service, closing(Database(url)) as database:
            _send(case, service, key, bodies(range(-WARM_UP, 0)))
            _wait(database)
            return _measured(case, service, key, url, database)


def _measured(case: Case, service: Service, key: str, url: str, database: Database) -> Table:
    sent, server = bodies(range(case.calls)), postmaster(url)

    def servers() -> float:
        return cpu_s(*family_of(server)) if server else 0.0

    cpu, cpu_below, wall = cpu_s(*service.processes), servers(), time.perf_counter()
    _send(case, service, key, sent)
    accepted = time.perf_counter() - wall
    stored = _wait(database) - WARM_UP
    wall, cpu, cpu_below = time.perf_counter() - wall, cpu_s(*service.processes) - cpu, servers() - cpu_below
    ideal = math.ceil(case.calls / case.concurrency) * case.latency_s
    figures = [
        Figure("scorecards stored", stored, at_least=case.calls, must=True),
        Figure("CPU a call, all of the service", cpu / case.calls * 1000, "ms", at_most=AIMS_MS[case.how]),
        Figure("wall / ideal", wall / ideal, at_most=1.15 if case.how == "bulk" else None),
        Figure("wall", wall, "s"),
        Figure("  until all were accepted", accepted, "s"),
        Figure("calls a second", case.calls / wall),
        Figure("memory of the web process, peak", peak_bytes(service.web) / 1e6, "MB"),
    ]
    if server:
        figures.insert(2, Figure("  beside it PostgreSQL", cpu_below / case.calls * 1000, "ms"))
    workers = "1 worker process" if case.workers == 1 else f"{case.workers} worker processes"
    return Table(
        f"{case.calls} calls, {case.how}, {case.kind}, {workers}, {case.concurrency} in flight, "
        f"{case.latency_s:g} s latency",
        tuple(figures),
    )


def bodies(numbers: range) -> list[bytes]:
    return [json.dumps(make_call(number), ensure_ascii=False).encode() for number in numbers]


def _send(case: Case, service: Service, key: str, calls: Sequence[bytes]) -> None:
    asyncio.run(_send_bulk(service, key, calls) if case.how == "bulk" else _send_singly(service, key, calls))


async def _send_bulk(service: Service, key: str, calls: Sequence[bytes]) -> None:
    await _post(service, key, "/v1/batches", [b"\n".join(calls) + b"\n"], "application/x-ndjson")


async def _send_singly(service: Service, key: str, calls: Sequence[bytes]) -> None:
    await _post(service, key, "/v1/calls", calls, "application/json")


async def _post(service: Service, key: str, path: str, contents: Sequence[bytes], media_type: str) -> None:
    import aiohttp

    url, slots = f"{service.base_url}{path}?rubric={rubric().id}@{rubric().version}", asyncio.Semaphore(SENDERS)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": media_type}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=SENDERS)) as session:

        async def post(body: bytes) -> None:
            async with slots, session.post(url, data=body) as answer:
                if answer.status != 202:
                    raise RuntimeError(f"{answer.status}: {await answer.text()}")

        await asyncio.gather(*map(post, contents))


def _wait(database: Database) -> int:
    """Until nothing is open any more; how many are proposed."""
    while True:
        with database.reading() as session:
            batches = _count(session, Batch, ("receiving", "running"))
            waiting = batches or _count(session, Evaluation, ("queued", "transcribing", "judging", "parked"))
            if not waiting:
                return _count(session, Evaluation, ("proposed",))
        time.sleep(LOOK_EVERY_S)


def _count(session: Session, table: type[Batch] | type[Evaluation], statuses: Sequence[str]) -> int:
    found = select(func.count()).select_from(table).where(col(table.status).in_(statuses))
    return session.execute(found).scalar_one()


if __name__ == "__main__":
    main()
