"""The review page: one call, its words and sound, and a card for each criterion."""

from datetime import timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request, Response
from pydantic import Json

from callgrade.access.principals import Principal
from callgrade.calls import service as calls
from callgrade.domain.errors import InputError, JudgementError
from callgrade.reviews import queue, repository
from callgrade.reviews.outlines import known_sound, sound_of
from callgrade.reviews.repository import AwaitedError
from callgrade.reviews.service import ReviewDesk, StaleError, UnfinishedError
from callgrade.reviews.views import ReviewView
from callgrade.web.dependencies import Desk, Desked, Visitor, needs
from callgrade.web.outcome_forms import outcome_in
from callgrade.web.pages import standing
from callgrade.web.pages.queue import WHY, QueueWanted
from callgrade.web.pages.words import awaited
from callgrade.web.preferences import language_of, words_of
from callgrade.web.review_cards import card_of, cards_of, player_of, progress_of, transcript_of
from callgrade.web.shell import by_htmx, fragment, page, redirect
from callgrade.web.sounds import sound_answer

router = APIRouter()
Reviewer = Annotated[Principal, needs("reviews:write")]
Looker = Annotated[Principal, needs("evaluations:read")]
Wanted = Annotated[QueueWanted, Query()]
Expected = Annotated[int, Form(ge=0, le=100_000)]
Reason = Annotated[str, Form(max_length=4_000)]
Revision = Annotated[int | None, Query(ge=1, le=100_000)]


@router.get("/calls/{call_id}")
def call(
    request: Request,
    visitor: Looker,
    desk: Desked,
    call_id: str,
    wanted: Wanted,
    review: str | None = None,
    take_over: bool = False,
    evaluation: str | None = None,
    revision: Revision = None,
) -> Response:
    """The visitor's review of a call: the one that is named, else their own, else an open one within reach. Whoever has
    none, or names an evaluation or a revision, reads what stands."""
    if evaluation or revision:
        return standing.show(request, visitor, desk, call_id, evaluation=evaluation, revision=revision)
    try:
        view = reviewing(desk).open_of(visitor, call_id, review, take_over=take_over)
    except AwaitedError as error:
        return awaited(request, visitor, desk, error.review_id, wanted)
    if view is None:
        return standing.show(request, visitor, desk, call_id)
    if by_htmx(request):  # whoever waited for it
        return redirect(request, _here(view, wanted))
    return _page(request, visitor, desk, view, wanted)


@router.get("/calls/{call_id}/audio")
def sound(request: Request, visitor: Visitor, desk: Desked, call_id: str) -> Response:
    """The recording of a call within reach, or a part of it."""
    with desk.database.reading() as session:
        recording = calls.recording_of(session, calls.find_within(session, visitor, call_id))
    return sound_answer(request, desk, recording)


@router.post("/reviews/{review_id}/criteria/{criterion_id}/decisions")
def decide(
    request: Request,
    visitor: Reviewer,
    desk: Desked,
    review_id: str,
    criterion_id: str,
    kind: Annotated[Literal["approve", "override", "cannot_judge"], Form()],
    expected: Expected,
    wanted: Wanted,
    choice: Annotated[str, Form(max_length=200)] = "",
    number: Annotated[str, Form(max_length=6)] = "",
    aggravated: Annotated[str, Form(max_length=6)] = "",
    reason: Reason = "",
) -> Response:
    """One decision. What cannot be saved comes back as the card, with what was typed."""
    service = reviewing(desk)
    typed = {"reason": reason, "outcome": choice, "kind": kind}
    try:
        outcome = None
        if kind == "override":
            criterion = service.look(visitor, review_id).card(criterion_id).criterion
            outcome = outcome_in(criterion, choice, number, aggravated)
        view = service.decide(visitor, review_id, criterion_id, kind, expected=expected, outcome=outcome, reason=reason)
    except (StaleError, InputError) as error:
        view = service.look(visitor, review_id)
        return _refused(request, visitor, desk, view, criterion_id, error, typed, wanted)
    return _saved(request, visitor, view, criterion_id, wanted)


@router.post("/reviews/{review_id}/criteria/{criterion_id}/undo")
def undo(
    request: Request,
    visitor: Reviewer,
    desk: Desked,
    review_id: str,
    criterion_id: str,
    expected: Expected,
    wanted: Wanted,
) -> Response:
    service = reviewing(desk)
    try:
        view = service.undo(visitor, review_id, criterion_id, expected=expected)
    except StaleError as error:
        view = service.look(visitor, review_id)
        return _refused(request, visitor, desk, view, criterion_id, error, {}, wanted)
    return _saved(request, visitor, view, criterion_id, wanted)


