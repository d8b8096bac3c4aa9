"""A call keeps the team of its day: what it names, or else the team that its agent was in when it came in."""

import json
from typing import Any

import pytest
from sqlmodel import select

from callgrade.access.agents import AgentTold, put_agents
from callgrade.access.keys import ensure_client
from callgrade.access.principals import system
from callgrade.db.tables import Call, Evaluation
from tests.api.made import *  # noqa: F403
from tests.api.made import Service, transcript


@pytest.fixture(autouse=True)
def agents(service: Service) -> None:
    move(service, "north")


def move(service: Service, team: str | None) -> None:
    with service.database.writing() as session:
        put_agents(session, system(ensure_client(session).id), [AgentTold(agent_id="8031", team=team)])


def teams(service: Service) -> dict[str, tuple[str | None, str | None]]:
    """Of each call, and of its evaluation."""
    with service.database.reading() as session:
        rows = session.exec(select(Call.call_id, Call.team, Evaluation.team).where(Evaluation.call_id == Call.id))
        return {name: (of_call, of_evaluation) for name, of_call, of_evaluation in rows}


def call(name: str, team: str | None = None, agent: str | None = "8031") -> dict[str, Any]:
    return transcript(name, agent={"id": agent, **({"team": team} if team else {})} if agent else None)


def recording(service: Service, name: str, **agent: Any) -> Any:
    metadata = json.dumps({"call_id": name, "agent": {"id": "8031", **agent}})
    form = {"audio": ("a.wav", b"RIFFhello", "audio/wav"), "metadata": (None, metadata)}
    params = {"rubric": "telesales-misconduct"}
    return service.http.post("/v1/calls", params=params, files=form, headers=service.key())


def test_a_call_that_names_no_team_gets_its_agents(service: Service) -> None:
    service.submit(call("told", "south"))
    service.submit(call("untold"))
    service.submit(call("another", agent="9999"))
    service.submit(call("nobody", agent=None))
    recording(service, "heard")
    assert teams(service) == {
        "told": ("south", "south"),
        "untold": ("north", "north"),
        "another": (None, None),
        "nobody": (None, None),
        "heard": ("north", "north"),
    }


def test_so_does_a_line_of_a_batch(service: Service) -> None:
    service.batch([call("told", "south"), call("untold"), call("another", agent="9999"), call("nobody", agent=None)])
    assert teams(service) == {
        "told": ("south", "south"),
        "untold": ("north", "north"),
        "another": (None, None),
        "nobody": (None, None),
    }


def test_it_stays_when_the_agent_moves(service: Service) -> None:
    first = service.submit(call("untold")).json()
    heard = recording(service, "heard").json()
    batch = service.batch([call("line")]).json()["batch_id"]
    before = teams(service)
    move(service, "south")
    # the same once more is the same call
    assert service.submit(call("untold")).json() == first
    assert recording(service, "heard").json() == heard
    again = service.batch([call("line"), call("untold")]).json()["batch_id"]
    assert again != batch
    assert teams(service) == before == dict.fromkeys(before, ("north", "north"))
    service.submit(call("new"))
    assert teams(service)["new"] == ("south", "south")


def test_it_is_graded_again_in_the_team_of_its_day(service: Service) -> None:
    id_ = service.submit(call("untold"), rubric=None).json()["id"]
    move(service, "south")
    wanted = {"rubric": "service-quality-core"}
    service.http.post(f"/v1/calls/{id_}/evaluations", json=wanted, headers=service.key())
    assert teams(service) == {"untold": ("north", "north")}


def test_another_clients_agents_are_not_ours(service: Service) -> None:
    body = json.dumps(call("theirs"))
    headers = {**service.key(client="stranger"), "Content-Type": "application/json"}
    params = {"rubric": "telesales-misconduct"}
    assert service.http.post("/v1/calls", params=params, content=body, headers=headers).status_code == 202
    assert teams(service) == {"theirs": (None, None)}


def test_what_was_said_is_kept_as_it_came_in(service: Service) -> None:
    id_ = service.submit(call("untold")).json()["id"]
    assert service.get(f"/v1/calls/{id_}").json()["agent"]["team"] == "north"
    assert service.get(f"/v1/calls/{id_}/transcript").json()["agent"]["team"] is None
