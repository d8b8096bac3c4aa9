"""The record of what was done, and the chain in which no sealed row can be changed unseen."""

import hashlib
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update
from sqlmodel import Session, col, select

from callgrade.access import audit
from callgrade.access.audit import AuditFault, heads, record, seal, verify
from callgrade.access.chain import AuditHead
from callgrade.access.keys import ensure_client
from callgrade.access.principals import Principal, system
from callgrade.db.session import Database
from callgrade.db.tables import AuditEvent, AuditSeal, Call, TranscriptVersion
from callgrade.db.types import new_id

ONCE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)


@pytest.fixture(autouse=True)
def small_seals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "SEAL_SIZE", 4)


@pytest.fixture
def clients(database: Database) -> tuple[Principal, Principal]:
    with database.writing() as session:
        return system(ensure_client(session, "one").id), system(ensure_client(session, "two").id)


def work(database: Database, principal: Principal, events: int) -> None:
    with database.writing() as session:
        for number in range(events):
            record(session, principal, "call.submitted", new_id(), {"turns": number})


def seal_all(database: Database) -> int:
    with database.writing() as session:
        return seal(session)


def faults_of(database: Database) -> list[AuditFault]:
    with database.reading() as session:
        return verify(session)


@pytest.fixture
def sealed(database: Database, clients: tuple[Principal, Principal]) -> tuple[Principal, Principal]:
    """Two interleaved chains of several seals each, and something that is not sealed yet."""
    for events in (3, 5, 2):
        for principal in clients:
            work(database, principal, events)
        seal_all(database)
    work(database, clients[0], 2)
    assert faults_of(database) == []
    return clients


class Undo(Exception):  # noqa: N818
    pass


@contextmanager
def tampered(database: Database) -> Iterator[Session]:
    """What is changed in it is undone behind it."""
    try:
        with database.writing() as session:
            yield session
            raise Undo
    except Undo:
        pass


def kinds(faults: list[AuditFault]) -> list[tuple[str, int | None, int | None]]:
    return [(fault.kind, fault.seal, fault.event) for fault in faults]


def covered(session: Session) -> list[AuditEvent]:
    """The events that a seal covers, in order."""
    last = {head.client_id: 0 for head in heads(session)}
    for found in session.exec(select(AuditSeal)).all():
        last[found.client_id] = max(last[found.client_id], found.last_event)
    events = session.exec(select(AuditEvent).order_by(col(AuditEvent.id))).all()
    return [event for event in events if event.id <= last[event.client_id]]


# recording


def test_an_event_is_stored_with_what_it_records_or_not_at_all(database, clients):
    with tampered(database) as session:
        record(session, clients[0], "call.erased", new_id())
    with database.reading() as session:
        assert "call.erased" not in [event.action for event in session.exec(select(AuditEvent)).all()]


def test_an_event_says_who_did_what_to_what_and_when(database, clients):
    principal = Principal(client_id=clients[0].client_id, actor="key:abc", scopes=frozenset(), role="client")
    subject, before = new_id(), datetime.now(UTC)
    with database.writing() as session:
        record(session, principal, "call.erased", f"call:{subject}", {"reason": "customer-asked", "blobs": 2})
        event = session.exec(select(AuditEvent).where(AuditEvent.action == "call.erased")).one()
        assert (event.client_id, event.actor, event.subject) == (principal.client_id, "key:abc", f"call:{subject}")
        assert event.facts == {"reason": "customer-asked", "blobs": 2}
        assert before <= event.at <= datetime.now(UTC)


def test_nothing_that_was_said_can_be_recorded(database, clients):
    with tampered(database) as session:
        for facts in ({"quote": "您好"}, {"phone": "13800138000"}, {"total": 1.5}, {"x": {"y": 1}}):
            with pytest.raises((ValueError, TypeError)):
                record(session, clients[0], "call.submitted", new_id(), facts)
        with pytest.raises(ValueError, match="subject"):
            record(session, clients[0], "call.submitted", "C-00001")


def test_a_receipt_cannot_be_recorded_from_outside(database, clients):
    with tampered(database) as session, pytest.raises(ValueError, match="what `seal` records"):
        record(session, clients[0], "audit.sealed", new_id())


