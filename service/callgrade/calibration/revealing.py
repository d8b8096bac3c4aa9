"""What raters said of one golden call, side by side, once all of them have committed.

While somebody has still to grade it blind, nobody is shown anything. A call of the holdout never shows what was said of
it: whoever decides there is told which criteria the raters differ on, and nothing else.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calibration import golden_figures_repository as figures
from callgrade.calibration import golden_repository as repository
from callgrade.calibration.compared import Said, alike, as_said
from callgrade.calibration.double_grading import WhyNot, why_not
from callgrade.calibration.golden import newest
from callgrade.calibration.golden_figures_repository import Grading
from callgrade.db.tables import GoldenSet
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import ConflictError
from callgrade.domain.golden import GoldenCall, Label
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.evaluations import registry


class Line(NamedTuple):
    """One criterion: what each label of `Reveal.labels` says of it, in their order. `open`: the raters differ, and no
    third person has decided."""

    criterion: Criterion
    said: tuple[Said | None, ...]
    open: bool


class Reveal(NamedTuple):
    """`rubric` is None where nothing was said of the call, or nothing is shown yet: then `waiting`. `labels` are those
    that count, one a rater, empty for the holdout; `version` is how many there are at all, to be sent back with what
    is decided. `gradings`: who grades or graded it blind. `why_not`: why the visitor may not decide."""

    set: GoldenSet
    id: str
    call: GoldenCall
    waiting: bool
    uncollected: bool
    gradings: Sequence[Grading]
    rubrics: tuple[str, ...] = ()
    rubric: Rubric | None = None
    labels: tuple[Label, ...] = ()
    lines: tuple[Line, ...] = ()
    version: int = 0
    why_not: WhyNot | None = None

    @property
    def transcript(self) -> Transcript:
        return self.call.transcript

    @property
    def open(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.open)

    @property
    def may_decide(self) -> bool:
        return self.why_not is None and self.set.client_id is not None and bool(self.open)


def look(session: Session, principal: Principal, set_id: str, call_id: str, reference: str | None = None) -> Reveal:
    """By the rubric `id@version` that is asked for, else the one that most labels are by. `call_id` is the server's.

    Raises UnknownResourceError, ConflictError for a call of the holdout about which nothing is to be decided.
    """
    principal.reach("calibrations:read")
    found = repository.find(session, principal, set_id)
    row = figures.call_of_id(session, found.id, call_id)
    held_out = row.split == "holdout"
    if held_out and not (found.client_id and "calibrations:write" in principal.scopes):
        raise ConflictError(_HELD_OUT)
    begun = Reveal(
        set=found,
        id=row.id,
        call=repository.as_call(row),
        waiting=repository.still_graded(session, row.evaluation_id),
        uncollected=row.id in figures.uncollected(session, found.id),
        gradings=figures.gradings(session, found.id, row.id),
    )
    if begun.waiting:
        return begun
    rubrics = repository.rubrics_of(session, row.id)
    chosen = reference if reference in rubrics else next(iter(rubrics), None)
    if chosen is None:
        return begun
    given = repository.labels_of(session, row, chosen)
    rubric, _ = registry.rubric(session, chosen)
    shown = tuple(newest(given).values())
    lines = tuple(_line(criterion, shown, rubric) for criterion in rubric.criteria)
    if held_out:
        lines = tuple(line._replace(said=()) for line in lines if line.open)
        shown = ()
        if not lines and not begun.uncollected:
            raise ConflictError(_HELD_OUT)
    return begun._replace(
        rubrics=tuple(rubrics),
        rubric=rubric,
        labels=shown,
        lines=lines,
        version=len(given),
        why_not=why_not(principal, row, given),
    )


_HELD_OUT = "the holdout is not for looking at: what was said of its calls is never shown one by one"


def _line(criterion: Criterion, labels: Sequence[Label], rubric: Rubric) -> Line:
    said = tuple(as_said(criterion, label, rubric) for label in labels)
    views = [one for one, label in zip(said, labels, strict=True) if one is not None and label.kind == "rating"]
    decided = any(one is not None and label.kind == "adjudicated" for one, label in zip(said, labels, strict=True))
    return Line(criterion, said, open=not decided and any(not alike(views[0], view) for view in views[1:]))
