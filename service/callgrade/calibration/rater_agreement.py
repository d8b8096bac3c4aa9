"""How well the raters of a golden set agree with each other, criterion by criterion, before any judge is asked."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calibration import golden
from callgrade.calibration.compared import Compared, labelled
from callgrade.domain.calibration import Raters
from callgrade.domain.golden import Label, RaterKind
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.evaluations import registry

MOST_KEPT = 32
_KEPT: dict[Hashable, list["BetweenRaters"]] = {}
"""Labels are only ever added: as many of as many calls are the same, and drawing intervals takes seconds."""


class BetweenRaters(NamedTuple):
    """`raters` is None where no two of them rated the same call blind; `twice`: calls that two rated blind; `open`:
    calls that they differ on and nobody decided."""

    criterion: Criterion
    raters: Raters | None
    twice: int
    open: int
    decided: int


def between_raters(
    session: Session, principal: Principal, set_id: str, reference: str
) -> tuple[Rubric, list[BetweenRaters]]:
    """By the rubric `id@version`, over train and dev: of the holdout only a gate is told anything.

    Raises UnknownResourceError, NotFoundError for a rubric that is not in the registry.
    """
    rubric, digest = registry.rubric(session, reference)
    calls = [one.call for one in golden.calls(session, principal, set_id)]
    given = golden.labels(session, principal, set_id, reference)
    key = (set_id, digest, hash(tuple(call.id for call in calls)), hash(tuple(map(_known_by, given))))
    if key not in _KEPT:
        compared = labelled(rubric, calls, given)
        made = [_between(one, compared.by_criterion[one.id], compared.kinds) for one in rubric.criteria]
        while len(_KEPT) >= MOST_KEPT:
            _KEPT.pop(next(iter(_KEPT)), None)
        _KEPT[key] = made
    return rubric, _KEPT[key]


def _known_by(label: Label) -> Hashable:
    return (label.call, label.rater, label.kind, label.at, label.blind)


def _between(criterion: Criterion, items: Sequence[Compared], kinds: dict[str, RaterKind]) -> BetweenRaters:
    # scipy is for who looks at figures
    from callgrade.calibration import figures

    rated = [item for item in items if item.raters]
    return BetweenRaters(
        criterion=criterion,
        raters=figures.between_raters(criterion, rated, kinds),
        twice=sum(len(item.raters) > 1 for item in rated),
        open=sum(item.contested for item in items),
        decided=sum(item.source == "adjudicated" for item in items),
    )
