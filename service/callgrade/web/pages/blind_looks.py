"""Grade blind, then reveal: some calls of a calibration run, graded by whoever reads it before its judge is shown."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from callgrade.access.principals import Principal
from callgrade.calibration import blind_looks
from callgrade.domain.errors import JudgementError
from callgrade.evaluations.report.view import lines_of
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.golden_forms import FormData, Sent, asked, field, given, in_words
from callgrade.web.preferences import language_of, words_of
from callgrade.web.shell import page, redirect

REASON = "graded blind"
"""Of what cannot be judged. No words of anybody's are kept: an erasure would not find them."""

router = APIRouter()
Lead = Annotated[Principal, needs("calibrations:write")]


@router.get("/calibrations/{calibration_id}/blind")
def look(request: Request, visitor: Lead, desk: Desked, calibration_id: str) -> Response:
    """The next call that is to be graded; when all are, and the run is done, all of it side by side."""
    return _look(request, visitor, desk, calibration_id)


@router.post("/calibrations/{calibration_id}/blind")
def grade(request: Request, visitor: Lead, desk: Desked, calibration_id: str, data: Sent) -> Response:
    """One call, all of its criteria at once. What was graded stays."""
    try:
        with desk.database.writing() as session:
            at = blind_looks.look(session, visitor, calibration_id)
            judgements = {one.id: given(one, data, REASON) for one in at.rubric.criteria}
            at = blind_looks.grade(session, visitor, calibration_id, field(data, "call"), judgements)
    except JudgementError as error:
        why = words_of(request).gettext("Choose one of the options for each.")
        return _look(request, visitor, desk, calibration_id, why, wrong=error.criterion_id, data=data)
    return redirect(request, f"/calibrations/{at.run.id}/blind")


def _look(
    request: Request,
    visitor: Principal,
    desk: Desk,
    calibration_id: str,
    refused: str | None = None,
    *,
    wrong: str | None = None,
    data: FormData | None = None,
) -> Response:
    language = language_of(request)
    with desk.database.reading() as session:
        at = blind_looks.look(session, visitor, calibration_id)
        if at.next is None and at.run.report is None:
            return redirect(request, f"/calibrations/{at.run.id}/progress")
        shown = blind_looks.reveal(session, visitor, at.run.id)[1] if at.next is None else []
    if at.next is None:
        rows = [
            (one, *(in_words(said, one.criterion, language) for said in (one.mine, one.judge, one.truth)))
            for one in shown
        ]
        return page(request, "calibrations/revealed.html", visitor, run=at.run, rows=rows, calls=at.of)
    return page(
        request,
        "calibrations/blind.html",
        visitor,
        status=422 if refused else 200,
        at=at,
        view=at.next.call,
        lines=lines_of(at.next.call.transcript, [], language),
        asked=[asked(one, language, data) for one in at.rubric.criteria],
        refused=refused,
        wrong=wrong,
    )
