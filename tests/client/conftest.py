"""The real service for the client to speak to: `service` in this process, `served` behind a socket on loopback."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn

from callgrade.client import Client
from tests.api.made import Service, service
from tests.db.databases import *  # noqa: F403

__all__ = ["service"]


@dataclass
class Served:
    service: Service
    url: str

    def key(self, *scopes: str, client: str = "default") -> str:
        return self.service.key(*scopes, client=client)["Authorization"].removeprefix("Bearer ")


@pytest.fixture
def served(service: Service) -> Iterator[Served]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(service.app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Served(service, f"http://127.0.0.1:{listening.getsockname()[1]}")
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with Client(served.url, served.key(), attempts=1) as opened:
        yield opened
