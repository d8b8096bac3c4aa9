"""Deliveries on their way: whose turn it is, who may send, what comes of it. Receivers are real, on loopback."""

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import event as events
from sqlalchemy import select

from callgrade.access.principals import system
from callgrade.adapters.courier import Courier
from callgrade.adapters.places import Places
from callgrade.adapters.webhooks import PAUSES_S
from callgrade.db.session import Database
from callgrade.db.tables import Webhook
from callgrade.domain.errors import GoneError
from callgrade.evaluations import outbox, sending, webhooks
from callgrade.evaluations.sending import ERASED, Due, Outcome, Parcel
from callgrade.evaluations.tables import DELIVERY
from tests.adapters.receivers import *  # noqa: F403
from tests.adapters.receivers import (
    CLIENT,
    HOOK,
    SECRET,
    Clock,
    Receiver,
    announced,
    change,
    event,
    opened,
    our_network,
    registered,
    row_of,
    send_due,
)
from tests.db.databases import *  # noqa: F403

NOWHERE = "http://127.0.0.1:1/hook"


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)


def statuses(database: Database) -> Counter[str]:
    with database.reading() as session:
        return Counter(session.execute(select(DELIVERY.c.status)).scalars())


def taken(database: Database, clock: Clock, url: str = NOWHERE, most: int = 100) -> list[Parcel]:
    """By a courier that dies now."""
    with database.writing() as session:
        return sending.take(session, Due(HOOK, url, SECRET, dead=False), clock.at, most)


def settled(database: Database, clock: Clock, *outcomes: Outcome) -> None:
    with database.writing() as session:
        sending.settle(session, outcomes, clock.at)


@pytest.fixture
def couriers(database: Database) -> Iterator[Callable[..., Courier]]:
    """Couriers that run, each over a connection of its own, and are stopped at the end."""
    running: list[tuple[Courier, Database]] = []

    def started(**more: object) -> Courier:
        own = Database(str(database.url.render_as_string(hide_password=False)))
        courier = Courier(own, our_network(), **more)  # type: ignore[arg-type]
        courier.start()
        running.append((courier, own))
        return courier

    yield started
    for courier, own in running:
        courier.stop(grace_s=10)
        own.close()


def test_what_is_due_is_sent_once_and_written_down(database: Database, receiver: Receiver, clock: Clock) -> None:
    registered(database, receiver.url)
    (id_,) = announced(database)
    assert send_due(database, clock) == 1
    row = row_of(database, id_)
    assert (row.status, row.attempts, row.answered, row.next_at) == ("delivered", 1, 204, None)
    assert row.delivered_at == clock.at
    assert receiver.events == [row.event_id]
    assert json.loads(receiver.got[0][1]) == row.payload
    assert send_due(database, clock) == 0


def test_is_tried_again_with_the_same_id_and_a_new_signature(
    database: Database, receiver: Receiver, clock: Clock
) -> None:
    registered(database, receiver.url)
    (id_,) = announced(database)
    receiver.answers = [(500, {}), (302, {"Location": receiver.url}), (404, {})]
    for number, pause in enumerate(PAUSES_S[:3], start=1):
        assert send_due(database, clock) == 1
        row = row_of(database, id_)
        assert (row.status, row.attempts) == ("waiting", number)
        assert row.next_at is not None
        wait = (row.next_at - clock.at).total_seconds()
        assert 0.8 * pause <= wait <= 1.2 * pause
        clock.on(wait - 1)
        assert send_due(database, clock) == 0
        clock.on(1)
    assert send_due(database, clock) == 1
    assert len(receiver.got) == 4
    assert len(set(receiver.events)) == 1
    assert len({body for _, body in receiver.got}) == 1
    assert len({headers["webhook-signature"] for headers, _ in receiver.got}) == 4
    assert row_of(database, id_).status == "delivered"


def test_is_given_up_after_ten_attempts(database: Database, receiver: Receiver, clock: Clock) -> None:
    registered(database, receiver.url)
    (id_,) = announced(database)
    receiver.answers = [(503, {})] * 20
    begun = clock.at
    while (row := row_of(database, id_)).status == "waiting":
        assert row.next_at is not None
        clock.at = max(clock.at, row.next_at)
        assert send_due(database, clock) == 1
    assert timedelta(days=2.4) < clock.at - begun < timedelta(days=3.9)
    assert (row.status, row.attempts, row.answered, row.next_at) == ("given_up", 10, 503, None)
    clock.on(86_400)
    assert send_due(database, clock) == 0
    assert len(receiver.got) == 10


