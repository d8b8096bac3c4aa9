"""Releases over HTTP: made, found again, and what comes in is graded by them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from callgrade.access import audit
from callgrade.db.tables import AuditEvent
from callgrade.db.types import now
from callgrade.domain.errors import InputError
from tests.api.made import OTHER_RUBRIC, RUBRIC, Service, transcript


def make(service: Service, wanted: dict[str, Any], **headers: str) -> Any:
    return service.http.post("/v1/releases", json=wanted, headers={**service.key(), **headers})


def test_what_is_made_is_shown_recorded_and_never_changes(service: Service) -> None:
    wanted = {
        "rubric": RUBRIC,
        "team": "sales-2",
        "prompt": "judge",
        "parameters": {"temperature": 0.2, "samples": 3},
        "redaction": "rules/1",
        "active_from": (now() + timedelta(days=1)).isoformat(),
    }
    answer = make(service, wanted)
    made = answer.json()
    assert answer.status_code == 201, answer.text
    whole = service.get(f"/v1/rubrics/{RUBRIC}").json()
    assert made["rubric"] == {"id": RUBRIC, "version": "v1", "digest": whole["digest"]}
    assert made["prompt"]["digest"] == service.get("/v1/prompts/judge").json()["digest"]
    assert {name: made[name] for name in ("team", "parameters", "redaction", "model")} == {
        "team": "sales-2",
        "parameters": {"temperature": 0.2, "samples": 3},
        "redaction": "rules/1",
        "model": None,
    }
    assert made["created_by"].startswith("key:")
    assert service.get(f"/v1/releases/{made['id']}").json() == made
    assert service.get("/v1/releases").json()["items"] == [made]
    for method in ("PUT", "PATCH", "DELETE"):
        refused = service.http.request(method, f"/v1/releases/{made['id']}", headers=service.key())
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET")
    with service.database.writing() as session:
        (event,) = session.execute(select(AuditEvent).where(AuditEvent.action == "release.created")).scalars()
        assert (event.subject, event.actor) == (made["id"], made["created_by"])
        audit.seal(session)
        assert audit.verify(session) == []


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"rubric": "no-such"}, f"there are {OTHER_RUBRIC}@v1, {RUBRIC}@v1"),
        ({"rubric": f"{RUBRIC}@v9"}, f"{RUBRIC}@v1"),
        ({"rubric": RUBRIC, "prompt": "no-such"}, "there are judge@v1"),
        ({"rubric": RUBRIC, "redaction": "rules/9"}, "there are off, rules/1"),
        ({"rubric": RUBRIC, "model": "m"}, "no endpoint is set up here"),
        ({"rubric": RUBRIC, "active_from": "2020-01-01T00:00:00Z"}, "lies in the past"),
        ({"rubric": RUBRIC, "active_from": 5}, "body.active_from"),
        ({"rubric": RUBRIC, "parameters": {"top_p": 1}}, "body.parameters.top_p"),
        ({"rubric": RUBRIC, "parameters": {"temperature": 3}}, "body.parameters.temperature"),
        ({"rubric": RUBRIC, "team": "a\0"}, "body.team"),
        ({"rubric": RUBRIC, "client": "1" * 32}, "body.client"),
        ({"team": "t"}, "body.rubric"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(service: Service, wanted: dict[str, Any], told: str) -> None:
    answer = make(service, wanted)
    assert (answer.status_code, told in answer.json()["detail"]) == (422, True), answer.text
    assert service.get("/v1/releases").json()["items"] == []


def test_an_endpoint_is_asked_which_models_it_serves(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def require(_settings: Any, model: str) -> None:
        if model != "here":
            raise InputError(f"model: the endpoint does not serve {model}; it serves here")

    monkeypatch.setattr("callgrade.adapters.llm.require_offered", require)
    assert make(service, {"rubric": RUBRIC, "model": "here"}).json()["model"] == "here"
    refused = make(service, {"rubric": RUBRIC, "model": "elsewhere"})
    assert (refused.status_code, "it serves here" in refused.json()["detail"]) == (422, True)


def test_the_same_request_again_makes_no_second_one(service: Service) -> None:
    once = {"Idempotency-Key": "r-1"}
    first = make(service, {"rubric": RUBRIC}, **once)
    again = make(service, {"rubric": RUBRIC}, **once)
    assert (again.status_code, again.json()) == (201, first.json())
    assert make(service, {"rubric": OTHER_RUBRIC}, **once).status_code == 409
    # one that was refused leaves its key free
    refused = {"Idempotency-Key": "r-2"}
    assert make(service, {"rubric": "no-such"}, **refused).status_code == 422
    assert make(service, {"rubric": "no-such"}, **refused).status_code == 422
    assert len(service.get("/v1/releases").json()["items"]) == 1


def test_calls_and_lines_are_graded_by_their_teams_release(service: Service) -> None:
    ours = make(service, {"rubric": RUBRIC}).json()["id"]
    teams = make(service, {"rubric": RUBRIC, "team": "sales-2"}).json()["id"]
    make(service, {"rubric": RUBRIC, "active_from": (now() + timedelta(hours=1)).isoformat()})
    call = service.submit(transcript("C-1", agent={"id": "8031", "team": "sales-2"})).json()
    assert service.get(f"/v1/evaluations/{call['evaluation_id']}").json()["release"] == teams
    lines = [transcript(f"L-{n}", agent={"id": "1", "team": team}) for n, team in enumerate(("sales-2", "sales-9"))]
    batch = service.batch(lines).json()["batch_id"]
    items = service.get("/v1/evaluations", batch=batch, order="oldest").json()["items"]
    assert {item["call_id"]: item["release"] for item in items} == {"L-0": teams, "L-1": ours}
    # a later release grades what comes in later, and what was graded before only where somebody asks for it
    newest = make(service, {"rubric": RUBRIC, "team": "sales-2"}).json()["id"]
    again = service.submit(transcript("C-1", agent={"id": "8031", "team": "sales-2"})).json()
    assert again["id"] == call["id"]
    assert service.get(f"/v1/evaluations/{again['evaluation_id']}").json()["release"] == newest
    assert service.get(f"/v1/evaluations/{call['evaluation_id']}").json()["release"] == teams


def test_a_release_asks_no_host_for_what_it_is_not(service: Service) -> None:
    make(service, {"rubric": RUBRIC, "recogniser": "another"})
    form = {"audio": ("a.wav", b"RIFFhello", "audio/wav"), "metadata": (None, '{"call_id": "R-1"}')}
    made = service.http.post("/v1/calls", params={"rubric": RUBRIC}, files=form, headers=service.key()).json()
    found = service.get(f"/v1/evaluations/{made['evaluation_id']}").json()
    assert (found["status"], found["error"]["type"]) == ("failed", "settings")
    assert "asks for the recogniser another" in found["error"]["message"]
    # whoever brings the words brings them as they are
    words = service.submit(transcript("W-1", recogniser="somebody else's")).json()
    assert service.get(f"/v1/evaluations/{words['evaluation_id']}").json()["status"] == "proposed"
