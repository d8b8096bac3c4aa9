"""A scorecard to print and to take along: as a page of its own, as PDF, and as a table."""

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from sqlmodel import Session

from callgrade.access import rows
from callgrade.access.principals import Principal
from callgrade.calls import service as calls
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import MissingExtraError, UnknownResourceError
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations import exports, registry, repository
from callgrade.evaluations.report import policy, render_html
from callgrade.reviews.publishing import published
from callgrade.web.dependencies import Desked, needs
from callgrade.web.preferences import language_of, words_of
from callgrade.web.shell import redirect

Form = Literal["html", "csv", "xlsx", "pdf"]
KINDS: dict[Form, str] = {
    "html": "text/html; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}

router = APIRouter()


@router.get("/calls/{call_id}/scorecard")
def printed(
    request: Request,
    visitor: Annotated[Principal, needs("evaluations:read")],
    desk: Desked,
    call_id: str,
    evaluation: str | None = None,
) -> Response:
    """As one page that needs nothing else: to print, or to keep."""
    with desk.database.reading() as session:
        card, transcript, rubric = found(session, visitor, call_id, evaluation)
    text = render_html(card, transcript, rubric, language=language_of(request))
    return HTMLResponse(text, headers={"Content-Security-Policy": policy()})


@router.get("/calls/{call_id}/scorecard.{form}")
def taken_along(
    request: Request,
    visitor: Annotated[Principal, needs("evaluations:read")],
    desk: Desked,
    call_id: str,
    form: Literal["csv", "xlsx", "pdf"],
    evaluation: str | None = None,
) -> Response:
    """CSV for Excel, XLSX with the quotes on a second sheet, PDF where the extra is installed."""
    language = language_of(request)
    with desk.database.reading() as session:
        card, transcript, rubric = found(session, visitor, call_id, evaluation)
    if form == "pdf":
        try:
            content = to_pdf(render_html(card, transcript, rubric, language=language))
        except MissingExtraError:
            _ = words_of(request).gettext
            told = _(
                "This server makes no PDF (it lacks callgrade[pdf]). Print the scorecard from the browser instead."
            )
            return redirect(request, f"/calls/{call_id}", told=told, tone="partly")
    else:
        sheets = exports.sheets_of(card, transcript, rubric, language)
        summary = exports.summary_of(card, rubric, language)
        content = exports.to_csv(sheets[0]) if form == "csv" else exports.to_xlsx(summary, sheets)
    name = quote(f"{transcript.call_id}.{form}", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(content, media_type=KINDS[form], headers=headers)


def found(
    session: Session, visitor: Principal, call_id: str, evaluation_id: str | None = None
) -> tuple[Scorecard, Transcript, Rubric]:
    """What stands of a call: the published scorecard, else the proposal, of the newest evaluation within reach.

    Raises UnknownResourceError, also for what the visitor is still to judge blind.
    """
    call = calls.find_within(session, visitor, call_id)
    within = rows.evaluations_within(visitor)
    row = repository.newest_of_call(session, within, call.id, evaluation_id)
    if row is None:
        raise UnknownResourceError("there is no scorecard of this call for you")
    stands = published(session, row.id)
    card = stands[1] if stands else repository.scorecard_of(session, row)
    if card is None:
        raise UnknownResourceError("this call has no scorecard yet")
    return card, calls.transcript_of(session, call), registry.rubric_of_digest(session, row.rubric_digest)


def to_pdf(text: str) -> bytes:
    """Raises MissingExtraError without the extra `pdf`."""
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:
        raise MissingExtraError("pdf", "a scorecard as PDF") from error
    # nothing is fetched for it: what was said in a call may look like an address
    made: bytes = HTML(string=text, url_fetcher=_refuse).write_pdf()
    return made


def _refuse(url: str, *_: object, **__: object) -> dict[str, object]:
    raise ValueError("nothing is loaded into a scorecard")
