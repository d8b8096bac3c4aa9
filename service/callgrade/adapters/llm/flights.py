"""The same question, asked at the same moment: one request answers everybody.

A flight is a task of its own, so whoever began it may leave and those who joined still get what comes of it. It is
called off when the last of them has left. A failure is everybody's: the same request has just been tried as often as
patience allows, and twenty more would only add to what the endpoint refuses.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """For one event loop. Its keys must tell apart whatever may not be shared: whose the question is, above all."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[T]] = {}

    async def join(self, key: str, begin: Callable[[], Coroutine[Any, Any, T]]) -> tuple[T, bool]:
        """(what came of it, whether this caller is the one who bears its cost: the first to hear of it).

        `begin` is called where nothing with this key is under way. What it raises is raised to everybody.
        """
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.ensure_future(begin()))
            flight.task.add_done_callback(lambda _: self._ended(key, flight))
        flight.aboard += 1
        try:
            came = await asyncio.shield(flight.task)
        finally:
            flight.aboard -= 1
            if not flight.aboard and not flight.task.done():
                # nobody may join what is being called off
                self._ended(key, flight)
                flight.task.cancel()
                await asyncio.wait([flight.task])
        bears, flight.borne = not flight.borne, True
        return came, bears

    def _ended(self, key: str, flight: "_Flight[T]") -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]


class _Flight(Generic[T]):
    def __init__(self, task: "asyncio.Future[T]"):
        self.task = task
        self.aboard, self.borne = 0, False
