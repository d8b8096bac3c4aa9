"""Appeals: what agents contest, until when it is to be decided, and deciding it beside the words and the sound."""

from collections.abc import Hashable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Form, Query, Request, Response
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calls import service as calls
from callgrade.db.types import now
from callgrade.domain.appeals import Ruling
from callgrade.domain.errors import ConflictError, InputError, JudgementError
from callgrade.domain.frozen import LocalText
from callgrade.domain.options import counts
from callgrade.evaluations import registry
from callgrade.evaluations.report.cards import Card, make_card
from callgrade.evaluations.report.player import make_player
from callgrade.evaluations.report.view import lines_of
from callgrade.reviews import appeal_views, appeals_repository
from callgrade.reviews.appeal_views import AppealView
from callgrade.reviews.appeals import Barred
from callgrade.reviews.appeals_repository import AppealRow
from callgrade.reviews.outlines import sound_of
from callgrade.reviews.repository import OUTCOME
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.live import Topic
from callgrade.web.outcome_forms import outcome_in
from callgrade.web.pages.standing import SPEEDS, appealing
from callgrade.web.preferences import language_of, words_of
from callgrade.web.review_cards import Choice, choices_of, written
from callgrade.web.shell import page, page_or_part, redirect
from callgrade.web.sounds import sound_answer
from callgrade.web.standing_cards import APPEAL_STATES, contested
from callgrade.web.words import N_

PAGE = 50
State = Literal["open", "overdue", "upheld", "accepted", "changed", "withdrawn"]
WHY_NOT: Mapping[Barred, str] = {
    "judged": N_("You had a part in this score, so somebody else decides about the appeal."),
    "took": N_("You took this call, so somebody else decides about the appeal."),
    "no_person": N_("An appeal is decided by a person, who answers for it by name."),
    "scope": "",
}

router = APIRouter()
Reader = Annotated[Principal, needs("appeals:read")]
Decider = Annotated[Principal, needs("appeals:decide")]
Agent = Annotated[Principal, needs("appeals:write")]


class Shown(NamedTuple):
    """A line of the list."""

    row: AppealRow
    rubric: LocalText
    criterion: LocalText
    overdue: bool


@router.get("/appeals")
def appeals(
    request: Request,
    visitor: Reader,
    desk: Desked,
    state: State | None = None,
    before: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
) -> Response:
    """The newest first. `before` is the last one of the page before."""
    service = appealing(desk)
    found = service.page(visitor, state=state, before=before, limit=PAGE + 1)
    with desk.database.reading() as session:
        shown = [_shown(session, row, service.is_overdue(row.appeal)) for row in found[:PAGE]]
        open_, overdue = appeals_repository.counts(session, visitor, desk.clock())
    query = f"state={state}&" if state else ""
    return page_or_part(
        request,
        "appeals/list.html",
        "appeals/_list.html",
        visitor,
        rows=shown,
        state=state,
        states=APPEAL_STATES,
        open=open_,
        overdue=overdue,
        further=f"/appeals?{query}before={shown[-1].row.appeal.id}" if len(found) > PAGE else None,
        first=f"/appeals?{query}".rstrip("&?") if before else None,
    )


@router.get("/appeals/{appeal_id}")
def appeal(request: Request, visitor: Reader, desk: Desked, appeal_id: str) -> Response:
    return _page(request, visitor, desk, appeal_id)


@router.get("/appeals/{appeal_id}/audio")
def sound(request: Request, visitor: Reader, desk: Desked, appeal_id: str) -> Response:
    """The recording of the call, for whoever is to decide about it without having reviewed it."""
    with desk.database.reading() as session:
        row = appeals_repository.find(session, visitor, "appeals:read", appeal_id)
        call_id, _shown_id = appeals_repository.call_of(session, row.evaluation_id)
        recording = calls.recording_of(session, calls.find(session, visitor.client_id, call_id))
    return sound_answer(request, desk, recording)


