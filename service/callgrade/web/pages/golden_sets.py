"""Golden sets: the calls that judges are held against, who labelled them, and how far the raters agree.

Of a holdout there are numbers, and who read it when and why; what was said of its calls is never listed.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote as quoted

from fastapi import APIRouter, Form, Query, Request, Response
from sqlmodel import Session

from callgrade.access import people_repository
from callgrade.access.principals import Principal
from callgrade.calibration import from_reviews, golden, golden_figures, golden_figures_repository, golden_repository
from callgrade.calibration.golden import OPEN
from callgrade.calibration.holdout import MOST_READINGS
from callgrade.calibration.rater_agreement import BetweenRaters, between_raters
from callgrade.domain.errors import ConflictError, InputError, NotFoundError, UnknownResourceError
from callgrade.domain.golden import SPLITS
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations import registry
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.preferences import words_of
from callgrade.web.shell import page, redirect
from callgrade.web.words import N_

PAGE = 100
MOST_OFFERED = 100
SPLIT_NAMES: Mapping[str, str] = {"train": N_("train"), "dev": N_("dev"), "holdout": N_("holdout")}
KIND_NAMES: Mapping[str, str] = {"person": N_("person"), "model": N_("model")}
MEDIA = {"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}

router = APIRouter()
Looker = Annotated[Principal, needs("calibrations:read")]
Lead = Annotated[Principal, needs("calibrations:write")]
Text = Annotated[str, Form(max_length=200)]


@router.get("/golden-sets")
def list_(request: Request, visitor: Looker, desk: Desked) -> Response:
    """The shipped set is listed once somebody has taken it into use."""
    return _list(request, visitor, desk)


@router.post("/golden-sets")
def make(request: Request, visitor: Lead, desk: Desked, name: Text = "", title: Text = "") -> Response:
    _ = words_of(request).gettext
    try:
        with desk.database.writing() as session:
            row = golden.create(session, visitor, name.strip(), title)
    except (InputError, ConflictError) as error:
        taken = _("There is a set of this name already.")
        why = taken if isinstance(error, ConflictError) else _("Give it a title, and a name such as sales-2026.")
        return _list(request, visitor, desk, why, name=name, title=title)
    return redirect(request, f"/golden-sets/{row.id}", told=_("The set is made. Its calls come from reviews."))


@router.post("/golden-sets/shipped")
def take_shipped(request: Request, _visitor: Lead, desk: Desked) -> Response:
    """Takes the set that comes with callgrade into use, which puts it into the database."""
    return redirect(request, f"/golden-sets/{golden.shipped(desk.database)}")


@router.get("/golden-sets/{set_id}")
def one(
    request: Request,
    visitor: Looker,
    desk: Desked,
    set_id: str,
    split: Annotated[Literal["", "train", "dev"], Query()] = "",
    after: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """Its figures, its raters, its calls but for the holdout's, and who read that."""
    with desk.database.reading() as session:
        found = golden_figures.of_set(session, visitor, set_id)
        splits = (split,) if split else OPEN
        rows = golden_figures_repository.call_rows(session, set_id, splits, after=after, limit=PAGE + 1)
        names = names_of(session, [rater.rater for rater in found.figures.raters] + [one.by for one in found.readings])
    here = f"/golden-sets/{set_id}" + (f"?split={split}" if split else "")
    more = f"{here}{'&' if split else '?'}after={quoted(rows[PAGE - 1].name)}" if len(rows) > PAGE else None
    context: dict[str, Any] = {
        "set": found.figures.set,
        "figures": found.figures,
        "rubrics": found.rubrics,
        "readings": found.readings,
        "rows": rows[:PAGE],
        "split": split,
        "further": more,
        "first": here if after else None,
    }
    return page(request, "golden/set.html", visitor, names=names, **_common(visitor, found.figures.set.id), **context)


