"""Sampling: plans that say which calls people look at, what they drew, and drawing now."""

from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote as quoted
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from sqlmodel import Session
from starlette.datastructures import FormData

from callgrade.access.principals import Principal
from callgrade.db.tables import SamplingPlan, SamplingRun
from callgrade.domain.errors import InputError
from callgrade.domain.frozen import LocalText
from callgrade.domain.plans import Plan, plan_of
from callgrade.evaluations import exports, registry
from callgrade.reviews import sampling_repository as repository
from callgrade.reviews.sampling import Outlook, Sampler, may_change, plan_in
from callgrade.reviews.sampling_repository import SampleRow
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.pages.calls import FLAGS
from callgrade.web.pages.queue import WHY
from callgrade.web.plan_forms import MOST_QUOTAS, PlanForm, PlanFormError, form_in, form_of, plan_from
from callgrade.web.plan_words import (
    UNITS,
    always_in_words,
    manner_in_words,
    period_in_words,
    quotas_in_words,
    stratum_in_words,
)
from callgrade.web.preferences import language_of, words_of
from callgrade.web.shell import page, redirect
from callgrade.web.words import N_, Words

PAGE = 100
CALL_KINDS = {"": N_("All"), "closed": N_("Closed ones"), "unclosed": N_("Unclosed ones")}
OTHER_KINDS = {"": N_("Nothing"), "closed": N_("Closed ones"), "unclosed": N_("Unclosed ones")}
REVIEW_STATES = {"open": N_("To review"), "submitted": N_("Reviewed"), "withdrawn": N_("Withdrawn")}

router = APIRouter()
Planner = Annotated[Principal, needs("sampling:write")]


async def sent(request: Request) -> FormData:
    """A form whose fields are as many as a plan has quotas."""
    return await request.form(max_fields=1_000)


Sent = Annotated[FormData, Depends(sent)]


class Shown(NamedTuple):
    """A plan in words, with its last drawing."""

    row: SamplingPlan
    title: LocalText
    period: str
    quotas: list[str]
    always: list[str]
    manner: list[str]
    run: SamplingRun | None
    may_change: bool


@router.get("/sampling")
def plans(request: Request, visitor: Planner, desk: Desked, retired: bool = False) -> Response:
    """The newest first."""
    words = words_of(request)
    with desk.database.reading() as session:
        rows = repository.plans(session, visitor.client_id, retired=retired)
        runs = repository.newest_runs(session, [row.id for row in rows])
        titles = _titles(session)
    shown = [_shown(row, titles, runs.get(row.id), visitor, words) for row in rows]
    return page(request, "sampling/list.html", visitor, plans=shown, retired=retired)


