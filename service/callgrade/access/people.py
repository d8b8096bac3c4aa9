"""People who sign in: made, changed, disabled.

An admin's work, at the page or at the command line. Whoever changes what somebody may do ends their sessions with it.
"""

import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from sqlalchemy import Row
from sqlmodel import Session

from callgrade.access import audit, people_repository, sign_in_repository
from callgrade.access.facts import Fact
from callgrade.access.passwords import hash_password, one_time_password, require_good_password
from callgrade.access.permissions import PEOPLE, ROLES, Role, parse_role
from callgrade.access.principals import Principal
from callgrade.db.session import Database
from callgrade.db.tables import User
from callgrade.db.types import new_id, now
from callgrade.domain.errors import ConflictError, InputError, UnknownResourceError
from callgrade.domain.frozen import Frozen

LONGEST_LOGIN, LONGEST_NAME, MOST_TEAMS = 80, 200, 500
ONE_TIME = timedelta(days=7)
"""So long a password that somebody else made can be used, once, to choose one's own."""


class Person(Frozen):
    """What may be shown of a user."""

    id: str
    login: str
    name: str | None
    role: Role
    team: str | None
    leads: tuple[str, ...]
    """A lead's teams; a reviewer's, beside their own."""
    agent_id: str | None
    language: str | None
    elsewhere: bool
    """They sign in at the OpenID provider and have no password here."""
    created_at: datetime
    disabled_at: datetime | None


class Told(Frozen):
    """All of a person that an admin decides. What is None is not known, not "as before"."""

    role: str
    name: str | None = None
    team: str | None = None
    leads: tuple[str, ...] = ()
    agent_id: str | None = None


Why = Literal["role", "needed", "long", "many", "login", "taken", "agent-taken", "last-admin"]
_SAID: dict[Why, str] = {
    "role": f"there are {', '.join(PEOPLE)}",
    "needed": "an agent needs the id that their calls carry; without it they would see none",
    "long": f"has at most {LONGEST_NAME} characters on one line",
    "many": f"at most {MOST_TEAMS} teams",
    "login": f"has 1 to {LONGEST_LOGIN} characters without blanks",
    "taken": "somebody has this login already",
    "agent-taken": "somebody signs in as this agent already",
    "last-admin": "this is the last admin who can sign in; make another one first",
}


class PersonError(InputError):
    """What was told of somebody cannot be: which `field`, and `why`."""

    def __init__(self, field: str, why: Why):
        self.field, self.why = field, why
        super().__init__(f"{field}: {_SAID[why]}")


class TakenError(ConflictError):
    """It does not go together with who is there already."""

    def __init__(self, field: str, why: Why):
        self.field, self.why = field, why
        super().__init__(f"{field}: {_SAID[why]}")


class Password(NamedTuple):
    """A password on its way in. `shown` is one that was made here, to be told to its owner this once."""

    hash: str
    until: datetime | None = None
    shown: str | None = None


def chosen_password(password: str, *, about: Iterable[str | None] = ()) -> Password:
    """Its owner chose it. Takes some 50 ms: not within a session. Raises BadPasswordError."""
    require_good_password(password, about=about)
    return Password(hash_password(password))


def one_time(at: datetime | None = None) -> Password:
    """Made here, to be replaced by its owner at the first sign-in. Takes some 50 ms: not within a session."""
    made = one_time_password()
    return Password(hash_password(made), (at or now()) + ONE_TIME, made)


def create_user(session: Session, by: Principal, login: str, told: Told, password: Password | None = None) -> Person:
    """Without a password they sign in at the OpenID provider.

    Raises PersonError that names the field, TakenError where the login or the agent is somebody's, ForbiddenError.
    """
    by.reach("people:write")
    login = parse_login(login)
    columns, teams = _columns(told), _teams(told)
    if people_repository.users_called(session, login, by.client_id):
        raise TakenError("login", "taken")
    user = User(id=new_id(), client_id=by.client_id, login=login, role=told.role)
    for name, value in columns.items():
        setattr(user, name, value)
    _require_free(session, user)
    if password is not None:
        user.password_hash, user.password_until = password.hash, password.until
    session.add(user)
    session.flush()
    people_repository.lead(session, user.id, teams)
    facts: dict[str, Fact] = {"role": user.role, "leads": len(teams), "elsewhere": password is None}
    audit.record(session, by, "user.created", user.id, facts)
    return _shown(session, user)


