"""Takes what is due to clients' webhooks, sends it, and writes down how it ended: a thread on each host that works.

Whose turn a delivery is, and which attempt, stands in its row, so any number of couriers work beside each other and one
that dies leaves its attempts to the others, when their lease is over. Only what can be sent this moment is taken: no
lease runs while its delivery stands behind those of a receiver that hangs.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from queue import Empty, SimpleQueue
from time import monotonic
from typing import NamedTuple, Protocol

from callgrade.adapters.places import Places, receiver_of
from callgrade.adapters.webhooks import Answer, outcome_of
from callgrade.db.session import Database
from callgrade.db.types import now
from callgrade.domain.errors import NotReadyError
from callgrade.evaluations import sending
from callgrade.evaluations.outbox import DELIVERIES
from callgrade.evaluations.sending import Outcome, Parcel

POLL_S = 1.0
"""Between two looks for what other processes stored, or whose time has come. What is stored here rings at once."""
COMPANY_S = 0.01
"""How long a result waits for others, to be written down together."""
WITHOUT_DATABASE_S = (0.5, 30.0)
_LOG = logging.getLogger(__name__)


class Sends(Protocol):
    """adapters.webhooks.Line."""

    def send(self, parcel: Parcel, at: datetime) -> Answer: ...

    def tidy(self) -> None: ...

    def close(self) -> None: ...


class _Ended(NamedTuple):
    parcel: Parcel
    answer: Answer


class Courier:
    """One a process. `start` and `stop` it, or let it `work_off` what is due in the caller's thread."""

    def __init__(
        self,
        database: Database,
        line: Sends,
        *,
        clock: Callable[[], datetime] = now,
        places: Places | None = None,
    ):
        self._database, self._line, self._clock = database, line, clock
        self._places = places or Places()
        self._ended: SimpleQueue[_Ended] = SimpleQueue()
        self._unsettled: list[Outcome] = []
        self._bell, self._stop, self._grace_s = threading.Event(), threading.Event(), 0.0
        self._thread = threading.Thread(target=self._work, name="callgrade-courier", daemon=True)
        database.listen(DELIVERIES, self._bell.set)

    def start(self) -> None:
        self._thread.start()

    def stop(self, grace_s: float = 10) -> None:
        """Takes nothing new, and writes down what ends within `grace_s`; the rest is made again after its lease."""
        self._grace_s = grace_s
        self._stop.set()
        self._bell.set()
        self._thread.join(timeout=grace_s + 30)

    def work_off(self) -> int:
        """Sends all that is due, and says how many attempts that were. Raises NotReadyError without a database."""
        sent = 0
        while True:
            sent += self._round()
            if not self._places.taken and not self._unsettled:
                return sent
            self._bell.wait(POLL_S)
            self._bell.clear()

    def _work(self) -> None:
        pause, longest = WITHOUT_DATABASE_S
        while not self._stop.is_set():
            self._bell.wait(POLL_S)
            if self._places.taken:
                self._stop.wait(COMPANY_S)
            self._bell.clear()
            if self._stop.is_set():
                break
            try:
                self._round()
                pause = WITHOUT_DATABASE_S[0]
            except Exception as error:
                # the text of an unforeseen one may hold a URL with its secrets
                reason = str(error) if isinstance(error, NotReadyError) else type(error).__name__
                _LOG.warning("webhooks wait %.1f s: %s", pause, reason)
                self._stop.wait(pause)
                pause = min(2 * pause, longest)
        self._finish()

    def _finish(self) -> None:
        deadline = monotonic() + self._grace_s
        try:
            self._hear()
            while self._places.taken and (left := deadline - monotonic()) > 0:
                self._settle()
                self._bell.wait(min(POLL_S, left))
                self._bell.clear()
                self._hear()
            self._settle()
        except Exception as error:
            _LOG.warning("webhooks that were sent may be sent again (%s)", type(error).__name__)
        self._line.close()

    def _round(self) -> int:
        """Writes down what has ended, takes what there is room for, and sends it; says how much that was."""
        self._hear()
        self._settle()
        at = self._clock()
        with self._database.reading() as session:
            due = [webhook for webhook in sending.due(session, at) if webhook.dead or self._room_for(webhook)]
        if not due:
            self._line.tidy()
            return 0
        return self._take(due, at)

    def _room_for(self, webhook: sending.Due) -> int:
        return self._places.free(receiver_of(webhook.url))

    def _take(self, due: list[sending.Due], at: datetime) -> int:
        parcels: list[Parcel] = []
        try:
            with self._database.writing() as session:
                for webhook in due:
                    room = self._room_for(webhook)
                    if webhook.dead or room:
                        some = sending.take(session, webhook, at, room)
                        self._places.take(receiver_of(webhook.url), len(some))
                        parcels += some
        except BaseException:
            for parcel in parcels:
                self._places.leave(receiver_of(parcel.url))
            raise
        for parcel in parcels:
            threading.Thread(target=self._send, args=(parcel,), name="callgrade-sending", daemon=True).start()
        return len(parcels)

    def _send(self, parcel: Parcel) -> None:
        try:
            answer = self._line.send(parcel, self._clock())
        except Exception as error:
            _LOG.error("sending failed (%s)", type(error).__name__, extra={"delivery": parcel.delivery_id})
            answer = Answer(None)
        self._ended.put(_Ended(parcel, answer))
        self._bell.set()

    def _hear(self) -> None:
        at = self._clock()
        while True:
            try:
                parcel, answer = self._ended.get_nowait()
            except Empty:
                return
            receiver = receiver_of(parcel.url)
            self._places.leave(receiver)
            self._places.answered(receiver, at_all=answer.status is not None)
            self._unsettled.append(outcome_of(parcel, answer, at))

    def _settle(self) -> None:
        if not self._unsettled:
            return
        with self._database.writing() as session:
            sending.settle(session, self._unsettled, self._clock())
        for outcome in self._unsettled:
            _log(outcome)
        self._unsettled = []


def _log(outcome: Outcome) -> None:
    told = {
        "delivery": outcome.parcel.delivery_id,
        "event_name": outcome.parcel.event,
        "attempt": outcome.parcel.attempt,
        "status": outcome.answered,
        "again_at": outcome.again_at.isoformat() if outcome.again_at else None,
    }
    _LOG.info("webhook", extra=told)
