"""A database full of evaluations, made up and put in by the thousand: for measuring lists, and to look at.

    python -m evals.bench.seeding postgresql://… --scorecards 1000000

A year of calls of one client, and a few of another. What lists read is as in life: 500 agents in 25 teams, scorecards
of which one in three has a flag, six in seven unreviewed. What they do not read is short: a scorecard is a stand-in of
some hundred bytes, and there are no transcripts. The database must be upgraded and is best empty.
"""

import argparse
import random
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Index, Table, insert, text

from callgrade.db.session import Database
from callgrade.db.tables import Client
from callgrade.evaluations.tables import CALL, EVALUATION, FLAG, SCORECARD

AGENTS, TEAMS = 500, 25
FLAGS = {"needs_review": 0.30, "critical": 0.03, "unfounded_evidence": 0.01}
"""Flag → the share of scorecards that have it."""
STATUSES = (("proposed", 0.85), ("published", 0.10), ("failed", 0.05))
FIRST = datetime(2025, 11, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
CALLS_AT_ONCE = 5_000
RUBRIC = {"rubric_id": "bench", "rubric_version": "v1", "rubric_digest": "sha256:bench"}
OTHERS = 20
"""One call in so many is another client's."""


@dataclass(frozen=True)
class Seeded:
    client_id: str
    stranger: str
    scorecards: int
    took_s: float


def seed(url: str, scorecards: int) -> Seeded:
    """So many of the first client's. The same number makes the same rows, but for the clients' ids."""
    began = time.perf_counter()
    with closing(Database(url)) as database:
        ours, stranger = Client(name="seeded"), Client(name="seeded, a stranger")
        with database.writing() as session:
            session.add_all([ours, stranger])
            session.flush()
            ids = ours.id, stranger.id
        _fill(database, rows(scorecards, *ids))
    return Seeded(*ids, scorecards, time.perf_counter() - began)


def rows(scorecards: int, client_id: str, stranger: str) -> Iterator[dict[Table, list[dict[str, Any]]]]:
    """What belongs to one call, by table, in the order in which they came."""
    draw = random.Random(1)
    for number in range(scorecards):
        at = FIRST + YEAR * (number / scorecards)
        yield _of_a_call(draw, number, client_id, at)
        if number % OTHERS == 0:
            yield _of_a_call(draw, number, stranger, at + timedelta(milliseconds=1))


def _of_a_call(draw: random.Random, number: int, client_id: str, at: datetime) -> dict[Table, list[dict[str, Any]]]:
    agent = draw.randrange(AGENTS)
    who = {"agent_id": f"{8000 + agent}", "team": f"team-{agent % TEAMS}"}
    call_id, evaluation_id = _id(draw, at), _id(draw, at)
    status = draw.choices([name for name, _ in STATUSES], [share for _, share in STATUSES])[0]
    total = None if status == "failed" else Decimal(f"{min(100.0, max(0.0, draw.gauss(78, 14))):.2f}")
    call = {"id": call_id, "client_id": client_id, "call_id": f"S-{number:08d}", "channel": "phone", "language": "zh",
            "started_at": at, "queue": None, "facts": {}, "created_at": at, **who}  # fmt: skip
    evaluation = {"id": evaluation_id, "client_id": client_id, "call_id": call_id, "dedupe": evaluation_id, **RUBRIC,
                  "status": status, "priority": 0, "attempt": 1, "called_at": at, "total": total, "low": total,
                  "high": total, "passed": None, "proposed": total, "created_at": at, "updated_at": at,
                  "finished_at": at, **who}  # fmt: skip
    if total is None:
        return {CALL: [call], EVALUATION: [evaluation]}
    card = {"evaluation_id": evaluation_id, "attempt": 1, "content": f'{{"synthetic":true,"total":{total}}}' * 8,
            "created_at": at}  # fmt: skip
    flags = [
        {"evaluation_id": evaluation_id, "flag": flag, "client_id": client_id, "total": total}
        for flag, share in FLAGS.items()
        if draw.random() < share
    ]
    return {CALL: [call], EVALUATION: [evaluation], SCORECARD: [card], FLAG: flags}


def _id(draw: random.Random, at: datetime) -> str:
    """As `db.types.new_id` would have made it then (UUID version 7)."""
    after = f"7{draw.getrandbits(12):03x}{8 + draw.getrandbits(2):x}{draw.getrandbits(60):015x}"
    return f"{int(at.timestamp() * 1000):012x}{after}"


def _fill(database: Database, calls: Iterator[dict[Table, list[dict[str, Any]]]]) -> None:
    """Without the indices, which are built in one go afterwards: put in row by row they cost most of the time."""
    tables = (CALL, EVALUATION, SCORECARD, FLAG)
    with database.writing() as session:
        indices = [index for table in tables for index in _as_they_were_made(session.connection(), table)]
        for index in indices:
            index.drop(session.connection())
    while some := list(islice(calls, CALLS_AT_ONCE)):
        with database.writing() as session:
            for table in tables:
                if made := [row for call in some for row in call.get(table, ())]:
                    session.connection().execute(insert(table), made)
    with database.writing() as session:
        for index in indices:
            index.create(session.connection())
        if database.dialect == "postgresql":
            # it does so by itself before long; on SQLite nobody does
            session.connection().execute(text("ANALYZE"))


def _as_they_were_made(connection: Connection, table: Table) -> list[Index]:
    """Of two that seem as good to it, SQLite takes the older one."""
    if connection.dialect.name != "sqlite":
        return list(table.indexes)
    made = (
        connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'index' ORDER BY rowid")).scalars().all()
    )
    return sorted(table.indexes, key=lambda index: made.index(str(index.name)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--scorecards", type=int, default=1_000_000)
    chosen = parser.parse_args()
    made = seed(chosen.url, chosen.scorecards)
    print(f"client {made.client_id}: {made.scorecards:,} scorecards in {made.took_s:.0f} s")


if __name__ == "__main__":
    main()
