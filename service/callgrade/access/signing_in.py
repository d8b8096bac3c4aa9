"""Signing in with a password, and staying signed in.

A browser holds an opaque token of 256 bits; the database holds its SHA-256, whose it is, when it was last seen and when
it ends at the latest. Nothing in the token can be read or forged, and a session that was ended is over at the next
request, on every host.
"""

import hashlib
import logging
import secrets
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import Row
from sqlmodel import Session

from callgrade.access import audit, people_repository, throttle
from callgrade.access import sign_in_repository as repository
from callgrade.access.passwords import BadPasswordError, check_password, hash_password, require_good_password
from callgrade.access.people import parse_login, principal_in, principal_of
from callgrade.access.principals import Principal
from callgrade.access.repository import client_named
from callgrade.db.session import Database
from callgrade.db.tables import SignIn, User
from callgrade.db.types import now
from callgrade.domain.errors import CallgradeError, ConflictError, InputError, NotAuthenticatedError

GRAIN = timedelta(minutes=1)
IDLE, ABSOLUTE = timedelta(hours=8), timedelta(days=7)
TELLING = (5, 10, 20, 50, 100, 200, 500, 1000)
"""At so many wrong passwords for somebody the record says so."""

log = logging.getLogger(__name__)


Refusal = Literal["wrong", "disabled", "passed"]
_SAID: dict[Refusal, str] = {
    "wrong": "the login or the password is not right",
    "disabled": "this account is disabled; ask whoever administers callgrade",
    "passed": "this password was good for a while only, and that has passed; ask for a new one",
}


class WrongPasswordError(NotAuthenticatedError):
    """`wrong` is the same for a login that nobody has; the others are told only to who has the right password."""

    def __init__(self, why: Refusal = "wrong"):
        self.why = why
        super().__init__(_SAID[why])


class PasswordDueError(ConflictError):
    """The password is right, and somebody else made it: its owner has to choose one now."""


class Browser(NamedTuple):
    """One of somebody's sessions. `id` tells it from the others and opens nothing."""

    id: str
    browser: str
    since: datetime
    seen_at: datetime
    """To the minute."""
    here: bool


