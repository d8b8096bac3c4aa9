"""Signing in at an OpenID provider, and who that is here.

What a browser is sent away with can be brought back once, by the same browser, within ten minutes: the `state` in the
URL and a cookie are both needed, and of both only hashes are kept. Who comes back is known by the provider's subject.
A user whom an admin made for somebody (a login, no password) becomes theirs when they first come; a user with a
password never does, because at some providers people choose their own names.
"""

import hashlib
import hmac
import logging
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple, Protocol

from sqlmodel import Session

from callgrade.access import audit, people, people_repository
from callgrade.access import sign_in_repository as repository
from callgrade.access.keys import ensure_client
from callgrade.access.people import Told, parse_login
from callgrade.access.principals import system
from callgrade.access.signing_in import SignIns
from callgrade.db.session import Database
from callgrade.db.tables import BegunSignIn, User
from callgrade.db.types import now
from callgrade.domain.errors import ConflictError, InputError, NotAuthenticatedError
from callgrade.settings import OIDCSettings, PersonRole

PATIENCE = timedelta(minutes=10)
"""So long somebody may take at the provider."""
LONGEST_CLAIM = 200
log = logging.getLogger(__name__)


class ProviderRefusedError(NotAuthenticatedError):
    """`why` is a word for whoever runs the service; it tells nothing of anybody."""

    def __init__(self, why: str):
        self.why = why
        super().__init__("signing in at the provider did not work; begin again, and where it goes on, tell an admin")


Why = Literal["organisation", "disabled", "login", "role", "unknown", "misfit"]
_SAID: dict[Why, str] = {
    "organisation": "this account belongs to another organisation",
    "disabled": "this account is disabled; ask whoever administers callgrade",
    "login": "another account has this login; an admin can tell which is whose",
    "role": "the provider gives you no role here",
    "unknown": "an admin has to add you here first",
    "misfit": "what the provider says of you does not fit",
}


class NotAdmittedError(NotAuthenticatedError):
    """The provider knows them; we do not let them in."""

    def __init__(self, why: Why, more: str = ""):
        self.why = why
        super().__init__(f"{_SAID[why]}: {more}" if more else _SAID[why])


class Begun(NamedTuple):
    """`url` is where the browser goes; the rest is remembered."""

    url: str
    state: str
    nonce: str
    verifier: str


class Provider(Protocol):
    """`adapters.oidc.OpenIDProvider`."""

    issuer: str

    def close(self) -> None: ...

    def begin(self, redirect_url: str) -> Begun: ...

    def finish(
        self, code: str, *, nonce: str, verifier: str, redirect_url: str, wanted: Sequence[str] = ()
    ) -> Mapping[str, Any]: ...


class SentAway(NamedTuple):
    """Where the browser goes, and the cookie it takes along."""

    url: str
    cookie: str


class Welcomed(NamedTuple):
    token: str
    next_path: str


