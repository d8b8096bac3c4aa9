"""Putting a transcript right: the words of a turn, who is who, and waiting until the call is judged again."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request, Response

from callgrade.access.principals import Principal
from callgrade.domain.corrections import LONGEST_TURN
from callgrade.domain.errors import InputError, UnknownResourceError
from callgrade.reviews.corrections import Again, Corrections, StaleWordsError, hand_back, standing_of
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.pages.queue import QueueWanted
from callgrade.web.preferences import words_of
from callgrade.web.shell import by_htmx, page, redirect

router = APIRouter()
Reviewer = Annotated[Principal, needs("reviews:write")]
Wanted = Annotated[QueueWanted, Query()]
Version = Annotated[int, Form(ge=0, le=100_000)]
Turn = Annotated[int, Form(ge=0, le=100_000)]
Text = Annotated[str, Form(max_length=4 * LONGEST_TURN)]


@router.get("/calls/{call_id}/words")
def words(
    request: Request,
    visitor: Reviewer,
    desk: Desked,
    call_id: str,
    review: str,
    wanted: Wanted,
    turn: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> Response:
    """One turn as a plain form, for whoever has no script."""
    return _form(request, visitor, desk, review, turn, wanted, of_call=call_id)


@router.post("/reviews/{review_id}/words")
def correct(
    request: Request,
    visitor: Reviewer,
    desk: Desked,
    review_id: str,
    turn: Turn,
    version: Version,
    wanted: Wanted,
    text: Text = "",
) -> Response:
    """One turn. What cannot be saved comes back with what was typed; beside what stands now, where that is newer."""
    try:
        again = correcting(desk).correct(visitor, review_id, turn, text, version)
    except (StaleWordsError, InputError) as error:
        return _form(request, visitor, desk, review_id, turn, wanted, typed=text, error=error)
    return _onward(request, again, wanted)


@router.post("/reviews/{review_id}/speakers")
def swap_speakers(
    request: Request, visitor: Reviewer, desk: Desked, review_id: str, version: Version, wanted: Wanted
) -> Response:
    try:
        again = correcting(desk).swap_speakers(visitor, review_id, version)
    except (StaleWordsError, InputError) as error:
        return _form(request, visitor, desk, review_id, 0, wanted, error=error)
    return _onward(request, again, wanted)


def correcting(desk: Desk) -> Corrections:
    return Corrections(desk.database, desk.intake.hand_over, clock=desk.clock)


def awaited(request: Request, visitor: Principal, desk: Desk, review_id: str, wanted: QueueWanted) -> Response:
    """The page of a review whose proposal is still to come; htmx asks again and again. It leads to the review as soon
    as that is there."""
    hand_back(desk.database)
    state, status, call = standing_of(desk.database, visitor, review_id)
    if state != "awaiting":
        return redirect(request, wanted.url(f"/calls/{call.id}", review=review_id))
    if by_htmx(request):
        return Response(status_code=204)
    return page(
        request, "review/awaiting.html", visitor, shown_call_id=call.call_id, status_of_call=status, wanted=wanted
    )


def _onward(request: Request, again: Again, wanted: QueueWanted) -> Response:
    told = words_of(request).gettext("Saved. The call is judged again by the corrected words.")
    return redirect(request, wanted.url(f"/calls/{again.call_id}", review=again.review_id), told=told)


def _form(
    request: Request,
    visitor: Principal,
    desk: Desk,
    review_id: str,
    turn: int,
    wanted: QueueWanted,
    *,
    typed: str | None = None,
    error: StaleWordsError | InputError | None = None,
    of_call: str | None = None,
) -> Response:
    found = correcting(desk).words(visitor, review_id)
    if of_call not in (None, found.call_id) or turn >= len(found.transcript.turns):
        raise UnknownResourceError("there is no such turn in this call")
    stale = isinstance(error, StaleWordsError)
    status = 200 if error is None else 409 if stale else 422
    context: dict[str, Any] = {
        "found": found,
        "review_id": review_id,
        "number": turn,
        "turn": found.transcript.turns[turn],
        "typed": typed,
        "stale": stale,
        "refused": error is not None and not stale,
        "longest": LONGEST_TURN,
        "wanted": wanted,
        "back": wanted.url(f"/calls/{found.call_id}", review=review_id),
        "query": wanted.url("").removeprefix("/"),
    }
    return page(request, "review/words.html", visitor, status=status, **context)