def test_one_that_is_sent_again_by_hand_has_its_own_tries_each_in_its_time(
    database: Database, receiver: Receiver, clock: Clock
) -> None:
    registered(database, receiver.url)
    (id_,) = announced(database)
    send_due(database, clock)
    with database.writing() as session:
        again = webhooks.redeliver(session, system(CLIENT), HOOK, id_).id
    receiver.answers = [(500, {}), (500, {})]
    for attempt in (1, 2):
        assert send_due(database, clock) == 1
        row = row_of(database, again)
        assert (row.status, row.attempts) == ("waiting", attempt)
        assert row.next_at is not None
        clock.at = row.next_at
    assert send_due(database, clock) == 1
    assert (row_of(database, again).status, row_of(database, id_).attempts) == ("delivered", 1)
    assert len(set(receiver.events)) == 1
    assert len(receiver.got) == 4


def test_gone_disables_the_webhook_and_gives_up_what_it_still_had_to_get(
    database: Database, receiver: Receiver, clock: Clock
) -> None:
    registered(database, receiver.url)
    receiver.answers = [(410, {})]
    announced(database, 3)
    courier = Courier(database, our_network(), clock=clock, places=Places(at_once=1))
    courier.work_off()
    assert len(receiver.got) == 1
    assert statuses(database) == {"given_up": 3}
    with database.reading() as session:
        hook = session.get(Webhook, HOOK)
        assert hook is not None
        assert hook.disabled_at == clock.at
    assert announced(database) == []


def test_one_with_another_that_died_over_it_is_taken_over_when_its_lease_is_over(
    database: Database, receiver: Receiver, clock: Clock
) -> None:
    registered(database, receiver.url)
    ids = announced(database, 5)
    assert {parcel.attempt for parcel in taken(database, clock)} == {1}
    clock.on(sending.LEASE.total_seconds() - 1)
    assert send_due(database, clock) == 0
    clock.on(1)
    assert send_due(database, clock) == 5
    assert {row_of(database, id_).attempts for id_ in ids} == {2}
    assert statuses(database) == {"delivered": 5}


def test_an_attempt_that_came_back_late_changes_nothing(database: Database, receiver: Receiver, clock: Clock) -> None:
    registered(database, receiver.url)
    (id_,) = announced(database)
    (late,) = taken(database, clock)
    clock.on(61)
    send_due(database, clock)
    settled(database, clock, Outcome(late, 500, receipt=False, again_at=clock.at))
    assert row_of(database, id_).status == "delivered"


def test_of_two_attempts_the_later_one_decides_and_a_receipt_always(database: Database, clock: Clock) -> None:
    registered(database, NOWHERE)
    (id_,) = announced(database)
    (first,) = taken(database, clock)
    clock.on(61)
    (second,) = taken(database, clock)
    settled(database, clock, Outcome(first, 500, receipt=False))
    row = row_of(database, id_)
    assert (row.status, row.next_at) == ("waiting", clock.at + sending.LEASE)
    settled(database, clock, Outcome(first, 200, receipt=True), Outcome(second, 500, receipt=False, again_at=clock.at))
    assert (row_of(database, id_).status, row_of(database, id_).answered) == ("delivered", 200)


def test_what_was_erased_is_never_sent(database: Database, receiver: Receiver, clock: Clock) -> None:
    registered(database, receiver.url)
    kept, erased = announced(database, 2)
    change(database, erased, payload=ERASED)
    assert send_due(database, clock) == 1
    assert receiver.events == [row_of(database, kept).event_id]
    row = row_of(database, erased)
    assert (row.status, row.next_at, row.delivered_at) == ("given_up", None, None)
    with pytest.raises(GoneError), database.writing() as session:
        webhooks.redeliver(session, system(CLIENT), HOOK, erased)


def test_two_couriers_on_one_database_never_send_the_same_attempt(
    database: Database, receiver: Receiver, couriers: Callable[..., Courier]
) -> None:
    registered(database, receiver.url)
    for _ in range(2):
        couriers()
    announced(database, 150)
    announced(database, 150)
    until(lambda: statuses(database) == {"delivered": 300})
    assert len(receiver.got) == len(set(receiver.events)) == 300
    with database.reading() as session:
        assert set(session.execute(select(DELIVERY.c.attempts)).scalars()) == {1}


def test_two_who_take_at_the_same_moment_take_different_ones(database: Database, clock: Clock) -> None:
    registered(database, NOWHERE)
    announced(database, 40)
    together, found = threading.Barrier(4), list[Parcel]()

    def take() -> None:
        together.wait()
        found.extend(taken(database, clock, most=10))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({parcel.delivery_id for parcel in found}) == len(found) == 40


