"""Handing work in. Workflow ids say what the work is, so that handing it in twice is once."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

from dbos import DBOSClient, DBOSPortableJSONSerializer, EnqueueOptions
from dbos import error as dbos_error
from sqlalchemy import make_url

APPLICATION = "callgrade"
VERSION = "1"
"""The same for all releases of callgrade: every workflow is one call of something that may be called again, so work
that an older release began is finished by a newer one. Raise it when an argument changes its meaning."""
ASR, SCORE, BULK, FETCH, CALIBRATE = "asr", "score", "bulk", "fetch", "calibrate"
FIRST = 1_000_000
"""The engine takes small numbers first; ours are the other way round, and 0 is usual."""
LIVE = ("ENQUEUED", "PENDING", "DELAYED")
FINISHED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


class Workflows(Protocol):
    """What is needed of DBOS, inside of a worker and outside."""

    def enqueue(self, options: EnqueueOptions, *arguments: Any) -> object: ...

    def cancel_workflows(self, workflow_ids: list[str]) -> None: ...

    def delete_workflows(self, workflow_ids: list[str]) -> None: ...

    @property
    def list_workflows(self) -> Callable[..., Sequence[Any]]: ...


class Queue:
    """Implements ports.WorkQueue."""

    def __init__(self, workflows: Workflows):
        self._workflows = workflows

    def enqueue_evaluation(self, id_: str, *, queue: Literal["asr", "score"], priority: int, attempt: int) -> None:
        name = "transcribe_one" if queue == ASR else "score_one"
        options = _options(name, queue, evaluation_workflow(id_, queue, attempt))
        options["priority"] = _rank(priority)
        self._workflows.enqueue(options, id_, priority, attempt)

    def enqueue_chunk(self, batch_id: str, number: int) -> None:
        self._workflows.enqueue(_options("score_chunk", BULK, chunk_workflow(batch_id, number)), batch_id, number)

    def enqueue_fetch(self, id_: str, *, call_id: str, priority: int, number: int = 0, delay_s: float = 0.0) -> None:
        options = _options("fetch_one", FETCH, fetch_workflow(id_, number))
        options["priority"] = _rank(priority)
        if delay_s > 0:
            options["delay_seconds"] = delay_s
        self._workflows.enqueue(options, id_, call_id, number)

    def enqueue_calibration(self, run_id: str, *, by: str, why: str | None = None) -> None:
        id_ = calibration_workflow(run_id)
        # one that ended can be gone on with; one that waits or is under way is left alone
        self.renew([id_])
        self._workflows.enqueue(_options("calibrate", CALIBRATE, id_), run_id, by, why or "")

    def cancel_evaluation(self, id_: str, *, attempt: int) -> None:
        for queue in (ASR, SCORE):
            try:
                self._workflows.cancel_workflows([evaluation_workflow(id_, queue, attempt)])
            except dbos_error.DBOSNonExistentWorkflowError:
                continue

    def statuses(self, workflow_ids: Sequence[str]) -> dict[str, str]:
        found = self._workflows.list_workflows(workflow_ids=list(workflow_ids), load_input=False, load_output=False)
        return {workflow.workflow_id: workflow.status for workflow in found}

    def renew(self, workflow_ids: Sequence[str]) -> None:
        """Forgets those that are finished, so that their ids can be used again."""
        done = [id_ for id_, status in self.statuses(workflow_ids).items() if status in FINISHED]
        if done:
            self._workflows.delete_workflows(done)


class EngineClient(Queue):
    """For a process that hands work in and does none. The engine's tables must be there: a worker made them."""

    def __init__(self, engine_url: str):
        self._client = DBOSClient(
            system_database_url=system_url(engine_url),
            serializer=DBOSPortableJSONSerializer(),
            application_name=APPLICATION,
            lazy=True,
        )
        super().__init__(self._client)

    def close(self) -> None:
        self._client.destroy()


def evaluation_workflow(id_: str, queue: str, attempt: int) -> str:
    return f"{'transcription' if queue == ASR else 'evaluation'}:{id_}:{attempt}"


def chunk_workflow(batch_id: str, number: int) -> str:
    return f"chunk:{batch_id}:{number}"


def fetch_workflow(id_: str, number: int) -> str:
    return f"fetch:{id_}:{number}"


def calibration_workflow(run_id: str) -> str:
    return f"calibration:{run_id}"


def system_url(engine_url: str) -> str:
    """The engine's URL as DBOS wants it."""
    url = make_url(engine_url)
    plain = "sqlite" if url.get_backend_name() == "sqlite" else "postgresql"
    return url.set(drivername=plain).render_as_string(hide_password=False)


def _rank(priority: int) -> int:
    return min(max(1, FIRST - priority), 2 * FIRST)


def _options(workflow: str, queue: str, id_: str) -> EnqueueOptions:
    return {"workflow_name": workflow, "queue_name": queue, "workflow_id": id_}
