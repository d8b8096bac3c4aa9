"""Who may ask the endpoint now. One gate stands before all judges that ask the same endpoint."""

import asyncio
from typing import Protocol

from callgrade.adapters.llm.errors import Fault
from callgrade.adapters.llm.wire import Reply, Request


class Gate(Protocol):
    """Each `enter` that returns is followed by one `leave`."""

    async def enter(self, request: Request) -> None:
        """Waits for a place. Raises Fault where asking would be in vain."""
        ...

    def leave(self, request: Request, outcome: Reply | Fault | None) -> None:
        """What came of the request; None where it was called off."""
        ...


class Slots:
    """At most so many at a time."""

    def __init__(self, number: int):
        self._slots = asyncio.Semaphore(number)

    async def enter(self, request: Request) -> None:
        await self._slots.acquire()

    def leave(self, request: Request, outcome: Reply | Fault | None) -> None:
        self._slots.release()