# sealing


def test_sealing_covers_every_event_once_and_then_has_nothing_to_do(database, clients):
    for principal in clients:
        work(database, principal, 10)
    assert seal_all(database) == 22  # and each client's own beginning
    assert seal_all(database) == 0, "receipts alone do not call for another seal"
    with database.reading() as session:
        assert [head.number for head in heads(session)] == [3, 3]
        assert len(covered(session)) == 22
    assert faults_of(database) == []


def test_one_client_can_be_sealed_alone(database, clients):
    for principal in clients:
        work(database, principal, 2)
    with database.writing() as session:
        assert seal(session, clients[0].client_id) == 3
        assert [head.client_id for head in heads(session)] == [clients[0].client_id]
        assert heads(session, clients[1].client_id) == []


def test_a_backlog_is_sealed_bit_by_bit(database, clients, monkeypatch):
    monkeypatch.setattr(audit, "AT_ONCE", 2)
    work(database, clients[0], 20)
    done = []
    while count := seal_all(database):
        done.append(count)
        assert faults_of(database) == []
    assert done[0] == 9  # two seals of four, and the other client's beginning
    assert sum(done) >= 22


def test_the_hash_can_be_worked_out_by_anybody(database, clients):
    """By hand, from the description in `chain` alone."""
    work(database, clients[0], 2)
    seal_all(database)
    with database.reading() as session:
        client = clients[0].client_id
        found = session.exec(select(AuditSeal).where(AuditSeal.client_id == client)).one()
        events = session.exec(
            select(AuditEvent).where(AuditEvent.client_id == client, AuditEvent.id <= found.last_event)
        )

        def moment(at: datetime) -> str:
            return at.strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")

        lines: list[dict[str, Any]] = [
            {
                "client": client,
                "number": 1,
                "first_event": found.first_event,
                "last_event": found.last_event,
                "events": 3,
                "previous": "",
                "sealed_at": moment(found.sealed_at),
            }
        ]
        for event in sorted(events, key=lambda event: event.id):
            line = {name: getattr(event, name) for name in ("id", "actor", "action", "subject", "facts")}
            lines.append({**line, "client": client, "at": moment(event.at)})
    dumped = [json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False) for line in lines]
    assert hashlib.sha256("\n".join(dumped).encode()).hexdigest() == found.hash