@router.get("/sampling/new")
def new(
    request: Request, visitor: Planner, desk: Desked, rubric: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    """A form that begins with what a rubric's own programme says; without a rubric, the choice of one."""
    with desk.database.reading() as session:
        titles = _titles(session)
        version = registry.rubric_version(session, rubric) if rubric else None
        plan = Plan() if version is None else plan_of(registry.parsed(version))
    language = language_of(request)
    name = "" if version is None else titles[rubric].in_language(language)
    return _form(request, visitor, titles, form_of(plan, name, rubric, language), None)


@router.post("/sampling")
def make(request: Request, visitor: Planner, desk: Desked, data: Sent) -> Response:
    return _sent(request, visitor, desk, data, None)


@router.get("/sampling/{plan_id}")
def plan(request: Request, visitor: Planner, desk: Desked, plan_id: str) -> Response:
    words = words_of(request)
    with desk.database.reading() as session:
        row = repository.find_plan(session, visitor, plan_id)
        runs = repository.runs(session, row.id)
        shown = _shown(row, _titles(session), runs[0] if runs else None, visitor, words)
    short = {run.id: [one for one in run.summary.get("strata", ()) if one["short"]] for run in runs}
    lasts = {run.id: _last(run) for run in runs}
    return page(request, "sampling/plan.html", visitor, plan=shown, runs=runs, short=short, lasts=lasts)


@router.get("/sampling/{plan_id}/edit")
def edit(request: Request, visitor: Planner, desk: Desked, plan_id: str) -> Response:
    with desk.database.reading() as session:
        row = repository.find_plan(session, visitor, plan_id)
        titles = _titles(session)
    form = form_of(plan_in(row), row.name, row.rubric_id, language_of(request))
    return _form(request, visitor, titles, form, row.id)


@router.post("/sampling/{plan_id}")
def change(request: Request, visitor: Planner, desk: Desked, plan_id: str, data: Sent) -> Response:
    """A new plan that follows this one; what was drawn keeps the plan it was drawn by."""
    return _sent(request, visitor, desk, data, plan_id)


@router.post("/sampling/{plan_id}/drawings")
def draw(request: Request, visitor: Planner, desk: Desked, plan_id: str) -> Response:
    """Of the period that it is now; again, it adds what is missing."""
    words = words_of(request)
    run = sampling(desk).draw(visitor, plan_id)
    told = words.ngettext("A call was drawn.", "%(num)s calls were drawn.", run.drawn)
    if not run.drawn:
        told = words.gettext("Nothing was drawn: there is nothing more to draw in this period.")
    return redirect(
        request, f"/sampling/{plan_id}/drawings/{run.id}", told=told, tone="good" if run.drawn else "partly"
    )


@router.post("/sampling/{plan_id}/retirement")
def retire(request: Request, visitor: Planner, desk: Desked, plan_id: str) -> Response:
    _ = words_of(request).gettext
    sampling(desk).retire(visitor, plan_id)
    return redirect(request, "/sampling", told=_("Nothing is drawn by this plan any more. What was drawn stays."))


@router.get("/sampling/{plan_id}/drawings/{run_id}")
def drawing(
    request: Request,
    visitor: Planner,
    desk: Desked,
    plan_id: str,
    run_id: str,
    after: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
) -> Response:
    """What a drawing drew, and how likely each call was to be drawn."""
    with desk.database.reading() as session:
        row, run = _run(session, visitor, plan_id, run_id)
        found = repository.sampled(session, visitor, run.id, after=after, limit=PAGE + 1)
        title = _titles(session).get(row.rubric_id, LocalText(zh=row.rubric_id, en=row.rubric_id))
    here = f"/sampling/{plan_id}/drawings/{run_id}"
    return page(
        request,
        "sampling/drawing.html",
        visitor,
        plan=row,
        run=run,
        last=_last(run),
        title=title,
        rows=found[:PAGE],
        why=WHY,
        states=REVIEW_STATES,
        stratum=partial(stratum_in_words, words=words_of(request)),
        further=f"{here}?after={found[PAGE - 1].id}" if len(found) > PAGE else None,
        first=here if after else None,
    )


@router.get("/sampling/{plan_id}/drawings/{run_id}/calls.csv")
def drawing_as_table(request: Request, visitor: Planner, desk: Desked, plan_id: str, run_id: str) -> Response:
    """All of it, with the probabilities that estimates weigh by."""
    words = words_of(request)
    with desk.database.reading() as session:
        row, _ran = _run(session, visitor, plan_id, run_id)
        found = repository.sampled(session, visitor, run_id)
    content = exports.to_csv(_sheet(found, words))
    name = quoted(f"{row.name} {run_id[-6:]}.csv", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}", "Cache-Control": "private, no-store"}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def sampling(desk: Desk) -> Sampler:
    return Sampler(desk.database, zone=ZoneInfo(desk.settings.timezone), clock=desk.clock)


def _sent(request: Request, visitor: Principal, desk: Desk, data: FormData, follows: str | None) -> Response:
    """Saves, or shows what it would draw, or offers another quota: whichever button was pressed."""
    _ = words_of(request).gettext
    form, service = form_in(data), sampling(desk)
    with desk.database.reading() as session:
        titles = _titles(session)
        before = None if follows is None else repository.find_plan(session, visitor, follows)
    rubric = before.rubric_id if before is not None else form.rubric
    if data.get("do") == "another":
        return _form(request, visitor, titles, form.with_another_quota(), follows)
    try:
        made = plan_from(form)
        if rubric not in titles:
            raise PlanFormError({"rubric": _("Choose a rubric.")})
        if data.get("do") == "outlook":
            return _form(request, visitor, titles, form, follows, outlook=service.outlook(visitor, rubric, made))
        if not form.name:
            raise PlanFormError({"name": _("Give it a name.")})
        row = service.make(visitor, form.name, rubric, made, follows=follows)
    except PlanFormError as error:
        return _form(request, visitor, titles, form, follows, faults=error.faults, status=422)
    except InputError:
        faults = {"name": _("At most 200 characters.")}
        return _form(request, visitor, titles, form, follows, faults=faults, status=422)
    return redirect(request, f"/sampling/{row.id}", told=_("The plan is saved."))


def _form(
    request: Request,
    visitor: Principal,
    titles: dict[str, LocalText],
    form: PlanForm,
    follows: str | None,
    *,
    outlook: Outlook | None = None,
    faults: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    words = words_of(request)
    return page(
        request,
        "sampling/form.html",
        visitor,
        status=status,
        form=form,
        follows=follows,
        titles=sorted(titles.items()),
        unit_options=[(unit, words.gettext(text)) for unit, text in UNITS.items()],
        kinds=_options(CALL_KINDS, words),
        others=_options(OTHER_KINDS, words),
        most=MOST_QUOTAS,
        flags=FLAGS,
        outlook=outlook,
        stratum=partial(stratum_in_words, words=words),
        faults={name: words.gettext(fault) for name, fault in (faults or {}).items()},
    )


def _options(kinds: dict[str, str], words: Words) -> list[tuple[str, str]]:
    return [(value, words.gettext(text)) for value, text in kinds.items()]


def _shown(
    row: SamplingPlan, titles: dict[str, LocalText], run: SamplingRun | None, visitor: Principal, words: Words
) -> Shown:
    held = plan_in(row)
    return Shown(
        row=row,
        title=titles.get(row.rubric_id, LocalText(zh=row.rubric_id, en=row.rubric_id)),
        period=period_in_words(held.period, words),
        quotas=quotas_in_words(held, words),
        always=always_in_words(held, words),
        manner=manner_in_words(held, words),
        run=run,
        may_change=row.retired_at is None and may_change(visitor, held),
    )


def _last(run: SamplingRun) -> datetime:
    """A moment of the last day that was drawn from."""
    return run.until - timedelta(minutes=1)


def _titles(session: Session) -> dict[str, LocalText]:
    return {name.partition("@")[0]: title for name, title in registry.titles(session).items()}


def _run(session: Session, visitor: Principal, plan_id: str, run_id: str) -> tuple[SamplingPlan, SamplingRun]:
    row = repository.find_plan(session, visitor, plan_id)
    return row, repository.find_run(session, visitor, row.id, run_id)


def _sheet(rows: list[SampleRow], words: Words) -> exports.Sheet:
    _, word = words.gettext, words.word
    head = (
        word("call"), word("agent"), word("team"), word("started_at"), _("Reason"), _("Stratum"),
        _("Inclusion probability"), _("In another's stead"), _("Review"), _("Reviewer"),
    )  # fmt: skip
    return exports.Sheet(_("Drawing"), head, tuple(_cells(row, words) for row in rows))


def _cells(row: SampleRow, words: Words) -> tuple[Any, ...]:
    _ = words.gettext
    return (
        row.shown_call_id,
        row.agent_id,
        row.team,
        row.called_at.astimezone(words.zone).isoformat(" ", "minutes"),
        _(WHY[row.why][1]) if row.why in WHY else row.why,
        stratum_in_words(row.stratum, words),
        row.probability,
        _("yes") if row.instead else None,
        None if row.state is None else _(REVIEW_STATES.get(row.state, row.state)),
        row.reviewer,
    )
