"""The report of a run, from what is stored of it."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calibration import golden, run_repository
from callgrade.calibration import golden_repository as sets
from callgrade.calibration.compared import Cards
from callgrade.calibration.golden_repository import StoredCall
from callgrade.calibration.reporting import Subject, make_report
from callgrade.calibration.run_repository import StoredItem
from callgrade.db.tables import CalibrationRun
from callgrade.db.types import now
from callgrade.domain.calibration import CalibrationReport, JudgeUnderTest
from callgrade.domain.errors import ConflictError, UnknownResourceError
from callgrade.domain.golden import SPLITS, Label, Split
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard


class Read(Protocol):
    """What a run judges, and what was said of it."""

    @property
    def calls(self) -> tuple[StoredCall, ...]: ...

    @property
    def labels(self) -> tuple[Label, ...]: ...


def report_of(session: Session, principal: Principal, run_id: str) -> CalibrationReport:
    """As it was when the run ended. Raises UnknownResourceError where there is no run, or no report of it yet."""
    principal.reach("calibrations:read")
    run = run_repository.find(session, principal, run_id)
    if run.report is None:
        raise UnknownResourceError("this calibration run has no report yet")
    return CalibrationReport.model_validate(run.report)


def made_again(session: Session, principal: Principal, run_id: str, rubric: Rubric) -> CalibrationReport:
    """With the labels of today. Raises ConflictError for the holdout, whose labels are read by a run alone."""
    principal.reach("calibrations:read")
    run = run_repository.find(session, principal, run_id)
    if run.split == "holdout":
        raise ConflictError("the holdout's labels are not for reading again: its report stays as it is")
    splits = splits_of(run.split)
    calls = golden.calls(session, principal, run.set_id, splits)
    labels = golden.labels(session, principal, run.set_id, rubric.id, splits)
    return _report(session, principal, run, rubric, calls, labels)


def finish(
    session: Session, principal: Principal, run_id: str, rubric: Rubric, read: Read, error: dict[str, Any] | None
) -> CalibrationReport:
    """Makes and stores the report. With an `error` the run counts as failed, and can be gone on with."""
    run = run_repository.find(session, principal, run_id)
    items = run_repository.items(session, run.id)
    if error is None:
        _name_what_answered(run, items)
    run.status, run.error, run.ended_at = "done" if error is None else "failed", error, now()
    report = _report(session, principal, run, rubric, read.calls, read.labels, items)
    run.usage, run.cost = report.spent.model_dump(mode="json"), report.spent.cost
    run.report = report.model_dump(mode="json", by_alias=True)
    session.add(run)
    session.flush()
    audit.record(session, principal, "calibration.ended", run.id, {"status": run.status, "items": report.items})
    return report


def splits_of(asked: str) -> tuple[Split, ...]:
    """`train+dev` → both."""
    return tuple(split for split in SPLITS if split in asked.split("+"))


def cards_of(items: Sequence[StoredItem]) -> Cards:
    """(name, sample) → scorecard, of those that came out."""
    return {(item.name, item.sample): Scorecard.model_validate_json(item.scorecard) for item in items if item.scorecard}


def _report(
    session: Session,
    principal: Principal,
    run: CalibrationRun,
    rubric: Rubric,
    calls: Sequence[StoredCall],
    labels: Sequence[Label],
    items: Sequence[StoredItem] | None = None,
) -> CalibrationReport:
    found = run_repository.items(session, run.id) if items is None else items
    golden_set = sets.find(session, principal, run.set_id)
    subject = Subject(
        run=run.id,
        set_id=run.set_id,
        set_name=golden_set.name,
        set_title=golden_set.title,
        synthetic=all(one.call.synthetic for one in calls),
        split=run.split,
        judge=_judge(run, rubric),
        samples=run.samples,
        items_wanted=len(calls) * run.samples,
        failed_items=sum(item.scorecard is None for item in found),
        usage=[item.usage for item in found if item.scorecard],
    )
    return make_report(subject, rubric, [one.call for one in calls], cards_of(found), labels)


def _judge(run: CalibrationRun, rubric: Rubric) -> JudgeUnderTest:
    prompt = f"{run.prompt_id}@{run.prompt_version}" if run.prompt_id else None
    return JudgeUnderTest(
        rubric=rubric.reference,
        rubric_digest=run.rubric_digest,
        rubric_title=rubric.title,
        prompt=prompt,
        prompt_digest=run.prompt_digest,
        model_asked=run.model_asked,
        model_reported=run.model_reported,
        recogniser=run.recogniser,
        redaction=run.redaction,
    )


def _name_what_answered(run: CalibrationRun, items: Sequence[StoredItem]) -> None:
    """From what the items say of themselves: the model by its own name, the prompt that was really used."""
    made = [card.provenance for card in cards_of(items).values()]
    run.model_reported = ", ".join(sorted({item.model_reported for item in items if item.model_reported})) or None
    run.recogniser = ", ".join(sorted({one.recogniser for one in made if one.recogniser})) or None
    run.redaction = run.redaction or next((one.redaction for one in made if one.redaction), None)
    prompt = next((one.prompt for one in made if isinstance(one.prompt, dict)), None)
    if prompt is not None:
        run.prompt_id, run.prompt_version = str(prompt.get("id")), str(prompt.get("version"))
        run.prompt_digest = str(prompt.get("digest"))
    parameters = next((one.parameters for one in made if isinstance(one.parameters, dict)), None)
    run.parameters = dict(parameters or {})
