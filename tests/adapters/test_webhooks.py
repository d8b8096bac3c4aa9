"""One attempt: what goes over the wire, where it may go, and what its answer means."""

import json
import logging
from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks.webhooks import Webhook as Standard
from standardwebhooks.webhooks import WebhookVerificationError

from callgrade.adapters import webhooks
from callgrade.adapters.webhooks import PAUSES_S, Answer, Line, outcome_of
from callgrade.db.types import now
from callgrade.evaluations.sending import Parcel
from tests.adapters.receivers import *  # noqa: F403
from tests.adapters.receivers import SECRET, Receiver, our_network

AT = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
TOLD = {"id": "e1", "type": "evaluation.proposed", "data": {"call_id": "C-00001", "note": "客户"}}


def parcel(url: str, attempt: int = 1) -> Parcel:
    return Parcel("d", "w", url, SECRET, "e1", "evaluation.proposed", TOLD, attempt)


def test_an_event_arrives_signed(receiver: Receiver) -> None:
    assert our_network().send(parcel(receiver.url), now()) == Answer(204)
    ((headers, body),) = receiver.got
    assert Standard(SECRET).verify(body, headers) == TOLD
    assert headers["webhook-id"] == "e1"
    assert headers["Content-Type"] == "application/json"
    with pytest.raises(WebhookVerificationError):
        Standard(SECRET).verify(body.replace(b"C-00001", b"C-00002"), headers)
    with pytest.raises(WebhookVerificationError):
        Standard("whsec_b3RoZXI=").verify(body, headers)


def test_the_signature_holds_whatever_zone_the_clock_is_in() -> None:
    at = datetime.now(timezone(timedelta(hours=8)))
    assert webhooks.signed(SECRET, "e", at, "{}") == webhooks.signed(SECRET, "e", at.astimezone(UTC), "{}")
    Standard(SECRET).verify("{}", webhooks.signed(SECRET, "e", at, "{}"))


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answers = [(302, {"Location": receiver.url})]
    assert our_network().send(parcel(receiver.url), AT) == Answer(302)
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/hook",
        "http://localhost:1/hook",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:127.0.0.1]/",
        "http://inside.example/hook",
        "file:///etc/passwd",
    ],
)
def test_no_webhook_reaches_our_own_network(url: str) -> None:
    line = Line(resolve=lambda host, port: ["10.0.0.1"])
    assert line.send(parcel(url), AT) == Answer(None)


def test_where_nobody_answers_there_is_no_status() -> None:
    assert our_network().send(parcel("http://127.0.0.1:1/hook"), AT) == Answer(None)


def test_a_connection_is_used_again_and_asks_the_resolver_nothing(receiver: Receiver) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    line = Line(allow_private=True, resolve=resolve)
    url = receiver.url.replace("127.0.0.1", "crm.example")
    for _ in range(5):
        assert line.send(parcel(url), AT) == Answer(204)
    line.close()
    assert (len(receiver.got), receiver.connections, asked) == (5, 1, ["crm.example"])
    line.send(parcel(url), AT)
    assert (receiver.connections, len(asked)) == (2, 2)


def test_a_connection_that_was_closed_meanwhile_costs_no_attempt(receiver: Receiver) -> None:
    line = our_network()
    receiver.answers = [(204, {"X": "1"})]
    assert line.send(parcel(receiver.url), AT) == Answer(204)
    receiver.closes_on = 2
    assert line.send(parcel(receiver.url), AT) == Answer(204)
    # the other side broke off once, and was asked again over another connection
    assert (len(receiver.got), receiver.connections) == (3, 2)


def test_a_first_connection_that_breaks_is_an_attempt(receiver: Receiver) -> None:
    receiver.closes_on = 1
    assert our_network().send(parcel(receiver.url), AT) == Answer(None)
    assert len(receiver.got) == 1


def test_an_endless_answer_is_not_read_to_its_end(receiver: Receiver) -> None:
    receiver.answers = [(200, {"Content-Length": str(10**12)})]
    receiver.endless = True
    assert our_network().send(parcel(receiver.url), AT) == Answer(200)


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [("120", 120, 120), ("1", 4, 6), ("9999999", 86_400, 86_400), ("soon", 4, 6), ("", 4, 6), ("²", 4, 6)],
)
def test_retry_after_is_honoured(receiver: Receiver, asked: str, least: float, most: float) -> None:
    receiver.answers = [(429, {"Retry-After": asked})]
    sent = parcel(receiver.url)
    outcome = outcome_of(sent, our_network().send(sent, AT), AT)
    assert outcome.again_at is not None
    assert timedelta(seconds=least) <= outcome.again_at - AT <= timedelta(seconds=most)


def test_retry_after_may_be_a_date(receiver: Receiver) -> None:
    then = AT + timedelta(minutes=10)
    receiver.answers = [(503, {"Retry-After": then.strftime("%a, %d %b %Y %H:%M:%S GMT")})]
    sent = parcel(receiver.url)
    assert outcome_of(sent, our_network().send(sent, AT), AT).again_at == then


def test_pauses_grow_until_it_is_given_up() -> None:
    pauses = []
    for attempt in range(1, 11):
        again_at = outcome_of(parcel("https://x.example/", attempt), Answer(500), AT).again_at
        pauses.append(again_at and (again_at - AT).total_seconds())
    for pause, wanted in zip(pauses[:-1], PAUSES_S, strict=True):
        assert pause is not None
        assert 0.8 * wanted <= pause <= 1.2 * wanted
    assert pauses[-1] is None


def test_a_receipt_and_a_goodbye_are_the_end_of_it() -> None:
    sent = parcel("https://x.example/")
    receipt = outcome_of(sent, Answer(204), AT)
    assert (receipt.receipt, receipt.gone, receipt.again_at) == (True, False, None)
    goodbye = outcome_of(sent, Answer(410), AT)
    assert (goodbye.receipt, goodbye.gone, goodbye.again_at) == (False, True, None)


def test_the_log_of_an_attempt_holds_no_url(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        our_network().send(parcel(receiver.url), AT)
    # the wire's own library must not tell more than we do
    everything = "\n".join(json.dumps(vars(record), default=str) for record in caplog.records)
    assert "secret-path" not in everything
    assert SECRET.removeprefix("whsec_") not in everything
