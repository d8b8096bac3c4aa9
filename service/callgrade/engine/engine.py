"""The engine: works off the queues of this host, and keeps house.

launch     takes a name that is this process's alone, recovers what the last process of that name left behind
adopt      work of names whose process is dead is handed in again; what was coming in through it will not be whole
sweep      what stands in our database as open and has no workflow gets one
clean up   finished workflows are forgotten
"""

import asyncio
import logging
import socket
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from dbos import DBOS, DBOSPortableJSONSerializer, EnqueueOptions
from sqlalchemy import make_url

from callgrade.calibration.working import CalibrationWork
from callgrade.domain.errors import NotReadyError, SettingsError, UnexpectedError
from callgrade.engine.loop import WorkLoop, beside
from callgrade.engine.queue import (
    APPLICATION,
    ASR,
    BULK,
    CALIBRATE,
    FETCH,
    SCORE,
    VERSION,
    Queue,
    system_url,
)
from callgrade.engine.slots import Slots, open_slots
from callgrade.engine.sweeps import RECOVERIES, Sweep
from callgrade.evaluations import receivers
from callgrade.evaluations.many import seldom_collecting
from callgrade.evaluations.patience import patiently
from callgrade.evaluations.pipeline import Pipeline
from callgrade.settings import Settings

POLL_S = {ASR: 0.5, SCORE: 0.2, BULK: 0.25, FETCH: 0.5, CALIBRATE: 1.0}
WORKS = {"asr": (ASR,), "score": (SCORE, BULK, FETCH, CALIBRATE)}
FETCHES_AT_ONCE = 8
MOST_SLOTS = 256
KEEP_S, ADOPT_S, SWEEP_S, CLEAN_S = 3.0, 10.0, 60.0, 300.0
PAGE = 500
KEPT = {"SUCCESS": timedelta(hours=1), "CANCELLED": timedelta(hours=1), "ERROR": timedelta(days=7)}
log = logging.getLogger(__name__)


class _Inside:
    """DBOS as a worker sees it."""

    def enqueue(self, options: EnqueueOptions, *arguments: Any) -> object:
        return DBOS.enqueue_workflow_with_options(options, *arguments)

    def cancel_workflows(self, workflow_ids: list[str]) -> None:
        DBOS.cancel_workflows(workflow_ids)

    def delete_workflows(self, workflow_ids: list[str]) -> None:
        DBOS.delete_workflows(workflow_ids)

    def list_workflows(self, **wanted: Any) -> Sequence[Any]:
        return DBOS.list_workflows(**wanted)


