"""The event loop that the work is done in, in a thread of its own: a server's own loop answers its requests meanwhile,
and connections to models belong to one loop for as long as the process lives."""

import asyncio
import threading
from collections.abc import Coroutine
from contextvars import Context
from typing import Any, TypeVar

T = TypeVar("T")


class WorkLoop:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="callgrade-work", daemon=True)

    def start(self) -> None:
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """From another loop. Where that one is called off, so is the work."""
        # in a context of its own: the workflow engine's would make steps of all it calls
        return await asyncio.wrap_future(Context().run(asyncio.run_coroutine_threadsafe, work, self._loop))

    def finish(self, work: Coroutine[Any, Any, T], timeout_s: float) -> T:
        """From a thread: runs this last work when all other has been called off, then ends the loop."""
        try:
            return asyncio.run_coroutine_threadsafe(self._last(work), self._loop).result(timeout_s)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(timeout_s)

    async def _last(self, work: Coroutine[Any, Any, T]) -> T:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*(task for task in others if task is not None), return_exceptions=True)
        await self._loop.shutdown_asyncgens()
        return await work

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()
