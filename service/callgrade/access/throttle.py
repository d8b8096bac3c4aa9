"""Guessing passwords is made slow: attempts are counted by login and by address, in the database, for all hosts.

The first few are free; each further one doubles the wait. Nobody is ever locked out for good: a login that is guessed
at waits half a minute at most each time, so that others can hardly keep its owner out, and an address a quarter of an
hour. What is kept is a digest of the login or address, until an hour after the last wait. Whether there is somebody of
a name changes nothing.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from typing import Literal, NamedTuple

from sqlmodel import Session

from callgrade.access import sign_in_repository as repository
from callgrade.db.tables import SignInFailures
from callgrade.domain.errors import TooManyRequestsError

Kind = Literal["login", "address"]
FREE: dict[Kind, int] = {"login": 5, "address": 20}
LONGEST: dict[Kind, timedelta] = {"login": timedelta(seconds=30), "address": timedelta(minutes=15)}
REMEMBERED = timedelta(hours=1)


class Subject(NamedTuple):
    kind: Kind
    digest: str


def subjects(login: str, address: str | None) -> list[Subject]:
    """What an attempt counts for. An address is that of the browser; an office behind one has its attempts together."""
    found = [Subject("login", _digest("login", login))]
    if address:
        found.append(Subject("address", _digest("address", _network(address))))
    return sorted(found)


def begin(session: Session, tried: Sequence[Subject], at: datetime) -> int:
    """Counts the attempt, before its password is looked at: of many at once none gets past. Says how many there were
    for the login of late, this one too. Raises TooManyRequestsError, and counts nothing, while a wait is on."""
    number = 0
    for subject in tried:
        row = repository.held_failures(session, subject.digest, at)
        if row.blocked_until is not None and at < row.blocked_until:
            wait = (row.blocked_until - at).total_seconds()
            raise TooManyRequestsError(f"too many attempts; try again in {max(1, round(wait))} s", retry_after_s=wait)
        if max(row.first_at, row.blocked_until or row.first_at) <= at - REMEMBERED:
            row.number, row.first_at = 0, at
        _count(row, subject.kind, row.number + 1, at)
        session.add(row)
        number = row.number if subject.kind == "login" else number
    session.flush()
    return number


def forgive(session: Session, tried: Sequence[Subject], at: datetime) -> None:
    """The attempt was right: the login begins anew, and the address has it back."""
    for subject in tried:
        if subject.kind == "login":
            repository.drop_failures(session, subject.digest)
            continue
        row = repository.held_failures(session, subject.digest, at)
        _count(row, subject.kind, max(0, row.number - 1), at)
        session.add(row)


def _count(row: SignInFailures, kind: Kind, number: int, at: datetime) -> None:
    over = number - FREE[kind]
    row.number = number
    row.blocked_until = at + min(LONGEST[kind], timedelta(seconds=2 ** min(over - 1, 20))) if over > 0 else None


def _network(address: str) -> str:
    """Of IPv6 whole networks are handed out, so one address there says little."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)


def _digest(kind: Kind, text: str) -> str:
    return hashlib.sha256(f"{kind}\n{text}".encode("utf-8", "replace")).hexdigest()