def list_people(session: Session, principal: Principal) -> list[Person]:
    """Whom the principal may see, by login."""
    users = people_repository.users(session, principal)
    led = people_repository.led_teams(session, [user.id for user in users])
    return [_person(user, led.get(user.id, ())) for user in users]


def find(session: Session, principal: Principal, id_: str) -> Person:
    """Raises UnknownResourceError, for whom the principal may not see too."""
    user = people_repository.user_within(session, principal, id_)
    if user is None:
        raise UnknownResourceError("there is no such user")
    return _shown(session, user)


def myself(session: Session, principal: Principal) -> Person:
    """Whoever asks, whatever their role. Raises UnknownResourceError for a key."""
    user = people_repository.user(session, principal.client_id, principal.user_id or "")
    if user is None:
        raise UnknownResourceError("there is no such user")
    return _shown(session, user)


def find_login(session: Session, principal: Principal, login: str) -> Person:
    """Raises UnknownResourceError, InputError for what cannot be a login."""
    found = people_repository.users_called(session, parse_login(login), principal.client_id)
    if not found:
        raise UnknownResourceError(f"there is no user {login!r}")
    return find(session, principal, found[0].id)


def change(session: Session, by: Principal, id_: str, told: Told) -> Person:
    """Another role or agent ends their sessions: what they have open shows what they may no longer see.

    Raises PersonError, UnknownResourceError, TakenError, also where nobody would be left to administer.
    """
    columns, teams = _columns(told), _teams(told)
    user = _held(session, by, id_)
    before, led = _decided(user), people_repository.led_teams(session, [id_]).get(id_, ())
    for name, value in columns.items():
        setattr(user, name, value)
    if (before["role"], user.disabled_at) == ("admin", None) and user.role != "admin":
        _require_another_admin(session, user)
    _require_free(session, user)
    session.add(user)
    people_repository.lead(session, user.id, teams)
    changed = [name for name, value in _decided(user).items() if before[name] != value]
    changed += ["leads"] if led != teams else []
    if not changed:
        return _shown(session, user)
    if {"role", "agent_id"} & set(changed):
        sign_in_repository.drop_of(session, user.id)
    facts: dict[str, Fact] = {"changed": changed, "role": user.role, "leads": len(teams)}
    audit.record(session, by, "user.changed", user.id, facts)
    return _shown(session, user)


def disable(session: Session, by: Principal, id_: str, *, at: datetime | None = None) -> Person:
    """They are out at once, and stay out. What they decided stays theirs. Raises as `change` does."""
    user = _held(session, by, id_)
    if user.disabled_at is None:
        if user.role == "admin":
            _require_another_admin(session, user)
        user.disabled_at = at or now()
        session.add(user)
        sign_in_repository.drop_of(session, user.id)
        audit.record(session, by, "user.disabled", user.id)
    return _shown(session, user)


def enable(session: Session, by: Principal, id_: str) -> Person:
    user = _held(session, by, id_)
    if user.disabled_at is not None:
        user.disabled_at = None
        _require_free(session, user)
        session.add(user)
        audit.record(session, by, "user.enabled", user.id)
    return _shown(session, user)


def reset_password(session: Session, by: Principal, id_: str, password: Password) -> Person:
    """By somebody else than its owner. All their sessions end."""
    user = _held(session, by, id_)
    user.password_hash, user.password_until = password.hash, password.until
    session.add(user)
    sign_in_repository.drop_of(session, user.id)
    audit.record(session, by, "user.password_reset", user.id, {"once": password.until is not None})
    return _shown(session, user)


def principal_of(session: Session, user: User) -> Principal:
    """Who this person is at the desk."""
    return principal_in(user, frozenset(people_repository.led_teams(session, [user.id]).get(user.id, ())))


