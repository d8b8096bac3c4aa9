"""The service of a test behind a real socket, for what a client in the same process cannot do."""

import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from tests.api.made import Service

__all__ = ["address"]

Address = tuple[str, int]


@pytest.fixture
def address(service: Service) -> Iterator[Address]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(service.app, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield listening.getsockname()
    server.should_exit = True
    thread.join(timeout=20)
    listening.close()
