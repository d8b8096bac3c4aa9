"""Grade blind, then reveal: somebody who reads a calibration says first what they think of some of its calls.

Whoever has seen what the judge said sees with its eyes. The grades stay with the run; they are no labels of the golden
set, for nobody knows whether a reader had looked at its labels.
"""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from pydantic import JsonValue
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calibration import golden, run_repository
from callgrade.calibration.compared import Said, alike, as_said, compare
from callgrade.calibration.fidelity import place
from callgrade.calibration.golden_repository import StoredCall
from callgrade.calibration.run_reports import cards_of, splits_of
from callgrade.catalog.golden_check import check_label
from callgrade.db.tables import BlindLook, CalibrationRun
from callgrade.db.types import now
from callgrade.domain.errors import ConflictError, ForbiddenError, UnknownResourceError
from callgrade.domain.golden import Label
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.evaluations import registry

MOST_CALLS = 10


class Look(NamedTuple):
    """How far somebody is with a run. `next` is the call to be graded now, None once all are; `number` from 1."""

    run: CalibrationRun
    rubric: Rubric
    row: BlindLook
    next: StoredCall | None
    number: int
    of: int


class Shown(NamedTuple):
    """One criterion of one call: what was graded blind, what the judge made of it, what is right where that is known.
    `turn` is where to look."""

    call: StoredCall
    criterion: Criterion
    mine: Said | None
    judge: Said | None
    truth: Said | None
    turn: int | None

    @property
    def both(self) -> bool:
        """Whether both said something: who abstains does not differ."""
        return _says(self.mine) and _says(self.judge)

    @property
    def differs(self) -> bool:
        return self.both and self.mine is not None and self.judge is not None and not alike(self.mine, self.judge)


def ask(session: Session, principal: Principal, run_id: str, calls: int) -> BlindLook:
    """Draws the calls that `principal` is to grade before the run's verdicts are shown to them; asked again it is the
    same.

    Raises ForbiddenError for a key, ConflictError for the holdout, whose calls are never shown one by one, and for a
    run whose report may have been seen.
    """
    principal.reach("calibrations:write")
    if principal.user_id is None:
        raise ForbiddenError("only a person can grade")
    run = run_repository.find(session, principal, run_id)
    before = session.get(BlindLook, (run.id, principal.user_id))
    if before is not None:
        return before
    if run.split == "holdout":
        raise ConflictError("calls of the holdout are never shown one by one")
    if run.report is not None:
        raise ConflictError("the run has a report already: whoever may have seen it does not grade blind")
    found = golden.calls(session, principal, run.set_id, splits_of(run.split))
    drawn = sorted(found, key=lambda one: hashlib.sha256(f"{run.id} {one.id}".encode()).digest())
    row = BlindLook(
        run_id=run.id,
        user_id=principal.user_id,
        client_id=run.client_id,
        golden_call_ids=[one.id for one in drawn[: min(calls, MOST_CALLS)]],
    )
    session.add(row)
    session.flush()
    audit.record(session, principal, "calibration.blind_asked", run.id, {"calls": len(row.golden_call_ids)})
    return row


def pending(session: Session, principal: Principal) -> frozenset[str]:
    """The runs of which the visitor has still to grade calls: nothing of what their judges made is for them."""
    return run_repository.graded_blind_by(session, principal.user_id)


def look(session: Session, principal: Principal, run_id: str) -> Look:
    """Raises UnknownResourceError where nobody asked for it, or the rubric is gone."""
    run = run_repository.find(session, principal, run_id)
    row = None if principal.user_id is None else session.get(BlindLook, (run.id, principal.user_id))
    if row is None:
        raise UnknownResourceError("nobody asked to grade calls of this run blind")
    known = _calls(session, principal, run, row)
    left = [id_ for id_ in row.golden_call_ids if id_ in known and id_ not in row.grades]
    following = known[left[0]] if left and row.committed_at is None else None
    return Look(run, _rubric(session, run), row, following, len(known) - len(left) + 1, len(known))


def grade(
    session: Session,
    principal: Principal,
    run_id: str,
    golden_call_id: str,
    judgements: Mapping[str, dict[str, JsonValue]],
) -> Look:
    """All of one call at once; with the last one it is committed. Raises ConflictError for a call that is not the next:
    what was graded stays. JudgementError for what the rubric does not take."""
    at = look(session, principal, run_id)
    if at.next is None or at.next.id != golden_call_id:
        raise ConflictError("this call is graded already; what was said stays")
    check_label(_as_label(at, at.next, judgements), at.rubric)
    at.row.grades = {**at.row.grades, golden_call_id: dict(judgements)}
    if at.number >= at.of:
        at.row.committed_at = now()
        audit.record(session, principal, "calibration.graded_blind", at.run.id, {"calls": at.of})
    session.add(at.row)
    session.flush()
    return look(session, principal, run_id)


def reveal(session: Session, principal: Principal, run_id: str) -> tuple[Look, list[Shown]]:
    """What differs first, in the order of the form. Raises ConflictError before all is graded and the run is done."""
    at = look(session, principal, run_id)
    if at.row.committed_at is None or at.run.report is None:
        raise ConflictError("grade what is left first; then it is shown, once the run is done")
    known = _calls(session, principal, at.run, at.row)
    items = run_repository.items(session, at.run.id, [one.call.id for one in known.values()])
    labels = golden.labels(session, principal, at.run.set_id, at.rubric.id, splits_of(at.run.split))
    found = compare(at.rubric, [one.call for one in known.values()], cards_of(items), labels).by_criterion
    shown = []
    for stored in known.values():
        label = _as_label(at, stored, at.row.grades.get(stored.id, {}))
        for criterion in at.rubric.criteria:
            one = next((one for one in found[criterion.id] if one.call == stored.call.id), None)
            mine = as_said(criterion, label, at.rubric)
            if one is None:
                shown.append(Shown(stored, criterion, mine, None, None, None))
            else:
                shown.append(Shown(stored, criterion, mine, one.proposed, one.truth, place(one)[0]))
    return at, sorted(shown, key=lambda each: not each.differs)


def _says(said: Said | None) -> bool:
    return said is not None and said.status in ("judged", "not_applicable")


def _calls(session: Session, principal: Principal, run: CalibrationRun, row: BlindLook) -> dict[str, StoredCall]:
    """Those that were drawn and whose words are still there, in their order."""
    found = {one.id: one for one in golden.calls(session, principal, run.set_id, splits_of(run.split))}
    return {id_: found[id_] for id_ in row.golden_call_ids if id_ in found}


def _rubric(session: Session, run: CalibrationRun) -> Rubric:
    return registry.rubric_of_digest(session, run.rubric_digest)


def _as_label(at: Look, stored: StoredCall, judgements: Mapping[str, dict[str, JsonValue]]) -> Label:
    return Label(
        call=stored.call.id,
        rubric=at.rubric.reference,
        rater="oneself",
        rater_kind="person",
        blind=True,
        judgements=dict(judgements),
    )
