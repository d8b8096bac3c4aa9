"""A calibration run: one judge over one split of a golden set, once or k times.

It can be taken up again after anything: what is stored is not judged again, and a call that the model was away for is
left open. Whoever asks for the same again while a run is unfinished goes on with that run.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calibration import golden, run_repository
from callgrade.calibration import golden_repository as sets
from callgrade.calibration.golden_repository import StoredCall
from callgrade.calibration.holdout import HoldoutWear, read_holdout
from callgrade.calibration.run_reports import finish, splits_of
from callgrade.catalog import digest
from callgrade.db.session import Database
from callgrade.db.tables import CalibrationItem, CalibrationRun
from callgrade.db.types import now
from callgrade.domain.calibration import CalibrationReport
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import (
    ConflictError,
    InputError,
    KeyRefusedError,
    ModelNotFoundError,
    SettingsError,
)
from callgrade.domain.frozen import Frozen
from callgrade.domain.golden import Label
from callgrade.domain.judgements import JudgeFailure
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.asking import PromptNamed
from callgrade.evaluations.failures import WAITING_HELPS, model_failures, told
from callgrade.evaluations.many import Scored, evaluate_many, seldom_collecting
from callgrade.evaluations.service import Evaluator
from callgrade.ports import Judge

SplitAsked = Literal["train", "dev", "train+dev", "holdout"]
OpenJudges = Callable[[int], AbstractAsyncContextManager[Sequence[Judge]]]
"""The judges of one sample (from 0): those of another sample must not be given the answers of this one."""
Progress = Callable[[int, int], None]
"""Called with (items done, items in all)."""
Halt = Literal["cancelled", "queued"]
"""What a run is that was stopped: for good, or until somebody takes it up again."""
Stop = Callable[[], Halt | None]
"""Asked after every item."""
MOST_SAMPLES = 20
STORED_AT_ONCE = 16
WRONG_FOR_ALL = frozenset((KeyRefusedError("").type, ModelNotFoundError("").type))
"""Failures that every other call would meet as well."""


class Asked(Frozen):
    """What to hold against what. `prompt` and `model` None: as the host is set up."""

    set_id: str
    split: SplitAsked = "dev"
    samples: Annotated[int, Field(ge=1, le=MOST_SAMPLES)] = 1
    prompt: PromptNamed | None = None
    model: str | None = None
    redaction: str | None = None


class Begun(NamedTuple):
    run_id: str
    stored: int
    """Items of an earlier try that the run goes on with."""


class Material(NamedTuple):
    """`wear` of the holdout, where that was read."""

    calls: tuple[StoredCall, ...]
    labels: tuple[Label, ...]
    wear: HoldoutWear | None = None


class Done(NamedTuple):
    """`unreached`: items that the model was away for. The same run can be gone on with."""

    report: CalibrationReport
    unreached: int = 0
    why: str = ""
    wear: HoldoutWear | None = None


class RunStoppedError(ConflictError):
    """Somebody asked for it; what was judged is stored. `now` is what the run is."""

    def __init__(self, status: Halt):
        self.now: Halt = status
        super().__init__(f"the run was stopped, and is {status}")


def begin(session: Session, principal: Principal, rubric: Rubric, asked: Asked) -> Begun:
    """A new run, queued, or the unfinished one of the same, which is queued again if it had ended.

    Raises UnknownResourceError for another client's set.
    """
    principal.reach("calibrations:write")
    sets.find(session, principal, asked.set_id)
    prompt = asked.prompt
    same: dict[str, Any] = {
        "set_id": asked.set_id,
        "split": asked.split,
        "rubric_id": rubric.id,
        "rubric_version": rubric.version,
        "rubric_digest": digest(rubric),
        "prompt_digest": prompt.digest if prompt else None,
        "model_asked": asked.model,
        "redaction": asked.redaction,
        "samples": asked.samples,
    }
    before = run_repository.unfinished(session, principal, same)
    if before is not None:
        run_repository.queue_again(session, before.id)
        return Begun(before.id, len(run_repository.judged(session, before.id)))
    named: dict[str, Any] = {"prompt_id": prompt.id, "prompt_version": prompt.version} if prompt else {}
    row = CalibrationRun(client_id=principal.client_id, created_by=principal.actor, **same, **named)
    run_repository.add(session, row)
    facts = {"rubric": rubric.reference, "split": asked.split.replace("+", "-")}
    audit.record(session, principal, "calibration.begun", row.id, facts)
    return Begun(row.id, 0)


def cancel(session: Session, principal: Principal, run_id: str) -> None:
    """What is judged by now stays, and the same can be begun again.

    Raises UnknownResourceError, ConflictError for a run that has ended.
    """
    principal.reach("calibrations:write")
    run = run_repository.find(session, principal, run_id)
    if not run_repository.move(session, run.id, ("queued", "running"), status="cancelled", ended_at=now()):
        raise ConflictError(f"the run is {run.status}; there is nothing to cancel")
    audit.record(session, principal, "calibration.cancelled", run.id)


async def carry_out(
    database: Database,
    principal: Principal,
    run_id: str,
    rubric: Rubric,
    judges: OpenJudges,
    *,
    in_flight: int,
    why: str | None = None,
    progress: Progress = lambda done, total: None,
    stop: Stop = lambda: None,
) -> Done:
    """Judges what is not judged yet, then makes and stores the report. `why`: what the holdout is read for; every time
    that a run over it is taken up is a reading.

    Raises SettingsError where no call can be judged (a refused key, an unknown model), ConflictError for a rubric that
    is not the run's or a run that is done, HoldoutRetiredError, RunStoppedError.
    """
    principal.reach("calibrations:write")
    with database.reading() as session:
        run = run_repository.find(session, principal, run_id)
        stored = run_repository.judged(session, run.id)
    _check(run, rubric)
    material = _material(database, principal, run, rubric, why)
    wanted = len(material.calls) * run.samples
    with database.writing() as session:
        begun: dict[str, Any] = {"status": "running", "items": wanted, "begun_at": run.begun_at or now()}
        begun |= {"ended_at": None, "error": None}
        if not run_repository.move(session, run.id, ("queued", "running", "failed"), **begun):
            raise RunStoppedError("cancelled")
    work = _Work(database, run.id, len(stored), wanted, progress, stop)
    try:
        for sample in range(run.samples):
            rest = [_Item(one, sample) for one in material.calls if (one.id, sample) not in stored]
            if rest:
                async with judges(sample) as found:
                    await _judge(work, Evaluator(rubric, found), rest, in_flight)
    except BaseException as error:
        _stopped(database, run.id, error)
        raise
    with database.writing() as session:
        failure = work.failure
        report = finish(session, principal, run.id, rubric, material, None if failure is None else failure.model_dump())
    return Done(report, work.unreached, "" if failure is None else failure.message, material.wear)


class _Item(NamedTuple):
    stored: StoredCall
    sample: int

    @property
    def name(self) -> str:
        return self.stored.call.id


class _Work:
    """Stores results a few at a time, and counts."""

    def __init__(self, database: Database, run_id: str, done: int, wanted: int, progress: Progress, stop: Stop):
        self._database, self._run_id, self._progress, self._stop = database, run_id, progress, stop
        self._done, self._wanted = done, wanted
        self._rows: list[CalibrationItem] = []
        self.unreached = 0
        self.failure: JudgeFailure | None = None
        progress(done, wanted)

    def take(self, result: Scored[_Item], milliseconds: float) -> None:
        """Raises SettingsError for what the next call would meet as well, RunStoppedError."""
        self._count(result, milliseconds)
        if (halt := self._stop()) is not None:
            raise RunStoppedError(halt)

    def _count(self, result: Scored[_Item], milliseconds: float) -> None:
        failures = model_failures(result.scorecard) if result.scorecard else ()
        hopeless = next((failure for failure in failures if failure.type in WRONG_FOR_ALL), None)
        if hopeless is not None:
            self.store()
            raise SettingsError(hopeless.message)
        away = next((one for one in failures if one.retryable or one.type in WAITING_HELPS), None)
        if away is not None:
            self.unreached += 1
            self.failure = self.failure or away
            return
        self._rows.append(_row(self._run_id, result, milliseconds))
        self._done += 1
        self._progress(self._done, self._wanted)
        if len(self._rows) >= STORED_AT_ONCE:
            self.store()

    def store(self) -> None:
        if self._rows:
            with self._database.writing() as session:
                run_repository.add_items(session, self._rows)
            self._rows = []


async def _judge(work: _Work, evaluator: Evaluator, items: Sequence[_Item], in_flight: int) -> None:
    begun: dict[int, float] = {}
    took: dict[int, float] = {}

    async def load(item: _Item) -> Transcript:
        # a copy of its own for each item, so that times are kept by which it is
        return item.stored.call.transcript.model_copy()

    async def evaluate(transcript: Transcript) -> Scorecard:
        begun[id(transcript)] = time.perf_counter()
        card = await evaluator.evaluate(transcript)
        took[id(transcript)] = 1000 * (time.perf_counter() - begun.pop(id(transcript)))
        return card

    try:
        with seldom_collecting():
            async for result in evaluate_many(items, load, evaluate, in_flight=in_flight):
                work.take(result, took.pop(id(result.transcript), 0.0))
    finally:
        work.store()


def _row(run_id: str, result: Scored[_Item], milliseconds: float) -> CalibrationItem:
    card, item = result.scorecard, result.source
    row = CalibrationItem(run_id=run_id, golden_call_id=item.stored.id, sample=item.sample)
    if card is None:
        row.error = told(result.error) if result.error else None
        return row
    made = card.provenance
    reported = made.model_reported
    row.scorecard = card.model_dump_json(by_alias=True)
    row.model_reported = reported if isinstance(reported, str) or reported is None else ", ".join(reported)
    row.usage = {
        "requests": made.requests,
        "cache_hits": made.cache_hits,
        "prompt_tokens": made.tokens.get("prompt", 0),
        "cached_tokens": made.tokens.get("cached", 0),
        "completion_tokens": made.tokens.get("completion", 0),
        "cost": made.cost,
        "ms": round(milliseconds, 1),
    }
    return row


def _check(run: CalibrationRun, rubric: Rubric) -> None:
    if run.rubric_digest != digest(rubric):
        raise ConflictError("the run was begun with another state of the rubric: begin a new one")
    if run.status == "done":
        raise ConflictError("the run is done: begin a new one")


def _material(
    database: Database, principal: Principal, run: CalibrationRun, rubric: Rubric, why: str | None
) -> Material:
    if run.split == "holdout":
        if not why:
            raise InputError("the holdout is read for a reason: say which")
        read = read_holdout(database, principal, run.set_id, rubric.reference, why, run_id=run.id)
        return Material(read.calls, read.labels, read.wear)
    splits = splits_of(run.split)
    with database.reading() as session:
        calls = golden.calls(session, principal, run.set_id, splits)
        labels = golden.labels(session, principal, run.set_id, rubric.id, splits)
    return Material(calls, labels)


def _stopped(database: Database, run_id: str, error: BaseException) -> None:
    if isinstance(error, RunStoppedError):
        with database.writing() as session:
            run_repository.move(session, run_id, ("running",), status=error.now)
        return
    described = {"type": type(error).__name__, "message": str(error) if isinstance(error, SettingsError) else ""}
    with database.writing() as session:
        run_repository.change(session, run_id, status="failed", error=described)
