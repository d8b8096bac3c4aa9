"""Users for tests. Their passwords are kept by a hash that costs nothing, where the hash is not what is tested."""

from typing import Any

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from callgrade.access import passwords
from callgrade.access.keys import ensure_client
from callgrade.access.people import Person, Told, chosen_password, create_user, principal_of
from callgrade.access.principals import Principal, system
from callgrade.db.session import Database
from callgrade.db.tables import User

__all__ = ["PASSWORD", "client_of", "make", "operator", "quick_hashes", "visitor"]

PASSWORD = "three small boats"


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = PasswordHash([Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1)])
    monkeypatch.setattr(passwords, "_HASHER", quick)
    passwords._nobodys.cache_clear()
    monkeypatch.setattr(passwords, "_nobodys", lambda: quick.hash("nobody's"))


def client_of(database: Database, name: str = "default") -> str:
    with database.writing() as session:
        return ensure_client(session, name).id


def operator(database: Database, client: str = "default") -> Principal:
    return system(client_of(database, client))


def make(
    database: Database, login: str = "lee", role: str = "reviewer", *, client: str = "default", **more: Any
) -> Person:
    """With PASSWORD. `password=None` signs in elsewhere."""
    password = more.pop("password", PASSWORD)
    by = operator(database, client)
    prepared = None if password is None else chosen_password(password)
    with database.writing() as session:
        return create_user(session, by, login, Told(role=role, **more), prepared)


def visitor(database: Database, person: Person) -> Principal:
    with database.reading() as session:
        user = session.get(User, person.id)
        assert user is not None
        return principal_of(session, user)