@router.get("/golden-sets/{set_id}/agreement")
def agreement(
    request: Request,
    visitor: Looker,
    desk: Desked,
    set_id: str,
    rubric: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Between those who rated blind, by criterion."""
    with desk.database.reading() as session:
        found = golden_figures.of_set(session, visitor, set_id)
        chosen = rubric or next(iter(found.rubrics), "")
        form, lines = _between(session, visitor, set_id, chosen) if chosen else (None, [])
        names = names_of(session, [rater.rater for rater in found.figures.raters])
    options = [(reference, f"{reference} ({number})") for reference, number in found.rubrics.items()]
    told: dict[str, Any] = {"set": found.figures.set, "rubrics": found.rubrics, "rubric_options": options}
    return page(request, "golden/agreement.html", visitor, form=form, lines=lines, names=names, **told)


@router.get("/golden-sets/{set_id}/labels.{form}")
def take_out(visitor: Looker, desk: Desked, set_id: str, form: Literal["jsonl", "csv"]) -> Response:
    """Everything but the holdout: calls and labels by line, or labels as a table."""
    from callgrade.catalog.golden_exchange import to_csv, to_jsonl

    with desk.database.writing() as session:
        name = golden.find(session, visitor, set_id).name
        calls, labels = golden.take_out(session, visitor, set_id)
    lines = "".join(f"{line}\n" for line in to_jsonl([one.call for one in calls], labels)) if form == "jsonl" else ""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quoted(f'{name}.{form}', safe='')}",
        "Cache-Control": "private, no-store",
    }
    return Response(lines.encode() or to_csv(labels), media_type=MEDIA[form], headers=headers)


@router.get("/golden-sets/{set_id}/reviews")
def offer(
    request: Request,
    visitor: Lead,
    desk: Desked,
    set_id: str,
    rubric: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Published calls within reach that could be added, the newest first."""
    with desk.database.reading() as session:
        row = golden_repository.find(session, visitor, set_id, own=True)
        titles = {name.partition("@")[0]: title for name, title in sorted(registry.titles(session).items())}
        found = golden_repository.reviewable(session, visitor, set_id, rubric, MOST_OFFERED) if rubric else []
    context: dict[str, Any] = {"set": row, "titles": titles, "rubric": rubric, "offered": found, "most": MOST_OFFERED}
    return page(request, "golden/reviews.html", visitor, **context)


@router.post("/golden-sets/{set_id}/reviews")
def add(
    request: Request,
    visitor: Lead,
    desk: Desked,
    set_id: str,
    evaluation: Annotated[list[str] | None, Form(max_length=MOST_OFFERED)] = None,
) -> Response:
    """Those that were chosen, each with a label of every review that was committed to."""
    words = words_of(request)
    with desk.database.writing() as session:
        added = from_reviews.add_reviewed(session, visitor, set_id, evaluation or [])
    told = words.ngettext("A call was added.", "%(num)s calls were added.", added.calls)
    if added.refused:
        told += " " + words.ngettext("One could not be taken.", "%(num)s could not be taken.", len(added.refused))
    return redirect(request, f"/golden-sets/{set_id}", told=told, tone="partly" if added.refused else "good")


@router.post("/golden-sets/{set_id}/collection")
def collect(request: Request, visitor: Lead, desk: Desked, set_id: str, call: Text = "") -> Response:
    """Labels of reviews that were committed to since; `call` is where somebody waits for them."""
    words = words_of(request)
    with desk.database.writing() as session:
        number = from_reviews.collect_all(session, visitor, set_id)
    told = words.ngettext("A label was added.", "%(num)s labels were added.", number)
    return redirect(request, f"/golden-sets/{set_id}" + (f"/calls/{quoted(call, safe='')}" if call else ""), told=told)


def names_of(session: Session, raters: Iterable[str]) -> dict[str, str]:
    """What raters and actors are called: people by their name, others by what they call themselves."""
    people = {actor: actor.removeprefix("user:") for actor in raters if actor.startswith("user:")}
    known = people_repository.names(session, people.values())
    return {actor: known[id_] for actor, id_ in people.items() if id_ in known}


def _between(session: Session, visitor: Principal, set_id: str, reference: str) -> tuple[Rubric, list[BetweenRaters]]:
    try:
        return between_raters(session, visitor, set_id, reference)
    except NotFoundError as error:
        raise UnknownResourceError(str(error)) from None


def _list(
    request: Request, visitor: Principal, desk: Desk, refused: str | None = None, *, name: str = "", title: str = ""
) -> Response:
    with desk.database.reading() as session:
        found = golden_figures.overview(session, visitor)
    return page(
        request,
        "golden/list.html",
        visitor,
        status=422 if refused else 200,
        sets=found,
        refused=refused,
        name=name,
        title=title,
        **_common(visitor),
    )


def _common(visitor: Principal, set_id: str = "") -> dict[str, Any]:
    return {
        "splits": SPLITS,
        "split_names": SPLIT_NAMES,
        "kind_names": KIND_NAMES,
        "most_readings": MOST_READINGS,
        "may_write": "calibrations:write" in visitor.scopes,
        "address": f"/golden-sets/{set_id}",
    }
