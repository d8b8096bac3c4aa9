"""Calibration runs: how judges did against people, and how two of them differ."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple, get_args

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calibration import blind_looks, golden_repository, run_repository
from callgrade.calibration.report_words import say
from callgrade.db.tables import CalibrationRun
from callgrade.domain.calibration import CalibrationReport, VerdictKind
from callgrade.domain.errors import NotFoundError, UnknownResourceError
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations import registry
from callgrade.web.comparisons import changes_of, signed
from callgrade.web.dependencies import Desked, needs
from callgrade.web.preferences import language_of
from callgrade.web.shell import page, redirect
from callgrade.web.words import N_

STATES: Mapping[str, tuple[str, str]] = {
    "queued": ("open", N_("Waiting")),
    "running": ("partly", N_("Under way")),
    "done": ("good", N_("Done")),
    "failed": ("bad", N_("Broken off")),
    "cancelled": ("none", N_("Cancelled")),
}
"""How a state looks, and how it reads."""

CHANGES: Mapping[str, tuple[str, str]] = {
    "better": ("good", N_("Better")),
    "worse": ("bad", N_("Worse")),
    "same": ("none", N_("No change shown")),
    "unknown": ("open", N_("Cannot be compared")),
}

router = APIRouter()
RunId = Annotated[str, Query(min_length=1, max_length=64)]
Looker = Annotated[Principal, needs("calibrations:read")]


class Line(NamedTuple):
    """A run, and how many of its criteria come to which verdict, in words."""

    run: CalibrationRun
    verdicts: str


@router.get("/calibrations")
def list_(request: Request, visitor: Looker, desk: Desked) -> Response:
    with desk.database.reading() as session:
        found = run_repository.runs(session, visitor)
        unseen = blind_looks.pending(session, visitor)
    language = language_of(request)
    lines = [Line(run, "" if run.id in unseen else _verdicts(run, language)) for run in found]
    done = [
        (run.id, f"{run.rubric_id}@{run.rubric_version} · {run.split} · {run.id[-8:]}") for run in found if run.report
    ]
    may_write = "calibrations:write" in visitor.scopes
    return page(
        request, "calibrations/list.html", visitor, lines=lines, states=STATES, comparable=done, may_write=may_write
    )


@router.get("/calibrations/comparison")
def compare(request: Request, visitor: Looker, desk: Desked, a: RunId, b: RunId) -> Response:
    """Two runs over the same calls, paired: where B is better or worse than A, and every verdict that flipped."""
    from callgrade.calibration.comparing import compare_runs

    language = language_of(request)
    with desk.database.reading() as session:
        runs = [run_repository.find(session, visitor, id_) for id_ in (a, b)]
        if unseen := [run.id for run in runs if run.id in blind_looks.pending(session, visitor)]:
            return redirect(request, f"/calibrations/{unseen[0]}/blind")
        forms = [_made_with(session, run) for run in runs]
        found = compare_runs(session, visitor, runs[0].id, runs[1].id, *forms)
        hidden = golden_repository.graded_blind_by(session, runs[0].set_id, visitor.user_id)
    found = found.model_copy(update={"flips": tuple(flip for flip in found.flips if flip.call not in hidden)})
    changed = {change.change.criterion_id: change for change in changes_of(found, language)}
    context: dict[str, Any] = {"found": found, "runs": runs, "changed": changed, "changes": CHANGES, "signed": signed}
    return page(request, "calibrations/comparison.html", visitor, **context)


@router.get("/calibrations/{calibration_id}")
def read(request: Request, visitor: Looker, desk: Desked, calibration_id: str) -> Response:
    """The report, as `calibrate show --html` writes it, without the calls that the visitor has still to grade blind."""
    # numpy is for who looks at figures
    from callgrade.calibration.report_page import policy, render_html

    with desk.database.reading() as session:
        run = run_repository.find(session, visitor, calibration_id)
        unseen = blind_looks.pending(session, visitor)
        hidden = golden_repository.graded_blind_by(session, run.set_id, visitor.user_id)
    if run.id in unseen:
        return redirect(request, f"/calibrations/{run.id}/blind")
    if run.report is None:
        return redirect(request, f"/calibrations/{run.id}/progress")
    report = CalibrationReport.model_validate(run.report)
    left = tuple(one for one in report.disagreements if one.call not in hidden)
    text = render_html(report.model_copy(update={"disagreements": left}), language=language_of(request))
    return HTMLResponse(text, headers={"Content-Security-Policy": policy()})


def _made_with(session: Session, run: CalibrationRun) -> Rubric:
    """Raises UnknownResourceError where the registry does not hold it: its figures stay as stored."""
    try:
        return registry.rubric_of_digest(session, run.rubric_digest)
    except NotFoundError as error:
        raise UnknownResourceError(str(error)) from None


def _verdicts(run: CalibrationRun, language: str) -> str:
    if run.report is None:
        return ""
    found: Sequence[Mapping[str, Mapping[str, str]]] = run.report.get("criteria", ())
    kinds = Counter(criterion["verdict"]["kind"] for criterion in found)
    return " · ".join(f"{say(kind, language)} {kinds[kind]}" for kind in get_args(VerdictKind) if kinds[kind])
