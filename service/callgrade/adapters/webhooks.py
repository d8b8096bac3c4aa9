"""Sends deliveries to clients' webhooks: signed as Standard Webhooks asks, at least once, and with patience.

    webhook-id          the event's id; the same whenever it is sent again, so a receiver can pass over what it has
    webhook-timestamp   of this attempt
    webhook-signature   v1,… over id, timestamp and body, with the webhook's secret

The URL is a client's, so it is sent through the same guard as recordings are fetched. Redirects are not followed: a
signed event belongs where it was registered for. A 2xx answer is a receipt; 410 says that nobody wants these any more,
and disables the webhook; all else is tried again, ten attempts in just over three days.
"""

import json
import logging
import random
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import httpcore
from sqlmodel import Session
from standardwebhooks.webhooks import Webhook

from callgrade.adapters.guarded import (
    Deadline,
    FetchFailedError,
    GuardedBackend,
    Resolve,
    exchange,
    header,
    resolve,
)
from callgrade.calls.urls import UrlRefusedError, parse_target
from callgrade.db.session import Database
from callgrade.db.types import now
from callgrade.evaluations import sending
from callgrade.evaluations.sending import Parcel

PAUSES_S = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
"""After each attempt, as the standard suggests; a fifth more or less, so that what failed together comes apart."""
LONGEST_PAUSE_S = 24 * 3600
ATTEMPT_S = 20.0
GONE = 410
_LOG = logging.getLogger(__name__)


class Answer(NamedTuple):
    """`status` is None where nobody answered. `retry_after_s` is what was asked for."""

    status: int | None
    retry_after_s: float = 0.0

    @property
    def is_receipt(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Line:
    """How events go out. The arguments are for tests, but for `allow_private` (`service.allow_private_urls`)."""

    def __init__(
        self,
        *,
        allow_private: bool = False,
        resolve: Resolve = resolve,
        network: httpcore.NetworkBackend | None = None,
        ssl_context: ssl.SSLContext | None = None,
        attempt_s: float = ATTEMPT_S,
    ):
        self._allow_private, self._resolve = allow_private, resolve
        self._network, self._ssl_context, self._attempt_s = network, ssl_context, attempt_s

    def send(self, parcel: Parcel, at: datetime) -> Answer:
        """One attempt. Never raises for what the other side does."""
        body = json.dumps(parcel.payload, ensure_ascii=False, separators=(",", ":"))
        headers = {"Content-Type": "application/json", **signed(parcel.secret, parcel.event_id, at, body)}
        backend = GuardedBackend(
            Deadline(self._attempt_s), allow_private=self._allow_private, resolve=self._resolve, inner=self._network
        )
        try:
            target = parse_target(parcel.url, allow_private=self._allow_private)
            with exchange(
                backend, "POST", target, headers=headers, content=body.encode(), ssl_context=self._ssl_context
            ) as response:
                answer = Answer(response.status, _seconds(header(response, "retry-after"), at))
        except (UrlRefusedError, FetchFailedError):
            return Answer(None)
        return answer


def deliver(
    database: Database,
    delivery_id: str,
    *,
    line: Line | None = None,
    clock: Callable[[], datetime] = now,
) -> float | None:
    """One attempt at a delivery, where one is due. Seconds until the next, or None when it is over: delivered, given
    up, or nobody wants it any more.

    It may be called at any time and by several at once: whose turn it is stands in the database. An attempt that dies
    with its process is made again after a minute, so an event may arrive twice and is never lost. Raises NotReadyError
    without a database.
    """
    at = clock()
    with database.writing() as session:
        taken = sending.take(session, delivery_id, at)
    if taken is None:
        return None
    if isinstance(taken, datetime):
        return max(1.0, (taken - at).total_seconds())
    answer = (line or Line()).send(taken, at)
    pause = None if answer.is_receipt or answer.status == GONE else _pause(taken.attempt, answer)
    with database.writing() as session:
        _settle(session, taken, answer, pause, clock())
    _LOG.info(
        "webhook",
        extra={
            "delivery": delivery_id,
            "event_name": taken.event,
            "attempt": taken.attempt,
            "status": answer.status,
            "again_in_s": pause,
        },
    )
    return pause


def signed(secret: str, event_id: str, at: datetime, body: str) -> dict[str, str]:
    """The standard's three headers. `at` in UTC: the library takes the numbers on the clock for those of UTC."""
    at = at.astimezone(UTC)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, at, body),
    }


def _settle(session: Session, parcel: Parcel, answer: Answer, pause: float | None, at: datetime) -> None:
    if answer.status is not None and answer.is_receipt:
        sending.delivered(session, parcel, answer.status, at)
        return
    if answer.status == GONE:
        sending.disable(session, parcel.webhook_id, at)
    sending.missed(session, parcel, answer.status, None if pause is None else at + timedelta(seconds=pause))


def _pause(attempt: int, answer: Answer) -> float | None:
    """After the last attempt there is none. One that was sent again by hand counts on from where it was."""
    if attempt > len(PAUSES_S):
        return None
    own = PAUSES_S[attempt - 1] * random.uniform(0.8, 1.2)  # noqa: S311
    return min(max(own, answer.retry_after_s), LONGEST_PAUSE_S)


def _seconds(retry_after: str, at: datetime) -> float:
    """Of a Retry-After: a number, or a date (RFC 9110, 10.2.3). 0 for what is neither."""
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, TypeError, IndexError):
        return 0.0
    return (moment - at).total_seconds() if moment.tzinfo else 0.0