class Elsewhere:
    """One a process; threads share it."""

    def __init__(self, database: Database, provider: Provider, settings: OIDCSettings, sign_ins: SignIns):
        self._database, self._provider, self._settings, self._sign_ins = database, provider, settings, sign_ins

    def close(self) -> None:
        self._provider.close()

    def begin(self, redirect_url: str, next_path: str, *, at: datetime | None = None) -> SentAway:
        """Raises NotReadyError where the provider cannot be reached."""
        begun, cookie = self._provider.begin(redirect_url), secrets.token_urlsafe(32)
        row = BegunSignIn(
            state_hash=_hash(begun.state),
            browser_hash=_hash(cookie),
            nonce=begun.nonce,
            verifier=begun.verifier,
            next_path=next_path,
            ends_at=(at or now()) + PATIENCE,
        )
        with self._database.writing() as session:
            repository.add_begun(session, row)
        return SentAway(begun.url, cookie)

    def finish(
        self,
        *,
        state: str,
        cookie: str | None,
        code: str | None,
        redirect_url: str,
        issuer: str | None = None,
        browser: str = "",
        at: datetime | None = None,
    ) -> Welcomed:
        """What the browser brought back. Without a code the provider has refused.

        Raises ProviderRefusedError, NotAdmittedError, NotReadyError.
        """
        try:
            return self._finish(state, cookie, code, redirect_url, issuer, browser, at or now())
        except ProviderRefusedError as error:
            log.warning("a sign-in at the OpenID provider was refused: %s", error.why)
            raise

    def _finish(
        self,
        state: str,
        cookie: str | None,
        code: str | None,
        redirect_url: str,
        issuer: str | None,
        browser: str,
        at: datetime,
    ) -> Welcomed:
        with self._database.writing() as session:
            begun = repository.take_begun(session, _hash(state))
        if begun is None or begun.ends_at <= at:
            raise ProviderRefusedError("state-unknown")
        if cookie is None or not hmac.compare_digest(begun.browser_hash, _hash(cookie)):
            raise ProviderRefusedError("another-browser")
        if issuer is not None and issuer != self._provider.issuer:
            raise ProviderRefusedError("another-issuer")  # RFC 9207
        if not code:
            raise ProviderRefusedError("refused-there")
        claims = self._provider.finish(
            code, nonce=begun.nonce, verifier=begun.verifier, redirect_url=redirect_url, wanted=self._wanted()
        )
        with self._database.writing() as session:
            user = self._user(session, claims)
            return Welcomed(self._sign_ins.welcome(session, user, browser=browser), begun.next_path)

    def _wanted(self) -> list[str]:
        told = self._settings
        names = [told.login_claim, told.role_claim if told.roles else None, told.team_claim, told.agent_claim]
        return [name for name in names if name]

    def _user(self, session: Session, claims: Mapping[str, Any]) -> User:
        """Raises NotAdmittedError."""
        subject = str(claims["sub"])
        client_id = ensure_client(session, self._settings.client).id
        known = people_repository.user_of_issuer(session, self._provider.issuer, subject)
        if known is not None and known.client_id != client_id:
            raise NotAdmittedError("organisation")
        if known is not None and known.disabled_at is not None:
            raise NotAdmittedError("disabled")
        try:
            if known is None:
                known = self._new(session, client_id, subject, claims)
            return self._as_claimed(session, known, claims)
        except (InputError, ConflictError) as error:
            raise NotAdmittedError("misfit", str(error)) from None

    def _new(self, session: Session, client_id: str, subject: str, claims: Mapping[str, Any]) -> User:
        login = parse_login(_text(claims.get(self._settings.login_claim)) or "")
        waiting = people_repository.users_called(session, login, client_id)
        if waiting:
            user = waiting[0]
            if user.disabled_at is not None:
                raise NotAdmittedError("disabled")
            if user.password_hash is not None or user.issuer is not None:
                raise NotAdmittedError("login")
        elif self._settings.create:
            role = self._role(claims)
            if role is None:
                raise NotAdmittedError("role")
            made = people.create_user(session, system(client_id), login, self._told(claims, role))
            user = _found(session, made.id)
        else:
            raise NotAdmittedError("unknown")
        user.issuer, user.issuer_subject = self._provider.issuer, subject
        session.add(user)
        session.flush()
        audit.record(session, system(client_id), "user.tied_to_provider", user.id)
        return user

    def _as_claimed(self, session: Session, user: User, claims: Mapping[str, Any]) -> User:
        """What the provider decides about is as it says now; what an admin decides stays."""
        told = self._settings
        if told.roles and self._role(claims) is None:
            raise NotAdmittedError("role")
        led = people_repository.led_teams(session, [user.id]).get(user.id, ())
        wanted = self._told(claims, self._role(claims) or user.role)
        kept = {
            "name": wanted.name or user.name,
            "team": wanted.team if told.team_claim else user.team,
            "leads": wanted.leads if told.team_claim else led,
            "agent_id": wanted.agent_id if told.agent_claim else user.agent_id,
        }
        people.change(session, system(user.client_id), user.id, wanted.model_copy(update=kept))
        return _found(session, user.id)

    def _told(self, claims: Mapping[str, Any], role: str) -> Told:
        teams = _texts(claims.get(self._settings.team_claim or "")) if self._settings.team_claim else []
        agent_id = _text(claims.get(self._settings.agent_claim)) if self._settings.agent_claim else None
        return Told(
            role=role,
            name=_text(claims.get("name")),
            team=teams[0] if teams and role != "qa_lead" else None,
            leads=tuple(teams) if role == "qa_lead" else tuple(teams[1:]) if role == "reviewer" else (),
            agent_id=agent_id,
        )

    def _role(self, claims: Mapping[str, Any]) -> PersonRole | None:
        has = _texts(claims.get(self._settings.role_claim))
        return next((role for name, role in self._settings.roles.items() if name in has), None)


def _found(session: Session, id_: str) -> User:
    user = session.get(User, id_)
    assert user is not None
    return user


def _text(value: object) -> str | None:
    return value[:LONGEST_CLAIM] if isinstance(value, str) and value.strip() else None


def _texts(value: object) -> list[str]:
    """A claim with several values is a list, or one text with commas between."""
    values = value if isinstance(value, list) else value.split(",") if isinstance(value, str) else []
    return [text.strip() for it in values if (text := _text(it)) is not None]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
