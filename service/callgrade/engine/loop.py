"""The event loop that the work is done in, in a thread of its own: a server's own loop answers its requests meanwhile,
and connections to models belong to one loop for as long as the process lives."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from typing import Any, TypeVar

from callgrade.calibration.working import LeftOffError

T = TypeVar("T")


async def beside(work: Callable[[], None]) -> None:
    """Work of minutes that blocks, in a thread that nobody waits for at the end. Where it leaves off because the
    process ends, nothing comes of it here, so that it is taken up again elsewhere."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()

    def tell(error: BaseException | None) -> None:
        if ended.done():
            return
        if error is None:
            ended.set_result(None)
        else:
            ended.set_exception(error)

    def run() -> None:
        failed: BaseException | None = None
        try:
            work()
        except LeftOffError:
            return
        except BaseException as error:
            failed = error
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell, failed)

    threading.Thread(target=run, name="callgrade-long-work", daemon=True).start()
    await ended


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
