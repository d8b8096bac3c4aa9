"""Calibration runs: how judges did against people. They are made by `callgrade calibrate run`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, NamedTuple, get_args

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from callgrade.access.principals import Principal
from callgrade.calibration import run_repository
from callgrade.calibration.report_words import say
from callgrade.db.tables import CalibrationRun
from callgrade.domain.calibration import CalibrationReport, VerdictKind
from callgrade.domain.errors import UnknownResourceError
from callgrade.web.dependencies import Desked, needs
from callgrade.web.preferences import language_of
from callgrade.web.shell import page
from callgrade.web.words import N_

STATES: Mapping[str, tuple[str, str]] = {
    "queued": ("open", N_("Waiting")),
    "running": ("partly", N_("Under way")),
    "done": ("good", N_("Done")),
    "failed": ("bad", N_("Broken off")),
    "cancelled": ("none", N_("Cancelled")),
}
"""How a state looks, and how it reads."""

router = APIRouter()
Looker = Annotated[Principal, needs("calibrations:read")]


class Line(NamedTuple):
    """A run, and how many of its criteria come to which verdict, in words."""

    run: CalibrationRun
    verdicts: str


@router.get("/calibrations")
def list_(request: Request, visitor: Looker, desk: Desked) -> Response:
    with desk.database.reading() as session:
        found = run_repository.runs(session, visitor)
    language = language_of(request)
    lines = [Line(run, _verdicts(run, language)) for run in found]
    return page(request, "calibrations/list.html", visitor, lines=lines, states=STATES)


@router.get("/calibrations/{calibration_id}")
def read(request: Request, visitor: Looker, desk: Desked, calibration_id: str) -> Response:
    """The report, as `calibrate show --html` writes it."""
    # numpy is for who looks at figures
    from callgrade.calibration.report_page import policy, render_html

    with desk.database.reading() as session:
        run = run_repository.find(session, visitor, calibration_id)
    if run.report is None:
        raise UnknownResourceError("this calibration run has no report yet")
    text = render_html(CalibrationReport.model_validate(run.report), language=language_of(request))
    return HTMLResponse(text, headers={"Content-Security-Policy": policy()})


def _verdicts(run: CalibrationRun, language: str) -> str:
    if run.report is None:
        return ""
    found: Sequence[Mapping[str, Mapping[str, str]]] = run.report.get("criteria", ())
    kinds = Counter(criterion["verdict"]["kind"] for criterion in found)
    return " · ".join(f"{say(kind, language)} {kinds[kind]}" for kind in get_args(VerdictKind) if kinds[kind])
