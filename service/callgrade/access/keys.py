"""API keys: `cg_<id>_<secret>`.

The secret is 256 bits from the system's random source, and its plain SHA-256 is all that is kept. Slow hashes such as
Argon2 are for passwords, which people choose and others can guess: there are so few likely ones that every guess must
cost. Of 2^256 equally likely secrets none can be guessed at any speed, so a slow hash would protect nothing and cost 50
ms on every request. For the same reason no salt is needed.
"""

import hashlib
import hmac
import logging
import re
import secrets
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlmodel import Session

from callgrade.access import audit, repository
from callgrade.access.permissions import DEFAULT_SCOPES, SCOPES, parse_scopes
from callgrade.access.principals import Principal, system
from callgrade.db.session import Database
from callgrade.db.tables import ApiKey, Client
from callgrade.db.types import new_id, now
from callgrade.domain.errors import CallgradeError, InputError, NotAuthenticatedError, UnknownResourceError
from callgrade.domain.frozen import Frozen

GRAIN = timedelta(minutes=1)
"""How exactly it is known when a key was last used."""
DEFAULT_CLIENT = "default"
LONGEST_NAME = 80

PRESENTED = re.compile(r"cg_([0-9a-f]{32})_([0-9a-f]{64})")

log = logging.getLogger(__name__)


class Key(Frozen):
    """What may be shown of a key: all but its secret's hash."""

    id: str
    client_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    """To the minute."""
    revoked_at: datetime | None


def ensure_client(session: Session, name: str = DEFAULT_CLIENT) -> Client:
    """The client of this name, made when it is first needed. Raises InputError for a name that is none."""
    name = _name(name, "a client's name")
    client = repository.client_named(session, name)
    if client is not None:
        return client
    made = {"id": new_id(), "name": name, "created_at": now()}
    new = repository.insert_once(session, Client, made)
    client = repository.client_named(session, name)
    assert client is not None  # clients are never removed
    if new:
        audit.record(session, system(client.id), "client.created", client.id)
    return client


def create_key(
    session: Session,
    client_id: str,
    name: str,
    scopes: Iterable[str] = DEFAULT_SCOPES,
    expires_at: datetime | None = None,
    *,
    by: Principal | None = None,
) -> tuple[Key, str]:
    """The key and what its owner presents; the latter is kept nowhere, so it can be shown this once only.

    Raises InputError for an unknown scope (naming those there are), a moment that has passed or an empty name.
    """
    at = now()
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= at):
        raise InputError("a key's expiry must be a moment to come, with its zone")
    granted = parse_scopes(scopes)
    secret = secrets.token_hex(32)
    row = ApiKey(
        id=new_id(),
        client_id=client_id,
        name=_name(name, "a key's name"),
        secret_hash=_hash(secret),
        scopes=[scope for scope in SCOPES if scope in granted],
        created_at=at,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    audit.record(session, by or system(client_id), "key.created", row.id, {"scopes": row.scopes, "expires": expires_at})
    return _shown(row), f"cg_{row.id}_{secret}"


def authenticate(session: Session, presented: str, at: datetime | None = None) -> Principal:
    """Who presents this key. It only reads; see Doorkeeper for what a server needs around it.

    Raises NotAuthenticatedError, which never repeats what was presented. That a key has expired or was revoked is told
    to whoever has its secret, and to nobody else.
    """
    return _admit(session, presented, at or now())[0]


def note_use(session: Session, key_id: str, at: datetime | None = None) -> None:
    """Writes nothing where a use within the last minute is on record."""
    repository.note_use(session, key_id, at or now(), GRAIN)


def list_keys(session: Session, client_id: str | None = None) -> list[Key]:
    """Of one client or of all, oldest first, revoked and expired ones too."""
    return [_shown(row) for row in repository.keys(session, client_id)]


def revoke_key(
    session: Session,
    key_id: str,
    *,
    client_id: str | None = None,
    at: datetime | None = None,
    by: Principal | None = None,
) -> Key:
    """From now on nobody gets in with it. Revoking it again changes nothing.

    Raises UnknownResourceError where there is no such key, or it is not `client_id`'s.
    """
    row = repository.key(session, key_id)
    if row is None or client_id not in (None, row.client_id):
        raise UnknownResourceError("there is no such key")
    if row.revoked_at is None:
        row.revoked_at = at or now()
        session.add(row)
        audit.record(session, by or system(row.client_id), "key.revoked", row.id)
    return _shown(row)


class Doorkeeper:
    """Lets requests in, with short sessions of its own. One a process; threads share it.

    A request costs one row read by its primary key. When a key was used is written at most once a minute, whatever its
    traffic: on SQLite a write a request would have all requests queue for the one writer.
    """

    def __init__(self, database: Database):
        self._database = database
        self._noted: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def admit(self, presented: str, at: datetime | None = None) -> Principal:
        """Raises NotAuthenticatedError; see `authenticate`."""
        at = at or now()
        with self._database.reading() as session:
            principal, row = _admit(session, presented, at)
        if _long_ago(row.last_used_at, at) and self._first_to_note(row.id, at):
            self._note(row.id, at)
        return principal

    def _first_to_note(self, key_id: str, at: datetime) -> bool:
        """Of the many threads that saw the same old moment, one writes the new one."""
        with self._lock:
            first = _long_ago(self._noted.get(key_id), at)
            if first:
                self._noted[key_id] = at
            return first

    def _note(self, key_id: str, at: datetime) -> None:
        try:
            with self._database.writing() as session:
                note_use(session, key_id, at)
        except CallgradeError as error:  # a full disk must not lock out those who only read
            log.warning("the last use of a key could not be noted: %s", error.type)


def _admit(session: Session, presented: str, at: datetime) -> tuple[Principal, ApiKey]:
    parts = PRESENTED.fullmatch(presented)
    if parts is None:
        raise NotAuthenticatedError("this is no API key: they read cg_<id>_<secret>")
    row = repository.key(session, parts[1])
    # ids of keys are no secret, so the time it takes to find none may show
    if row is None or not hmac.compare_digest(row.secret_hash, _hash(parts[2])):
        raise NotAuthenticatedError("this API key is not known here")
    if row.revoked_at is not None:
        raise NotAuthenticatedError("this API key was revoked")
    if row.expires_at is not None and row.expires_at <= at:
        raise NotAuthenticatedError("this API key has expired")
    granted = frozenset(scope for scope in SCOPES if scope in row.scopes)  # one that was since abolished is left out
    return Principal(client_id=row.client_id, actor=f"key:{row.id}", scopes=granted, role="client"), row


def _long_ago(moment: datetime | None, at: datetime) -> bool:
    return moment is None or moment <= at - GRAIN


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _name(name: str, what: str) -> str:
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise InputError(f"{what} has 1 to {LONGEST_NAME} characters on one line")
    return name


def _shown(row: ApiKey) -> Key:
    return Key(
        id=row.id,
        client_id=row.client_id,
        name=row.name,
        scopes=tuple(row.scopes),
        created_at=row.created_at,
        expires_at=row.expires_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
