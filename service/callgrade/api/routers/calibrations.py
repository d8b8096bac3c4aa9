"""Calibration runs: how judges did on golden sets. They are begun here, on the pages, or by the command line."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from callgrade.access.permissions import require
from callgrade.access.principals import Principal
from callgrade.api.calibration_schemas import CalibrationShown, CalibrationWanted, CalibrationWhole
from callgrade.api.dependencies import CalibrationsReader, CalibrationsWriter, Serving
from callgrade.api.documentation import errors
from callgrade.api.paging import Cursor, Limit, Page, decoded, encoded
from callgrade.api.schemas import Reference, ServerId
from callgrade.calibration import run_repository, running
from callgrade.calibration.drafted import set_id_of
from callgrade.calibration.holdout import HoldoutRetiredError, wear
from callgrade.db.tables import CalibrationRun
from callgrade.domain.errors import ConflictError
from callgrade.wiring.calibration import asked_of


def _beginning(principal: CalibrationsWriter) -> Principal:
    require(principal, "calibrations:read")
    return principal


Beginning = Annotated[Principal, Depends(_beginning)]
router = APIRouter(prefix="/v1/calibrations", tags=["calibration"])


@router.get("", responses=errors(422))
def list_calibrations(
    principal: CalibrationsReader,
    services: Serving,
    rubric: Annotated[Reference | None, Query(description="By its `id`.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[CalibrationShown]:
    """Without their reports."""
    before = None if cursor is None else decoded(cursor)
    with services.database.reading() as session:
        found = run_repository.runs(session, principal, rubric, limit + 1, before=before)
    more = encoded(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[CalibrationShown(**_told(run)) for run in found[:limit]], next_cursor=more)


@router.post("", status_code=202, responses=errors(404, 409, 413, 422))
def begin_calibration(wanted: CalibrationWanted, principal: Beginning, services: Serving) -> CalibrationShown:
    """Begins a run, which takes minutes, or goes on with the unfinished one of the same. Look at it by its id. Needs
    calibrations:read too."""
    set_id = set_id_of(services.database, principal, wanted.set_)
    with services.database.writing() as session:
        rubric, asked = asked_of(
            session, principal, services.settings, wanted.rubric, set_id,
            split=wanted.split, samples=wanted.samples, prompt=wanted.prompt, judge=wanted.judge,
        )  # fmt: skip
        if wanted.readings is not None:
            known = wear(session, principal, set_id, rubric.id)
            if known.retired:
                raise HoldoutRetiredError(rubric.id, known.readings)
            if known.readings != wanted.readings:
                raise ConflictError(f"the holdout was read {known.readings} times for {rubric.id}: say so, and mean it")
        run_id = running.begin(session, principal, rubric, asked).run_id
        shown = CalibrationShown(**_told(run_repository.find(session, principal, run_id)))
    services.queue.enqueue_calibration(run_id, by=principal.actor, why=wanted.why)
    return shown


@router.post("/{id}/cancel", responses=errors(404, 409, 422))
def cancel_calibration(id_: ServerId, principal: CalibrationsWriter, services: Serving) -> CalibrationShown:
    """What was judged stays: beginning the same again goes on with it."""
    with services.database.writing() as session:
        running.cancel(session, principal, id_)
    with services.database.reading() as session:
        return CalibrationShown(**_told(run_repository.find(session, principal, id_)))


@router.get("/{id}", responses=errors(404, 422))
def read_calibration(id_: ServerId, principal: CalibrationsReader, services: Serving) -> CalibrationWhole:
    """With its report, once it has one: per criterion the verdict, the figures with their intervals, and, but for the
    holdout, what judge and raters disagree about."""
    with services.database.reading() as session:
        run = run_repository.find(session, principal, id_)
    return CalibrationWhole(**_told(run), report=run.report)


def _told(run: CalibrationRun) -> dict[str, object]:
    return {name: getattr(run, name) for name in CalibrationShown.model_fields}
