"""A bad day from end to end: a batch, a model that fails one request in five, and web and workers killed meanwhile.

    python -m tests.failure.bad_day                          # 1,000 transcripts, on SQLite and on PostgreSQL
    python -m tests.failure.bad_day --on sqlite --seed 7     # other moments

Web is killed twice and a worker twice, each begun again at once; on PostgreSQL there is a second worker, dead for good
after the first kill. Exit status 1 where something was lost, done twice, left over, or paid more often than the kills
explain.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from evals.bench.databases import KINDS, Kind, new_database
from evals.bench.figures import Figure, Table
from evals.mock_openai.process import running

from callgrade.db.session import Database
from tests.failure.census import Census
from tests.failure.harness import RUBRIC, SEED, MockModel, Process, Site, as_lines, call, until

FAULTS = {"429": 0.10, "500": 0.05, "malformed": 0.03, "drop": 0.01}
IN_FLIGHT = 16
SETTLE_S, LONGEST_S = 120, 3600
ENDS = ("proposed", "failed")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", choices=KINDS, action="append")
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=SEED)
    chosen = parser.parse_args()
    failed = False
    for kind in chosen.on or KINDS:
        with tempfile.TemporaryDirectory(prefix="callgrade-bad-day-") as place:
            table = bad_day(kind, Path(place), chosen.calls, chosen.seed)
        print(table.text(), end="\n\n", flush=True)
        failed = failed or bool(table.broken)
    return int(failed)


def bad_day(kind: Kind, place: Path, calls: int, seed: int) -> Table:
    options = ["--quotes", "--latency-ms", "300", "--retry-after", "0.2", "--seed", str(seed)]
    options += [f"--p{fault}={share}" for fault, share in FAULTS.items()]
    settings = {"CALLGRADE_LLM__CONCURRENCY": str(IN_FLIGHT)}
    with running(*options) as mock, new_database(kind, place) as url:
        site = Site(place / "data", Database(url), MockModel(mock), settings, Random(seed))
        try:
            began = time.monotonic()
            day = live_through(site, kind, calls)
            took = time.monotonic() - began
        except BaseException:
            site.show()
            raise
        finally:
            site.end()
            site.database.close()
        return Table(
            f"{calls} calls on {kind}, seed {seed}: " + ", ".join(f"{s:.0%} {name}" for name, s in FAULTS.items()),
            (*figures(day, site.model, calls), Figure("took", took, "s")),
        )


@dataclass
class Day:
    killed: list[str] = field(default_factory=list)
    """In this order."""
    asking: int = 0
    """Those of them that had requests to the model in flight."""
    lines: int = 0
    """That have ended, by the batch's results."""
    found: Census | None = None


def live_through(site: Site, kind: Kind, calls: int) -> Day:
    day = Day()
    web_only = {"CALLGRADE_QUEUES": ""} if kind == "postgres" else {}
    web, worker = site.service(**web_only), site.worker("one")
    doomed = site.worker("two") if kind == "postgres" else None
    with site.client(web) as client:
        made = client.batches.submit(as_lines([call(n) for n in range(calls)]).splitlines(), rubric=RUBRIC)
    moments = sorted(site.draws.sample(range(calls // 20, calls * 4 // 5), 4))
    for moment, name in zip(moments, site.draws.sample(["web", "web", "worker", "worker"], 4), strict=True):
        wait_for(site, moment)
        if doomed is not None:
            kill(doomed, "the other worker, for good", day)
            doomed = None
        if name == "web":
            kill(web, name, day, asks=not web_only)
            web = site.service(**web_only)
        else:
            kill(worker, name, day)
            worker = site.worker("one")
    with site.client(web, attempts=5) as client:
        client.batches.wait(made.batch_id, timeout_s=LONGEST_S, poll_s=1.0)
        day.found = site.settled(SETTLE_S)
        day.lines = len({line.line for line in client.batches.results(made.batch_id) if line.status in ENDS})
    return day


def wait_for(site: Site, ended: int) -> None:
    until(lambda: site.ended() >= ended, f"{ended} calls", LONGEST_S)


def kill(process: Process, name: str, day: Day, *, asks: bool = True) -> None:
    process.kill()
    day.killed.append(name)
    day.asking += asks


def figures(day: Day, model: MockModel, calls: int) -> list[Figure]:
    found, seen = day.found, model.seen()
    assert found is not None
    drawn = ", ".join(f"{number} {fault}" for fault, number in sorted(seen["by_fault"].items()))
    reasons = ", ".join(f"{number} {type_}" for type_, number in found.reasons.items()) or "none"

    def exactly(name: str, value: int, wanted: int) -> Figure:
        return Figure(name, value, at_most=wanted, at_least=wanted, must=True)

    return [
        Figure("killed", ", ".join(day.killed)),
        Figure("faults that were met", drawn),
        exactly("calls", found.calls, calls),
        exactly(
            "evaluations proposed, or failed with a reason", sum(found.evaluations.get(end, 0) for end in ENDS), calls
        ),
        Figure("  of which failed", found.evaluations.get("failed", 0)),
        Figure("  why", reasons),
        exactly("scorecards", found.scorecards, found.evaluations.get("proposed", 0)),
        exactly("lines with a result", day.lines, calls),
        exactly("left over, lost or there twice", sum(found.left.values()), 0),
        Figure("requests to the model", seen["requests"]),
        Figure("  cut off by a kill, which a provider may charge for", seen["aborted_by_client"]),
        Figure("different requests", seen["distinct_bodies"]),
        Figure("valid answers, each paid", model.billed),
        Figure(
            "  paid twice, killed before they were kept", model.billed_again, at_most=day.asking * IN_FLIGHT, must=True
        ),
    ]


if __name__ == "__main__":
    sys.exit(main())
