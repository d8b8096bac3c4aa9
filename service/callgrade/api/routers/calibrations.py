"""Calibration runs: how judges did on golden sets. They are made by `callgrade calibrate run`."""

from typing import Annotated

from fastapi import APIRouter, Query

from callgrade.api.calibration_schemas import CalibrationShown, CalibrationWhole
from callgrade.api.dependencies import CalibrationsReader, Serving
from callgrade.api.documentation import errors
from callgrade.api.paging import Cursor, Limit, Page, decoded, encoded
from callgrade.api.schemas import Reference, ServerId
from callgrade.calibration import run_repository
from callgrade.db.tables import CalibrationRun

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


@router.get("/{id}", responses=errors(404, 422))
def read_calibration(id_: ServerId, principal: CalibrationsReader, services: Serving) -> CalibrationWhole:
    """With its report, once it has one: per criterion the verdict, the figures with their intervals, and, but for the
    holdout, what judge and raters disagree about."""
    with services.database.reading() as session:
        run = run_repository.find(session, principal, id_)
    return CalibrationWhole(**_told(run), report=run.report)


def _told(run: CalibrationRun) -> dict[str, object]:
    return {name: getattr(run, name) for name in CalibrationShown.model_fields}