def test_one_receiver_that_hangs_holds_up_nobody_and_no_lease(
    database: Database, receiver: Receiver, couriers: Callable[..., Courier]
) -> None:
    hangs = opened()
    hangs.goes_on.clear()
    try:
        registered(database, hangs.url, "hangs")
        registered(database, receiver.url)
        announced(database, 100)
        couriers(places=Places(at_once=8, each=4))
        until(lambda: len(receiver.got) == 100)
        with database.reading() as session:
            held = session.execute(
                select(DELIVERY.c.attempts).where(DELIVERY.c.webhook_id == "hangs", DELIVERY.c.attempts > 0)
            ).all()
        # the rest of them wait untouched: nobody holds a lease that runs while its turn does not come
        assert 1 <= len(held) <= 8
        hangs.goes_on.set()
        until(lambda: statuses(database) == {"delivered": 200})
        assert len(set(hangs.events)) == 100
    finally:
        hangs.goes_on.set()
        hangs.shutdown()
        hangs.server_close()


def test_what_is_stored_in_the_process_is_sent_at_once(
    database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callgrade.adapters.courier.POLL_S", 3600.0)
    registered(database, receiver.url)
    courier = Courier(database, our_network())
    courier.start()
    announced(database)
    until(lambda: statuses(database) == {"delivered": 1})
    with database.writing() as session:
        webhooks.send_test(session, system(CLIENT), HOOK)
    until(lambda: statuses(database) == {"delivered": 2})
    courier.stop()


def test_idle_it_asks_once_a_look(database: Database, clock: Clock) -> None:
    for number in range(10):
        registered(database, NOWHERE, f"w{number}")
    announced(database)
    send_due(database, clock)
    asked: list[str] = []
    # on PostgreSQL the reader is the writer with other options, and heard with it
    for engine in (database._writer, database._reader)[: 2 if database.dialect == "sqlite" else 1]:
        events.listen(engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert send_due(database, clock) == 0
    assert [statement.split()[0] for statement in asked if statement != "BEGIN"] == ["SELECT"]


def test_stopped_it_takes_nothing_new_and_writes_down_what_ends(
    database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(database, receiver.url)
    receiver.goes_on.clear()
    announced(database)
    courier = Courier(database, our_network())
    go_round, too_late = courier._round, []

    def watched() -> int:
        too_late.append(courier._stop.is_set())
        return go_round()

    monkeypatch.setattr(courier, "_round", watched)
    courier.start()
    until(lambda: len(receiver.got) == 1)
    stopping = threading.Thread(target=courier.stop)
    stopping.start()
    courier._stop.wait()
    announced(database)
    receiver.goes_on.set()
    stopping.join()
    assert not any(too_late)
    assert statuses(database) == {"delivered": 1, "waiting": 1}
    assert len(receiver.got) == 1


def test_stopped_without_patience_it_leaves_the_rest_to_its_lease(
    database: Database, receiver: Receiver, clock: Clock
) -> None:
    registered(database, receiver.url)
    receiver.goes_on.clear()
    (id_,) = announced(database)
    courier = Courier(database, our_network(), clock=clock)
    courier.start()
    until(lambda: len(receiver.got) == 1)
    courier.stop(grace_s=0)
    assert row_of(database, id_).next_at == clock.at + sending.LEASE
    receiver.goes_on.set()
    clock.on(60)
    assert send_due(database, clock) == 1
    assert (row_of(database, id_).status, row_of(database, id_).attempts) == ("delivered", 2)


def test_without_a_database_it_waits_and_loses_nothing(
    database: Database, receiver: Receiver, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(database, receiver.url)
    (id_,) = announced(database)
    courier = Courier(database, our_network(), clock=clock)
    settle, failures = sending.settle, [RuntimeError("no room"), RuntimeError("no room")]

    def failing(*told: object) -> None:
        if failures:
            raise failures.pop()
        settle(*told)  # type: ignore[arg-type]

    monkeypatch.setattr(sending, "settle", failing)
    for _ in range(2):
        with pytest.raises(RuntimeError):
            courier.work_off()
    assert row_of(database, id_).status == "waiting"
    courier.work_off()
    assert (row_of(database, id_).status, len(receiver.got)) == ("delivered", 1)


def test_an_event_is_told_once_however_often_it_is_stored(database: Database, clock: Clock) -> None:
    registered(database, NOWHERE)
    heard: list[int] = []
    database.listen(outbox.DELIVERIES, lambda: heard.append(1))
    for _ in range(3):
        with database.writing() as session:
            outbox.tell(session, CLIENT, [event("b")])
    assert (statuses(database), heard) == ({"waiting": 1}, [1])


def test_the_log_holds_ids_and_no_url(
    database: Database, receiver: Receiver, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    registered(database, receiver.url)
    (id_,) = announced(database)
    with caplog.at_level(logging.DEBUG):
        send_due(database, clock)
    (record,) = [record for record in caplog.records if record.name == "callgrade.adapters.courier"]
    assert vars(record)["delivery"] == id_
    everything = "\n".join(json.dumps(vars(record), default=str) for record in caplog.records)
    assert "secret-path" not in everything
    assert SECRET.removeprefix("whsec_") not in everything
