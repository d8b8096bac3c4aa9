"""Double grading: two people grade a golden call blind, each at their own desk; then what they said is shown side by
side, and a third person decides what is right where they differ."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Form, Query, Request, Response
from sqlmodel import Session
from starlette.datastructures import FormData

from callgrade.access.principals import Principal
from callgrade.calibration import golden_figures_repository as figures
from callgrade.calibration import golden_repository, revealing
from callgrade.calibration.double_grading import GRADERS, adjudicate, hand_out_twice
from callgrade.calibration.golden_figures_repository import Grading
from callgrade.domain.errors import ConflictError, InputError, JudgementError
from callgrade.evaluations.report.view import lines_of
from callgrade.reviews import sampling_repository
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.golden_forms import Sent, asked, field, given
from callgrade.web.pages.golden_sets import SPLIT_NAMES, names_of
from callgrade.web.preferences import language_of, words_of
from callgrade.web.shell import Tone, page, redirect
from callgrade.web.words import N_

MOST_OFFERED = 200
WHY_NOT: Mapping[str, str] = {
    "nobody": N_("Only a person can decide."),
    "rater": N_("You rated this call: a third person decides what is right."),
    "too_few": N_("Two people must have rated it blind before a third decides."),
    "agent": N_("You took this call yourself: somebody else decides about it."),
}

router = APIRouter()
Looker = Annotated[Principal, needs("calibrations:read")]
Lead = Annotated[Principal, needs("calibrations:write")]


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
    data: Sent,
) -> Response:
    """What is right where raters differ, said by a third person about all of it at once."""
    words = words_of(request)
    with desk.database.reading() as session:
        shown = revealing.look(session, visitor, set_id, golden_id, field(data, "rubric"))
    note = field(data, "note").strip()
    try:
        right = {line.criterion.id: given(line.criterion, data, note) for line in shown.open}
        expected = int(field(data, "expected"))
        if not right or shown.rubric is None:
            raise ConflictError("nothing is left to decide")
    except JudgementError as error:
        why = words.gettext("Choose one of the options for each; what cannot be judged needs a comment.")
        return _call(request, visitor, desk, set_id, golden_id, None, why, wrong=error.criterion_id, data=data)
    except ValueError:
        raise InputError("expected: how many labels were looked at") from None
    adjudicate(
        desk.database, visitor, set_id, shown.call.id, shown.rubric.reference, right, note=note, expected=expected
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
        shown = revealing.look(session, visitor, set_id, golden_id, (data and field(data, "rubric")) or rubric)
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
        asked=[asked(line.criterion, language, data, said=line.said, open_=line.open) for line in shown.lines],
        lines=lines_of(shown.transcript, [], language),
        names=names,
        may_decide=may,
        why_not=WHY_NOT,
        split_names=SPLIT_NAMES,
        refused=refused,
        wrong=wrong,
        note="" if data is None else field(data, "note"),
        address=f"/golden-sets/{set_id}",
    )
