"""Fair play between many calls in one event loop."""

import asyncio


class Turnstile:
    """Lets one call at a time go on to work that keeps the processor busy, and the sockets be served in between.

    Answers come in waves. Without this the loop works through all calls of a wave before it looks at a socket again:
    at 50 in flight an answer that came after 200 ms was read after 290, and its place at the model stood empty so long.
    """

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()

    async def pass_through(self) -> None:
        """Returns when it is the caller's turn: to be awaited just before a stretch of work without another await."""
        async with self._one_at_a_time:
            await asyncio.sleep(0)