def test_many_hosts_may_record_and_seal_at_once(database, clients):
    """Several at both; each event ends in one seal, and no chain forks."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def guarded(task: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                task()
            except BaseException as error:
                failures.append(error)

        return threading.Thread(target=run)

    def write(seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(25):
            work(database, clients[chance.randrange(2)], chance.randrange(1, 4))

    def keep_sealing() -> None:
        while not stop.is_set():
            seal_all(database)
            stop.wait(0.01)

    writers = [guarded(lambda seed=seed: write(seed)) for seed in range(4)]
    sealers = [guarded(keep_sealing) for _ in range(3)]
    for thread in (*writers, *sealers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in sealers:
        thread.join()
    while seal_all(database):
        pass
    assert failures == []
    assert faults_of(database) == []
    with database.reading() as session:
        sealed_ids = {event.id for event in covered(session)}
        open_ = [event for event in session.exec(select(AuditEvent)).all() if event.id not in sealed_ids]
    assert {event.action for event in open_} == {"audit.sealed"}


def test_an_event_that_becomes_visible_late_is_waited_for(database, clients):
    """PostgreSQL hands out its id first and shows it last; sealing the later one alone would leave a hole."""
    if database.dialect != "postgresql":
        return
    seal_all(database)
    with database.writing() as slow:
        record(slow, clients[0], "call.submitted", new_id(), {"late": True})
        work(database, clients[0], 1)
        with database.writing() as session:
            assert seal(session, patience_s=0.1) == 0, "sealed past an event that was not visible yet"
    assert seal_all(database) == 3  # both, and the receipt of the first seal
    assert faults_of(database) == []


def test_a_slow_transaction_that_wrote_no_event_holds_nothing_up(database, clients):
    if database.dialect != "postgresql":
        return
    with database.writing() as slow:
        slow.execute(text("SELECT 1"))
        work(database, clients[0], 1)
        assert seal_all(database) > 0


def test_sealing_does_not_hold_up_who_records_or_adds_to_the_client(database, clients):
    if database.dialect != "postgresql":
        return
    work(database, clients[0], 1)
    with database.writing() as session:
        assert seal(session) > 0
        work(database, clients[0], 1)  # would wait half a minute and fail, if it had to wait for this session
        assert seal_all(database) == 0, "another host leaves a chain alone that is being sealed"
    assert faults_of(database) == []


# verifying


def test_a_changed_event_is_named(database, sealed):
    with tampered(database) as session:
        for event in covered(session):
            before = kinds(verify(session))
            session.execute(update(AuditEvent).where(col(AuditEvent.id) == event.id).values(actor="user:mallory"))
            new = [fault for fault in kinds(verify(session)) if fault not in before]
            assert [(kind, id_) for kind, _, id_ in new] == [("event_changed", event.id)]


def test_a_removed_event_is_named(database, sealed):
    with database.reading() as session:
        ids = [event.id for event in covered(session)]
    for id_ in ids:
        with tampered(database) as session:
            session.execute(text("DELETE FROM audit_event WHERE id = :id"), {"id": id_})
            assert [(kind, event) for kind, _, event in kinds(verify(session))] == [("event_removed", id_)]


def test_an_event_put_in_afterwards_is_named(database, sealed):
    with database.reading() as session:
        theirs = [event.id for event in covered(session) if event.client_id == sealed[1].client_id]
        other = covered(session)[0].client_id
    for id_ in theirs[:-1]:
        with tampered(database) as session:
            session.execute(update(AuditEvent).where(col(AuditEvent.id) == id_).values(client_id=sealed[0].client_id))
            found = verify(session)
            assert ("event_removed", id_) in [(f.kind, f.event) for f in found if f.client_id == sealed[1].client_id]
            if id_ < max(event.id for event in covered(session) if event.client_id == other):
                assert ("event_added", id_) in [(f.kind, f.event) for f in found if f.client_id == sealed[0].client_id]


@pytest.mark.parametrize("id_", [0, -1, -(2**40)])
def test_an_event_put_in_front_of_all_is_named(database, sealed, id_):
    with tampered(database) as session:
        event = AuditEvent(id=id_, client_id=sealed[0].client_id, actor="system", action="a", subject=new_id())
        session.add(event)
        session.flush()
        assert kinds(verify(session)) == [("event_added", 1, id_)]


def test_reordered_events_are_named_with_where_they_came_from(database, sealed):
    with tampered(database) as session:
        one, other = [event for event in covered(session) if event.client_id == sealed[0].client_id][:2]
        columns = ("at", "actor", "action", "subject", "facts")
        values = [{name: getattr(event, name) for name in columns} for event in (other, one)]
        for event, changed in zip((one, other), values, strict=True):
            session.execute(update(AuditEvent).where(col(AuditEvent.id) == event.id).values(**changed))
        session.expire_all()
        found = verify(session)
        assert kinds(found) == [("event_moved", 1, one.id), ("event_moved", 1, other.id)]
        assert f"event {one.id} holds what seal 1 has as event {other.id}" in found[0].message


def seals_of(session: Session, principal: Principal) -> list[AuditSeal]:
    wanted = select(AuditSeal).where(AuditSeal.client_id == principal.client_id)
    return list(session.exec(wanted.order_by(col(AuditSeal.number))).all())


def test_a_removed_seal_is_named_the_last_one_too(database, sealed):
    with database.reading() as session:
        seals = seals_of(session, sealed[0])
    assert len(seals) >= 4
    for gone in seals:
        with tampered(database) as session:
            session.execute(text("DELETE FROM audit_seal WHERE id = :id"), {"id": gone.id})
            assert kinds(verify(session)) == [("seal_removed", gone.number, None)]


def test_a_seal_removed_together_with_its_receipt_is_named(database, sealed):
    with tampered(database) as session:
        client = sealed[0].client_id
        receipt = session.exec(
            select(AuditEvent).where(AuditEvent.client_id == client, AuditEvent.action == "audit.sealed")
        ).first()
        number, id_ = receipt.facts["seal"], receipt.id
        session.execute(text("DELETE FROM audit_event WHERE id = :id"), {"id": id_})
        session.execute(text("DELETE FROM audit_seal WHERE number = :n AND client_id = :c"), {"n": number, "c": client})
        found = kinds(verify(session))
        assert ("seal_removed", number, None) in found
        assert [event for kind, _, event in found if kind == "event_removed"] == [id_]


def test_a_last_seal_that_was_removed_stays_named_when_sealing_goes_on(database, sealed):
    with tampered(database) as session:
        last = seals_of(session, sealed[0])[-1]
        session.execute(text("DELETE FROM audit_seal WHERE id = :id"), {"id": last.id})
        record(session, sealed[0], "call.submitted", new_id())
        assert seal(session) > 0
        assert ("seal_replaced", last.number, None) in kinds(verify(session))


def test_all_seals_gone_is_named(database, sealed):
    with tampered(database) as session:
        numbers = [found.number for found in seals_of(session, sealed[0])]
        session.execute(text("DELETE FROM audit_seal WHERE client_id = :c"), {"c": sealed[0].client_id})
        assert kinds(verify(session)) == [("seal_removed", number, None) for number in numbers]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("first_event", 1_000_000),
        ("last_event", 1_000_000),
        ("last_event", 0),
        ("events", 77),
        ("events", -1),
        ("previous", "0" * 64),
        ("hash", "0" * 64),
        ("sealed_at", datetime(2020, 1, 1, tzinfo=UTC)),
        ("id", 1_000_000),
    ],
)
def test_a_changed_column_of_a_seal_is_named(database, sealed, column, value):
    with database.reading() as session:
        seals = seals_of(session, sealed[0])
    for found in seals:
        with tampered(database) as session:
            session.execute(update(AuditSeal).where(col(AuditSeal.id) == found.id).values(**{column: value}))
            told = verify(session)
            assert kinds(told) == [("seal_changed", found.number, None)]
            assert f"its {'id' if column == 'id' else column} is not what it was" in told[0].message


def test_a_seal_moved_to_another_client_or_number_is_found(database, sealed):
    with database.reading() as session:
        seals = seals_of(session, sealed[0])
    for found in seals:
        for values in ({"client_id": sealed[1].client_id, "number": 90}, {"number": 91}, {"number": 0}, {"number": -5}):
            with tampered(database) as session:
                session.execute(update(AuditSeal).where(col(AuditSeal.id) == found.id).values(**values))
                assert ("seal_removed", found.number, None) in kinds(verify(session))


def test_two_seals_that_changed_places_are_found(database, sealed):
    with tampered(database) as session:
        first, second = (found.id for found in seals_of(session, sealed[0])[:2])
        for id_, number in ((first, 99), (second, 1), (first, 2)):
            session.execute(update(AuditSeal).where(col(AuditSeal.id) == id_).values(number=number))
        assert {fault.seal for fault in verify(session)} >= {1, 2}


def test_a_seal_made_anew_over_changed_events_is_found(database, sealed):
    """Whoever changes an event may work its seal's hash out again; the next seal and the receipt know the old one."""
    from callgrade.access import chain
    from callgrade.access.audit_repository import events_between, seals

    with tampered(database) as session:
        client = sealed[0].client_id
        second = list(seals(session, client))[1]
        session.execute(update(AuditEvent).where(col(AuditEvent.id) == second.first_event).values(actor="user:mallory"))
        events = events_between(session, client, second.first_event - 1, second.last_event)
        forged = chain.seal_hash(second, events)
        session.execute(update(AuditSeal).where(col(AuditSeal.id) == second.row).values(hash=forged))
        assert kinds(verify(session)) == [("seal_replaced", 3, None), ("seal_replaced", 2, None)]


