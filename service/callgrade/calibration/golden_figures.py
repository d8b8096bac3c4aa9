"""Golden sets in figures: sizes, raters, and how worn the holdout is. No label of any call."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calibration import golden
from callgrade.calibration import golden_figures_repository as repository
from callgrade.calibration import golden_repository as sets
from callgrade.calibration.golden_figures_repository import RaterRow
from callgrade.calibration.holdout import MOST_READINGS
from callgrade.db.tables import GoldenSet, HoldoutReading
from callgrade.domain.errors import UnknownResourceError


class SetFigures(NamedTuple):
    """`calls` by split; `readings` of the holdout by rubric id."""

    set: GoldenSet
    calls: dict[str, int]
    labels: int
    raters: Sequence[RaterRow]
    readings: dict[str, int]

    @property
    def kinds(self) -> frozenset[str]:
        """Who labelled: person, model."""
        return frozenset(rater.kind for rater in self.raters)

    @property
    def worn_out(self) -> tuple[str, ...]:
        """Rubrics by which the holdout proves nothing any more."""
        return tuple(sorted(id_ for id_, number in self.readings.items() if number >= MOST_READINGS))


class SetPage(NamedTuple):
    """A set with the rubrics by which it is labelled (`id@version` → labels), and who read its holdout when and why,
    the newest first."""

    figures: SetFigures
    rubrics: dict[str, int]
    readings: Sequence[HoldoutReading]


def overview(session: Session, principal: Principal) -> list[SetFigures]:
    """The client's own and the shipped one, the newest first."""
    rows = golden.list_sets(session, principal)
    ids = [row.set.id for row in rows]
    raters = repository.raters(session, ids)
    readings = repository.read_how_often(session, principal, ids)
    return [
        SetFigures(row.set, row.calls, row.labels, raters.get(row.set.id, ()), readings.get(row.set.id, {}))
        for row in rows
    ]


def of_set(session: Session, principal: Principal, set_id: str) -> SetPage:
    """Raises UnknownResourceError."""
    found = next((one for one in overview(session, principal) if one.set.id == set_id), None)
    if found is None:
        raise UnknownResourceError("there is no such golden set")
    return SetPage(found, repository.rubrics(session, set_id), sets.readings(session, principal, set_id))
