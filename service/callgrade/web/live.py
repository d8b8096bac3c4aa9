"""One event stream a browser: which topics have changed, and nothing of what they hold.

A page that hears of a topic it shows asks for that part again, where every rule about who may see what holds as ever.
So an event can tell nobody anything, and a blind review stays blind. A look at a topic serves all streams of this
process for a moment, whoever made the change on whichever host.
"""

import json
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from itertools import count
from time import monotonic
from typing import NamedTuple

import anyio
import anyio.to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.domain.errors import CallgradeError, NotAuthenticatedError
from callgrade.web.dependencies import Desk, Desked, admitted

TICK_S = 2.0
QUIET_TICKS, ADMIT_TICKS = 8, 15
"""After so many ticks a silent stream says that it is there, and asks whether its visitor is still signed in."""
FORGET_S = 60.0

router = APIRouter()


class Topic(NamedTuple):
    """Something that pages show live, as `hx-trigger="desk:<name> from:body"`. `look` gives anything that is another
    whenever it has changed; it is called often and must be cheap. `own`: it depends on the visitor, not on the client
    alone."""

    name: str
    scope: str
    look: Callable[[Session, Principal], Hashable]
    own: bool = False


class Pulse:
    """How things stand. One an app; its threads share it."""

    def __init__(self, desk: Desk, topics: Sequence[Topic]):
        self._database, self._topics = desk.database, topics
        self._seen: dict[tuple[str, str], tuple[float, Hashable]] = {}

    def look(self, visitor: Principal) -> dict[str, Hashable]:
        """The visitor's topics, each looked at within the last tick."""
        mine = [topic for topic in self._topics if topic.scope in visitor.scopes]
        fresh = monotonic() - TICK_S * 0.9
        stale = [topic for topic in mine if self._seen.get(_key(topic, visitor), (0.0, None))[0] < fresh]
        if stale:
            with self._database.reading() as session:
                found = {_key(topic, visitor): (monotonic(), topic.look(session, visitor)) for topic in stale}
            kept = {key: seen for key, seen in self._seen.copy().items() if seen[0] > fresh - FORGET_S}
            self._seen = {**kept, **found}
        return {topic.name: self._seen[_key(topic, visitor)][1] for topic in mine}


def _key(topic: Topic, visitor: Principal) -> tuple[str, str]:
    return topic.name, visitor.actor if topic.own else visitor.client_id


@router.get("/events")
async def events(request: Request, desk: Desked) -> Response:
    """Server-sent events: `hello` at once, `changed` with the names of topics, `signed-out` at the end of a session."""
    visitor = await anyio.to_thread.run_sync(admitted, request)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stream = _stream(request, desk, request.app.state.pulse, visitor)
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _stream(request: Request, desk: Desk, pulse: Pulse, visitor: Principal) -> AsyncIterator[str]:
    yield "retry: 5000\nevent: hello\ndata: []\n\n"
    before = await _look(pulse, visitor)
    for tick in count(1):
        await anyio.sleep(TICK_S)
        if desk.stopping.is_set():
            return
        if tick % ADMIT_TICKS == 0:
            try:
                visitor = await anyio.to_thread.run_sync(admitted, request)
            except NotAuthenticatedError:
                yield "event: signed-out\ndata: []\n\n"
                return
        now = await _look(pulse, visitor)
        changed = sorted(name for name, value in now.items() if value != before.get(name))
        if changed:
            yield f"event: changed\ndata: {json.dumps(changed)}\n\n"
        elif tick % QUIET_TICKS == 0:
            # or a proxy takes the silence for the end
            yield ": still here\n\n"
        before |= now


async def _look(pulse: Pulse, visitor: Principal) -> dict[str, Hashable]:
    try:
        return await anyio.to_thread.run_sync(pulse.look, visitor)
    except CallgradeError:
        # a database that is away for a moment ends nobody's stream
        return {}
