"""Real processes on loopback, to be killed: `callgrade serve` and `callgrade worker` over a database and a folder of
their own, and a model that fails on demand. What came of it is counted in `census`.

    site.model          the model's server, and what it was asked and paid
    site.service()      a Service: its address, `kill()`, `end()`
    site.worker("b")    a Worker beside it
    site.census()       what stands in the database, the engine and the blob store now
    site.draws          draws when to kill, from the seed that a failure prints

Everything is ended with the test; of a test that failed, the seed and the ends of all logs are shown.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import httpx
from evals.mock_openai.process import ROOT, Mock
from evals.synthetic_calls import make_call
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from callgrade.access.keys import create_key, ensure_client
from callgrade.access.permissions import SCOPES
from callgrade.client import Client
from callgrade.db.session import Database
from callgrade.domain.errors import CallgradeError
from callgrade.evaluations.registry import sync_shipped
from callgrade.evaluations.statuses import OPEN
from callgrade.evaluations.tables import EVALUATION
from tests.failure.census import Census, count

SEED = int(os.environ.get("FAILURE_SEED", "20261122"))
"""Other moments to kill at: FAILURE_SEED=… make test TESTS=tests/failure"""
RUBRIC = "service-quality-core"
PATIENCE_S = 240
IN_FLIGHT = 8
"""Requests that one process has in flight at once: so many answers may be lost with it, and be paid twice."""
TAIL, WIDE = 40, 400
WENT_WELL = re.compile(r'"event": "request".*"status": [23]')
ENDED = select(func.count()).select_from(EVALUATION).where(EVALUATION.c.status.not_in(OPEN))
T = TypeVar("T")
P = TypeVar("P", bound="Process")


def until(look: Callable[[], T], what: str, patience_s: float = PATIENCE_S) -> T:
    """What `look` gives, once it gives something that is true."""
    deadline = time.monotonic() + patience_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"{what}: did not come about in {patience_s} s"
        time.sleep(0.1)
    return found


def call(place: int, *, says: str = "", **more: Any) -> dict[str, Any]:
    """Transcript number `place`; the same number, the same call."""
    made = make_call(place, tokens=300)
    if says:
        made["turns"].append({"speaker": "agent", "text": says})
    return {**made, "call_id": f"C-{place:04d}", **more}


def as_lines(calls: Sequence[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in calls).encode()


class MockModel:
    """The model's server as the tests see it."""

    def __init__(self, mock: Mock):
        self.base_url = mock.base_url
        self.lay_on_all = mock.lay_on_all
        self.seen = mock.stats

    @property
    def billed(self) -> int:
        """Valid answers that it sent."""
        return int(self.seen()["good_answers"])

    @property
    def billed_again(self) -> int:
        """Of these, those to a request that it had answered before."""
        seen = self.seen()
        return int(seen["good_answers"] - seen["bodies_answered"])


class Process:
    """A `callgrade …` command that runs until it is ended."""

    words: tuple[str, ...]
    says_when_up: re.Pattern[str]

    def __init__(self, environment: dict[str, str], log: Path, within: Sequence[str]):
        self.log, self.said = log, ""
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [*within, sys.executable, "-m", "callgrade", *self.words],
                cwd=ROOT,
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    def wait_until_up(self) -> None:
        def look() -> re.Match[str] | None:
            assert self.process.poll() is None, f"{self.log.name} ended with {self.process.poll()}"
            return self.says_when_up.search(self.log.read_text("utf-8", "replace"))

        self.said = until(look, f"{self.log.name} to be up")[1]

    def kill(self) -> None:
        """As the kernel does it: without a word."""
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        """As an operator does it; its exit status."""
        self.process.terminate()
        return self.process.wait(timeout=60)

    def tail(self) -> str:
        """The end of its log, without the requests that went well."""
        lines = self.log.read_text("utf-8", "replace").splitlines()
        return "\n".join([line[:WIDE] for line in lines if not WENT_WELL.search(line)][-TAIL:])


class Service(Process):
    """`callgrade serve` on a free port."""

    words = ("serve", "--port", "0")
    says_when_up = re.compile(r"(http://[0-9.]+:[0-9]+)/readyz")

    @property
    def url(self) -> str:
        return self.said


class Worker(Process):
    """`callgrade worker`, under the name that it was given."""

    words = ("worker",)
    says_when_up = re.compile(r"^worker (\S+): ", re.M)


