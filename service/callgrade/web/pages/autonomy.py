"""Autonomy: how far the judge may go by itself on each criterion, why, and what is to be done next."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Form, Request, Response

from callgrade.access.principals import Principal
from callgrade.calibration import autonomy, autonomy_repository
from callgrade.calibration.autonomy import GRANTING, MOST_LOOKS, Line
from callgrade.calibration.thresholds import DEV, parse_threshold
from callgrade.db.tables import Autonomy
from callgrade.domain.autonomy import LEVELS, State
from callgrade.domain.errors import CallgradeError, ConflictError, InputError
from callgrade.domain.frozen import LocalText
from callgrade.domain.rubrics import Rubric
from callgrade.reviews.autonomy import confidence_of, evidence_of, text_of
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.preferences import words_of
from callgrade.web.shell import page, redirect
from callgrade.web.words import N_

STATES: Mapping[str, tuple[str, str]] = {
    "human_only": ("none", N_("People decide")),
    "assisted": ("partly", N_("Assisted")),
    "automatic": ("good", N_("Automatic")),
}
"""How a state looks, and how it reads."""
MEANT: Mapping[str, str] = {
    "human_only": N_("Somebody decides each one."),
    "assisted": N_("Proposals are mostly right; somebody still decides."),
    "automatic": N_("What goes through is decided beforehand, under a bound on what it misses."),
}
WANTED: Mapping[str, str] = {
    "automatic": N_("Automatic, if the evidence proves it"),
    "assisted": N_("Assisted at most"),
}

THRESHOLDS: Mapping[str, str] = {
    "": N_("All of its proposals"),
    DEV: N_("Those as sure as dev calls for"),
    **{f"{share:.2f}": f"≥ {share:.2f}" for share in (0.7, 0.8, 0.9, 0.95, 0.99)},
}
"""What goes through; the numbers are calibrated confidences."""

router = APIRouter()
Looker = Annotated[Principal, needs("calibrations:read")]
Lead = Annotated[Principal, needs("calibrations:write")]


class Shown(NamedTuple):
    """A rubric and the lines of its criteria; `several`: scorecards are made by more than one model or recogniser."""

    rubric: Rubric
    lines: Sequence[Line]
    automatic: int
    several: bool


class Past(NamedTuple):
    """A state that stood, or stands."""

    row: Autonomy
    reason: LocalText
    ended: LocalText | None
    reviewed: int
    misses: int
    level: float


@router.get("/autonomy")
def list_(request: Request, visitor: Looker, desk: Desked) -> Response:
    with desk.database.reading() as session:
        lines = autonomy.overview(session, visitor)
    forms = []
    for _, group in groupby(lines, key=lambda line: line.rubric.id):
        some = list(group)
        several = len(some) > len({line.key.criterion_id for line in some})
        forms.append(Shown(some[0].rubric, some, sum(line.state == "automatic" for line in some), several))
    share = desk.settings.desk.audited_share
    return page(request, "autonomy/list.html", visitor, forms=forms, states=STATES, meant=MEANT, share=share)


@router.get("/autonomy/{rubric_id}/{criterion_id}")
def one(request: Request, visitor: Looker, desk: Desked, rubric_id: str, criterion_id: str) -> Response:
    return _one(request, visitor, desk, rubric_id, criterion_id)


@router.post("/autonomy/{rubric_id}/{criterion_id}/looks")
def look(
    request: Request,
    visitor: Lead,
    desk: Desked,
    rubric_id: str,
    criterion_id: str,
    level: Annotated[float, Form()] = LEVELS[0],
    looks: Annotated[int, Form()] = 1,
    wanted: Annotated[State, Form()] = "automatic",
    run: Annotated[str, Form(max_length=64)] = "",
    fit: Annotated[str, Form(max_length=64)] = "",
    threshold: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    """Looks at the evidence; what it supports stands from now on."""
    words = words_of(request)
    try:
        row = autonomy.grant(
            desk.database, visitor, rubric_id, criterion_id, level=level, looks=looks, wanted=wanted,
            run_id=run or None, fit_run=fit or None, threshold=parse_threshold(threshold), clock=desk.clock,
        )  # fmt: skip
    except (ConflictError, InputError) as error:
        return _one(request, visitor, desk, rubric_id, criterion_id, error)
    told = words.gettext("The evidence was looked at: %(state)s.") % {"state": words.gettext(STATES[row.state][1])}
    here = f"/autonomy/{rubric_id}/{criterion_id}"
    return redirect(request, here, told=told, tone="good" if row.state == wanted else "partly")


@router.post("/autonomy/{rubric_id}/{criterion_id}/revocation")
def take_back(
    request: Request,
    visitor: Lead,
    desk: Desked,
    rubric_id: str,
    criterion_id: str,
    state: Annotated[str, Form(max_length=64)],
    reason: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    _ = words_of(request).gettext
    try:
        autonomy.revoke(desk.database, visitor, state, reason, clock=desk.clock)
    except (ConflictError, InputError) as error:
        return _one(request, visitor, desk, rubric_id, criterion_id, error)
    return redirect(request, f"/autonomy/{rubric_id}/{criterion_id}", told=_("From now on people decide."))


def _one(
    request: Request,
    visitor: Principal,
    desk: Desk,
    rubric_id: str,
    criterion_id: str,
    error: CallgradeError | None = None,
) -> Response:
    with desk.database.reading() as session:
        line = autonomy.find_line(session, visitor, rubric_id, criterion_id)
        rows = autonomy_repository.history(session, visitor.client_id, rubric_id, line.key.criterion_id)
        held_out = autonomy_repository.finished_runs(session, visitor.client_id, rubric_id, held_out=True)
        open_ = autonomy_repository.finished_runs(session, visitor.client_id, rubric_id, held_out=False)
    return page(
        request,
        "autonomy/criterion.html",
        visitor,
        status=422 if error else 200,
        line=line,
        address=f"/autonomy/{rubric_id}/{criterion_id}",
        past=[_past(row) for row in rows],
        runs=[(run.id, run.id[-8:]) for run in held_out],
        fits=[(run.id, f"{run.split} {run.id[-8:]}") for run in open_],
        confidence=confidence_of(line.row) if line.row else None,
        states=STATES,
        meant=MEANT,
        wanted=WANTED,
        thresholds=THRESHOLDS,
        levels=[(level, f"{level:.0%}") for level in LEVELS],
        most_looks=MOST_LOOKS,
        may_write="calibrations:write" in visitor.scopes and visitor.role in GRANTING,
        refused=None if error is None else _refusal(request, error),
    )


def _past(row: Autonomy) -> Past:
    evidence = evidence_of(row)
    figures = (evidence.reviewed, evidence.misses, evidence.level) if evidence else (0, 0, 0.0)
    return Past(row, text_of(row.reason), text_of(row.ended_because) if row.ended_at else None, *figures)


def _refusal(request: Request, error: CallgradeError) -> str:
    _ = words_of(request).gettext
    if "reason" in str(error):
        return _("Give a reason: somebody will want to know why.")
    if "threshold" in str(error):
        return _("A confidence to hold it to takes a run on dev by which it is calibrated, and one that bears it out.")
    if isinstance(error, ConflictError):
        return _("This cannot prove anything here, or was decided meanwhile. Only fresh calls drawn by chance count.")
    return _("This cannot be so: choose one of the options.")
