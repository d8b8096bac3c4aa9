"""A client's own server on loopback, a clock that is set by hand, and events for one to be sent to the other."""

import contextlib
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from callgrade.adapters.courier import Courier
from callgrade.adapters.webhooks import Line
from callgrade.db.session import Database
from callgrade.db.tables import Client, Delivery, Webhook
from callgrade.db.types import now
from callgrade.evaluations import outbox
from callgrade.evaluations.tables import DELIVERY

__all__ = ["clock", "receiver"]

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXMgbG9uZw=="
CLIENT, HOOK = "shop", "hook"


class Receiver(ThreadingHTTPServer):
    """Answers with `answers` in order, and then with 204, once it `goes_on`. The request of the number `closes_on` gets
    no answer; `endless` ones go on for ever."""

    daemon_threads = True
    request_queue_size = 100

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Endpoint)
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.connections, self.closes_on, self.endless = 0, 0, False
        self.goes_on = threading.Event()
        self.goes_on.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hooks/secret-path"

    @property
    def events(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


class Endpoint(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        self.server.goes_on.wait()
        if len(self.server.got) == self.server.closes_on:
            self.close_connection = True
            return
        status, headers = self.server.answers.pop(0) if self.server.answers else (204, {})
        self.send_response(status)
        for name, value in {"Content-Length": "0", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(OSError):
            while self.server.endless:
                self.wfile.write(b" " * 10_000)

    def log_message(self, *_: Any) -> None:
        pass


def opened() -> Receiver:
    running = Receiver()
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = opened()
    yield running
    running.goes_on.set()
    running.shutdown()
    running.server_close()


class Clock:
    def __init__(self) -> None:
        self.at = now() + timedelta(seconds=1)

    def __call__(self) -> datetime:
        return self.at

    def on(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def our_network() -> Line:
    return Line(allow_private=True, attempt_s=5.0)


def send_due(database: Database, clock: Clock, line: Line | None = None) -> int:
    """How many attempts were made at what is due now."""
    return Courier(database, line or our_network(), clock=clock).work_off()


def registered(database: Database, url: str, id_: str = HOOK) -> str:
    with database.writing() as session:
        if session.get(Client, CLIENT) is None:
            session.add(Client(id=CLIENT, name=CLIENT))
            session.flush()
        session.add(Webhook(id=id_, client_id=CLIENT, url=url, secret=SECRET, events=["batch.done"]))
    return id_


def announced(database: Database, number: int = 1) -> list[str]:
    """The ids of the deliveries that this many new events come to."""
    with database.writing() as session:
        before = set(session.execute(DELIVERY.select().with_only_columns(DELIVERY.c.id)).scalars())
        outbox.tell(session, CLIENT, [event(f"b{len(before)}-{place}") for place in range(number)])
        every = session.execute(DELIVERY.select().with_only_columns(DELIVERY.c.id)).scalars()
        return [id_ for id_ in every if id_ not in before]


def event(batch_id: str) -> outbox.Event:
    return outbox.Event(outbox.BATCH_DONE, batch_id, 1, {"batch_id": batch_id})


def row_of(database: Database, id_: str) -> Delivery:
    with database.reading() as session:
        row = session.get(Delivery, id_)
        assert row is not None
        return row


def change(database: Database, id_: str, **values: Any) -> None:
    with database.writing() as session:
        session.execute(DELIVERY.update().where(DELIVERY.c.id == id_).values(**values))