def test_a_chain_rebuilt_from_scratch_is_found_by_a_head_that_was_noted_elsewhere(database, sealed):
    with database.reading() as session:
        noted = heads(session)
    with tampered(database) as session:
        session.execute(text("DELETE FROM audit_seal"))
        session.execute(text("DELETE FROM audit_event WHERE action = 'audit.sealed'"))
        session.execute(
            text("UPDATE audit_event SET actor = 'user:mallory' WHERE id = (SELECT min(id) FROM audit_event)")
        )
        seal(session)
        assert verify(session) == [], "nothing inside the database can tell"
        assert {(fault.kind, fault.client_id) for fault in verify(session, noted=noted)} <= {
            ("seal_replaced", client.client_id) for client in sealed
        } | {("seal_removed", client.client_id) for client in sealed}
        assert len(verify(session, noted=noted)) == 2


def test_noted_heads_of_an_honest_chain_stay_good(database, sealed):
    with database.reading() as session:
        noted = heads(session)
    work(database, sealed[0], 5)
    seal_all(database)
    with database.reading() as session:
        assert verify(session, noted=noted) == []
        gone = [AuditHead(client_id=sealed[0].client_id, number=99, hash="0" * 64)]
        assert kinds(verify(session, noted=gone)) == [("seal_removed", 99, None)]


