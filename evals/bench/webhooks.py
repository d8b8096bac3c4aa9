"""What a courier does a second: events that are stored, until their deliveries are written down as delivered.

    python -m evals.bench.webhooks --deliveries 5000
    python -m evals.bench.webhooks --on postgres

The receivers are a process of their own on loopback that answers 204 at once, or after `--answer-ms`. Counted is the
processor time of the courier's process, its database session included; PostgreSQL is another process.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evals.bench.databases import KINDS, new_database
from evals.bench.figures import Figure, Table
from evals.mock_openai.process import ROOT
from sqlalchemy import func, select

from callgrade.adapters.courier import Courier
from callgrade.adapters.webhooks import Line
from callgrade.db.session import Database
from callgrade.db.tables import Client, Webhook
from callgrade.db.types import new_id
from callgrade.evaluations.outbox import PROPOSED, Event, tell
from callgrade.evaluations.tables import DELIVERY

A_GROUP = 20
"""As many as bulk scoring stores at once."""
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deliveries", type=int, default=5000)
    parser.add_argument("--receivers", type=int, default=1)
    parser.add_argument("--answer-ms", type=float, default=0)
    parser.add_argument("--on", choices=KINDS, default="sqlite")
    parser.add_argument("--receive", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.receive:
        receive(chosen.receivers, chosen.answer_ms / 1000)
        return
    with (
        tempfile.TemporaryDirectory() as folder,
        new_database(chosen.on, Path(folder)) as url,
        receiving(chosen.receivers, chosen.answer_ms) as urls,
    ):
        print(webhooks(url, urls, chosen.deliveries, chosen.answer_ms).text())


def webhooks(database_url: str, urls: list[str], deliveries: int, answer_ms: float) -> Table:
    database = Database(database_url)
    client_id = new_id()
    with database.writing() as session:
        session.add(Client(id=client_id, name=client_id))
        session.flush()
        session.add_all(Webhook(client_id=client_id, url=url, secret=SECRET, events=[PROPOSED]) for url in urls)
    courier = Courier(database, Line(allow_private=True))
    store(database, client_id, deliveries // len(urls))
    cpu, wall = time.process_time(), time.perf_counter()
    attempts = courier.work_off()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    with database.reading() as session:
        mine = select(func.count()).where(DELIVERY.c.client_id == client_id, DELIVERY.c.status == "delivered")
        delivered = session.execute(mine).scalar_one()
    database.close()
    return Table(
        f"{deliveries} deliveries to {len(urls)} receiver(s) that answer after {answer_ms:g} ms, {database.dialect}",
        (
            Figure("delivered", delivered, at_least=deliveries, must=True),
            Figure("attempts", attempts, at_most=deliveries, must=True),
            Figure("deliveries a second", delivered / wall, at_least=200),
            Figure("CPU a delivery, all in", cpu / delivered * 1000, "ms"),
        ),
    )


def store(database: Database, client_id: str, events: int) -> None:
    for start in range(0, events, A_GROUP):
        some = [_event(number) for number in range(start, min(events, start + A_GROUP))]
        with database.writing() as session:
            tell(session, client_id, some)


def _event(number: int) -> Event:
    id_ = new_id()
    data = {"evaluation_id": id_, "call_id": f"C-{number}", "attempt": 1, "batch_id": id_, "line": number}
    return Event(PROPOSED, id_, 1, data)


@contextmanager
def receiving(receivers: int, answer_ms: float) -> Iterator[list[str]]:
    """The URLs of receivers in a process of their own."""
    command = [sys.executable, "-m", "evals.bench.webhooks", "--receive", "--receivers", str(receivers)]
    process = subprocess.Popen(
        [*command, "--answer-ms", str(answer_ms)], cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield [process.stdout.readline().strip() for _ in range(receivers)]
    finally:
        process.kill()
        process.wait()


def receive(receivers: int, answer_s: float) -> None:
    """Serves until it is killed; says where, a line each."""
    import asyncio

    from aiohttp import web

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        if answer_s:
            await asyncio.sleep(answer_s)
        return web.Response(status=204)

    async def serve() -> None:
        for _ in range(receivers):
            app = web.Application()
            app.router.add_post("/hook", answer)
            runner = web.AppRunner(app, access_log=None)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            print(f"http://127.0.0.1:{runner.addresses[0][1]}/hook", flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
