"""What a call leaves behind in PostgreSQL, in bulk and one by one: bytes, write-ahead log, transactions, connections.

    CALLGRADE_DATABASE_URL=postgresql://… python -m evals.bench.footprint --calls 1000

The database should be empty before, and its server at its defaults: `evals.sizing` counts with what this prints. The
calls are made up (see evals.synthetic_calls), about 1,000 tokens and ten criteria each, judged by the mock server.
"""

import argparse
import os
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from evals.bench.bulk import bulk
from evals.bench.figures import Figure, Table
from evals.bench.workload import rubric, settings_for
from evals.mock_openai.process import running
from evals.synthetic_calls import make_transcript
from sqlalchemy import text

from callgrade.access.keys import ensure_client
from callgrade.access.principals import system
from callgrade.adapters.blobs import FsspecBlobs
from callgrade.db.session import Database
from callgrade.engine import Engine
from callgrade.evaluations.intake import Intake
from callgrade.settings import Settings
from callgrade.wiring.service import make_pipeline

_TABLES = "SELECT coalesce(sum(pg_total_relation_size(relid)), 0) FROM pg_stat_user_tables WHERE schemaname {}"
_WAL = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"
_COMMITS = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"
_CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"


@dataclass(frozen=True)
class Seen:
    ours: int
    engines: int
    wal: int
    commits: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1000)
    calls = parser.parse_args().calls
    with tempfile.TemporaryDirectory() as folder, running("--quotes", "--latency-ms", "50") as mock:
        settings = settings_for(mock.base_url, Path(folder), concurrency=50)
        settings = settings.model_copy(update={"database_url": os.environ["CALLGRADE_DATABASE_URL"]})
        with closing(Database(settings.database)) as database:
            # once before, so that tables, prepared statements and the engine's own are there
            bulk(settings, Path(folder), 100, 50, 0.05)
            before = _look(database)
            bulk(settings, Path(folder) / "bulk", calls, 50, 0.05)
            after = _look(database)
            print(_table("in bulk", before, after, calls + 60).text())
            cache = sum(path.stat().st_size for path in Path(folder).glob("answers.sqlite*"))
            connections = _one_by_one(settings, database, calls)
            print(_table("one by one", after, _look(database), calls).text())
            print(f"  connections of one process at work: {connections}")
            print(f"  answer cache, a call: {cache / (calls + 220) / 1000:.1f} kB on the worker's disk")


def _one_by_one(settings: Settings, database: Database, calls: int) -> int:
    blobs = FsspecBlobs(settings.blobs)
    engine = Engine(settings, make_pipeline(settings, database, blobs))
    intake = Intake(database, blobs, engine)
    engine.launch()
    try:
        with database.writing() as session:
            principal = system(ensure_client(session, "one by one").id)
        for number in range(calls):
            intake.transcript(principal, make_transcript(number, seed=2), rubric().id)
        connections = 0
        left = "SELECT count(*) FROM evaluation WHERE client_id = :client AND status <> 'proposed'"
        while _asked(database, left, client=principal.client_id):
            connections = max(connections, _asked(database, _CONNECTIONS))
            time.sleep(0.2)
        return connections
    finally:
        engine.shutdown(grace_s=1)


def _look(database: Database) -> Seen:
    time.sleep(1.5)  # statistics are reported once a second
    ours, engines = (_asked(database, _TABLES.format(of)) for of in ("<> 'dbos'", "= 'dbos'"))
    return Seen(ours, engines, _asked(database, _WAL), _asked(database, _COMMITS))


def _asked(database: Database, sql: str, **values: object) -> int:
    with database.reading() as session:
        return int(session.execute(text(sql), values).scalar_one())


def _table(how: str, before: Seen, after: Seen, calls: int) -> Table:
    return Table(
        f"{calls} calls {how}, a call",
        (
            Figure("tables and indices", (after.ours - before.ours) / calls / 1000, "kB"),
            Figure("the engine's own tables", (after.engines - before.engines) / calls / 1000, "kB"),
            Figure("write-ahead log", (after.wal - before.wal) / calls / 1000, "kB"),
            Figure("transactions", (after.commits - before.commits) / calls),
        ),
    )


if __name__ == "__main__":
    main()
