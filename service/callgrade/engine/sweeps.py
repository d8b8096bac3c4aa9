"""What stands in our database as open and has no workflow gets one: what was stored when the engine was away, what was
lost with it, and what ended while nobody looked."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Literal, TypeVar

from callgrade.calls import awaiting
from callgrade.db.session import Database
from callgrade.db.tables import AwaitedRecording
from callgrade.db.types import now
from callgrade.domain.errors import UnexpectedError
from callgrade.engine.queue import (
    ASR,
    FINISHED,
    LIVE,
    SCORE,
    Queue,
    chunk_workflow,
    evaluation_workflow,
    fetch_workflow,
)
from callgrade.evaluations import chunks, fetching, repository

T = TypeVar("T")
RECOVERIES = 100
"""How often a process may die over one piece of work until nobody takes it up any more."""
PAGE = 500
SETTLED = timedelta(seconds=60)
DEADLY = UnexpectedError(f"the worker died {RECOVERIES} times over this call")


class Sweep:
    """`stopped` is asked between pages."""

    def __init__(self, queue: Queue, database: Database, stopped: Callable[[], bool]):
        self._queue, self._database, self._stopped = queue, database, stopped

    def all(self) -> int:
        """Says how many pieces of work were handed in."""
        found = self._evaluations() + self._chunks() + self._fetches()
        self._end_batches()
        return found

    def _evaluations(self) -> int:
        found, after = 0, ""
        while not self._stopped():
            with self._database.reading() as session:
                rows = repository.open_ones(session, after, PAGE)
                wants = {row.id: ASR if repository.needs_recogniser(session, row) else SCORE for row in rows}
            ids = {row.id: evaluation_workflow(row.id, wants[row.id], row.attempt) for row in rows}
            statuses = self._queue.statuses(list(ids.values())) if ids else {}
            for row in rows:
                found += self._mend(row, ids[row.id], statuses.get(ids[row.id]), wants[row.id])
            if len(rows) < PAGE:
                break
            after = rows[-1].id
        return found

    def _mend(self, row: Any, workflow_id: str, status: str | None, queue: str) -> int:
        if status in LIVE or (status is not None and now() - row.updated_at < SETTLED):
            return 0
        if status == "MAX_RECOVERY_ATTEMPTS_EXCEEDED":
            with self._database.writing() as session:
                repository.fail(session, row.id, row.attempt, DEADLY)
            return 0
        if status is not None:
            self._queue.renew([workflow_id])
        wanted: Literal["asr", "score"] = "asr" if queue == ASR else "score"
        self._queue.enqueue_evaluation(row.id, queue=wanted, priority=row.priority, attempt=row.attempt)
        return 1

    def _chunks(self) -> int:
        found = 0
        first = ("", -1)
        for page in self._pages(lambda session, after: chunks.open_chunks(session, PAGE, after or first), tuple):
            ids = {chunk_workflow(*place): place for place in page}
            statuses = self._queue.statuses(list(ids))
            lost = [id_ for id_ in ids if statuses.get(id_) not in LIVE]
            self._queue.renew([id_ for id_ in lost if statuses.get(id_) in FINISHED])
            for id_ in lost:
                self._queue.enqueue_chunk(*ids[id_])
            found += len(lost)
        return found

    def _fetches(self) -> int:
        found = 0
        pages = self._pages(lambda session, after: awaiting.page(session, after or "", PAGE), lambda row: row.id)
        for page in pages:
            ids = {fetch_workflow(row.id, row.tries): row for row in page}
            statuses = self._queue.statuses(list(ids))
            lost = [id_ for id_ in ids if statuses.get(id_) not in LIVE]
            for id_ in lost:
                self._fetch(ids[id_], id_, statuses.get(id_))
            found += len(lost)
        return found

    def _fetch(self, row: AwaitedRecording, workflow_id: str, status: str | None) -> None:
        if status == "MAX_RECOVERY_ATTEMPTS_EXCEEDED":
            with self._database.writing() as session:
                fetching.give_up(session, row, DEADLY)
            return
        if status in FINISHED:
            self._queue.renew([workflow_id])
        self._queue.enqueue_fetch(row.id, call_id=row.call_id, priority=row.priority, number=row.tries)

    def _end_batches(self) -> None:
        with self._database.reading() as session:
            ended = chunks.ended_ones(session, PAGE)
        for batch_id in ended:
            with self._database.writing() as session:
                chunks.end(session, batch_id)

    def _pages(self, look: Callable[[Any, Any], Any], place: Callable[[Any], Any]) -> Iterator[list[Any]]:
        """`look` gives a page of what lies behind a place."""
        after = None
        while not self._stopped():
            with self._database.reading() as session:
                page = list(look(session, after))
            if page:
                yield page
            if len(page) < PAGE:
                return
            after = place(page[-1])
