"""Agents over HTTP."""

from typing import Any

import pytest

from tests.api.made import Service


def put(service: Service, *agents: dict[str, Any], **headers: str) -> Any:
    sent = headers or service.key()
    return service.http.put("/v1/agents", json={"agents": list(agents)}, headers=sent)


def test_each_is_made_or_replaced(service: Service) -> None:
    assert put(service, {"agent_id": "8031", "name": "李敏", "team": "sales-2"}, {"agent_id": "8032"}).json() == {
        "made": 2,
        "changed": 0,
    }
    assert put(service, {"agent_id": "8032", "team": "华南", "left": True}).json() == {"made": 0, "changed": 1}
    first, second = service.get("/v1/agents").json()["items"]
    assert first == {"agent_id": "8031", "name": "李敏", "team": "sales-2", "left_at": None}
    assert (second["agent_id"], second["team"], second["left_at"] is None) == ("8032", "华南", False)


def test_they_come_page_by_page_whatever_their_ids(service: Service) -> None:
    names = sorted(["8031", "é", "工号 7", "a/b", "%"])
    put(service, *({"agent_id": name} for name in names))
    seen, cursor = [], None
    while True:
        page = service.get("/v1/agents", limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += [agent["agent_id"] for agent in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == names
    assert len(seen) == len(set(seen))
    assert service.get("/v1/agents", cursor="YWJj").status_code == 422


def test_another_clients_agents_are_not_there(service: Service) -> None:
    put(service, {"agent_id": "8031", "team": "ours"})
    assert service.get("/v1/agents", client="stranger").json()["items"] == []
    put(service, {"agent_id": "8031", "team": "theirs"}, **service.key(client="stranger"))
    assert service.get("/v1/agents").json()["items"][0]["team"] == "ours"


@pytest.mark.parametrize(
    ("agents", "status", "said"),
    [
        ([{"agent_id": ""}], 422, "body.agents[0].agent_id"),
        ([{"agent_id": "x" * 201}], 422, "body.agents[0].agent_id"),
        ([{"agent_id": "a\nb"}], 422, "body.agents[0].agent_id"),
        ([{"agent_id": "1", "team": " north"}], 422, "body.agents[0].team"),
        ([{"agent_id": "1", "salary": 5}], 422, "body.agents[0].salary"),
        ([{"agent_id": "1", "left": "yes"}], 422, "body.agents[0].left"),
        ([{"agent_id": "1"}, {"agent_id": "1"}], 409, "agents[1].agent_id"),
    ],
)
def test_what_cannot_be_is_said_and_nobody_is_made(service: Service, agents: Any, status: int, said: str) -> None:
    answer = put(service, *agents)
    assert answer.status_code == status
    assert said in answer.json()["detail"]
    assert service.get("/v1/agents").json()["items"] == []
