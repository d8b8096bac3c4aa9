"""The lists that people work with, at a million scorecards: 95 of 100 pages within 50 ms, warm.

    python -m evals.bench.lists                                         # a million, SQLite and PostgreSQL
    python -m evals.bench.lists --on sqlite --scorecards 20000

A database is seeded (see evals.bench.seeding), and each question is asked over and over with another agent, team, range
or cursor each time: once of `evaluations.lists` in this process, and once over HTTP of `callgrade serve`, which has
nothing else to do. A page has 50 items. Beside the 95th percentile stand the median and the processor time of whoever
answers (over HTTP the service and PostgreSQL): they tell more on a machine that is busy with something else.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from evals.bench.__main__ import machine
from evals.bench.databases import KINDS, Kind, new_database, postmaster
from evals.bench.figures import Figure, Table, median
from evals.bench.processes import cpu_s, family_of, serving
from evals.bench.seeding import AGENTS, FIRST, TEAMS, Seeded, seed

from callgrade.access.keys import create_key
from callgrade.db.session import Database
from callgrade.evaluations import views
from callgrade.evaluations.lists import Filters, list_page

AIM_MS = 50.0
PAGE = 50
DEEP = 10_000
"""Pages."""
WARM_UP, ASKED = 20, 200
MONTH = timedelta(days=30)

Query = dict[str, str]
"""As in the URL of GET /v1/evaluations."""
_NAMES = {"min_score": "lowest", "max_score": "highest"}


def filters_of(query: Query) -> Filters:
    return Filters.model_validate({_NAMES.get(name, name): value for name, value in query.items()})


@dataclass(frozen=True)
class Question:
    name: str
    make: Callable[[random.Random], Query]


def agent_in_a_month(draw: random.Random) -> Query:
    since = FIRST + timedelta(days=draw.randrange(335))
    span = {"since": since.isoformat(), "until": (since + MONTH).isoformat()}
    return {"agent": f"{8000 + draw.randrange(AGENTS)}", **span}


def flag_in_a_range(flag: str, width: int, order: str = "newest") -> Callable[[random.Random], Query]:
    def make(draw: random.Random) -> Query:
        low = draw.uniform(0, 100 - width)
        return {"flag": flag, "min_score": f"{low:.2f}", "max_score": f"{low + width:.2f}", "order": order}

    return make


def unreviewed_by_age(draw: random.Random) -> Query:
    return {"team": f"team-{draw.randrange(TEAMS)}", "status": "proposed", "order": "oldest"}


QUESTIONS = (
    Question("one agent in a month", agent_in_a_month),
    Question("a flag of 30 %, 30 points wide, newest first", flag_in_a_range("needs_review", 30)),
    Question("a flag of 30 %, 1 point wide, newest first", flag_in_a_range("needs_review", 1)),
    Question("a flag of 3 %, 30 points wide, newest first", flag_in_a_range("critical", 30)),
    Question("a flag of 3 %, 30 points wide, lowest first", flag_in_a_range("critical", 30, "lowest")),
    Question("a team's unreviewed, oldest first", unreviewed_by_age),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", choices=KINDS, action="append")
    parser.add_argument("--scorecards", type=int, default=1_000_000)
    chosen = parser.parse_args()
    print(machine(), flush=True)
    for kind in chosen.on or KINDS:
        with tempfile.TemporaryDirectory(prefix="callgrade-bench-") as place, new_database(kind, Path(place)) as url:
            made = seed(url, chosen.scorecards)
            print(f"\n{kind}: {made.scorecards:,} scorecards seeded in {made.took_s:.0f} s", flush=True)
            for table in (in_process(kind, url, made), over_http(kind, url, made, place)):
                print(table.text(), flush=True)


def in_process(kind: Kind, url: str, made: Seeded) -> Table:
    with closing(Database(url)) as database:

        def ask(query: Query, cursor: str | None = None) -> str | None:
            with database.reading() as session:
                page = list_page(session, made.client_id, filters_of(query), cursor=cursor, limit=PAGE)
                views.client_call_ids(session, page.items)
            return page.next_cursor

        figures = _figures(ask, made, time.process_time)
    return Table(f"{kind}, through evaluations.lists: p95 of {ASKED} pages", tuple(figures))


def over_http(kind: Kind, url: str, made: Seeded, place: str) -> Table:
    with closing(Database(url)) as database, database.writing() as session:
        key = create_key(session, made.client_id, "bench", ("evaluations:read",))[1]
    environment = {
        "CALLGRADE_DATA_DIR": place,
        "CALLGRADE_DATABASE_URL": url,
        "CALLGRADE_SERVICE__REQUESTS_PER_MINUTE": "100000000",
    }
    with serving(environment) as service, httpx.Client(base_url=service.base_url, trust_env=False) as http:
        headers = {"Authorization": f"Bearer {key}"}

        def ask(query: Query, cursor: str | None = None) -> str | None:
            more = {"cursor": cursor} if cursor else {}
            answer = http.get("/v1/evaluations", params={**query, "limit": str(PAGE), **more}, headers=headers)
            answer.raise_for_status()
            found: Mapping[str, Any] = answer.json()
            return found["next_cursor"]

        server = postmaster(url)

        def cpu() -> float:
            return cpu_s(service.web, *(family_of(server) if server else ()))

        figures = _figures(ask, made, cpu)
    return Table(f"{kind}, over HTTP: p95 of {ASKED} pages", tuple(figures))


Ask = Callable[..., str | None]
Cpu = Callable[[], float]
"""Seconds of processor time so far of whoever answers."""


def _figures(ask: Ask, made: Seeded, cpu: Cpu) -> tuple[Figure, ...]:
    figures = []
    for question in QUESTIONS:
        draw = random.Random(7)
        figures.append(_figure(question.name, lambda: ask(question.make(draw)), cpu))  # noqa: B023 - called at once
    depth, on = _deep(ask, made.scorecards)
    return (*figures, _figure(f"a cursor {depth:,} pages deep", on, cpu))


def _deep(ask: Ask, scorecards: int) -> tuple[int, Callable[[], object]]:
    """Walks there page by page, as whoever reads everything does; then one page on at each call."""
    depth = min(DEEP, scorecards // PAGE - WARM_UP - ASKED)
    cursor: str | None = None
    for _ in range(depth):
        cursor = ask({}, cursor)
        assert cursor is not None

    def on() -> None:
        nonlocal cursor
        cursor = ask({}, cursor)

    return depth, on


def _figure(name: str, once: Callable[[], object], cpu: Cpu) -> Figure:
    for _ in range(WARM_UP):
        once()
    before, times = cpu(), sorted(_timed(once, ASKED))
    cpu_ms = (cpu() - before) / ASKED * 1000
    p95 = times[int(len(times) * 0.95) - 1]
    return Figure(name, p95, f"ms (median {median(times):.1f}, CPU {cpu_ms:.1f})", at_most=AIM_MS)


def _timed(once: Callable[[], object], times: int) -> Iterator[float]:
    for _ in range(times):
        began = time.perf_counter()
        once()
        yield (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
