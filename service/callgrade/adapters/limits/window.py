"""How many requests are in flight, by what the endpoint bears: one fewer for each 429, one more for five answers.

So an endpoint that refuses one request in six is left as busy as it is, one that refuses more is given rest, and
refusals that have nothing to do with us (one in ten, whatever we do) cost no speed.
"""

import asyncio
from collections import deque

ANSWERS_A_PLACE = 5


class Window:
    """First come, first served. For one event loop."""

    def __init__(self, most: int):
        # in fifths of a place, because five fifths are one and five times 0.2 is not
        self._most = self._size = most * ANSWERS_A_PLACE
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def size(self) -> int:
        return self._size // ANSWERS_A_PLACE

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
        self._size = min(self._size + 1, self._most)

    def refused(self) -> None:
        self._size = max(self._size - ANSWERS_A_PLACE, ANSWERS_A_PLACE)

    def _let_in(self) -> None:
        while self._waiting and self._inside < self.size:
            turn = self._waiting.popleft()
            if not turn.done():
                self._inside += 1
                turn.set_result(None)
