"""Keys and the clients they belong to."""

import hashlib
import logging
import re
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text
from sqlmodel import select

from callgrade.access import keys
from callgrade.access.keys import (
    Doorkeeper,
    authenticate,
    create_key,
    ensure_client,
    list_keys,
    note_use,
    revoke_key,
)
from callgrade.access.permissions import DEFAULT_SCOPES
from callgrade.access.principals import Principal
from callgrade.db.session import Database
from callgrade.db.tables import ApiKey, AuditEvent, Client
from callgrade.domain.errors import InputError, NotAuthenticatedError, NotReadyError, UnknownResourceError

NOW = datetime.now(UTC)


@pytest.fixture
def made(database: Database) -> tuple[keys.Key, str]:
    with database.writing() as session:
        return create_key(session, ensure_client(session).id, "crm")


def admit(database: Database, presented: str, at: datetime | None = None) -> Principal:
    with database.reading() as session:
        return authenticate(session, presented, at)


def test_a_key_lets_its_owner_in_as_its_client(database, made):
    key, presented = made
    principal = admit(database, presented)
    assert principal == Principal(client_id=key.client_id, actor=f"key:{key.id}", scopes=DEFAULT_SCOPES, role="client")


def test_two_keys_are_never_alike_and_read_as_promised(database, made):
    with database.writing() as session:
        other, presented = create_key(session, made[0].client_id, "crm")
    assert re.fullmatch(rf"cg_{other.id}_[0-9a-f]{{64}}", presented)
    assert presented[-64:] != made[1][-64:]


def test_nothing_in_the_database_holds_the_secret(database, made):
    secret = made[1].rpartition("_")[2]
    with database.reading() as session:
        tables = ("api_key", "apikey")
        row = session.exec(select(ApiKey)).one()
        assert ApiKey.__tablename__ in tables
        assert row.secret_hash == hashlib.sha256(secret.encode()).hexdigest()
        events = [str(found) for found in session.exec(select(AuditEvent)).all()]
    assert secret not in str(row)
    assert not [found for found in events if secret in found or row.secret_hash in found]


def test_what_is_shown_of_a_key_holds_no_hash(database, made):
    with database.reading() as session:
        shown = list_keys(session)
    assert shown == [made[0]]
    assert "hash" not in shown[0].model_dump_json()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda key: "",
        lambda key: key[:-1],
        lambda key: key + "0",
        lambda key: key + "\n",
        lambda key: key.upper(),
        lambda key: "Bearer " + key,
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: f"cg_{'0' * 32}_{key[-64:]}",
        lambda key: "cg_张三_" + key[-64:],
        lambda key: key.replace("_", "-"),
    ],
)
def test_anything_else_stays_outside_and_is_not_repeated(database, made, spoil):
    presented = spoil(made[1])
    with pytest.raises(NotAuthenticatedError) as caught:
        admit(database, presented)
    assert not presented or presented not in str(caught.value)
    assert made[1][-64:-1] not in str(caught.value)


def test_an_expired_key_stays_outside_from_its_very_moment_on(database, made):
    expiry = NOW + timedelta(hours=1)
    with database.writing() as session:
        _, presented = create_key(session, made[0].client_id, "short", expires_at=expiry)
    admit(database, presented, expiry - timedelta(microseconds=1))
    with pytest.raises(NotAuthenticatedError, match="expired"):
        admit(database, presented, expiry)


def test_a_revoked_key_stays_outside_at_once_whatever_the_clock_says(database, made):
    key, presented = made
    with database.writing() as session:
        revoke_key(session, key.id)
    for at in (NOW - timedelta(days=365), NOW + timedelta(days=365)):
        with pytest.raises(NotAuthenticatedError, match="revoked"):
            admit(database, presented, at)


def test_why_a_key_is_refused_is_told_only_to_who_has_its_secret(database, made):
    key, presented = made
    with database.writing() as session:
        revoke_key(session, key.id)
    with pytest.raises(NotAuthenticatedError, match="not known here"):
        admit(database, presented[:-64] + "0" * 64)


def test_revoking_twice_keeps_the_first_moment_and_one_record(database, made):
    with database.writing() as session:
        first = revoke_key(session, made[0].id)
    with database.writing() as session:
        assert revoke_key(session, made[0].id).revoked_at == first.revoked_at
        actions = [found.action for found in session.exec(select(AuditEvent)).all()]
    assert actions == ["client.created", "key.created", "key.revoked"]


def test_nobody_revokes_another_clients_key(database, made):
    with database.writing() as session:
        other = ensure_client(session, "other")
    with database.writing() as session, pytest.raises(UnknownResourceError):
        revoke_key(session, made[0].id, client_id=other.id)
    with database.writing() as session, pytest.raises(UnknownResourceError):
        revoke_key(session, "0" * 32)
    admit(database, made[1])