def test_the_last_receipt_is_held_to_what_it_is_of(database, sealed):
    with database.reading() as session:
        last = seals_of(session, sealed[1])[-1]
        mine = select(AuditEvent).where(
            AuditEvent.client_id == sealed[1].client_id, AuditEvent.action == "audit.sealed"
        )
        receipt = session.exec(mine.order_by(col(AuditEvent.id).desc())).first()
    assert receipt.facts["seal"] == last.number
    for column, value, kind in (
        (AuditEvent.facts, {**receipt.facts, "events": receipt.facts["events"][:-1]}, "event_changed"),
        (AuditEvent.facts, {}, "event_changed"),
        (AuditEvent.action, "call.submitted", "receipt_removed"),
    ):
        with tampered(database) as session:
            session.execute(update(AuditEvent).where(col(AuditEvent.id) == receipt.id).values({column.key: value}))
            assert kind in [fault.kind for fault in verify(session)]


WRONG: dict[str, st.SearchStrategy[Any]] = {
    "id": st.integers(-5, 2**40),
    "at": st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    "actor": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    "action": st.sampled_from(["call.submitted", "audit.sealed", "x", ""]),
    "subject": st.uuids().map(lambda id_: id_.hex),
    "facts": st.recursive(
        st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.sampled_from(["a", "b"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    ).filter(lambda facts: facts is not None),
    "client_id": st.just(None),
}
WRONG_SEAL: dict[str, st.SearchStrategy[Any]] = {
    "number": st.integers(-5, 2**31 - 1),
    "first_event": st.integers(-5, 2**40),
    "last_event": st.integers(-5, 2**40),
    "events": st.integers(-5, 2**31 - 1),
    "previous": st.text("0123456789abcdef", max_size=64),
    "hash": st.text("0123456789abcdef", max_size=64),
    "sealed_at": WRONG["at"],
    "id": st.integers(-5, 2**31 - 1),
    "client_id": st.just(None),
}


@settings(ONCE, max_examples=150)
@given(data=st.data())
def test_any_single_change_of_any_sealed_row_is_found(database, sealed, data):
    with tampered(database) as session:
        table = data.draw(st.sampled_from([AuditEvent, AuditSeal]))
        rows = covered(session) if table is AuditEvent else list(session.exec(select(AuditSeal)).all())
        row = data.draw(st.sampled_from(sorted(rows, key=lambda row: row.id)))
        wrong = WRONG if table is AuditEvent else WRONG_SEAL
        column = data.draw(st.sampled_from(["(remove)", *wrong]))
        where, owner = col(table.id) == row.id, row.client_id
        if column == "(remove)":
            session.execute(table.__table__.delete().where(where))
        else:
            value = data.draw(wrong[column])
            if column == "client_id":
                value = next(client.client_id for client in sealed if client.client_id != row.client_id)
            assume(value != getattr(row, column) or type(value) is not type(getattr(row, column)))
            taken = {(found.client_id, found.number) for found in session.exec(select(AuditSeal)).all()}
            if table is AuditSeal and column in ("client_id", "number"):
                assume((value, row.number) not in taken and (row.client_id, value) not in taken)
            if column == "id":
                assume(session.get(table, value) is None)
            session.execute(update(table).where(where).values({column: value}))
        session.expire_all()
        faults = verify(session)
        assert faults
        assert owner in {fault.client_id for fault in faults}
        assert all(str(fault) for fault in faults)


@settings(ONCE, max_examples=60)
@given(data=st.data())
def test_sqlite_takes_any_type_anywhere_and_none_is_overlooked(database, sealed, data):
    if database.dialect != "sqlite":
        return
    with tampered(database) as session:
        events = data.draw(st.booleans())
        table, columns = ("audit_event", WRONG) if events else ("audit_seal", WRONG_SEAL)
        ids = [event.id for event in covered(session)] if events else session.scalars(select(AuditSeal.id)).all()
        column = data.draw(st.sampled_from(sorted(set(columns) - {"id", "client_id"})))
        value = data.draw(
            st.sampled_from(["x", "", b"\xff\xfe", b"[]", 0.5, "{", "null", "2026-13-45 99:00:00", "1e999"])
        )
        row = {"id": data.draw(st.sampled_from(sorted(ids))), "value": value}
        assume(session.scalar(text(f"SELECT {column} FROM {table} WHERE id = :id"), row) != value)
        session.execute(text(f"UPDATE {table} SET {column} = :value WHERE id = :id"), row)
        if data.draw(st.booleans()):
            session.execute(text(f"UPDATE {table} SET {column} = CAST({column} AS TEXT) WHERE id = :id"), row)
        session.expire_all()
        assert verify(session)


def test_a_client_is_sealed_to_its_end_though_another_ones_seals_reach_further(database, clients, monkeypatch):
    monkeypatch.setattr(audit, "SEAL_SIZE", 1)
    monkeypatch.setattr(audit, "AT_ONCE", 3)
    work(database, clients[1], 6)
    work(database, clients[0], 1)
    with database.writing() as session:
        while seal(session):
            pass
        sealed = [event.action for event in covered(session) if event.client_id == clients[1].client_id]
    assert len(sealed) - sealed.count("audit.sealed") >= 6


@settings(ONCE, max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 7), st.booleans()), max_size=8), st.integers(1, 5))
def test_no_honest_history_is_ever_accused(database, clients, steps, size):
    with tampered(database) as session, pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "SEAL_SIZE", size)
        for who, events, sealing in steps:
            for number in range(events):
                at = datetime.now(UTC) + timedelta(days=random.Random(number).randrange(-9, 9))  # clocks jump
                record(session, clients[who], "call.submitted", new_id(), {"n": number}, at=at)
            if sealing:
                seal(session)
            assert verify(session) == []
        while seal(session):
            pass
        assert verify(session) == []
        done = {event.id for event in covered(session)}
        rest = [event for event in session.exec(select(AuditEvent)).all() if event.id not in done]
        assert {event.action for event in rest} <= {"audit.sealed"}


# erasing


def test_erasing_a_call_leaves_the_chain_alone(database, sealed):
    said, phone = "我的号码是一三八零零一三八零零零", "13800138000"
    client = sealed[0].client_id
    with database.writing() as session:
        call = Call(client_id=client, call_id=f"C-{phone}", channel="phone", language="zh", agent_id="8031")
        session.add(call)
        session.flush()
        session.add(TranscriptVersion(call_id=call.id, version=1, origin="client", digest="d", content=said))
        digest = hashlib.sha256(said.encode()).hexdigest()
        record(session, sealed[0], "call.submitted", call.id, {"transcript": digest, "version": 1})
    seal_all(database)
    with database.reading() as session:
        before = heads(session)
    with database.writing() as session:
        session.execute(text("DELETE FROM transcript_version"))
        session.execute(text("UPDATE call SET erased_because = 'customer-asked', agent_id = NULL"))
        record(session, sealed[0], "call.erased", call.id, {"reason": "customer-asked"})
    seal_all(database)
    with database.reading() as session:
        assert verify(session, noted=before) == []
        held = "".join(
            str(row)
            for table in ("audit_event", "audit_seal")
            for row in session.execute(text(f"SELECT * FROM {table}"))
        )
    assert said not in held
    assert phone not in held
