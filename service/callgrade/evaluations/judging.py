"""One call, one model, and the patience between them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from callgrade.domain.calls import Transcript
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.asking import Bench
from callgrade.evaluations.failures import NoVerdictError, model_failures, nothing_judged
from callgrade.evaluations.service import Evaluator

OWN_FAILURES = 3
"""How often the model may fail this call while it answers others, before it is the call's own fault."""
PAUSE_S = 0.5

Turn = Callable[[], Awaitable[None]]


async def nothing() -> None:
    return


class Seat(NamedTuple):
    """An evaluator, and what is known of the model that its judges ask."""

    evaluator: Evaluator
    bench: Bench


async def judged(seat: Seat, transcript: Transcript, *, parked: Turn = nothing, resumed: Turn = nothing) -> Scorecard:
    """The scorecard, however long the model is away: `parked` is called before a wait and `resumed` after it.

    What was answered meanwhile comes from the answer cache the next time. Raises NoVerdictError where waiting does not
    help: for another reason, or because the model answers others and not this call. A scorecard with some criteria
    failed is better than none and is returned then.
    """
    own, outage = 0, seat.bench.outage
    while True:
        answers = outage.answers
        card = await seat.evaluator.evaluate(transcript)
        failures = model_failures(card)
        if not failures:
            return card
        mendable = any(failure.type in seat.bench.waiting_helps for failure in failures)
        own += outage.answers > answers
        if not mendable or own > OWN_FAILURES:
            if nothing_judged(card):
                raise NoVerdictError(failures[0])
            return card
        await parked()
        await asyncio.sleep(PAUSE_S * 2**own)
        await outage.over()
        await resumed()


def of_release(card: Scorecard, release_id: str | None) -> Scorecard:
    if release_id is None:
        return card
    return card.model_copy(update={"provenance": card.provenance.model_copy(update={"release": release_id})})