def test_keys_are_listed_by_client(database, made):
    with database.writing() as session:
        other = ensure_client(session, "other")
        theirs, _ = create_key(session, other.id, "theirs")
        assert list_keys(session, other.id) == [theirs]
        assert list_keys(session) == [made[0], theirs]


def test_a_key_has_the_scopes_it_was_given(database, made):
    with database.writing() as session:
        key, presented = create_key(session, made[0].client_id, "reader", ["evaluations:read", "calls:read"])
    assert key.scopes == ("calls:read", "evaluations:read")
    assert admit(database, presented).scopes == {"calls:read", "evaluations:read"}


def test_a_scope_that_was_abolished_since_is_left_out(database, made):
    with database.writing() as session:
        row = session.exec(select(ApiKey)).one()
        row.scopes = ["calls:read", "calls:dance"]
        session.add(row)
    assert admit(database, made[1]).scopes == {"calls:read"}


@pytest.mark.parametrize(
    ("name", "scopes", "expires_at", "why"),
    [
        ("", ["calls:read"], None, "80 characters"),
        ("  ", ["calls:read"], None, "80 characters"),
        ("x" * 81, ["calls:read"], None, "80 characters"),
        ("a\nb", ["calls:read"], None, "one line"),
        ("crm", ["calls:raed"], None, "no such scope: 'calls:raed'"),
        ("crm", [], None, "could do nothing"),
        ("crm", ["calls:read"], NOW - timedelta(seconds=1), "to come"),
        ("crm", ["calls:read"], datetime(2999, 1, 1), "zone"),  # noqa: DTZ001
    ],
)
def test_a_key_that_cannot_be_is_an_error_that_says_why(database, made, name, scopes, expires_at, why):
    with database.writing() as session, pytest.raises(InputError, match=why):
        create_key(session, made[0].client_id, name, scopes, expires_at)


def last_used(database: Database) -> datetime | None:
    with database.reading() as session:
        return session.exec(select(ApiKey)).one().last_used_at


class Writes:
    """Counts what changes rows; PostgreSQL and SQLite alike begin it with the verb."""

    def __init__(self, database: Database):
        self.statements: list[str] = []
        for engine in {database._writer, database._reader}:
            event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, _connection, _cursor, statement, *_):
        if not statement.lstrip().upper().startswith(("SELECT", "BEGIN", "PRAGMA")):
            self.statements.append(statement)


def test_a_thousand_requests_write_their_keys_use_once_a_minute(database, made):
    _, presented = made
    door, writes = Doorkeeper(database), Writes(database)
    for number in range(30):
        door.admit(presented, NOW + timedelta(seconds=number))
    assert len(writes.statements) == 1
    assert last_used(database) == NOW
    door.admit(presented, NOW + timedelta(seconds=60))
    assert len(writes.statements) == 2
    assert last_used(database) == NOW + timedelta(seconds=60)


def test_another_process_writes_nothing_that_is_on_record(database, made):
    _, presented = made
    Doorkeeper(database).admit(presented, NOW)
    second, writes = Doorkeeper(database), Writes(database)
    second.admit(presented, NOW + timedelta(seconds=59))
    assert writes.statements == []
    with database.writing() as session:
        note_use(session, made[0].id, NOW + timedelta(seconds=59))
    assert last_used(database) == NOW


def test_of_many_threads_one_writes(database, made):
    door, writes = Doorkeeper(database), Writes(database)
    threads = [threading.Thread(target=door.admit, args=(made[1], NOW)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(writes.statements) == 1


def test_who_is_refused_leaves_no_trace(database, made):
    door, writes = Doorkeeper(database), Writes(database)
    with pytest.raises(NotAuthenticatedError):
        door.admit(made[1][:-64] + "0" * 64)
    assert writes.statements == []
    assert last_used(database) is None


def test_a_database_that_takes_no_writes_locks_nobody_out(database, made, monkeypatch, caplog):
    def full(*_):
        raise NotReadyError("the disk is full")

    monkeypatch.setattr(keys, "note_use", full)
    with caplog.at_level(logging.WARNING):
        assert Doorkeeper(database).admit(made[1]).client_id == made[0].client_id
    assert "not-ready" in caplog.text
    assert made[1] not in caplog.text


def test_a_client_is_made_once_by_whoever_is_first(database):
    found: list[str] = []

    def need() -> None:
        with database.writing() as session:
            found.append(ensure_client(session).id)

    threads = [threading.Thread(target=need) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        client = session.exec(select(Client)).one()
        assert session.scalar(text("SELECT count(*) FROM audit_event")) == 1
    assert client.name == "default"
    assert found == [client.id] * 6
