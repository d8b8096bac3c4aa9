"""What is to be done now and then, on every host that works: a thread that forgets, deletes and seals.

Each task may run on several hosts at once. One that fails is told in the log and tried again in its turn.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import NamedTuple, Protocol

from callgrade.access import audit, requests
from callgrade.calls import erasure, retention
from callgrade.calls.retention import ListedBlobs
from callgrade.db.session import Database
from callgrade.db.types import now
from callgrade.evaluations import receivers
from callgrade.evaluations.clearing import clear_all
from callgrade.ports import AnswerMemory

MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
_LOG = logging.getLogger(__name__)


class Blobs(ListedBlobs, Protocol):
    def tidy(self) -> int: ...


class Task(NamedTuple):
    name: str
    every_s: float
    work: Callable[[], object]


class Housekeeping:
    """`memories` hold what models said on this host; `more` is what rooms above this one have to do."""

    def __init__(
        self, database: Database, blobs: Blobs, memories: Sequence[AnswerMemory] = (), more: Sequence[Task] = ()
    ):
        self._database, self._blobs, self._memories = database, blobs, tuple(memories)
        self._erased_since = dict.fromkeys(range(len(self._memories)), now() - timedelta(days=30))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="callgrade-housekeeping", daemon=True)
        self._tasks = (
            Task("catch_up", MINUTE, self.catch_up),
            Task("seal", MINUTE, self.seal),
            Task("clear", MINUTE, self.clear),
            Task("forget_requests", HOUR, self.forget_requests),
            Task("retention", HOUR, self.retention),
            Task("tidy", HOUR, self._blobs.tidy),
            Task("unclaimed", DAY, self.drop_unclaimed),
            *more,
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Returns when the task under way is done."""
        self._stop.set()
        self._thread.join(timeout=60)

    def seal(self) -> int:
        with self._database.writing() as session:
            return audit.seal(session)

    def clear(self) -> int:
        return clear_all(self._database, self._blobs)

    def catch_up(self) -> None:
        for place, memory in enumerate(self._memories):
            self._erased_since[place] = erasure.catch_up(self._database, memory, self._erased_since[place])

    def forget_requests(self) -> int:
        with self._database.writing() as session:
            return requests.forget(session, partial(receivers.is_alive, session))

    def retention(self) -> None:
        with self._database.reading() as session:
            policies = retention.policies(session)
        for policy in policies:
            retention.apply_retention(self._database, self._blobs, policy, now(), memories=self._memories)

    def drop_unclaimed(self) -> int:
        return retention.drop_unclaimed(self._database, self._blobs, now())

    def _keep(self) -> None:
        due = {task.name: monotonic() + min(task.every_s, MINUTE) / 10 for task in self._tasks}
        while not self._stop.wait(1.0):
            for task in self._tasks:
                if self._stop.is_set() or monotonic() < due[task.name]:
                    continue
                try:
                    task.work()
                except Exception as error:
                    # the text of an unforeseen one may hold anything
                    _LOG.warning("housekeeping", extra={"task": task.name, "error": type(error).__name__})
                due[task.name] = monotonic() + task.every_s