class Engine(Queue):
    """Implements ports.WorkQueue. One a process; it closes the pipeline with itself."""

    def __init__(self, settings: Settings, pipeline: Pipeline, calibrations: CalibrationWork | None = None):
        super().__init__(_Inside())
        self._settings, self._pipeline, self._calibrations = settings, pipeline, calibrations
        self._loop = WorkLoop()
        self._stop = threading.Event()
        self._house: threading.Thread | None = None
        self._slots: Slots | None = None
        self._beat = 0.0
        self._suspected: frozenset[str] = frozenset()
        self._stack = ExitStack()
        self.executor_id = ""

    @property
    def queues(self) -> tuple[str, ...]:
        """The engine's queues that this process works off."""
        unknown = [name for name in self._settings.works_off if name not in WORKS]
        if unknown:
            raise SettingsError(f"CALLGRADE_QUEUES: there is no queue {unknown[0]!r}; they are {', '.join(WORKS)}")
        return tuple(queue for name in self._settings.works_off for queue in WORKS[name])

    def launch(self) -> None:
        """Blocks until it works. Raises SettingsError, NotReadyError."""
        queues = self.queues
        self._slots = open_slots(self._settings.engine, self._settings.data_dir / "workers")
        self.executor_id = self._take_name(self._slots)
        # whoever had the name before took these in, and is dead
        with self._pipeline.database.writing() as session:
            receivers.give_up_of(session, self.executor_id)
        self._pipeline.queue = self
        self._loop.start()
        if SCORE in queues:
            self._stack.enter_context(seldom_collecting())
        _prepare(self._settings.engine)
        # in a thread without a loop: inside of one, DBOS would do its work in that one
        _in_thread(lambda: self._launch(queues))
        self._house = threading.Thread(target=self._keep_house, name="callgrade-house", daemon=True)
        self._house.start()
        log.info("engine launched as %s, working off %s", self.executor_id, ", ".join(queues) or "nothing")

    def shutdown(self, grace_s: int = 10) -> None:
        """Takes nothing new, lets what is under way end for `grace_s`, and leaves the rest to the next launch."""
        self._stop.set()
        if self._house is not None:
            self._house.join(timeout=30)
        _in_thread(lambda: DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=grace_s))
        self._loop.finish(self._pipeline.aclose(), timeout_s=10)
        self._stack.close()
        if self._slots is not None:
            self._slots.close()

    def check(self) -> None:
        """Raises NotReadyError where the engine's database has not answered for a while."""
        if monotonic() - self._beat > 10 * KEEP_S:
            raise NotReadyError("the engine's database does not answer")

    def sweep(self) -> int:
        """Gives a workflow to everything that is open in our database and has none; says to how many."""
        return Sweep(self, self._pipeline.database, self._stop.is_set).all()

    def adopt_dead(self) -> int:
        """Hands the work of dead processes in again, to whoever is free; says how much it was.

        A name must be free twice in a row: a process whose connection broke takes its name again at once.
        """
        slots = self._slots
        if slots is None:
            return 0
        busy = {workflow.executor_id or "" for workflow in _pending()}
        with self._pipeline.database.reading() as session:
            names = (receivers.receivers(session) | busy) - {self.executor_id}
        free = frozenset(name for name in names if self._is_free(slots, name))
        again, self._suspected = free & self._suspected, free
        return sum(self._adopt(slots, name) for name in again)

    def cleanup(self) -> int:
        """Forgets finished workflows; what they did is in our database. Says how many."""
        forgotten = 0
        for status, kept in KEPT.items():
            before = (datetime.now(UTC) - kept).isoformat()
            while not self._stop.is_set():
                found = DBOS.list_workflows(
                    status=status, completed_before=before, limit=PAGE, load_input=False, load_output=False
                )
                if found:
                    DBOS.delete_workflows([workflow.workflow_id for workflow in found])
                forgotten += len(found)
                if len(found) < PAGE:
                    break
        return forgotten

    # launching

    def _take_name(self, slots: Slots) -> str:
        if named := self._settings.executor_id:
            # the process before it may just be dying
            for _ in range(60):
                if slots.take(named):
                    return named
                if self._stop.wait(0.5):
                    break
            raise SettingsError(f"CALLGRADE_EXECUTOR_ID: another process is {named}; give each its own name, or none")
        host = socket.gethostname()
        for number in range(MOST_SLOTS):
            if slots.take(f"{host}:{number}"):
                return f"{host}:{number}"
        raise SettingsError(f"{MOST_SLOTS} workers run on {host} already")

    def _launch(self, queues: Sequence[str]) -> None:
        DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": system_url(self._settings.engine),
                "application_version": VERSION,
                "executor_id": self.executor_id,
                "serializer": DBOSPortableJSONSerializer(),
                "use_listen_notify": False,
                "log_level": "WARNING",
            }
        )
        self._register()
        DBOS.listen_queues(list(queues))
        DBOS.launch()
        at_once = self._at_once()
        for queue, poll_s in POLL_S.items():
            DBOS.register_queue(
                queue,
                worker_concurrency=at_once[queue],
                polling_interval_sec=poll_s,
                on_conflict="always_update" if queue in queues else "never_update",
            )
        self._beat = monotonic()

    def _at_once(self) -> dict[str, int]:
        in_flight = 2 * self._settings.llm.concurrency
        # while one chunk runs dry the next must keep the model busy
        chunks_at_once = 2 + in_flight // self._settings.service.chunk_lines
        return {ASR: 1, SCORE: in_flight, BULK: chunks_at_once, FETCH: FETCHES_AT_ONCE, CALIBRATE: 1}

    def _register(self) -> None:
        @DBOS.workflow(name="score_one", max_recovery_attempts=RECOVERIES)
        async def score_one(id_: str, priority: int, attempt: int) -> None:
            await self._do(lambda: self._pipeline.judge(id_))

        @DBOS.workflow(name="transcribe_one", max_recovery_attempts=RECOVERIES)
        async def transcribe_one(id_: str, priority: int, attempt: int) -> None:
            async def transcribe() -> None:
                if await self._pipeline.transcribe(id_):
                    await asyncio.to_thread(
                        self.enqueue_evaluation, id_, queue="score", priority=priority, attempt=attempt
                    )

            await self._do(transcribe)

        @DBOS.workflow(name="score_chunk", max_recovery_attempts=RECOVERIES)
        async def score_chunk(batch_id: str, number: int) -> None:
            await self._do(lambda: self._pipeline.judge_chunk(batch_id, number))

        @DBOS.workflow(name="fetch_one", max_recovery_attempts=RECOVERIES)
        async def fetch_one(id_: str, call_id: str, number: int) -> None:
            await self._do(lambda: self._pipeline.fetch(id_, call_id, number))

        @DBOS.workflow(name="calibrate", max_recovery_attempts=RECOVERIES)
        async def calibrate(run_id: str, by: str, why: str) -> None:
            await self._do(lambda: beside(lambda: self._calibrate(run_id, by, why or None)))

    def _calibrate(self, run_id: str, by: str, why: str | None) -> None:
        if self._calibrations is None:
            raise SettingsError("this process calibrates nothing")
        self._calibrations.carry_out(run_id, by, why, self._stop.is_set)

    async def _do(self, work: Callable[[], Awaitable[None]]) -> None:
        """In our own loop, and again for as long as the database is away: to do it again harms nothing."""

        try:
            await self._loop.run(patiently(work))
        except Exception as error:
            # its text may hold what was said; the next sweep tries again
            log.error("work failed (%s)", type(error).__name__)
            log.debug("work failed", exc_info=True)
            raise UnexpectedError(f"internal error ({type(error).__name__})") from None

    # housekeeping

    def _keep_house(self) -> None:
        every = ((self._keep, KEEP_S), (self.sweep, SWEEP_S), (self.adopt_dead, ADOPT_S), (self.cleanup, CLEAN_S))
        due = dict.fromkeys(range(len(every)), 0.0)
        while not self._stop.wait(0.5):
            for place, (work, pause_s) in enumerate(every):
                if monotonic() < due[place] or self._stop.is_set():
                    continue
                try:
                    work()
                except Exception as error:
                    log.warning("%s failed (%s); trying again", work.__name__, type(error).__name__)
                due[place] = monotonic() + pause_s

    def _keep(self) -> None:
        if self._slots is not None and not self._slots.keep():
            log.error("another process has taken the name %s; its work may be done twice", self.executor_id)
        DBOS.list_workflows(workflow_ids=["none"], limit=1, load_input=False, load_output=False)
        self._beat = monotonic()

    def _is_free(self, slots: Slots, name: str) -> bool:
        if not slots.take(name):
            return False
        slots.free(name)
        return True

    def _adopt(self, slots: Slots, name: str) -> int:
        if not slots.take(name):
            return 0
        # as long as we hold its name, it cannot come back and recover the same; and what another host has adopted by
        # now is no longer its
        try:
            workflows = [workflow for workflow in _pending() if workflow.executor_id == name]
            for workflow in workflows:
                DBOS.resume_workflow(workflow.workflow_id, queue_name=workflow.queue_name)
            with self._pipeline.database.writing() as session:
                given_up = receivers.give_up_of(session, name)
        finally:
            slots.free(name)
        log.warning(
            "adopted %d pieces of work of %s, which is dead; %d batches it took in are incomplete",
            len(workflows), name, given_up,
        )  # fmt: skip
        return len(workflows)


def _pending() -> Sequence[Any]:
    return DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)


def _prepare(engine_url: str) -> None:
    """A log that is written ahead lets readers pass; the mode stays with the file. DBOS leaves it as it finds it."""
    url = make_url(engine_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        return
    path = Path(url.database)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    connection = sqlite3.connect(path, timeout=30)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()
    path.chmod(0o600)


def _in_thread(work: Callable[[], None]) -> None:
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, name="callgrade-engine")
    thread.start()
    thread.join()
    if failed:
        raise failed[0]