class SignIns:
    """Who is signed in. One a process; threads share it."""

    def __init__(
        self,
        database: Database,
        *,
        idle: timedelta = IDLE,
        absolute: timedelta = ABSOLUTE,
        clock: Callable[[], datetime] = now,
    ):
        self._database, self._idle, self._absolute, self._clock = database, idle, absolute, clock
        self._noted: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def sign_in(
        self,
        login: str,
        password: str,
        *,
        new_password: str | None = None,
        client: str | None = None,
        browser: str = "",
        address: str | None = None,
    ) -> str:
        """The token for a browser. `client` is needed by name where two clients have the same login.

        Raises WrongPasswordError, TooManyRequestsError, PasswordDueError where `new_password` is needed too,
        BadPasswordError for a new one that is bad.
        """
        at = self._clock()
        try:
            login = parse_login(login)
        except InputError:
            login = ""
        tried = throttle.subjects(login, address)
        with self._database.writing() as session:
            number = throttle.begin(session, tried, at)
            user = self._user(session, login, client)
            kept = user.password_hash if user else None
        # between the sessions, because it takes 50 ms and SQLite has one writer
        right, anew = check_password(password, kept)
        if user is None or not right:
            self._note_failure(user, number)
            raise WrongPasswordError
        try:
            anew = self._due(user, password, new_password, at) or anew
        except (PasswordDueError, BadPasswordError):
            with self._database.writing() as session:
                throttle.forgive(session, tried, at)
            raise
        with self._database.writing() as session:
            user = self._still(session, user)
            throttle.forgive(session, tried, at)
            if anew:
                user.password_hash, user.password_until = anew, None
                session.add(user)
            return self._open(session, user, browser, at, by="password")

    def welcome(self, session: Session, user: User, *, browser: str = "") -> str:
        """The token for somebody whom the OpenID provider has vouched for. Raises NotAuthenticatedError."""
        return self._open(session, self._still(session, user), browser, self._clock(), by="provider")

    def admit(self, token: str, at: datetime | None = None, *, quietly: bool = False) -> Principal:
        """Raises NotAuthenticatedError. `quietly` leaves the moment they were last seen as it was."""
        at, token_hash = at or self._clock(), _hash(token)
        with self._database.reading() as session:
            found = repository.admitted(session, token_hash)
        if not found or not self._lives(found[0], at) or found[0].disabled_at is not None:
            raise NotAuthenticatedError("nobody is signed in with this any more")
        row = found[0]
        principal = principal_in(row, frozenset(one.led for one in found if one.led is not None))
        if not quietly and row.seen_at <= at - GRAIN and self._first_to_note(token_hash, at):
            self._note_seen(token_hash, at)
        return principal

    def sign_out(self, token: str) -> None:
        """Doing it twice changes nothing."""
        with self._database.writing() as session:
            user_id = repository.drop(session, _hash(token))
            user = user_id and session.get(User, user_id)
            if user:
                audit.record(session, principal_of(session, user), "user.signed_out", user.id)

    def sign_out_everywhere(self, principal: Principal) -> int:
        """In how many browsers that was."""
        assert principal.user_id is not None
        with self._database.writing() as session:
            number = repository.drop_of(session, principal.user_id)
            audit.record(session, principal, "user.signed_out", principal.user_id, {"browsers": number})
        return number

    def end(self, principal: Principal, id_: str) -> None:
        """One of their own sessions. One that is not there has ended already."""
        assert principal.user_id is not None
        with self._database.writing() as session:
            for row in repository.of(session, principal.user_id):
                if _shown_id(row) == id_:
                    repository.drop(session, row.token_hash)
                    audit.record(session, principal, "user.signed_out", principal.user_id, {"browsers": 1})

    def browsers(self, principal: Principal, token: str) -> list[Browser]:
        """Their own sessions, the last seen first."""
        assert principal.user_id is not None
        at, here = self._clock(), _hash(token)
        with self._database.reading() as session:
            rows = [row for row in repository.of(session, principal.user_id) if self._lives(row, at)]
        return [
            Browser(_shown_id(row), row.browser, row.created_at, row.seen_at, row.token_hash == here) for row in rows
        ]

    def change_password(
        self, principal: Principal, old: str, new: str, *, browser: str = "", address: str | None = None
    ) -> str:
        """By its owner. Every session ends, this browser's gets a new token.

        Raises WrongPasswordError, TooManyRequestsError, BadPasswordError, ConflictError for whoever signs in elsewhere.
        """
        at = self._clock()
        with self._database.writing() as session:
            user = session.get(User, principal.user_id)
            if user is None or user.password_hash is None:
                raise ConflictError("you sign in at your provider; the password is changed there")
            tried = throttle.subjects(user.login, address)
            number = throttle.begin(session, tried, at)
        right, _ = check_password(old, user.password_hash)
        if not right:
            self._note_failure(user, number)
            raise WrongPasswordError
        hashed = _chosen(user, old, new)
        with self._database.writing() as session:
            user = self._still(session, user)
            throttle.forgive(session, tried, at)
            user.password_hash, user.password_until = hashed, None
            session.add(user)
            number = repository.drop_of(session, user.id)
            audit.record(session, principal, "user.password_changed", user.id, {"browsers": number})
            return self._open(session, user, browser, at, by="password")

    def prefer(self, principal: Principal, language: str | None) -> None:
        """In which language somebody reads, on every browser."""
        with self._database.writing() as session:
            user = session.get(User, principal.user_id)
            if user is not None:
                user.language = language
                session.add(user)

    def number_of_clients(self) -> int:
        """Those that have people: with several, whoever signs in has to say which is theirs."""
        with self._database.reading() as session:
            return people_repository.number_of_clients(session)

    def forget(self, at: datetime | None = None) -> int:
        """Removes what has ended; to be called now and then."""
        at = at or self._clock()
        with self._database.writing() as session:
            return (
                repository.drop_ended(session, at, self._idle)
                + repository.drop_old_failures(session, at - throttle.REMEMBERED)
                + repository.drop_old_begun(session, at)
            )

    @staticmethod
    def _user(session: Session, login: str, client: str | None) -> User | None:
        named = client_named(session, client) if client else None
        if client and named is None:
            return None
        found = people_repository.users_called(session, login, named.id if named else None)
        return found[0] if len(found) == 1 else None

    @staticmethod
    def _due(user: User, password: str, new: str | None, at: datetime) -> str | None:
        """The hash of the new password, where one is due."""
        if user.password_until is None:
            return None
        if user.password_until <= at:
            raise WrongPasswordError("passed")
        if not new:
            raise PasswordDueError("this password was made for you; choose one of your own now")
        return _chosen(user, password, new)

    @staticmethod
    def _still(session: Session, user: User) -> User:
        """As they are now, and nobody changes them before the session ends."""
        held = people_repository.user(session, user.client_id, user.id, hold=True)
        if held is None or held.disabled_at is not None:
            raise WrongPasswordError("disabled")
        if held.password_hash != user.password_hash:
            raise WrongPasswordError
        return held

    def _open(self, session: Session, user: User, browser: str, at: datetime, *, by: str) -> str:
        token = secrets.token_urlsafe(32)
        row = SignIn(token_hash=_hash(token), user_id=user.id, ends_at=at + self._absolute, browser=browser[:80])
        row.created_at = row.seen_at = at
        repository.add(session, row)
        audit.record(session, principal_of(session, user), "user.signed_in", user.id, {"by": by})
        return token

    def _lives(self, row: SignIn | Row[Any], at: datetime) -> bool:
        return row.ends_at > at and row.seen_at > at - self._idle

    def _note_failure(self, user: User | None, number: int) -> None:
        """Of people who are known, and how many it were; what strangers typed is nobody's business."""
        if user is None or number not in TELLING:
            return
        with self._database.writing() as session:
            audit.record(session, principal_of(session, user), "user.sign_in_failed", user.id, {"number": number})

    def _first_to_note(self, token_hash: str, at: datetime) -> bool:
        """Of the many requests of one page, one writes."""
        with self._lock:
            first = self._noted.get(token_hash, at - GRAIN) <= at - GRAIN
            if first:
                if len(self._noted) > 10_000:
                    self._noted.clear()
                self._noted[token_hash] = at
            return first

    def _note_seen(self, token_hash: str, at: datetime) -> None:
        try:
            with self._database.writing() as session:
                repository.note_seen(session, token_hash, at, GRAIN)
        except CallgradeError as error:  # a full disk must not lock out those who only read
            log.warning("when somebody was last seen could not be noted: %s", error.type)


def _chosen(user: User, old: str, new: str) -> str:
    """Raises BadPasswordError."""
    require_good_password(new, about=(user.login, user.name))
    if new == old:
        raise BadPasswordError("same")
    return hash_password(new)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _shown_id(row: SignIn) -> str:
    return row.token_hash[:16]
