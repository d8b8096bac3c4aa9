"""What the review desk takes: a review page's processor time and bytes, and the queue at a million evaluations.

    python -m evals.bench.desk                                          # a million, SQLite and PostgreSQL
    python -m evals.bench.desk --on sqlite --evaluations 20000

With Chromium and playwright it is also measured how long a decision takes from the click until it is painted.
The page is that of a sample call of `callgrade serve --demo` (17 criteria, a waveform), asked for by a reviewer who is
signed in. The queue is asked for by somebody who has a share of the open reviews and may see the pool, over HTTP of
`callgrade serve`, which has nothing else to do; PostgreSQL's processor time counts. What the service takes at rest, to
look for work, is measured before and is not the page's.
"""

import argparse
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from evals.bench.__main__ import machine
from evals.bench.databases import KINDS, Kind, new_database, postmaster
from evals.bench.figures import Figure, Table, median
from evals.bench.processes import Service, cpu_s, family_of, serving
from evals.bench.seeding import seed
from sqlalchemy import case, func, insert, literal, select

from callgrade.access.signing_in import SignIns
from callgrade.db.session import Database
from callgrade.db.tables import User
from callgrade.evaluations.registry import sync_shipped
from callgrade.evaluations.tables import EVALUATION
from callgrade.reviews.tables import REVIEW, USER
from callgrade.settings import Settings
from callgrade.web.dependencies import session_cookie

PAGE_CPU_MS, COLD_BYTES, QUEUE_MS = 8.0, 60_000, 50.0
WARM_UP, ASKED = 30, 300
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
REVIEWERS = 40
OPEN_ONE_IN, POOLED_ONE_IN = 20, 4
"""Of the reviews; of the open ones."""
PATIENCE_S = 60
REST_S = 5
PAINTED_MS = 100.0
CLICKED = """(id) => new Promise((done) => {
  const began = performance.now();
  new MutationObserver((_, observer) => {
    if (!document.getElementById(id)?.classList.contains("decided")) return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
  }).observe(document.getElementById("cards"), { childList: true, subtree: true, attributes: true });
  document.querySelector(`#${id} button.good`).click();
})"""
"""Agrees with a card, and says how many milliseconds later that was painted: in the frame after the one in which the
card changed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", choices=KINDS, action="append")
    parser.add_argument("--evaluations", type=int, default=1_000_000)
    chosen = parser.parse_args()
    print(machine(), flush=True)
    for kind in chosen.on or KINDS:
        with tempfile.TemporaryDirectory(prefix="callgrade-bench-") as place, new_database(kind, Path(place)) as url:
            print(page_of_a_sample(kind, url, place).text(), flush=True)
        with tempfile.TemporaryDirectory(prefix="callgrade-bench-") as place, new_database(kind, Path(place)) as url:
            print(queue_of_many(kind, url, place, chosen.evaluations).text(), flush=True)


def page_of_a_sample(kind: Kind, url: str, place: str) -> Table:
    with closing(Database(url)) as database, database.writing() as session:
        sync_shipped(session)  # of an embedded database the service sees to that
    with serving(_environment(url, place), demo=True) as service, closing(Database(url)) as database:
        call = _call_to_review(database)
        with _signed_in(database, service, "reviewer") as http:
            cpu = Cpu.of(service, url)
            figures = _timed(kind, lambda: http.get(f"/calls/{call}"), cpu, cpu_at_most=PAGE_CPU_MS)
            figures.append(Figure("page, styles and scripts, cold", _cold(http, f"/calls/{call}"), "B", COLD_BYTES))
            figures.append(_painted(service, dict(http.cookies), call))
    return Table(f"{kind}, review page of a sample call", tuple(figures))


def queue_of_many(kind: Kind, url: str, place: str, evaluations: int) -> Table:
    made = seed(url, evaluations)
    with closing(Database(url)) as database:
        reviews = _fill(database, made.client_id)
        with (
            serving(_environment(url, place)) as service,
            _signed_in(database, service, "reviewer-0") as reviewer,
            _signed_in(database, service, "admin") as admin,
        ):
            cpu = Cpu.of(service, url)
            figures = [
                *_timed("a reviewer's", lambda: reviewer.get("/"), cpu, p95_at_most=QUEUE_MS),
                *_timed("a reviewer's, overdue", lambda: reviewer.get("/?due=overdue"), cpu, p95_at_most=QUEUE_MS),
                *_timed("an admin's, of all", lambda: admin.get("/queue"), cpu, p95_at_most=QUEUE_MS),
            ]
    return Table(f"{kind}, queue of {reviews:,} reviews of {evaluations:,} evaluations", tuple(figures))


def _environment(url: str, place: str) -> dict[str, str]:
    return {
        "CALLGRADE_DATA_DIR": place,
        "CALLGRADE_DATABASE_URL": url,
        "CALLGRADE_SERVICE__REQUESTS_PER_MINUTE": "100000000",
    }


@dataclass(frozen=True)
class Cpu:
    """Processor time of a service and its PostgreSQL, in seconds."""

    so_far: Callable[[], float]
    at_rest: float
    """A second, while nobody asks for anything."""

    @classmethod
    def of(cls, service: Service, url: str) -> "Cpu":
        server = postmaster(url)

        def so_far() -> float:
            # who belongs to it is asked anew, because PostgreSQL has a process for each connection
            return cpu_s(service.web, *(family_of(server) if server else ()))

        before = so_far()
        time.sleep(REST_S)
        return cls(so_far, (so_far() - before) / REST_S)

    def of_work(self, work: Callable[[], None]) -> float:
        before, began = self.so_far(), time.perf_counter()
        work()
        return self.so_far() - before - self.at_rest * (time.perf_counter() - began)


@contextmanager
def _signed_in(database: Database, service: Service, login: str) -> Iterator[httpx.Client]:
    with database.writing() as session:
        user = session.get_one(User, session.execute(select(USER.c.id).where(USER.c.login == login)).scalar_one())
        token = SignIns(database).welcome(session, user)
    cookies, headers = {session_cookie(Settings()): token}, {"Accept-Encoding": "gzip"}
    with httpx.Client(base_url=service.base_url, trust_env=False, cookies=cookies, headers=headers) as http:
        yield http


def _timed(
    name: str,
    ask: Callable[[], httpx.Response],
    cpu: Cpu,
    *,
    p95_at_most: float | None = None,
    cpu_at_most: float | None = None,
) -> list[Figure]:
    def once() -> float:
        began = time.perf_counter()
        assert ask().status_code == 200
        return (time.perf_counter() - began) * 1000

    for _ in range(WARM_UP):
        once()
    times: list[float] = []
    cpu_ms = cpu.of_work(lambda: times.extend(once() for _ in range(ASKED))) / ASKED * 1000
    times.sort()
    p95 = times[int(len(times) * 0.95) - 1]
    return [
        Figure(f"{name}: answered, p95", p95, f"ms (median {median(times):.1f})", p95_at_most),
        Figure(
            f"{name}: processor time of the server", cpu_ms, f"ms (at rest {cpu.at_rest * 1000:.0f} a s)", cpu_at_most
        ),
    ]


def _painted(service: Service, cookies: dict[str, str], call: str) -> Figure:
    """The slowest of a call's decisions."""
    name, path = "agreed, until it is painted, slowest", next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        return Figure(name, "not measured: there is no Chromium here")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context()
        context.add_cookies([{"name": key, "value": value, "url": service.base_url} for key, value in cookies.items()])
        page = context.new_page()
        page.goto(f"{service.base_url}/calls/{call}")
        cards = page.eval_on_selector_all("#cards article:has(button.good)", "cards => cards.map(card => card.id)")
        times = [float(page.evaluate(CLICKED, card)) for card in cards]
        browser.close()
    return Figure(name, max(times), f"ms (median {median(times):.1f} of {len(times)})", PAINTED_MS)


