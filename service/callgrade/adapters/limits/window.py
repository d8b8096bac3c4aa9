"""How many requests are in flight, by what the endpoint bears: one fewer for each 429, one more for five answers.

So an endpoint that refuses one request in six is left as busy as it is, one that refuses more is given rest, and
refusals that have nothing to do with us (one in ten, whatever we do) cost no speed.
"""

import asyncio
from collections import deque

GROWTH = 0.2


class Window:
    """First come, first served. For one event loop."""

    def __init__(self, most: int):
        self._most = most
        self._size = float(most)
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def size(self) -> int:
        return int(self._size)

    async def enter(self) -> None:
        if self._inside < self.size and not self._waiting:
            self._inside += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            raise

    def leave(self) -> None:
        self._inside -= 1
        self._let_in()

    def answered(self) -> None:
        self._size = min(self._size + GROWTH, float(self._most))

    def refused(self) -> None:
        self._size = max(self._size - 1.0, 1.0)

    def _let_in(self) -> None:
        while self._waiting and self._inside < self.size:
            turn = self._waiting.popleft()
            if not turn.done():
                self._inside += 1
                turn.set_result(None)