@router.put("/reviews/{review_id}/criteria/{criterion_id}/draft", status_code=204)
def draft(
    visitor: Reviewer,
    desk: Desked,
    review_id: str,
    criterion_id: str,
    reason: Reason = "",
    choice: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """What is half typed, as often as the page sends it."""
    typed = {"reason": reason, "outcome": choice}
    kept = {name: value for name, value in typed.items() if value}
    reviewing(desk).draft(visitor, review_id, criterion_id, kept)
    return Response(status_code=204)


@router.post("/reviews/{review_id}/approvals")
def approve_together(
    request: Request,
    visitor: Reviewer,
    desk: Desked,
    review_id: str,
    expected: Annotated[Json[dict[str, int]], Form()],
    wanted: Wanted,
) -> Response:
    """Those that are sure enough, and no red line."""
    view = reviewing(desk).approve_together(visitor, review_id, expected)
    if by_htmx(request):
        return fragment(request, "review/_approved.html", visitor, **_context(request, desk, visitor, view, wanted))
    return redirect(request, _here(view, wanted))


@router.post("/reviews/{review_id}/finish")
def finish(request: Request, visitor: Reviewer, desk: Desked, review_id: str, wanted: Wanted) -> Response:
    """Submits, and goes on to the next call of the same queue."""
    _ = words_of(request).gettext
    service, zone = reviewing(desk), ZoneInfo(desk.settings.timezone)
    filters = wanted.filters(desk.clock(), zone)
    with desk.database.reading() as session:
        _before, behind = queue.neighbours(session, visitor, filters, review_id)
    try:
        view = service.finish(visitor, review_id)
    except UnfinishedError as error:
        view = service.look(visitor, review_id)
        first = card_of(view, error.criteria[0], language_of(request)).number
        told = _("Still to be decided: %(number)s", number=len(error.criteria))
        return redirect(request, f"{_here(view, wanted)}#c{first}", told=told, tone="partly")
    with desk.database.reading() as session:
        onward = repository.calls_of(session, [behind]).get(behind) if behind else None
    told = _("%(call)s is finished", call=view.shown_call_id)
    return redirect(request, _review_url(onward, behind, wanted) if onward else wanted.url(), told=told)


@router.post("/reviews/{review_id}/release")
def release(request: Request, visitor: Reviewer, desk: Desked, review_id: str, wanted: Wanted) -> Response:
    """Gives a call back to the pool before the claim runs out."""
    reviewing(desk).release(visitor, review_id)
    return redirect(request, wanted.url())


def reviewing(desk: Desk) -> ReviewDesk:
    settings = desk.settings.desk
    return ReviewDesk(
        desk.database,
        bulk_confidence=settings.bulk_confidence,
        claim=timedelta(minutes=settings.claim_minutes),
        clock=desk.clock,
    )


def _page(
    request: Request, visitor: Principal, desk: Desk, view: ReviewView, wanted: QueueWanted, **more: Any
) -> Response:
    context = _context(request, desk, visitor, view, wanted)
    status = 409 if more else 200
    return page(request, "review/page.html", visitor, status=status, **{**context, **more})


def _context(request: Request, desk: Desk, visitor: Principal, view: ReviewView, wanted: QueueWanted) -> dict[str, Any]:
    language = language_of(request)
    filters, src = wanted.filters(desk.clock(), ZoneInfo(desk.settings.timezone)), f"/calls/{view.call_id}/audio"
    with desk.database.reading() as session:
        place = queue.place(session, visitor, filters, view.id)
        around = repository.calls_of(session, [id_ for id_ in (place.before, place.behind) if id_])
        heard = known_sound(session, view.call_id, src)
    heard = heard or sound_of(desk.database, desk.blobs, view.call_id, src)
    cards = cards_of(view, language)
    return {
        "view": view,
        "cards": cards,
        "lines": transcript_of(view, cards, language),
        "player": player_of(view, cards, heard),
        "progress": progress_of(view, language),
        "before": _review_url(around[place.before], place.before, wanted) if place.before else None,
        "behind": _review_url(around[place.behind], place.behind, wanted) if place.behind else None,
        "place": place.number,
        "of": place.of,
        "why": WHY,
        "speeds": standing.SPEEDS,
        "wanted": wanted,
        "query": _query(wanted),
        "may_write": "reviews:write" in visitor.scopes
        and view.state == "open"
        and view.claimed_by is None
        and not view.barred,
        "refused": None,
    }


def _saved(request: Request, visitor: Principal, view: ReviewView, criterion_id: str, wanted: QueueWanted) -> Response:
    card = card_of(view, criterion_id, language_of(request))
    if not by_htmx(request):
        return redirect(request, f"{_here(view, wanted)}#c{card.number}")
    return fragment(request, "review/_saved.html", visitor, **_card_context(request, view, card, wanted))


def _refused(
    request: Request,
    visitor: Principal,
    desk: Desk,
    view: ReviewView,
    criterion_id: str,
    error: StaleError | InputError,
    typed: dict[str, str],
    wanted: QueueWanted,
) -> Response:
    """The card again, with what stands and what was typed; as a whole page where there is no script."""
    stale = isinstance(error, StaleError)
    refused = {"criterion_id": criterion_id, "stale": stale, "typed": typed, "message": _message(request, error)}
    if not by_htmx(request):
        return _page(request, visitor, desk, view, wanted, refused=refused)
    context = _card_context(request, view, card_of(view, criterion_id, language_of(request)), wanted)
    status = 409 if stale else 422
    return fragment(request, "review/_saved.html", visitor, status=status, **{**context, "refused": refused})


def _message(request: Request, error: StaleError | InputError) -> str:
    _ = words_of(request).gettext
    if isinstance(error, StaleError):
        return _("Somebody decided this meanwhile. Look at both, and decide again.")
    if isinstance(error, JudgementError) and "reason" in str(error):
        return _("Give a reason: somebody will want to know why.")
    return _("This cannot be saved: choose one of the options, or a number that the form takes.")


def _card_context(request: Request, view: ReviewView, card: Any, wanted: QueueWanted) -> dict[str, Any]:
    return {
        "view": view,
        "card": card,
        "progress": progress_of(view, language_of(request)),
        "wanted": wanted,
        "query": _query(wanted),
        "may_write": True,
        "refused": None,
    }


def _query(wanted: QueueWanted) -> str:
    return f"?{urlencode(wanted.query)}" if wanted.query else ""


def _here(view: ReviewView, wanted: QueueWanted) -> str:
    return _review_url(view.call_id, view.id, wanted)


def _review_url(call_id: str, review_id: str | None, wanted: QueueWanted) -> str:
    return wanted.url(f"/calls/{call_id}", review=review_id)
