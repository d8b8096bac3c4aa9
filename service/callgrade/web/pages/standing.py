"""A call as it stands, for whoever only reads it: agents their own published ones, leads what they may look into.

The same panes as the review page. Agents see why, say that they have seen it, and contest what they hold to be wrong;
leads see how it came about, and have it looked at again.
"""

from datetime import timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request, Response

from callgrade.access.principals import Principal
from callgrade.domain.errors import CallgradeError, ConflictError, InputError, JudgementError
from callgrade.domain.periods import deadline
from callgrade.domain.rubrics import Criterion
from callgrade.evaluations.report.figures import amount_in_words
from callgrade.evaluations.report.player import make_player
from callgrade.evaluations.report.view import lines_of
from callgrade.reviews import assignment, standing
from callgrade.reviews.appeals import AppealDesk, TooLateError
from callgrade.reviews.asking import Asked, ask
from callgrade.reviews.outlines import sound_of
from callgrade.reviews.standing import Standing
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.outcome_forms import moment_in, outcome_in
from callgrade.web.preferences import language_of, words_of
from callgrade.web.shell import page, redirect
from callgrade.web.standing_cards import APPEAL_STATES, cards_of

SPEEDS = ("0.75", "1", "1.25", "1.5", "2")
DUE_DAYS = 3
"""Ours, for a review that somebody asked for."""

router = APIRouter()
Agent = Annotated[Principal, needs("appeals:write")]
Planner = Annotated[Principal, needs("sampling:write")]
Text = Annotated[str, Form(max_length=4_000)]
Short = Annotated[str, Form(max_length=200)]


def show(
    request: Request,
    visitor: Principal,
    desk: Desk,
    call_id: str,
    *,
    evaluation: str | None = None,
    revision: int | None = None,
    refused: dict[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """The page. `refused` names a criterion, says why, and keeps what was typed."""
    language = language_of(request)
    with desk.database.reading() as session:
        found = standing.look(session, visitor, appealing(desk), call_id, evaluation_id=evaluation, revision=revision)
        planner = "sampling:write" in visitor.scopes
        reviewers = assignment.candidates(session, visitor, found.evaluation) if planner else []
    cards = cards_of(found, language)
    shown = [card.shown for card in cards if not card.excluded]
    sound = sound_of(desk.database, desk.blobs, found.call.id, f"/calls/{found.call.id}/audio")
    return page(
        request,
        "standing/page.html",
        visitor,
        status=status,
        view=found,
        cards=cards,
        lines=tuple(lines_of(found.transcript, shown, language)),
        player=None if sound is None else make_player(sound, found.transcript, shown),
        speeds=SPEEDS,
        total=None if found.card.total is None else amount_in_words(found.card.total, language),
        history=[(one, one.total and amount_in_words(one.total, language)) for one in found.history],
        appeal_states=APPEAL_STATES,
        at=desk.clock(),
        may_check=planner and found.is_newest,
        may_write=False,
        reviewers=reviewers,
        refused=refused,
    )


@router.post("/calls/{call_id}/acknowledgement")
def acknowledge(
    request: Request, visitor: Agent, desk: Desked, call_id: str, evaluation: Annotated[str, Form()]
) -> Response:
    """The agent has seen the score as it stands."""
    _ = words_of(request).gettext
    appealing(desk).acknowledge(visitor, evaluation)
    return redirect(request, f"/calls/{call_id}?evaluation={evaluation}", told=_("Noted: you have seen this result."))


@router.post("/calls/{call_id}/criteria/{criterion_id}/appeals")
def contest(
    request: Request,
    visitor: Agent,
    desk: Desked,
    call_id: str,
    criterion_id: str,
    evaluation: Annotated[str, Form()],
    choice: Short = "",
    number: Annotated[str, Form(max_length=6)] = "",
    reason: Text = "",
    moment: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """One criterion of the agent's own published score. What is refused comes back with what was typed, and why."""
    _ = words_of(request).gettext
    service = appealing(desk)
    try:
        with desk.database.reading() as session:
            found = standing.look(session, visitor, service, call_id, evaluation_id=evaluation)
        criterion = _criterion(found, criterion_id)
        wanted, at_ms = outcome_in(criterion, choice, number), moment_in(moment)
        row = service.file(visitor, found.evaluation.id, criterion_id, reason=reason, wanted=wanted, at_ms=at_ms)
    except (InputError, ConflictError) as error:
        refused = {
            "criterion_id": criterion_id,
            "message": _message(request, error),
            "typed": {"choice": choice, "number": number, "reason": reason, "moment": moment},
        }
        status = 409 if isinstance(error, ConflictError) else 422
        return show(request, visitor, desk, call_id, evaluation=evaluation, refused=refused, status=status)
    told = _("Your appeal is filed.")
    if row.decide_by is not None:
        told = _("Your appeal is filed. It is decided by %(moment)s.", moment=words_of(request).moment(row.decide_by))
    number_ = next(n for n, one in enumerate(found.card.judgements, 1) if one.criterion_id == criterion_id)
    return redirect(request, f"/calls/{call_id}?evaluation={evaluation}#c{number_}", told=told)


@router.post("/calls/{call_id}/checks")
def check(
    request: Request,
    visitor: Planner,
    desk: Desked,
    call_id: str,
    evaluation: Annotated[str, Form()],
    why: Annotated[Asked, Form()],
    to: Short = "",
) -> Response:
    """Has a call looked at: by `to`, a reviewer's id, by whoever has the least to do, or by the pool."""
    _ = words_of(request).gettext
    due_at = deadline(desk.clock(), DUE_DAYS, ZoneInfo(desk.settings.timezone))
    person = to if to not in ("", "pool") else None
    here = f"/calls/{call_id}?evaluation={evaluation}"
    try:
        with desk.database.writing() as session:
            ask(session, visitor, evaluation, why=why, due_at=due_at, reviewer_id=person, to_pool=to == "pool")
    except ConflictError:
        told = _("Nothing was asked for: somebody is to look at this call already, or may not.")
        return redirect(request, here, told=told, tone="partly")
    return redirect(request, here, told=_("Somebody will look at this call."))


def appealing(desk: Desk) -> AppealDesk:
    return AppealDesk(desk.database, zone=ZoneInfo(desk.settings.timezone), clock=desk.clock)


def _criterion(found: Standing, criterion_id: str) -> Criterion:
    criterion = found.rubric.by_id.get(criterion_id)
    if criterion is None:
        raise JudgementError(criterion_id, f"is not in {found.rubric.reference}")
    return criterion


def _message(request: Request, error: CallgradeError) -> str:
    words = words_of(request)
    _ = words.gettext
    if isinstance(error, TooLateError):
        days = error.rule.file_within.days
        rule = (
            _("on the day it is published")
            if days == 0
            else words.ngettext("within a day of being published", "within %(num)s days of being published", days)
        )
        ended = words.moment(error.file_by - timedelta(minutes=1))
        return _("Too late: a score can be contested %(rule)s. That ended on %(moment)s.", rule=rule, moment=ended)
    if isinstance(error, ConflictError):
        return _("This criterion was contested before, or there is nothing in it to contest.")
    if isinstance(error, JudgementError):
        return _("Choose what it should be.")
    if "moment" in str(error):
        return _("A moment reads like 1:02.5: minutes and seconds from the start of the call.")
    return _("Say why, and choose something else than what the score says.")
