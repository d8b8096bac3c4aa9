"""Webhooks over HTTP: registered, listed, tried, removed. The sending is tested with its adapter."""

import base64
from typing import Any

import pytest
from sqlmodel import select

from callgrade.db.tables import Delivery, IdempotentRequest
from callgrade.evaluations import webhooks
from callgrade.evaluations.outbox import DELIVERIES
from callgrade.evaluations.sending import ERASED
from tests.api.made import Service, transcript

URL = "https://crm.example.com/hook"


def add(service: Service, **wanted: Any) -> Any:
    return service.http.post("/v1/webhooks", json={"url": URL, **wanted}, headers=service.key())


def test_the_secret_is_shown_once(service: Service) -> None:
    made = add(service, events=["evaluation.proposed", "batch.done"])
    assert made.status_code == 201, made.text
    secret = made.json()["secret"]
    assert secret.startswith("whsec_")
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    for answer in (service.get("/v1/webhooks"), service.get(f"/v1/webhooks/{made.json()['id']}")):
        assert answer.status_code == 200
        assert secret not in answer.text


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/x",
        "http://localhost/x",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://2130706433/",
        "file:///etc/passwd",
        "https://user:password@example.com/",
    ],
)
def test_what_is_sent_nowhere_is_refused(service: Service, url: str) -> None:
    answer = add(service, url=url)
    assert answer.status_code == 422, answer.text
    assert service.get("/v1/webhooks").json()["items"] == []


def test_events_reach_whoever_asked_for_them(service: Service) -> None:
    hook = add(service, events=["evaluation.proposed"]).json()["id"]
    made = service.submit().json()
    service.batch([transcript("B-1")])
    items = service.get(f"/v1/webhooks/{hook}/deliveries").json()["items"]
    assert [item["event"] for item in items] == ["evaluation.proposed"] * 2
    assert {item["status"] for item in items} == {"waiting"}
    with service.database.reading() as session:
        payloads = [row.payload for row in session.exec(select(Delivery))]
    assert {payload["data"]["evaluation_id"] for payload in payloads} >= {made["evaluation_id"]}


def test_a_test_and_a_redelivery_are_told_to_the_courier(service: Service) -> None:
    heard: list[int] = []
    service.database.listen(DELIVERIES, lambda: heard.append(1))
    hook = add(service).json()["id"]
    tried = service.http.post(f"/v1/webhooks/{hook}/test", headers=service.key())
    assert (tried.status_code, tried.json()["event"]) == (202, "webhook.test")
    assert len(heard) == 1
    path, wanted = f"/v1/webhooks/{hook}/redeliver", {"delivery_id": tried.json()["id"]}
    assert service.http.post(path, json=wanted, headers=service.key()).status_code == 409
    with service.database.writing() as session:
        row = session.get(Delivery, tried.json()["id"])
        assert row is not None
        row.status = "delivered"
        session.add(row)
    again = service.http.post(path, json=wanted, headers=service.key())
    assert (again.status_code, len(heard)) == (202, 2)
    assert again.json()["id"] != tried.json()["id"]
    assert again.json()["event_id"] == tried.json()["event_id"]
    seen = service.get(f"/v1/webhooks/{hook}/deliveries", limit=1).json()
    rest = service.get(f"/v1/webhooks/{hook}/deliveries", limit=1, cursor=seen["next_cursor"]).json()
    assert [item["id"] for item in seen["items"] + rest["items"]] == [again.json()["id"], tried.json()["id"]]


def test_the_log_shows_the_newest_first_page_by_page(service: Service) -> None:
    hook = add(service, events=["evaluation.proposed"]).json()["id"]
    asked = [service.submit(transcript(f"C-{number}")).json()["evaluation_id"] for number in range(8)]
    shown, cursor = [], {}
    while True:
        page = service.get(f"/v1/webhooks/{hook}/deliveries", limit=3, **cursor).json()
        shown += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    with service.database.reading() as session:
        told = {row.id: row.payload["data"]["evaluation_id"] for row in session.exec(select(Delivery))}
    assert [told[item["id"]] for item in shown] == asked[::-1]
    other = add(service).json()["id"]
    assert service.get(f"/v1/webhooks/{other}/deliveries", limit=3, **cursor).status_code == 422


def test_a_delivery_of_another_webhook_is_none(service: Service) -> None:
    one, two = add(service).json()["id"], add(service).json()["id"]
    tried = service.http.post(f"/v1/webhooks/{one}/test", headers=service.key()).json()
    answer = service.http.post(
        f"/v1/webhooks/{two}/redeliver", json={"delivery_id": tried["id"]}, headers=service.key()
    )
    assert answer.status_code == 404


def test_removed_is_gone_with_its_log(service: Service) -> None:
    hook = add(service).json()["id"]
    service.http.post(f"/v1/webhooks/{hook}/test", headers=service.key())
    assert service.http.delete(f"/v1/webhooks/{hook}", headers=service.key()).status_code == 204
    assert service.get(f"/v1/webhooks/{hook}").status_code == 404
    with service.database.reading() as session:
        assert session.exec(select(Delivery)).all() == []


def test_there_may_be_so_many_and_no_more(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MOST", 2)
    assert [add(service).status_code for _ in range(3)] == [201, 201, 409]


def test_the_same_registration_twice_is_one_with_the_same_secret(service: Service) -> None:
    def ask(**wanted: Any) -> Any:
        headers = {**service.key(), "Idempotency-Key": "k"}
        return service.http.post("/v1/webhooks", json={"url": URL, **wanted}, headers=headers)

    first, second = ask(), ask()
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert len(service.get("/v1/webhooks").json()["items"]) == 1
    other = ask(events=["batch.done"])
    assert (other.status_code, other.json()["retryable"]) == (409, False)
    with service.database.reading() as session:
        (kept,) = session.exec(select(IdempotentRequest)).all()
        assert first.json()["secret"] not in str(kept.answer)
    service.http.delete(f"/v1/webhooks/{first.json()['id']}", headers=service.key())
    assert ask().status_code == 410


def test_a_test_and_a_redelivery_with_the_same_key_are_one(service: Service) -> None:
    hook = add(service).json()["id"]

    def ask(what: str, key: str, **body: Any) -> Any:
        headers = {**service.key(), "Idempotency-Key": key}
        return service.http.post(f"/v1/webhooks/{hook}/{what}", json=body or None, headers=headers)

    first = ask("test", "a").json()
    assert ask("test", "a").json() == first
    assert ask("test", "b").json()["id"] != first["id"]
    sent(service, first["id"])
    again = ask("redeliver", "c", delivery_id=first["id"]).json()
    assert ask("redeliver", "c", delivery_id=first["id"]).json() == again
    assert ask("redeliver", "d", delivery_id=first["id"]).json()["id"] != again["id"]
    assert len(service.get(f"/v1/webhooks/{hook}/deliveries").json()["items"]) == 4


def test_what_was_erased_is_not_sent_again(service: Service) -> None:
    hook = add(service).json()["id"]
    id_ = service.http.post(f"/v1/webhooks/{hook}/test", headers=service.key()).json()["id"]
    sent(service, id_, payload=ERASED)
    answer = service.http.post(f"/v1/webhooks/{hook}/redeliver", json={"delivery_id": id_}, headers=service.key())
    assert answer.status_code == 410


def sent(service: Service, id_: str, **more: Any) -> None:
    with service.database.writing() as session:
        row = session.get(Delivery, id_)
        assert row is not None
        for name, value in {"status": "delivered", "next_at": None, **more}.items():
            setattr(row, name, value)
        session.add(row)
