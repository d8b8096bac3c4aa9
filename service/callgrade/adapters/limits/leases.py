"""Requests and tokens a minute, shared by every process that uses one database.

A minute's allowance is spread over its seconds. Who has requests waiting takes what they need out of this second's row,
as far as there is something left, and comes again in the next second for the rest: one small transaction a second and
process, however many requests.
"""

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable
from time import time
from typing import NamedTuple

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from callgrade.db.session import Database
from callgrade.db.tables import RateSecond
from callgrade.db.tables.core import table_of

RATE = table_of(RateSecond)
KEPT_S = 10
"""How long a second's row is kept. A clock that jumps back meets full seconds for at most so long."""
log = logging.getLogger(__name__)


class Lease(NamedTuple):
    requests: int
    tokens: int


class Leases:
    """For one event loop. `requests` and `tokens` a minute; None: no limit of that kind."""

    def __init__(
        self,
        database: Database,
        name: str,
        *,
        requests: int | None,
        tokens: int | None,
        clock: Callable[[], float] = time,
    ):
        self._database, self._name, self._clock = database, name, clock
        self._requests, self._tokens = requests, tokens
        self._has = Lease(0, 0)
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._taking: asyncio.Task[None] | None = None

    async def take(self, tokens: int) -> None:
        """Waits until one request of about so many tokens may be sent."""
        if self._requests is None and self._tokens is None:
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((tokens, turn))
        if self._taking is None or self._taking.done():
            self._taking = asyncio.create_task(self._take_for_all())
        await turn

    def settle(self, tokens: int, used: int) -> None:
        """A request for which `tokens` were taken has used so many: the next one pays, or gains, the difference."""
        if self._tokens is not None:
            self._has = self._has._replace(tokens=self._has.tokens + tokens - used)

    async def _take_for_all(self) -> None:
        while self._waiting:
            second = int(self._clock())
            try:
                lease = await asyncio.to_thread(self._lease, second, self._wanted())
            except Exception as error:
                # whoever waits here must not wait for ever: with the database it will go on
                log.warning("no lease of requests could be taken (%s); trying again", type(error).__name__)
                lease = Lease(0, 0)
            self._has = Lease(self._has.requests + lease.requests, self._has.tokens + lease.tokens)
            self._let_go()
            if self._waiting:
                # not all hosts at the same moment
                # nor, where the clock was put back meanwhile, until it is there again
                left = min(max(0.0, second + 1 - self._clock()), 1.0)
                await asyncio.sleep(left + random.uniform(0, 0.05))  # noqa: S311

    def _wanted(self) -> Lease:
        waiting = [tokens for tokens, turn in self._waiting if not turn.done()]
        return Lease(max(0, len(waiting) - self._has.requests), max(0, sum(waiting) - self._has.tokens))

    def _let_go(self) -> None:
        while self._waiting:
            tokens, turn = self._waiting[0]
            if turn.done():
                self._waiting.popleft()
                continue
            if self._requests is not None and self._has.requests < 1:
                return
            if self._tokens is not None and self._has.tokens < tokens:
                return
            self._waiting.popleft()
            self._has = Lease(
                self._has.requests - (self._requests is not None),
                self._has.tokens - (tokens if self._tokens is not None else 0),
            )
            turn.set_result(None)

    def _lease(self, second: int, wanted: Lease) -> Lease:
        with self._database.writing() as session:
            return lease(session, self._name, second, wanted, requests=self._requests, tokens=self._tokens)


def lease(
    session: Session, name: str, second: int, wanted: Lease, *, requests: int | None, tokens: int | None
) -> Lease:
    """Takes what is wanted out of a second, as far as it is there. `requests` and `tokens` are allowed a minute."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    row = {"name": name, "second": second, "requests": 0, "tokens": 0}
    session.execute(dialect.insert(RATE).values(row).on_conflict_do_nothing())
    here = (RATE.c.name == name) & (RATE.c.second == second)
    taken = session.execute(select(RATE.c.requests, RATE.c.tokens).where(here).with_for_update()).one()
    got = Lease(
        _part(wanted.requests, requests, second, taken.requests), _part(wanted.tokens, tokens, second, taken.tokens)
    )
    session.execute(
        update(RATE).where(here).values(requests=taken.requests + got.requests, tokens=taken.tokens + got.tokens)
    )
    session.execute(delete(RATE).where(RATE.c.name == name, RATE.c.second < second - KEPT_S))
    return got


def allowance(a_minute: int, second: int) -> int:
    """This second's share: over any minute of whole seconds they add up to the minute's."""
    return a_minute * (second + 1) // 60 - a_minute * second // 60


def _part(wanted: int, a_minute: int | None, second: int, taken: int) -> int:
    return 0 if a_minute is None else max(0, min(wanted, allowance(a_minute, second) - taken))
