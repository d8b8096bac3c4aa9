"""Sends an event to a client's webhook, once: signed as Standard Webhooks asks. When and how often is the courier's.

    webhook-id          the event's id; the same whenever it is sent again, so a receiver can pass over what it has
    webhook-timestamp   of this attempt
    webhook-signature   v1,… over id, timestamp and body, with the webhook's secret

The URL is a client's, so it is sent through the same guard as recordings are fetched. Redirects are not followed: a
signed event belongs where it was registered for. A 2xx answer is a receipt; 410 says that nobody wants these any more,
and disables the webhook; all else is tried again, ten attempts in just over three days.
"""

import json
import math
import random
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

import httpcore
from standardwebhooks.webhooks import Webhook

from callgrade.adapters.connections import Connection, Connections
from callgrade.adapters.guarded import Deadline, FetchFailedError, GuardedBackend, Resolve, resolve
from callgrade.calls.urls import UrlRefusedError, parse_target
from callgrade.evaluations.sending import Outcome, Parcel

PAUSES_S = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
"""After each attempt, as the standard suggests; a fifth more or less, so that what failed together comes apart."""
LONGEST_PAUSE_S = 24 * 3600
ATTEMPT_S = 20.0
GONE = 410


class Answer(NamedTuple):
    """`status` is None where nobody answered. `retry_after_s` is what was asked for."""

    status: int | None
    retry_after_s: float = 0.0

    @property
    def is_receipt(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Line:
    """How events go out; threads share it. The arguments are for tests, but for `allow_private`
    (`service.allow_private_urls`)."""

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
        self._connections = Connections(self._open)

    def send(self, parcel: Parcel, at: datetime) -> Answer:
        """One attempt. Never raises for what the other side does."""
        body = json.dumps(parcel.payload, ensure_ascii=False, separators=(",", ":"))
        headers = {"Content-Type": "application/json", **signed(parcel.secret, parcel.event_id, at, body)}
        try:
            target = parse_target(parcel.url, allow_private=self._allow_private)
        except UrlRefusedError:
            return Answer(None)
        connection = self._connections.borrow(target)
        try:
            said = connection.post(target, headers, body.encode())
        except (UrlRefusedError, FetchFailedError):
            connection.close()
            return Answer(None)
        except BaseException:
            connection.close()
            raise
        self._connections.give_back(target, connection)
        return Answer(said.status, _seconds(said.retry_after, at))

    def tidy(self) -> None:
        """To be called now and then: connections that nobody needs any more are closed."""
        self._connections.tidy()

    def close(self) -> None:
        self._connections.tidy(idle_s=-math.inf)

    def _open(self) -> Connection:
        deadline = Deadline(self._attempt_s)
        backend = GuardedBackend(
            deadline, allow_private=self._allow_private, resolve=self._resolve, inner=self._network
        )
        return Connection(deadline, backend, self._ssl_context)


def outcome_of(parcel: Parcel, answer: Answer, at: datetime) -> Outcome:
    gone = answer.status == GONE
    pause = None if answer.is_receipt or gone else _pause(parcel.attempt, answer)
    again_at = None if pause is None else at + timedelta(seconds=pause)
    return Outcome(parcel, answer.status, receipt=answer.is_receipt, gone=gone, again_at=again_at)


def signed(secret: str, event_id: str, at: datetime, body: str) -> dict[str, str]:
    """The standard's three headers. `at` in UTC: the library takes the numbers on the clock for those of UTC."""
    at = at.astimezone(UTC)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, at, body),
    }


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
