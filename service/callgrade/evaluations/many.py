"""Many calls at once: bounded in memory, results as they finish, one bad input never stops the rest."""

import asyncio
import gc
import itertools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol

from typing_extensions import TypeVar

from callgrade.domain.calls import Transcript
from callgrade.domain.errors import CallgradeError, UnexpectedError
from callgrade.domain.scorecards import Scorecard
from callgrade.pacing import Turnstile

log = logging.getLogger(__name__)


class Named(Protocol):
    """Something to be evaluated, by a name that says which it is where its call id is not known yet."""

    @property
    def name(self) -> str: ...


Source = TypeVar("Source", bound=Named, default=Path)
Load = Callable[[Path], Awaitable[Transcript]]
Evaluate = Callable[[Transcript], Awaitable[Scorecard]]
SELDOM = 10_000
"""Objects made and not yet freed between two collections. Python's own 700 cost an eighth of all CPU."""


@dataclass(frozen=True, slots=True)
class Scored(Generic[Source]):
    """One input's result: a scorecard with its transcript, or the error that stopped it."""

    source: Source
    transcript: Transcript | None = None
    scorecard: Scorecard | None = None
    error: CallgradeError | None = None

    @property
    def call_id(self) -> str:
        return self.transcript.call_id if self.transcript else self.source.name


async def evaluate_many(
    sources: Iterable[Source], load: Callable[[Source], Awaitable[Transcript]], evaluate: Evaluate, *, in_flight: int
) -> AsyncIterator[Scored[Source]]:
    """Load and evaluate every source, at most `in_flight` at a time, yielding each result when it is done.

    The sources are taken one by one as places become free and nothing is kept of a result once it is yielded, so
    memory does not grow with the number of inputs.
    """
    # A queue of results, not asyncio.wait: that walks all pending tasks each time one of them ends.
    results: asyncio.Queue[Scored[Source]] = asyncio.Queue()
    running: set[asyncio.Task[None]] = set()
    turnstile = Turnstile()

    async def run(source: Source) -> None:
        await turnstile.pass_through()
        results.put_nowait(await _one(source, load, evaluate))

    remaining = iter(sources)
    pending = 0
    try:
        for source in itertools.islice(remaining, in_flight):
            _start(run(source), running)
            pending += 1
        while pending:
            yield await results.get()
            pending -= 1
            for source in itertools.islice(remaining, 1):
                _start(run(source), running)
                pending += 1
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """For a process that evaluates many calls: the garbage collector passes over what was there before, and comes
    seldom. Nearly everything that a call leaves behind is freed without it."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _start(work: Coroutine[None, None, None], running: set[asyncio.Task[None]]) -> None:
    task = asyncio.create_task(work)
    running.add(task)
    task.add_done_callback(running.discard)


async def _one(source: Source, load: Callable[[Source], Awaitable[Transcript]], evaluate: Evaluate) -> Scored[Source]:
    transcript = None
    try:
        transcript = await load(source)
        return Scored(source, transcript, await evaluate(transcript))
    except CallgradeError as error:
        return Scored(source, transcript, error=error)
    except Exception as error:
        # a bug must not stop the other inputs either; its text may hold what was said, so only its kind is told
        log.debug("unexpected failure", exc_info=True)
        return Scored(source, transcript, error=UnexpectedError(f"internal error ({type(error).__name__})"))
