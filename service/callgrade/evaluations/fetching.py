"""Recordings fetched from where their clients keep them: once for a call, then on to the recogniser.

May be run again at any moment, as all work here: a recording that is there is not fetched again, and what comes next
is handed in again. Where it is fetched from is known to the row of what is awaited alone, and goes with it.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from sqlmodel import Session

from callgrade.calls import awaiting
from callgrade.calls import service as calls
from callgrade.calls.erasure import drop_blob
from callgrade.db.tables import AwaitedRecording
from callgrade.domain.errors import CallgradeError, GoneError, InputError, NotReadyError
from callgrade.evaluations import outbox, repository
from callgrade.evaluations.failures import named
from callgrade.evaluations.outbox import FAILED, evaluation_event
from callgrade.evaluations.watching import timed
from callgrade.ports import WorkQueue

if TYPE_CHECKING:
    from callgrade.evaluations.pipeline import Pipeline

T = TypeVar("T")
PAUSES_S = (5.0, 30.0, 120.0, 600.0, 1800.0)
"""Before each further try, where another try can help."""
log = logging.getLogger(__name__)


class RecordingNotFetchedError(InputError):
    """For good: the URL is forgotten with it."""

    def __init__(self, why: CallgradeError):
        super().__init__(f"the recording could not be fetched: {why}; hand the call in again with a URL that works")


async def fetch(pipeline: "Pipeline", id_: str, call_id: str, number: int) -> None:
    """The `number`-th further try to fetch what is awaited under `id_`."""
    awaited = await pipeline.read(lambda session: awaiting.find(session, id_))
    if awaited is None:
        await go_on(pipeline, call_id)
    elif awaited.tries > number:
        # a process died while it was handing the next try in
        await _try_again(pipeline, awaited, awaited.tries)
    elif not await pipeline.read(lambda session: repository.under_way(session, call_id)):
        await pipeline.write(lambda session: awaiting.drop(session, call_id))
    else:
        await _fetch(pipeline, awaited)


async def _fetch(pipeline: "Pipeline", awaited: AwaitedRecording) -> None:
    try:
        with timed(pipeline.watch, "fetch"):
            blob = await _aside(lambda: pipeline.fetcher(awaited.url, pipeline.blobs))
    except NotReadyError:
        # our own side is down
        raise
    except Exception as error:
        await _failed(pipeline, awaited, named(error))
        return
    if not await pipeline.write(lambda session: awaiting.arrived(session, awaited, blob, pipeline.blobs)):
        await pipeline.write(lambda session: drop_blob(session, pipeline.blobs, blob.sha256))
    await go_on(pipeline, awaited.call_id)


async def _failed(pipeline: "Pipeline", awaited: AwaitedRecording, error: CallgradeError) -> None:
    if error.retryable and awaited.tries < len(PAUSES_S):
        tries = awaited.tries + 1
        await pipeline.write(lambda session: awaiting.try_later(session, awaited.id, tries))
        await _try_again(pipeline, awaited, tries)
        return
    ended = await pipeline.write(lambda session: give_up(session, awaited, RecordingNotFetchedError(error)))
    for batch_id in ended:
        await pipeline.end_batch(batch_id)


def give_up(session: Session, awaited: AwaitedRecording, error: CallgradeError) -> list[str]:
    """Fails what waited for it, and names the batches that this was part of."""
    try:
        call = calls.hold(session, awaited.client_id, awaited.call_id)
    except GoneError:
        return []
    if awaiting.find(session, awaited.id) is None:
        return []
    awaiting.drop(session, call.id)
    batches = []
    for row in repository.under_way(session, call.id):
        if repository.fail(session, row.id, row.attempt, error):
            extra = outbox.of_batch(row.batch_id, row.line)
            event = evaluation_event(FAILED, row.id, row.attempt, call.id, call.call_id, extra)
            outbox.tell(session, call.client_id, [event])
            batches += [row.batch_id] if row.batch_id else []
    return batches


class _Waiting(NamedTuple):
    """An evaluation that can go on."""

    id: str
    queue: Literal["asr", "score"]
    priority: int
    attempt: int

    def hand_in(self, queue: WorkQueue) -> None:
        queue.enqueue_evaluation(self.id, queue=self.queue, priority=self.priority, attempt=self.attempt)


async def go_on(pipeline: "Pipeline", call_id: str) -> None:
    """Hands in what waited for a call's recording, wherever that stands by now."""

    def waiting(session: Session) -> list[_Waiting]:
        rows = [row for row in repository.under_way(session, call_id) if row.status == "queued"]
        recognised = not rows or not repository.needs_recogniser(session, rows[0])
        return [_Waiting(row.id, "score" if recognised else "asr", row.priority, row.attempt) for row in rows]

    for evaluation in await pipeline.read(waiting):
        await pipeline.hand_in(evaluation.hand_in)


async def _try_again(pipeline: "Pipeline", awaited: AwaitedRecording, tries: int) -> None:
    def hand_in(queue: WorkQueue) -> None:
        queue.enqueue_fetch(
            awaited.id, call_id=awaited.call_id, priority=awaited.priority, number=tries, delay_s=PAUSES_S[tries - 1]
        )

    await pipeline.hand_in(hand_in)


async def _aside(work: Callable[[], T]) -> T:
    """In a thread that keeps no process from ending: the other side may take a quarter of an hour, and what is broken
    off is done again."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:
            error = raised
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="callgrade-fetch", daemon=True).start()
    return await done
