"""Double grading: two people grade a golden call blind, each at their own desk; then what they said is shown side by
side, and a third person decides what is right where they differ."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from pydantic import JsonValue
from sqlmodel import Session
from starlette.datastructures import FormData

from callgrade.access.principals import Principal
from callgrade.calibration import golden_figures_repository as figures
from callgrade.calibration import golden_repository, revealing
from callgrade.calibration.compared import Said
from callgrade.calibration.double_grading import GRADERS, adjudicate, hand_out_twice
from callgrade.calibration.golden_figures_repository import Grading
from callgrade.calibration.revealing import Line, Reveal
from callgrade.domain.errors import ConflictError, InputError, JudgementError
from callgrade.domain.options import counts
from callgrade.domain.rubrics import Criterion
from callgrade.evaluations.report.view import lines_of
from callgrade.evaluations.words import choice_in_words, word
from callgrade.reviews import sampling_repository
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.outcome_forms import outcome_in
from callgrade.web.pages.golden_sets import SPLIT_NAMES, names_of
from callgrade.web.preferences import language_of, words_of
from callgrade.web.review_cards import Choice, choices_of
from callgrade.web.shell import Tone, page, redirect
from callgrade.web.words import N_

MOST_OFFERED = 200
UNASSESSED = "cannot_assess"
WHY_NOT: Mapping[str, str] = {
    "nobody": N_("Only a person can decide."),
    "rater": N_("You rated this call: a third person decides what is right."),
    "too_few": N_("Two people must have rated it blind before a third decides."),
    "agent": N_("You took this call yourself: somebody else decides about it."),
}

router = APIRouter()
Looker = Annotated[Principal, needs("calibrations:read")]
Lead = Annotated[Principal, needs("calibrations:write")]


async def sent(request: Request) -> FormData:
    """A form with fields for each criterion."""
    return await request.form(max_fields=2_000)


class Round(NamedTuple):
    """A call that is graded twice. `ready`: both have committed, and there is something to look at."""

    id: str
    name: str
    split: str
    rubric: str
    graders: Sequence[Grading]
    ready: bool
    collected: bool

    @property
    def committed(self) -> int:
        return sum(one.state == "submitted" for one in self.graders)


class Asked(NamedTuple):
    """A criterion that the raters differ on, with what can be said of it, what stood in the form, and what they said
    in words, in the order of the labels."""

    line: Line
    said: tuple[str, ...]
    choices: tuple[Choice, ...]
    counts: bool
    chosen: str = ""
    typed: str = ""


@router.get("/golden-sets/{set_id}/double-grading")
def rounds(request: Request, visitor: Lead, desk: Desked, set_id: str) -> Response:
    """How far each call is, and a form to begin with others. Who has committed is told, and nothing of what."""
    return _rounds(request, visitor, desk, set_id)


@router.post("/golden-sets/{set_id}/double-grading")
def begin(
    request: Request,
    visitor: Lead,
    desk: Desked,
    set_id: str,
    call: Annotated[list[str] | None, Form(max_length=MOST_OFFERED)] = None,
    first: Annotated[str, Form(max_length=64)] = "",
    second: Annotated[str, Form(max_length=64)] = "",
    days: Annotated[int, Form(ge=1, le=90)] = 7,
) -> Response:
    """Two blind reviews of each call that was chosen; to the two who are named, or to whoever has least to do."""
    words = words_of(request)
    graders = [one for one in (first, second) if one]
    if not call:
        return _rounds(request, visitor, desk, set_id, words.gettext("Choose the calls that are to be graded."))
    if graders and len(set(graders)) != GRADERS:
        return _rounds(request, visitor, desk, set_id, words.gettext("Name two different people, or nobody."))
    due = desk.clock() + timedelta(days=days)
    try:
        with desk.database.writing() as session:
            done = hand_out_twice(session, visitor, set_id, call, due, graders=graders)
    except ConflictError:
        why = words.gettext(
            "One of the two took one of these calls, or has looked at it already: choose somebody else."
        )
        return _rounds(request, visitor, desk, set_id, why, status=409)
    told = words.ngettext("%(num)s call is graded twice.", "%(num)s calls are graded twice.", done.reviews // GRADERS)
    if done.pooled:
        told += " " + words.ngettext("A review waits in the pool.", "%(num)s reviews wait in the pool.", done.pooled)
    if done.refused:
        told += " " + words.ngettext("One could not be.", "%(num)s could not be.", len(done.refused))
    tone: Tone = "partly" if done.refused or done.pooled else "good"
    return redirect(request, f"/golden-sets/{set_id}/double-grading", told=told, tone=tone)


@router.get("/golden-sets/{set_id}/calls/{golden_id}")
def call(
    request: Request,
    visitor: Looker,
    desk: Desked,
    set_id: str,
    golden_id: str,
    rubric: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """One golden call: its words, and who said what of it, blind or not, side by side."""
    return _call(request, visitor, desk, set_id, golden_id, rubric)


@router.post("/golden-sets/{set_id}/calls/{golden_id}/decision")
def decide(
    request: Request,
    visitor: Lead,
    desk: Desked,
    set_id: str,
    golden_id: str,
    data: Annotated[FormData, Depends(sent)],
) -> Response:
    """What is right where raters differ, said by a third person about all of it at once."""
    words = words_of(request)
    with desk.database.reading() as session:
        shown = revealing.look(session, visitor, set_id, golden_id, _field(data, "rubric"))
    note = _field(data, "note").strip()
    try:
        given = {line.criterion.id: _given(line.criterion, data, note) for line in shown.open}
        expected = int(_field(data, "expected"))
        if not given or shown.rubric is None:
            raise ConflictError("nothing is left to decide")
    except JudgementError as error:
        why = words.gettext("Choose one of the options for each; what cannot be judged needs a comment.")
        return _call(request, visitor, desk, set_id, golden_id, None, why, wrong=error.criterion_id, data=data)
    except ValueError:
        raise InputError("expected: how many labels were looked at") from None
    adjudicate(
        desk.database, visitor, set_id, shown.call.id, shown.rubric.reference, given, note=note, expected=expected
    )
    told = words.gettext("What is right is written down, with your name.")
    return redirect(request, f"/golden-sets/{set_id}/double-grading", told=told)


def _rounds(
    request: Request,
    visitor: Principal,
    desk: Desk,
    set_id: str,
    refused: str | None = None,
    status: int = 422,
) -> Response:
    with desk.database.reading() as session:
        row = golden_repository.find(session, visitor, set_id, own=True)
        found = _under_way(session, row.id)
        offered = figures.unassigned(session, row.id, MOST_OFFERED)
        people = [(one.id, one.name) for one in sampling_repository.named_reviewers(session, visitor.client_id)]
        graders = [f"user:{one.reviewer_id}" for each in found for one in each.graders if one.reviewer_id]
        names = names_of(session, graders)
    context: dict[str, Any] = {
        "set": row,
        "rounds": found,
        "offered": offered,
        "people": people,
        "names": names,
        "refused": refused,
    }
    return page(
        request,
        "golden/rounds.html",
        visitor,
        status=status if refused else 200,
        split_names=SPLIT_NAMES,
        at=desk.clock(),
        **context,
    )


def _under_way(session: Session, set_id: str) -> list[Round]:
    waiting = figures.uncollected(session, set_id)
    rows = sorted(figures.gradings(session, set_id), key=lambda one: one.name)
    found = []
    for id_, group in groupby(rows, key=lambda one: one.golden_call_id):
        some = list(group)
        ready = all(one.state == "submitted" for one in some)
        found.append(Round(id_, some[0].name, some[0].split, some[0].rubric, some, ready, id_ not in waiting))
    return found


def _call(
    request: Request,
    visitor: Principal,
    desk: Desk,
    set_id: str,
    golden_id: str,
    rubric: str | None,
    refused: str | None = None,
    *,
    wrong: str | None = None,
    data: FormData | None = None,
) -> Response:
    language = language_of(request)
    with desk.database.reading() as session:
        shown = revealing.look(session, visitor, set_id, golden_id, (data and _field(data, "rubric")) or rubric)
        actors = [label.rater for label in shown.labels]
        actors += [f"user:{one.reviewer_id}" for one in shown.gradings if one.reviewer_id]
        names = names_of(session, actors)
    may = shown.may_decide and "calibrations:write" in visitor.scopes
    return page(
        request,
        "golden/call.html",
        visitor,
        status=422 if refused else 200,
        view=shown,
        set=shown.set,
        asked=[_asked(line, shown, language, data) for line in shown.lines],
        lines=lines_of(shown.transcript, [], language),
        names=names,
        may_decide=may,
        why_not=WHY_NOT,
        split_names=SPLIT_NAMES,
        refused=refused,
        wrong=wrong,
        note="" if data is None else _field(data, "note"),
        address=f"/golden-sets/{set_id}",
    )


def _asked(line: Line, shown: Reveal, language: str, data: FormData | None) -> Asked:
    criterion = line.criterion
    return Asked(
        line=line,
        said=tuple(_in_words(one, criterion, language) for one in line.said),
        choices=tuple(choices_of(criterion, language)) if line.open else (),
        counts=counts(criterion),
        chosen="" if data is None else _field(data, f"choice-{criterion.id}"),
        typed="" if data is None else _field(data, f"number-{criterion.id}"),
    )


def _in_words(said: Said | None, criterion: Criterion, language: str) -> str:
    if said is None:
        return ""
    if said.judgement.outcome is None and said.status != "not_applicable":
        return word(f"status.{said.status}", language)
    return choice_in_words(said.judgement.outcome, criterion, language)


def _given(criterion: Criterion, data: FormData, note: str) -> dict[str, JsonValue]:
    """As contracts.md has judgements. Raises JudgementError for no choice, or one that is none."""
    choice = _field(data, f"choice-{criterion.id}")
    if choice == UNASSESSED:
        if not note:
            raise JudgementError(criterion.id, "say why it cannot be judged")
        return {"status": "cannot_assess", "reason": note}
    outcome = outcome_in(criterion, choice, _field(data, f"number-{criterion.id}"))
    return {"status": "not_applicable"} if outcome is None else outcome.model_dump(mode="json")


def _field(data: FormData, name: str) -> str:
    found = data.get(name)
    return found[:2_000] if isinstance(found, str) else ""
