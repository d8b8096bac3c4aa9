"""What the dashboards take: a page over HTTP, of means that combine proposals with what people changed.

    python -m evals.bench.dashboards                                # a hundred thousand evaluations, both databases
    python -m evals.bench.dashboards --on sqlite --evaluations 20000

A year of calls of 500 agents in 25 teams (evals.bench.seeding). Of each month a tenth is published; four in five of
these were drawn by chance, and one in four was given four points less than was proposed. The month that is asked for is
the last one but one, with a trend of eight; the year is all of it.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import httpx
from evals.bench.__main__ import machine
from evals.bench.databases import KINDS, Kind, new_database
from evals.bench.figures import Figure, Table, median
from evals.bench.processes import cpu_s, serving
from evals.bench.seeding import RUBRIC, seed
from sqlalchemy import insert, select, update

from callgrade.access.signing_in import SignIns
from callgrade.db.session import Database
from callgrade.db.tables import SamplingPlan, SamplingRun, User
from callgrade.db.types import new_id
from callgrade.evaluations.tables import EVALUATION
from callgrade.reviews.sampling_repository import SAMPLED
from callgrade.reviews.tables import REVIEW
from callgrade.settings import Settings
from callgrade.web.dependencies import session_cookie

PAGE_MS, ASKED = 100.0, 25
MONTHS = [datetime(2025 + month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in range(10, 24)]
MONTH, YEAR = "unit=days&since=2026-09-01&until=2026-09-30", "unit=days&since=2025-11-01&until=2026-10-31"
FORM = RUBRIC["rubric_id"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", choices=KINDS, action="append")
    parser.add_argument("--evaluations", type=int, default=100_000)
    chosen = parser.parse_args()
    print(machine(), flush=True)
    for kind in chosen.on or KINDS:
        with tempfile.TemporaryDirectory(prefix="callgrade-bench-") as place, new_database(kind, Path(place)) as url:
            print(pages(kind, url, place, chosen.evaluations).text(), flush=True)


def pages(kind: Kind, url: str, place: str, evaluations: int) -> Table:
    made = seed(url, evaluations)
    settings = {"CALLGRADE_DATA_DIR": place, "CALLGRADE_DATABASE_URL": url}
    settings["CALLGRADE_SERVICE__REQUESTS_PER_MINUTE"] = "100000000"
    with closing(Database(url)) as database:
        drawn = _draw(database, made.client_id)
        with serving(settings) as service, _signed_in(database, made.client_id, service.base_url) as http:
            figures = [Figure("the first page, which loads the statistics", _once(http, f"centre?{MONTH}"), "ms")]
            back = (datetime.now(UTC).year - 2026) * 12 + datetime.now(UTC).month - 9
            for room in ("agents", "teams", "centre"):
                figures += _timed(f"{room}, a month and its trend", http, f"{room}?unit=month&back={back}", service.web)
            figures += _timed("agents, a year in one", http, f"agents?{YEAR}", service.web)
    return Table(f"{kind}, {evaluations:,} evaluations, {drawn:,} drawn by chance and reviewed", tuple(figures))


def _draw(database: Database, client_id: str) -> int:
    """A drawing a month, and reviews of what it drew."""
    number = 0
    with database.writing() as session:
        plan = SamplingPlan(client_id=client_id, name="bench", rubric_id=FORM, spec={}, created_by="bench")
        session.add_all([plan, User(client_id=client_id, login="admin", role="admin")])
        session.flush()
        ours = (EVALUATION.c.client_id == client_id, EVALUATION.c.status == "published")
        for since, until in pairwise(MONTHS):
            run = SamplingRun(client_id=client_id, plan_id=plan.id, since=since, until=until, seed="bench",
                              population=1, drawn=1, drawn_by="bench")  # fmt: skip
            session.add(run)
            session.flush()
            within = (EVALUATION.c.called_at >= since, EVALUATION.c.called_at < until)
            rows = session.execute(select(EVALUATION).where(*ours, *within).order_by(EVALUATION.c.id)).all()
            chosen = [row for place, row in enumerate(rows) if place % 5]
            if not chosen:
                continue
            number += len(chosen)
            same = {"client_id": client_id, "why": "sample"}
            session.execute(insert(SAMPLED), [
                {**same, "id": new_id(), "run_id": run.id, "call_id": row.call_id, "evaluation_id": row.id,
                 "stratum": "all", "probability": 0.08, "instead": False} for row in chosen
            ])  # fmt: skip
            session.execute(insert(REVIEW), [
                {**same, "id": new_id(), "evaluation_id": row.id, "attempt": 1, "slot": 0, "blind": False,
                 "state": "submitted", "due_at": until, "rubric_id": FORM, "called_at": row.called_at,
                 "created_at": until, "agent_id": row.agent_id, "team": row.team} for row in chosen
            ])  # fmt: skip
            lower = [row.id for row in chosen[::4]]
            session.execute(
                update(EVALUATION).where(EVALUATION.c.id.in_(lower)).values(total=EVALUATION.c.proposed - Decimal(4))
            )
    return number


@contextmanager
def _signed_in(database: Database, client_id: str, base_url: str) -> Iterator[httpx.Client]:
    with database.writing() as session:
        user = session.execute(select(User).where(User.client_id == client_id, User.login == "admin")).scalar_one()
        token = SignIns(database).welcome(session, user)
    with httpx.Client(base_url=base_url, trust_env=False, cookies={session_cookie(Settings()): token}) as http:
        yield http


def _once(http: httpx.Client, path: str) -> float:
    began = time.perf_counter()
    assert http.get(f"/dashboards/{path}&rubric={FORM}", timeout=60).status_code == 200
    return (time.perf_counter() - began) * 1000


def _timed(name: str, http: httpx.Client, path: str, server: int) -> list[Figure]:
    _once(http, path)
    before = cpu_s(server)
    times = sorted(_once(http, path) for _ in range(ASKED))
    spent = (cpu_s(server) - before) / ASKED * 1000
    return [
        Figure(f"{name}: answered, median", median(times), f"ms (fastest {times[0]:.0f})", PAGE_MS),
        Figure(f"{name}: processor time of the server", spent, "ms"),
    ]


if __name__ == "__main__":
    main()
