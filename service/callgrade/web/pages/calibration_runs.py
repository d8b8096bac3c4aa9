"""Calibration runs from the browser: what one will cost, starting it, how far it is, cancelling it."""

from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calibration import blind_looks, golden, run_repository
from callgrade.calibration.blind_looks import MOST_CALLS
from callgrade.calibration.holdout import MOST_READINGS, HoldoutWear, wear
from callgrade.calibration.running import MOST_SAMPLES, Asked, begin, cancel
from callgrade.domain.errors import ConflictError, InputError
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations import registry
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.pages.calibrations import STATES, Looker
from callgrade.web.preferences import words_of
from callgrade.web.shell import page, page_or_part, redirect
from callgrade.wiring.calibration import asked_of
from callgrade.wiring.estimating import Estimate, estimate

router = APIRouter()
Lead = Annotated[Principal, needs("calibrations:write")]
Why = Annotated[str, Form(max_length=500)]


class Wanted(BaseModel):
    """What is to be held against what, as the form and its address say it. `model` is the host's: `rules` asks none."""

    model_config = ConfigDict(extra="ignore")

    rubric: str = Field("", max_length=200)
    set: str = Field("", max_length=64)
    split: Literal["train", "dev", "train+dev", "holdout"] = "dev"
    prompt: str = Field("", max_length=200)
    judge: Literal["auto", "rules"] = "auto"
    samples: int = Field(1, ge=1, le=MOST_SAMPLES)

    @property
    def url(self) -> str:
        told = {name: value for name, value in self.model_dump().items() if value != ""}
        return f"/calibrations/new?{urlencode(told)}"


class Started(Wanted):
    """With `why` the holdout is read for, and `sure`, which is ticked."""

    why: str = Field("", max_length=500)
    sure: str = Field("", max_length=10)
    blind: int = Field(0, ge=0, le=MOST_CALLS)
    """How many calls whoever begins it grades first."""


class Plan(NamedTuple):
    """What would be begun. `left_open`: criteria that are for a model, where none is asked."""

    rubric: Rubric
    asked: Asked
    estimate: Estimate
    left_open: int
    wear: HoldoutWear | None


@router.get("/calibrations/new")
def new(request: Request, visitor: Lead, desk: Desked, wanted: Annotated[Wanted, Query()]) -> Response:
    """The choice, and once it is made what it will cost. Nothing is sent to a model."""
    return _new(request, visitor, desk, wanted)


@router.post("/calibrations")
def start(request: Request, visitor: Lead, desk: Desked, wanted: Annotated[Started, Form()]) -> Response:
    """Begins a run, or goes on with the unfinished one of the same. The holdout needs a reason, and a tick of its
    own."""
    why = wanted.why.strip()
    if wanted.split == "holdout" and not (why and wanted.sure):
        said = words_of(request).gettext("Say what the holdout is read for, and that you mean it.")
        return _new(request, visitor, desk, wanted, said, why=why)
    with desk.database.reading() as session:
        plan = _plan(session, visitor, desk, wanted)
    if plan.wear is not None and plan.wear.retired:
        said = words_of(request).gettext(
            "The holdout is worn out for this rubric: add fresh calls to a set of your own."
        )
        return _new(request, visitor, desk, wanted, said, status=409)
    with desk.database.writing() as session:
        run_id = begin(session, visitor, plan.rubric, plan.asked).run_id
        if wanted.blind and wanted.split != "holdout":
            blind_looks.ask(session, visitor, run_id, wanted.blind)
    desk.queue.enqueue_calibration(run_id, by=visitor.actor, why=why or None)
    onward = "blind" if wanted.blind and wanted.split != "holdout" else "progress"
    return redirect(request, f"/calibrations/{run_id}/{onward}")


@router.get("/calibrations/{calibration_id}/progress")
def progress(request: Request, visitor: Looker, desk: Desked, calibration_id: str) -> Response:
    """Where a run stands, asked for again while it is under way."""
    with desk.database.reading() as session:
        run = run_repository.find(session, visitor, calibration_id)
        context = {
            "run": run,
            "set": golden.find(session, visitor, run.set_id),
            "done": run_repository.how_many_judged(session, run.id),
            "unseen": run.id in blind_looks.pending(session, visitor),
            "left": wear(session, visitor, run.set_id, run.rubric_id).left if run.split == "holdout" else None,
        }
    return page_or_part(
        request,
        "calibrations/progress.html",
        "calibrations/_progress.html",
        visitor,
        states=STATES,
        may_write="calibrations:write" in visitor.scopes,
        **context,
    )


@router.post("/calibrations/{calibration_id}/cancellation")
def stop(request: Request, visitor: Lead, desk: Desked, calibration_id: str) -> Response:
    """What is judged by now stays: the same can be gone on with."""
    with desk.database.writing() as session:
        cancel(session, visitor, calibration_id)
    told = words_of(request).gettext("The run is cancelled. What was judged stays.")
    return redirect(request, f"/calibrations/{calibration_id}/progress", told=told)


@router.post("/calibrations/{calibration_id}/continuation")
def go_on(request: Request, visitor: Lead, desk: Desked, calibration_id: str, why: Why = "") -> Response:
    """With a run that was cancelled, broke off, or waits although nobody takes it up. Over the holdout it is another
    reading."""
    with desk.database.writing() as session:
        run = run_repository.find(session, visitor, calibration_id)
        if run.status == "done":
            raise ConflictError("the run is done: begin a new one")
        if run.split == "holdout" and not why.strip():
            raise InputError("the holdout is read for a reason: say which")
        run_repository.queue_again(session, run.id)
    desk.queue.enqueue_calibration(run.id, by=visitor.actor, why=why.strip() or None)
    return redirect(request, f"/calibrations/{run.id}/progress")


def _new(
    request: Request,
    visitor: Principal,
    desk: Desk,
    wanted: Wanted,
    refused: str | None = None,
    *,
    why: str = "",
    status: int = 422,
) -> Response:
    with desk.database.reading() as session:
        sets = [(row.set.id, row.set.title) for row in golden.list_sets(session, visitor)]
        rubrics = sorted(registry.titles(session))
        named = [f"{row.id}@{row.version}" for row in registry.list_prompt_versions(session)]
        plan = _plan(session, visitor, desk, wanted) if wanted.rubric and wanted.set else None
    context: dict[str, Any] = {
        "sets": sets,
        "rubrics": rubrics,
        "prompt_options": [(one, one) for one in named],
        "plan": plan,
        "why": why,
    }
    return page(
        request,
        "calibrations/new.html",
        visitor,
        status=status if refused else 200,
        wanted=wanted,
        model=desk.settings.llm.model,
        most_samples=MOST_SAMPLES,
        most_readings=MOST_READINGS,
        refused=refused,
        **context,
    )


def _plan(session: Session, visitor: Principal, desk: Desk, wanted: Wanted) -> Plan:
    """Raises UnknownResourceError for a rubric, set or prompt that there is not."""
    rubric, asked = asked_of(
        session, visitor, desk.settings, wanted.rubric, wanted.set,
        split=wanted.split, samples=wanted.samples, prompt=wanted.prompt or None, judge=wanted.judge,
    )  # fmt: skip
    worn = wear(session, visitor, asked.set_id, rubric.id) if wanted.split == "holdout" else None
    left_open = 0 if asked.model else len(rubric.judged_by("llm"))
    return Plan(rubric, asked, estimate(session, visitor, desk.settings, rubric, asked), left_open, worn)
