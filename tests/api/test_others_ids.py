"""Another client's ids where they do not stand in the path: in a body, a filter, a list's cursor. The paths are held
in tests/api/test_who_may."""

from typing import Any

import pytest

from callgrade.db.types import new_id
from tests.api.made import Service, transcript
from tests.api.test_who_may import things

STRANGER = "stranger"


@pytest.fixture
def owned(service: Service) -> dict[str, str]:
    return things(service)


def same(one: Any, other: Any) -> bool:
    """Nothing tells the one from the other."""
    return {**one.json(), "request_id": ""} == {**other.json(), "request_id": ""}


def test_anothers_release_grades_nothing(service: Service, owned: dict[str, str]) -> None:
    key = service.key(client=STRANGER)
    call = service.http.post("/v1/calls", json=transcript("C-9"), headers=key).json()["id"]
    tried = [
        service.http.post(f"/v1/calls/{call}/evaluations", json={"release": id_}, headers=key)
        for id_ in (owned["release"], new_id())
    ]
    assert [answer.status_code for answer in tried] == [404, 404]
    assert same(*tried)


def test_anothers_delivery_is_not_sent_again(service: Service, owned: dict[str, str]) -> None:
    sent = service.http.post(f"/v1/webhooks/{owned['webhook']}/test", headers=service.key()).json()["id"]
    key = service.key(client=STRANGER)
    hook = service.http.post("/v1/webhooks", json={"url": "https://crm.example.com/x"}, headers=key).json()["id"]
    tried = [
        service.http.post(f"/v1/webhooks/{hook}/redeliver", json={"delivery_id": id_}, headers=key)
        for id_ in (sent, new_id())
    ]
    assert [answer.status_code for answer in tried] == [404, 404]
    assert same(*tried)


@pytest.mark.parametrize("name", ["batch", "call"])
def test_a_filter_by_anothers_id_finds_nothing(service: Service, owned: dict[str, str], name: str) -> None:
    assert service.get("/v1/evaluations", **{name: owned[name]}).json()["items"] != []
    assert service.get("/v1/evaluations", client=STRANGER, **{name: owned[name]}).json()["items"] == []


@pytest.mark.parametrize("path", ["/v1/calls", "/v1/evaluations", "/v1/batches", "/v1/webhooks"])
def test_anothers_cursor_leads_nowhere(service: Service, owned: dict[str, str], path: str) -> None:
    service.http.post("/v1/webhooks", json={"url": "https://crm.example.com/more"}, headers=service.key())
    service.submit(transcript("C-8"))
    service.batch([transcript("B-2")])
    cursor = service.get(path, limit=1).json()["next_cursor"]
    assert cursor is not None
    answer = service.get(path, client=STRANGER, cursor=cursor)
    assert (answer.status_code, answer.json()["items"]) == (200, [])
