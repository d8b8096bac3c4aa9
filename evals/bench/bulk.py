"""Bulk scoring through the engine: from chunks that have come in to scorecards stored, all in one process.

    python -m evals.bench.bulk --calls 1000 --concurrency 100 --latency-ms 2000
    CALLGRADE_DATABASE_URL=postgresql://… python -m evals.bench.bulk

Counted is the processor time of the whole process (engine, judges, database, housekeeping) from the moment the chunks
are handed in until the batch is done; the model's server and PostgreSQL are processes of their own.
"""

import argparse
import io
import math
import os
import tempfile
import time
from pathlib import Path

from evals.bench.figures import Figure, Table
from evals.bench.workload import rubric, settings_for
from evals.mock_openai.process import running
from evals.synthetic_calls import write_calls

from callgrade.adapters.blobs import FsspecBlobs
from callgrade.catalog import digest, resolved_json
from callgrade.db.migrate import upgrade
from callgrade.db.session import Database
from callgrade.db.tables import Batch, BatchChunk, Client, RubricVersion
from callgrade.db.types import new_id
from callgrade.engine import Engine
from callgrade.evaluations import chunks
from callgrade.settings import Settings
from callgrade.wiring.service import make_pipeline

WARM_UP = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument("--latency-ms", type=float, default=2000)
    chosen = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running("--quotes", "--latency-ms", str(chosen.latency_ms)) as mock,
    ):
        settings = settings_for(mock.base_url, Path(folder), concurrency=chosen.concurrency)
        if url := os.environ.get("CALLGRADE_DATABASE_URL"):
            settings = settings.model_copy(update={"database_url": url})
        print(bulk(settings, Path(folder), chosen.calls, chosen.concurrency, chosen.latency_ms / 1000).text())


def bulk(settings: Settings, folder: Path, calls: int, concurrency: int, latency_s: float) -> Table:
    upgrade(settings.database)
    database, blobs = Database(settings.database), FsspecBlobs(settings.blobs)
    client_id = new_id()
    form = rubric()
    with database.writing() as session:
        session.add(Client(id=client_id, name=client_id))
        if session.get(RubricVersion, (form.id, form.version)) is None:
            row = {"id": form.id, "version": form.version, "status": "draft", "origin": "bench"}
            session.add(RubricVersion(**row, content=resolved_json(form), digest=digest(form)))
    engine = Engine(settings, make_pipeline(settings, database, blobs))
    engine.launch()
    try:
        for name, numbers_of_calls in (("warm-up", range(-WARM_UP, 0)), ("calls", range(calls))):
            paths = write_calls(numbers_of_calls, folder / name)
            batch_id, numbers = _batch(database, blobs, client_id, paths, settings.service.chunk_lines)
            cpu, wall = time.process_time(), time.perf_counter()
            for chunk in numbers:
                engine.enqueue_chunk(batch_id, chunk)
            _wait(database, batch_id)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        with database.reading() as session:
            batch = session.get(Batch, batch_id)
            assert batch is not None
            found = chunks.progress(session, batch)
    finally:
        engine.shutdown(grace_s=1)
        database.close()
    ideal = math.ceil(calls / concurrency) * latency_s
    return Table(
        f"{calls} calls in chunks of {settings.service.chunk_lines}, {concurrency} in flight, {latency_s:g} s latency, "
        f"{database.dialect}",
        (
            Figure("scorecards stored", found.proposed, at_least=calls, must=True),
            Figure("CPU a call, all in", cpu / calls * 1000, "ms", at_most=10),
            Figure("wall / ideal", wall / ideal, at_most=1.15),
            Figure("wall", wall, "s"),
            Figure("calls a second", calls / wall),
        ),
    )


def _batch(
    database: Database, blobs: FsspecBlobs, client_id: str, paths: list[Path], lines: int
) -> tuple[str, list[int]]:
    texts = [path.read_bytes().replace(b"\n", b" ") for path in paths]
    with database.writing() as session:
        form = rubric()
        batch = Batch(
            client_id=client_id, rubric_id=form.id, rubric_version=form.version, status="running", total=len(texts)
        )
        session.add(batch)
        session.flush()
        starts = range(0, len(texts), lines)
        for number, start in enumerate(starts):
            some = texts[start : start + lines]
            blob = blobs.put(io.BytesIO(b"\n".join(some) + b"\n"))
            session.add(
                BatchChunk(batch_id=batch.id, number=number, first_line=start + 1, lines=len(some), blob=blob.sha256)
            )
        return batch.id, list(range(len(starts)))


def _wait(database: Database, batch_id: str) -> None:
    while True:
        time.sleep(0.05)
        with database.reading() as session:
            batch = session.get(Batch, batch_id)
            if batch is not None and batch.status == "done":
                return


if __name__ == "__main__":
    main()