def _cold(http: httpx.Client, path: str) -> int:
    """Bytes over the wire of a page and all that it loads, but sound."""
    page = http.get(path)
    parts = set(re.findall(r'(?:src|href)="(/static/[^"]+\.(?:css|js))"', page.text))
    answers = [page, *(http.get(part) for part in sorted(parts))]
    return sum(int(answer.headers["content-length"]) for answer in answers)


def _call_to_review(database: Database) -> str:
    """One that is the reviewer's, or in the pool, once all samples are judged."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        with database.reading() as session:
            mine = select(USER.c.id).where(USER.c.login == "reviewer").scalar_subquery()
            wanted = (
                select(EVALUATION.c.call_id)
                .join(REVIEW, REVIEW.c.evaluation_id == EVALUATION.c.id)
                .where(REVIEW.c.blind.is_(False), (REVIEW.c.reviewer_id == mine) | REVIEW.c.reviewer_id.is_(None))
            )
            judging = session.execute(select(EVALUATION.c.id).where(EVALUATION.c.finished_at.is_(None))).first()
            if not judging and (found := session.execute(wanted.limit(1)).scalar_one_or_none()) is not None:
                return str(found)
        time.sleep(0.5)
    raise RuntimeError("the samples did not come to review")


def _fill(database: Database, client_id: str) -> int:
    """A review of each evaluation that was graded; one in OPEN_ONE_IN is open."""
    with database.writing() as session:
        people = [
            *(User(client_id=client_id, login=f"reviewer-{n}", role="reviewer") for n in range(REVIEWERS)),
            User(client_id=client_id, login="admin", role="admin"),
        ]
        session.add_all(people)
        session.flush()
        graded = select(EVALUATION.c.id).where(EVALUATION.c.client_id == client_id, EVALUATION.c.status != "failed")
        numbered = select(
            EVALUATION, func.row_number().over(order_by=EVALUATION.c.id).label("number")
        ).where(EVALUATION.c.id.in_(graded)).subquery()  # fmt: skip
        is_open = numbered.c.number % OPEN_ONE_IN == 0
        pooled = is_open & (numbered.c.number / OPEN_ONE_IN % POOLED_ONE_IN == 0)
        whose = case(
            (pooled, None),
            *((numbered.c.number % REVIEWERS == n, literal(people[n].id)) for n in range(REVIEWERS - 1)),
            else_=people[REVIEWERS - 1].id,
        )
        values = {
            "id": numbered.c.id, "client_id": numbered.c.client_id, "evaluation_id": numbered.c.id,
            "attempt": literal(1), "slot": literal(0), "why": literal("sample"), "blind": literal(False),
            "reviewer_id": whose, "state": case((is_open, "open"), else_="submitted"), "due_at": numbered.c.called_at,
            "rubric_id": numbered.c.rubric_id, "agent_id": numbered.c.agent_id, "team": numbered.c.team,
            "called_at": numbered.c.called_at, "total": numbered.c.total, "created_at": numbered.c.created_at,
        }  # fmt: skip
        session.execute(insert(REVIEW).from_select(list(values), select(*values.values())))
        return int(session.execute(select(func.count()).select_from(REVIEW)).scalar_one())


if __name__ == "__main__":
    main()