@router.post("/appeals/{appeal_id}/decision")
def decide(
    request: Request,
    visitor: Decider,
    desk: Desked,
    appeal_id: str,
    ruling: Annotated[Ruling | None, Form()] = None,
    words: Annotated[str, Form(max_length=4_000)] = "",
    choice: Annotated[str, Form(max_length=200)] = "",
    number: Annotated[str, Form(max_length=6)] = "",
) -> Response:
    """Upholds the score, accepts what the agent wants, or sets a third value; `words` are for the agent."""
    _ = words_of(request).gettext
    service = appealing(desk)
    typed = {"ruling": ruling, "words": words, "choice": choice, "number": number}
    try:
        if ruling is None:
            raise InputError("choose how it is decided")
        outcome = None
        if ruling == "changed":
            with desk.database.reading() as session:
                criterion = appeal_views.look(session, visitor, service, appeal_id).criterion
            outcome = outcome_in(criterion, choice, number)
        none = ruling == "changed" and outcome is None
        service.decide(visitor, appeal_id, ruling, words=words, outcome=outcome, not_applicable=none)
    except (InputError, ConflictError) as error:
        refused = {"message": _message(request, error, ruling), "typed": typed}
        status = 409 if isinstance(error, ConflictError) else 422
        return _page(request, visitor, desk, appeal_id, refused=refused, status=status)
    return redirect(request, "/appeals?state=open", told=_("Decided. The agent reads your words with the result."))


@router.post("/appeals/{appeal_id}/withdrawal")
def withdraw(request: Request, visitor: Agent, desk: Desked, appeal_id: str) -> Response:
    _ = words_of(request).gettext
    appealing(desk).withdraw(visitor, appeal_id)
    return redirect(request, f"/appeals/{appeal_id}", told=_("Your appeal is withdrawn. The score stands."))


def _page(
    request: Request,
    visitor: Principal,
    desk: Desk,
    appeal_id: str,
    *,
    refused: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    language = language_of(request)
    with desk.database.reading() as session:
        view = appeal_views.look(session, visitor, appealing(desk), appeal_id)
    judged = _card(view, view.judged, language)
    sound = sound_of(desk.database, desk.blobs, view.call.id, f"/appeals/{appeal_id}/audio")
    return page(
        request,
        "appeals/page.html",
        visitor,
        status=status,
        view=view,
        shown=judged,
        machine=_card(view, view.proposed, language) if view.proposed and view.judged.method == "human" else None,
        appeal=contested(view.appeal, view.criterion, language),
        states=APPEAL_STATES,
        choices=_thirds(view, language),
        counts=counts(view.criterion),
        lines=tuple(lines_of(view.transcript, [judged], language)),
        player=None if sound is None else make_player(sound, view.transcript, [judged]),
        speeds=SPEEDS,
        why_not=WHY_NOT[view.barred] if view.barred else None,
        at=desk.clock(),
        may_write=False,
        refused=refused,
    )


def _card(view: AppealView, judgement: Any, language: str) -> Card:
    return make_card(view.number, view.criterion, judgement, view.rubric, view.transcript, language)


def _thirds(view: AppealView, language: str) -> tuple[Choice, ...]:
    """Neither what was given nor what is wanted."""
    given = view.judged.outcome if view.judged.status in ("judged", "not_applicable") else ...
    wanted = view.appeal.wanted["outcome"]
    asked = written(None if wanted is None else OUTCOME.validate_python(wanted))
    offered = choices_of(view.criterion, language)
    return tuple(choice for choice in offered if choice.outcome != given and choice.value != asked)


def _shown(session: Session, row: AppealRow, overdue: bool) -> Shown:
    rubric = registry.rubric_of_digest(session, row.rubric_digest)
    return Shown(row, rubric.title, rubric.by_id[row.appeal.criterion_id].title, overdue)


def _message(request: Request, error: Exception, ruling: str | None) -> str:
    _ = words_of(request).gettext
    if isinstance(error, ConflictError):
        return _("This appeal is closed already, or its call is gone. Look at how it stands.")
    if isinstance(error, JudgementError) and ruling == "changed":
        return _("Choose what it should be: neither what was given nor what is wanted.")
    if ruling is None:
        return _("Choose how it is decided.")
    return _("Tell the agent why.")


def _look(session: Session, visitor: Principal) -> Hashable:
    return appeals_repository.counts(session, visitor, now()), appeals_repository.newest(session, visitor)


TOPICS = [Topic("appeals", "appeals:read", _look, own=True)]