@dataclass
class Site:
    """A database, a folder and a model, and the processes that share them."""

    folder: Path
    database: Database
    model: MockModel
    settings: dict[str, str] = field(default_factory=dict)
    draws: Random = field(default_factory=lambda: Random(SEED))
    within: Sequence[str] = ()
    """Words before each command, such as those that enter a namespace."""
    processes: list[Process] = field(default_factory=list)
    keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        with self.database.writing() as session:
            sync_shipped(session)
            ensure_client(session)

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "CALLGRADE_DATA_DIR": str(self.folder),
            "CALLGRADE_DATABASE_URL": self.database.url.render_as_string(hide_password=False),
            "CALLGRADE_LLM__MODEL": "mock",
            "CALLGRADE_LLM__BASE_URL": self.model.base_url,
            "CALLGRADE_LLM__CONCURRENCY": str(IN_FLIGHT),
            "CALLGRADE_LLM__MAX_WAIT_S": "0.5",
            "CALLGRADE_SERVICE__CHUNK_LINES": "50",
            "CALLGRADE_SERVICE__ALLOW_PRIVATE_URLS": "true",
            "CALLGRADE_LANGUAGE": "en",
        }
        return {**os.environ, **own, **self.settings}

    def service(self, **settings: str) -> Service:
        return self._started(Service, "serve", settings)

    def worker(self, name: str = "", **settings: str) -> Worker:
        named = {"CALLGRADE_EXECUTOR_ID": name} if name else {}
        return self._started(Worker, f"worker-{name}", {**named, **settings})

    def key(self, client: str = "default") -> str:
        if client not in self.keys:
            with self.database.writing() as session:
                self.keys[client] = create_key(session, ensure_client(session, client).id, "a test's", tuple(SCOPES))[1]
        return self.keys[client]

    def client(self, service: Service, client: str = "default", **more: Any) -> Client:
        return Client(service.url, self.key(client), **{"attempts": 1, **more})

    def http(self, service: Service, client: str = "default") -> httpx.Client:
        """For what the typed client is too well-behaved for."""
        headers = {"Authorization": f"Bearer {self.key(client)}"}
        return httpx.Client(base_url=service.url, headers=headers, timeout=60, trust_env=False)

    def ended(self) -> int:
        """Evaluations that have come to an end; cheap enough to be asked all the time."""
        with self.database.reading() as session:
            return int(session.execute(ENDED).scalar_one())

    def census(self) -> Census:
        return count(self.database, self.folder)

    def settled(self, patience_s: float = 30) -> Census:
        """The census once nothing is left undone, or what it is when that does not come about."""
        deadline = time.monotonic() + patience_s
        while (found := self.census()).left and time.monotonic() < deadline:
            time.sleep(0.2)
        return found

    def end(self, *, failed: bool = False) -> None:
        if failed:
            self.show()
        for process in self.processes:
            process.kill()

    def show(self) -> None:
        """For whoever has to find out why it failed."""
        print(f"FAILURE_SEED={SEED}\nthe model saw {self.model.seen()}")
        with suppress(CallgradeError, SQLAlchemyError, subprocess.SubprocessError):
            print(self.census())
        for process in self.processes:
            print(f"--- the end of {process.log.name} ({process.process.poll()})\n{process.tail()}")

    def _started(self, kind: type[P], name: str, settings: dict[str, str]) -> P:
        log = self.folder.parent / f"{name}-{len(self.processes)}.log"
        process = kind({**self.environment, **settings}, log, self.within)
        # before it is up, so that its log is shown where it never is
        self.processes.append(process)
        process.wait_until_up()
        return process


class Upload:
    """A batch that is sent in two halves."""

    def __init__(self, site: Site, service: Service, body: bytes, key: str):
        host, port = service.url.removeprefix("http://").split(":")
        head = (
            f"POST /v1/batches?rubric={RUBRIC} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {site.key()}\r\n"
            f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\nIdempotency-Key: {key}\r\n\r\n"
        )
        self._line = socket.create_connection((host, int(port)), timeout=60)
        self._rest = body[len(body) // 2 :]
        self._line.sendall(head.encode() + body[: len(body) // 2])

    def go_on(self) -> None:
        self._line.sendall(self._rest)

    def close(self) -> None:
        self._line.close()

    def status(self) -> int:
        """Of the answer."""
        with self._line:
            return int(self._line.recv(4096).split()[1])
