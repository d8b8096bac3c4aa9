"""Golden sets in figures: sizes, raters, and how often the holdout was read."""

from fastapi import APIRouter

from callgrade.api.calibration_schemas import GoldenSetShown
from callgrade.api.dependencies import CalibrationsReader, Serving
from callgrade.api.documentation import errors
from callgrade.api.paging import Cursor, Limit, Page, page_of
from callgrade.api.schemas import ServerId
from callgrade.calibration import golden_figures

router = APIRouter(prefix="/v1/golden-sets", tags=["calibration"])


@router.get("", responses=errors(422))
def list_golden_sets(
    principal: CalibrationsReader, services: Serving, limit: Limit = 50, cursor: Cursor = None
) -> Page[GoldenSetShown]:
    """Your own, and the one that ships once it was taken into use."""
    with services.database.reading() as session:
        found = golden_figures.overview(session, principal)
    return page_of([GoldenSetShown.of(one) for one in found], cursor, limit, key=lambda shown: shown.id)


@router.get("/{id}", responses=errors(404, 422))
def read_golden_set(id_: ServerId, principal: CalibrationsReader, services: Serving) -> GoldenSetShown:
    with services.database.reading() as session:
        return GoldenSetShown.of(golden_figures.of_set(session, principal, id_).figures)
