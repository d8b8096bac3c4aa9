"""The same request twice is done once: Idempotency-Key.

    with database.writing() as session:
        begun = begin(session, client_id, key, fingerprint(…))
        …            # Answered: give that answer again.  AtWork: 409, come back later.  Fresh: do it, then
        finish(session, client_id, key, 202, {…})

All in one session, the row comes and goes with the work: whoever sends the same key meanwhile waits for that session to
end, and a failure leaves nothing behind, so that it can be tried again. Work that takes longer than a session may
(an upload of a million lines) begins in one, where it notes by what it can be found, and finishes in another. Its
repetitions are told AtWork in between, and it calls `abandon` where it fails. Whether it died with its process is told
by what it noted; then one of them may take it over.
"""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session

from callgrade.access import repository
from callgrade.db.tables import IdempotentRequest
from callgrade.db.types import now
from callgrade.domain.errors import ConflictError, InputError
from callgrade.domain.frozen import Frozen

KEPT = timedelta(hours=24)
"""How long an answer can be had again."""

KEY = re.compile(r"[\x21-\x7e]{1,200}")


class Fresh(Frozen):
    """Nobody has asked this before: do it."""


class Answered(Frozen):
    """It was done before, with this answer."""

    status: int
    answer: dict[str, Any]


class AtWork(Frozen):
    """The first one has begun and not finished. `noted` is what it said of itself."""

    since: datetime
    noted: dict[str, Any]


Begun = Fresh | Answered | AtWork


def fingerprint(method: str, target: str, body_sha256: str) -> str:
    """Tells two requests apart. `target` is path and query; `body_sha256` stands for the body."""
    return hashlib.sha256("\n".join((method.upper(), target, body_sha256)).encode()).hexdigest()


def begin(
    session: Session, client_id: str, key: str, fingerprint: str, *, at: datetime | None = None
) -> Fresh | Answered | AtWork:
    """Raises ConflictError where the key was used for another request, InputError for a key that is none."""
    if not KEY.fullmatch(key):
        raise InputError("Idempotency-Key: must be 1 to 200 printable ASCII characters without blanks")
    at = at or now()
    fresh = {"client_id": client_id, "key": key, "fingerprint": fingerprint, "created_at": at}
    if repository.insert_once(session, IdempotentRequest, fresh):
        return Fresh()
    row = repository.request(session, client_id, key)
    if row is None:  # forgotten between the two statements
        return begin(session, client_id, key, fingerprint, at=at)
    if row.fingerprint != fingerprint:
        raise ConflictError("Idempotency-Key: was used for another request; take a new key for a new request")
    if row.status is not None:
        return Answered(status=row.status, answer=row.answer or {})
    return AtWork(since=row.created_at, noted=row.answer or {})


def note(session: Session, client_id: str, key: str, noted: dict[str, Any]) -> None:
    """What the work that has begun can be found by, for whoever has to know whether it is alive."""
    repository.note_request(session, client_id, key, noted)


def take_over(session: Session, client_id: str, key: str, dead: AtWork, *, at: datetime | None = None) -> bool:
    """Of several that find it dead, one is told True and begins anew."""
    return repository.take_over_request(session, client_id, key, begun=dead.since, at=at or now())


def finish(session: Session, client_id: str, key: str, status: int, answer: dict[str, Any]) -> None:
    """Keeps the answer for whoever sends the same again. The first answer stays where there is one already."""
    repository.answer_request(session, client_id, key, status, answer)


def abandon(session: Session, client_id: str, key: str) -> None:
    """The work failed before it had an answer: the next one with this key begins anew."""
    repository.drop_request(session, client_id, key)


def forget(session: Session, is_alive: Callable[[AtWork], bool], *, at: datetime | None = None) -> int:
    """Removes what is older than KEPT, and says how many; to be called now and then. Work that is still at it is not
    forgotten, however old it is by a clock that may have been put forward."""
    older_than = (at or now()) - KEPT
    dead = [
        row
        for row in repository.unanswered_requests(session, older_than)
        if not is_alive(AtWork(since=row.created_at, noted=row.answer or {}))
    ]
    for row in dead:
        repository.drop_request(session, row.client_id, row.key)
    return len(dead) + repository.forget_requests(session, older_than)
