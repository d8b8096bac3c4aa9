import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook as Standard
from standardwebhooks.webhooks import WebhookVerificationError

from callgrade.adapters import webhooks
from callgrade.adapters.webhooks import PAUSES_S, Line, deliver
from callgrade.db.session import Database
from callgrade.db.tables import Client, Delivery, Webhook
from callgrade.db.types import now
from callgrade.evaluations import outbox, sending
from tests.db.databases import *  # noqa: F403

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXMgbG9uZw=="


class Receiver(ThreadingHTTPServer):
    """A client's own server. Answers with `answers` in order, and then with 204."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Endpoint)
        self.answers: list[tuple[int, dict[str, str]]] = []
        self.got: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hooks/secret-path"


class Endpoint(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), body))
        status, headers = self.server.answers.pop(0) if self.server.answers else (204, {})
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    running = Receiver()
    threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


class Clock:
    def __init__(self) -> None:
        self.at = now()

    def __call__(self) -> datetime:
        return self.at

    def on(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def announced(database: Database, url: str) -> str:
    """The id of the delivery of one event."""
    with database.writing() as session:
        client = Client(name="shop")
        session.add(client)
        session.flush()
        session.add(Webhook(id="hook", client_id=client.id, url=url, secret=SECRET, events=["evaluation.proposed"]))
        session.flush()
        event = outbox.evaluation_event("evaluation.proposed", "e1", 1, "C-00001")
        (id_,) = outbox.tell(session, client.id, [event])
    return id_


def row_of(database: Database, id_: str) -> Delivery:
    with database.reading() as session:
        row = session.get(Delivery, id_)
        assert row is not None
        return row


OUR_NETWORK = Line(allow_private=True, attempt_s=5.0)


def test_an_event_arrives_signed(database: Database, receiver: Receiver) -> None:
    id_ = announced(database, receiver.url)
    assert deliver(database, id_, line=OUR_NETWORK) is None
    ((headers, body),) = receiver.got
    told = Standard(SECRET).verify(body, headers)
    assert told["type"] == "evaluation.proposed"
    assert told["data"] == {"evaluation_id": "e1", "call_id": "C-00001", "attempt": 1}
    assert headers["webhook-id"] == told["id"]
    assert headers["Content-Type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Standard(SECRET).verify(body.replace(b"C-00001", b"C-00002"), headers)
    with pytest.raises(WebhookVerificationError):
        Standard("whsec_b3RoZXI=").verify(body, headers)
    row = row_of(database, id_)
    assert (row.status, row.attempts, row.answered, row.next_at) == ("delivered", 1, 204, None)
    assert row.delivered_at is not None


def test_the_signature_holds_whatever_zone_the_clock_is_in() -> None:
    from datetime import timezone

    at = datetime.now(timezone(timedelta(hours=8)))
    assert webhooks.signed(SECRET, "e", at, "{}") == webhooks.signed(SECRET, "e", at.astimezone(UTC), "{}")
    Standard(SECRET).verify("{}", webhooks.signed(SECRET, "e", at, "{}"))


def test_a_second_call_sends_nothing_more(database: Database, receiver: Receiver) -> None:
    id_ = announced(database, receiver.url)
    for _ in range(3):
        assert deliver(database, id_, line=OUR_NETWORK) is None
    assert len(receiver.got) == 1


def test_is_tried_again_with_the_same_id_and_a_new_signature(
    database: Database, receiver: Receiver, clock: Clock
) -> None:
    id_ = announced(database, receiver.url)
    receiver.answers = [(500, {}), (302, {"Location": receiver.url}), (404, {})]
    for number, pause in enumerate(PAUSES_S[:3], start=1):
        wait = deliver(database, id_, line=OUR_NETWORK, clock=clock)
        assert wait is not None
        assert 0.8 * pause <= wait <= 1.2 * pause
        row = row_of(database, id_)
        assert (row.status, row.attempts) == ("waiting", number)
        assert row.next_at == clock.at + timedelta(seconds=wait)
        # too early: nothing is sent
        clock.on(wait - 2)
        early = deliver(database, id_, line=OUR_NETWORK, clock=clock)
        assert early == pytest.approx(2, abs=0.01)
        clock.on(2)
    assert deliver(database, id_, line=OUR_NETWORK, clock=clock) is None
    assert len(receiver.got) == 4
    assert len({headers["webhook-id"] for headers, _ in receiver.got}) == 1
    assert len({body for _, body in receiver.got}) == 1
    assert len({headers["webhook-signature"] for headers, _ in receiver.got}) == 4
    assert row_of(database, id_).status == "delivered"


def test_is_given_up_after_ten_attempts(database: Database, receiver: Receiver, clock: Clock) -> None:
    id_ = announced(database, receiver.url)
    receiver.answers = [(503, {})] * 20
    waits = []
    while (wait := deliver(database, id_, line=OUR_NETWORK, clock=clock)) is not None:
        waits.append(wait)
        clock.on(wait)
    assert len(waits) == 9
    assert 2.4 * 86_400 < sum(waits) < 3.9 * 86_400
    row = row_of(database, id_)
    assert (row.status, row.attempts, row.answered, row.next_at) == ("given_up", 10, 503, None)
    assert deliver(database, id_, line=OUR_NETWORK, clock=clock) is None
    assert len(receiver.got) == 10


def test_sent_again_by_hand_it_is_one_more_attempt(database: Database, receiver: Receiver, clock: Clock) -> None:
    id_ = announced(database, receiver.url)
    receiver.answers = [(503, {})] * 11
    while (wait := deliver(database, id_, line=OUR_NETWORK, clock=clock)) is not None:
        clock.on(wait)
    for expected in ("given_up", "delivered"):
        with database.writing() as session:
            row = session.get(Delivery, id_)
            assert row is not None
            row.status = "waiting"
            session.add(row)
        assert deliver(database, id_, line=OUR_NETWORK, clock=clock) is None
        assert row_of(database, id_).status == expected
    assert row_of(database, id_).attempts == 12


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [("120", 120, 120), ("1", 4, 6), ("9999999", 86_400, 86_400), ("soon", 4, 6), ("", 4, 6), ("²", 4, 6)],
)
def test_retry_after_is_honoured(
    database: Database, receiver: Receiver, clock: Clock, asked: str, least: float, most: float
) -> None:
    id_ = announced(database, receiver.url)
    receiver.answers = [(429, {"Retry-After": asked})]
    wait = deliver(database, id_, line=OUR_NETWORK, clock=clock)
    assert wait is not None
    assert least <= wait <= most


def test_retry_after_may_be_a_date(database: Database, receiver: Receiver, clock: Clock) -> None:
    id_ = announced(database, receiver.url)
    then = clock.at + timedelta(minutes=10)
    receiver.answers = [(503, {"Retry-After": then.strftime("%a, %d %b %Y %H:%M:%S GMT")})]
    wait = deliver(database, id_, line=OUR_NETWORK, clock=clock)
    assert wait is not None
    assert 598 < wait <= 600


def test_gone_disables_the_webhook(database: Database, receiver: Receiver) -> None:
    id_ = announced(database, receiver.url)
    receiver.answers = [(410, {})]
    assert deliver(database, id_, line=OUR_NETWORK) is None
    assert row_of(database, id_).status == "given_up"
    with database.writing() as session:
        hook = session.get(Webhook, "hook")
        assert hook is not None
        assert hook.disabled_at is not None
        assert (
            outbox.tell(session, hook.client_id, [outbox.evaluation_event("evaluation.proposed", "e2", 1, "C")]) == []
        )


def test_what_a_disabled_webhook_still_had_to_get_is_given_up(database: Database, receiver: Receiver) -> None:
    id_ = announced(database, receiver.url)
    with database.writing() as session:
        sending.disable(session, "hook", now())
    assert deliver(database, id_, line=OUR_NETWORK) is None
    assert receiver.got == []
    assert row_of(database, id_).status == "given_up"


def test_a_delivery_that_is_gone_is_over(database: Database) -> None:
    assert deliver(database, "nothing") is None


def test_an_attempt_that_died_is_made_again_after_its_lease(
    database: Database, receiver: Receiver, clock: Clock
) -> None:
    id_ = announced(database, receiver.url)
    with database.writing() as session:
        assert isinstance(sending.take(session, id_, clock.at), sending.Parcel)
    wait = deliver(database, id_, line=OUR_NETWORK, clock=clock)
    assert wait == pytest.approx(60, abs=0.01)
    assert receiver.got == []
    clock.on(60)
    assert deliver(database, id_, line=OUR_NETWORK, clock=clock) is None
    assert row_of(database, id_).attempts == 2


def test_an_attempt_that_came_back_late_changes_nothing(database: Database, receiver: Receiver, clock: Clock) -> None:
    id_ = announced(database, receiver.url)
    with database.writing() as session:
        late = sending.take(session, id_, clock.at)
        assert isinstance(late, sending.Parcel)
    clock.on(61)
    assert deliver(database, id_, line=OUR_NETWORK, clock=clock) is None
    with database.writing() as session:
        sending.missed(session, late, 500, clock.at)
    assert row_of(database, id_).status == "delivered"


def test_of_two_attempts_the_later_one_decides_and_a_receipt_always(database: Database, clock: Clock) -> None:
    id_ = announced(database, "https://crm.example.com/hook")
    with database.writing() as session:
        first = sending.take(session, id_, clock.at)
        clock.on(61)
        second = sending.take(session, id_, clock.at)
        assert isinstance(first, sending.Parcel)
        assert isinstance(second, sending.Parcel)
        sending.missed(session, first, 500, None)
    row = row_of(database, id_)
    assert (row.status, row.next_at) == ("waiting", clock.at + sending.LEASE)
    with database.writing() as session:
        sending.delivered(session, first, 200, clock.at)
        sending.missed(session, second, 500, clock.at)
    assert row_of(database, id_).status == "delivered"


def test_several_workers_at_once_send_it_once(database: Database, receiver: Receiver) -> None:
    id_ = announced(database, receiver.url)
    together = threading.Barrier(4)

    def work() -> None:
        together.wait()
        deliver(database, id_, line=OUR_NETWORK)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.got) == 1
    assert row_of(database, id_).status == "delivered"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/hook",
        "http://localhost:1/hook",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:127.0.0.1]/",
        "http://inside.example/hook",
    ],
)
def test_no_webhook_reaches_our_own_network(database: Database, url: str, clock: Clock) -> None:
    id_ = announced(database, url)
    line = Line(resolve=lambda host, port: ["10.0.0.1"])
    wait = deliver(database, id_, line=line, clock=clock)
    assert wait is not None
    row = row_of(database, id_)
    assert (row.status, row.attempts, row.answered) == ("waiting", 1, None)


def test_a_receiver_that_nobody_answers_at_is_tried_again(database: Database, receiver: Receiver, clock: Clock) -> None:
    id_ = announced(database, "http://127.0.0.1:1/hook")
    assert deliver(database, id_, line=OUR_NETWORK, clock=clock) is not None
    assert row_of(database, id_).answered is None


def test_the_log_holds_ids_and_no_url(database: Database, receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    id_ = announced(database, receiver.url)
    with caplog.at_level(logging.DEBUG):
        deliver(database, id_, line=OUR_NETWORK)
    (record,) = [record for record in caplog.records if record.name == "callgrade.adapters.webhooks"]
    assert vars(record)["delivery"] == id_
    # the wire's own library must not tell more than we do
    everything = "\n".join(json.dumps(vars(record), default=str) for record in caplog.records)
    assert "secret-path" not in everything
    assert SECRET.removeprefix("whsec_") not in everything
