"""Calibration runs as work of a queue: taken up by whoever is free, and again after the process that did it is gone."""

import asyncio
import time
from collections.abc import Callable
from typing import Literal

from sqlmodel import Session

from callgrade.access.permissions import Role, Scope
from callgrade.access.principals import Principal
from callgrade.calibration import run_repository
from callgrade.calibration.running import Halt, OpenJudges, RunStoppedError, carry_out
from callgrade.catalog.prompts import Prompt
from callgrade.db.session import Database
from callgrade.db.tables import CalibrationRun
from callgrade.db.types import now
from callgrade.domain.errors import CallgradeError, SettingsError
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations import registry
from callgrade.evaluations.asking import Asking, PromptNamed, Terms
from callgrade.evaluations.failures import told

Mode = Literal["auto", "rules"]
JudgesOf = Callable[[str, Asking, Mode], OpenJudges]
"""(client, what to ask for, with a model or without) → the judges of each sample."""
LOOK_S = 1.0
"""How often a run looks whether somebody has cancelled it."""


class LeftOffError(Exception):
    """The process ends: whoever takes the run up next goes on where it is."""


class CalibrationWork:
    """One a process. `model` is the host's own."""

    def __init__(self, database: Database, judges: JudgesOf, *, model: str | None, in_flight: int):
        self._database, self._judges, self._model, self._in_flight = database, judges, model, in_flight

    def carry_out(self, run_id: str, by: str, why: str | None, stopping: Callable[[], bool]) -> None:
        """Blocks until the run has ended; what went wrong with it stands in its row. `by` is the actor in whose name
        it is, `why` what they read the holdout for.

        Raises LeftOffError once `stopping` says so.
        """
        with self._database.reading() as session:
            run = session.get(CalibrationRun, run_id)
            if run is None or run.status in ("done", "cancelled"):
                return
        try:
            with self._database.reading() as session:
                rubric, asking = self._asked(session, run)
            mode: Mode = "auto" if run.model_asked else "rules"
            work = carry_out(
                self._database,
                _acting(run, by),
                run.id,
                rubric,
                self._judges(run.client_id, asking, mode),
                in_flight=self._in_flight,
                why=why,
                stop=_Looking(self._database, run.id, stopping),
            )
            asyncio.run(work)
        except RunStoppedError as stopped:
            if stopped.now == "queued":
                raise LeftOffError from None
        except CallgradeError as error:
            with self._database.writing() as session:
                ended = {"status": "failed", "ended_at": now(), "error": told(error)}
                run_repository.move(session, run.id, ("queued", "running", "failed"), **ended)

    def _asked(self, session: Session, run: CalibrationRun) -> tuple[Rubric, Asking]:
        rubric = registry.rubric_of_digest(session, run.rubric_digest)
        model = None if run.model_asked == self._model else run.model_asked
        if run.prompt_digest is None:
            return rubric, Asking(Terms(model=model))
        row = next((one for one in registry.list_prompt_versions(session) if one.digest == run.prompt_digest), None)
        if row is None:
            raise SettingsError("the prompt of this run is not in the registry any more")
        named = PromptNamed(id=row.id, version=row.version, digest=row.digest)
        return rubric, Asking(Terms(prompt=named, model=model), Prompt.model_validate_json(row.content))


class _Looking:
    """Whether a run is to stop: because the process ends, or because it was cancelled, which is looked up seldom."""

    def __init__(self, database: Database, run_id: str, stopping: Callable[[], bool]):
        self._database, self._run_id, self._stopping = database, run_id, stopping
        self._next = 0.0

    def __call__(self) -> Halt | None:
        if self._stopping():
            return "queued"
        if time.monotonic() < self._next:
            return None
        self._next = time.monotonic() + LOOK_S
        with self._database.reading() as session:
            run = session.get(CalibrationRun, self._run_id)
            return "cancelled" if run is not None and run.status == "cancelled" else None


def _acting(run: CalibrationRun, by: str) -> Principal:
    """Whoever asked for the run, as far as it needs them: what they may not see is not judged by either."""
    user = by.removeprefix("user:") if by.startswith("user:") else None
    scopes: frozenset[Scope] = frozenset(("calibrations:read", "calibrations:write"))
    role: Role = "qa_lead" if user else "client"
    return Principal(client_id=run.client_id, actor=by, scopes=scopes, role=role, user_id=user)