def principal_in(user: User | Row[Any], teams: frozenset[str]) -> Principal:
    """As `principal_of`, of a row that has a user's columns. `teams`: those they lead."""
    role = parse_role(user.role)
    if role == "reviewer" and user.team:
        teams |= {user.team}
    return Principal(
        client_id=user.client_id,
        actor=f"user:{user.id}",
        scopes=ROLES[role],
        role=role,
        user_id=user.id,
        agent_id=user.agent_id,
        teams=teams,
        name=user.name or user.login,
        language=user.language,
    )


def parse_login(login: str) -> str:
    """In lower case, and without the full-width letters of an input method. Raises PersonError."""
    folded = unicodedata.normalize("NFKC", login).strip().casefold()
    if not folded or len(folded) > LONGEST_LOGIN or not folded.isprintable() or " " in folded:
        raise PersonError("login", "login")
    return folded


class Administration:
    """The same with sessions of its own, for doors. One a process; threads share it."""

    def __init__(self, database: Database):
        self._database = database

    def create(self, by: Principal, login: str, told: Told, *, elsewhere: bool = False) -> tuple[Person, str | None]:
        """And the one-time password to tell them, unless they sign in elsewhere."""
        password = None if elsewhere else one_time()
        with self._database.writing() as session:
            return create_user(session, by, login, told, password), password and password.shown

    def change(self, by: Principal, id_: str, told: Told) -> Person:
        with self._database.writing() as session:
            return change(session, by, id_, told)

    def disable(self, by: Principal, id_: str) -> Person:
        with self._database.writing() as session:
            return disable(session, by, id_)

    def enable(self, by: Principal, id_: str) -> Person:
        with self._database.writing() as session:
            return enable(session, by, id_)

    def reset_password(self, by: Principal, id_: str) -> tuple[Person, str]:
        password = one_time()
        assert password.shown is not None
        with self._database.writing() as session:
            return reset_password(session, by, id_, password), password.shown


def _held(session: Session, by: Principal, id_: str) -> User:
    by.reach("people:write")
    user = people_repository.user(session, by.client_id, id_, hold=True)
    if user is None:
        raise UnknownResourceError("there is no such user")
    return user


def _require_another_admin(session: Session, user: User) -> None:
    if all(admin.id == user.id for admin in people_repository.held_admins(session, user.client_id)):
        raise TakenError("role", "last-admin")


def _require_free(session: Session, user: User) -> None:
    """Two people who are one agent would contest each other's calls."""
    if user.agent_id is None or user.disabled_at is not None:
        return
    if people_repository.other_who_is(session, user) is not None:
        raise TakenError("agent_id", "agent-taken")


def _columns(told: Told) -> dict[str, str | None]:
    if told.role not in PEOPLE:
        raise PersonError("role", "role")
    role, agent_id = told.role, _short("agent_id", told.agent_id)
    if role == "agent" and agent_id is None:
        raise PersonError("agent_id", "needed")
    return {"role": role, "name": _short("name", told.name), "team": _short("team", told.team), "agent_id": agent_id}


def _teams(told: Told) -> tuple[str, ...]:
    teams = {team for it in told.leads if (team := _short("leads", it)) is not None}
    if len(teams) > MOST_TEAMS:
        raise PersonError("leads", "many")
    return tuple(sorted(teams))


def _short(field: str, text: str | None) -> str | None:
    text = (text or "").strip()
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise PersonError(field, "long")
    return text or None


def _decided(user: User) -> dict[str, str | None]:
    return {"role": user.role, "name": user.name, "team": user.team, "agent_id": user.agent_id}


def _shown(session: Session, user: User) -> Person:
    return _person(user, people_repository.led_teams(session, [user.id]).get(user.id, ()))


def _person(user: User, leads: tuple[str, ...]) -> Person:
    return Person(
        id=user.id,
        login=user.login,
        name=user.name,
        role=parse_role(user.role),
        team=user.team,
        leads=leads,
        agent_id=user.agent_id,
        language=user.language,
        elsewhere=user.password_hash is None,
        created_at=user.created_at,
        disabled_at=user.disabled_at,
    )
