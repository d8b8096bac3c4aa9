"""Evaluations over HTTP: read, found by what they are, cancelled, tried again."""

from typing import Any

import pytest

from callgrade.db.tables import Evaluation
from callgrade.domain.errors import ModelTimeoutError
from callgrade.evaluations import repository
from tests.api.made import OTHER_RUBRIC, RUBRIC, Service, transcript


def waiting(service: Service, call_id: str = "C-1") -> str:
    """An evaluation that nobody has begun."""
    service.queue.pipeline = None
    made = service.submit(transcript(call_id)).json()
    service.queue.pipeline = service.pipeline
    return str(made["evaluation_id"])


def act(service: Service, id_: str, what: str) -> Any:
    return service.http.post(f"/v1/evaluations/{id_}/{what}", headers=service.key())


def test_one_that_waits_is_cancelled_once_and_tried_again(service: Service) -> None:
    id_ = waiting(service)
    assert service.get(f"/v1/evaluations/{id_}").json()["scorecard"] is None
    cancelled = act(service, id_, "cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert ("cancel", id_, "1") in service.queue.handed_in
    assert act(service, id_, "cancel").status_code == 200
    again = act(service, id_, "retry")
    assert (again.status_code, again.json()["attempt"]) == (202, 2)
    assert ("evaluation", id_, "score", "2") in service.queue.handed_in
    found = service.get(f"/v1/evaluations/{id_}").json()
    assert (found["status"], found["attempt"]) == ("proposed", 2)
    assert act(service, id_, "cancel").status_code == 409
    assert act(service, id_, "retry").status_code == 409


def test_a_failure_says_what_and_whether_to_try_again(service: Service) -> None:
    id_ = waiting(service)
    with service.database.writing() as session:
        assert repository.begin(session, id_, "judging")
        repository.fail(session, id_, 1, ModelTimeoutError("no answer within 120 s"))
    found = service.get(f"/v1/evaluations/{id_}").json()
    assert found["status"] == "failed"
    assert found["error"] == {"type": "model-timeout", "message": "no answer within 120 s", "retryable": True}
    assert act(service, id_, "retry").json()["error"] is None


def test_filters_and_pages(service: Service) -> None:
    for number in range(4):
        agent = {"id": f"a{number % 2}", "team": "north" if number < 2 else "south"}
        service.submit(transcript(f"C-{number}", agent=agent, started_at=f"2026-11-0{number + 1}T09:00:00+08:00"))
    service.submit(
        transcript("C-0", agent={"id": "a0", "team": "north"}, started_at="2026-11-01T09:00:00+08:00"), OTHER_RUBRIC
    )

    def found(**params: Any) -> list[str]:
        answer = service.get("/v1/evaluations", **params)
        assert answer.status_code == 200, answer.text
        return [item["call_id"] for item in answer.json()["items"]]

    assert found() == ["C-0", "C-3", "C-2", "C-1", "C-0"]
    assert found(rubric=RUBRIC) == ["C-3", "C-2", "C-1", "C-0"]
    assert found(rubric=f"{OTHER_RUBRIC}@v1") == ["C-0"]
    assert found(agent="a1") == ["C-3", "C-1"]
    assert found(team="south") == ["C-3", "C-2"]
    assert found(since="2026-11-02T00:00:00Z", until="2026-11-03T00:00:00Z") == ["C-1"]
    assert found(status="failed") == []
    assert found(status="proposed", team="north", rubric=RUBRIC) == ["C-1", "C-0"]
    assert found(flag="needs_review", rubric=RUBRIC) == found(rubric=RUBRIC)
    assert found(max_score="-100000") == []
    first = service.get("/v1/evaluations", team="north", limit=2).json()
    rest = service.get("/v1/evaluations", team="north", limit=2, cursor=first["next_cursor"]).json()
    assert [item["call_id"] for item in first["items"] + rest["items"]] == ["C-1", "C-0", "C-0"]
    assert rest["next_cursor"] is None
    # a cursor belongs to the list it came from
    assert service.get("/v1/evaluations", cursor=first["next_cursor"]).status_code == 422


@pytest.mark.parametrize(
    "params",
    [
        {"status": "done"},
        {"order": "lowest"},
        {"min_score": "many"},
        {"min_score": "NaN"},
        {"max_score": "Infinity"},
        {"rubric": "No Such"},
        {"batch": "x"},
        {"cursor": "W10"},
        {"flag": "a\x00"},
    ],
)
def test_a_filter_that_cannot_be_is_a_422(service: Service, params: dict[str, str]) -> None:
    answer = service.get("/v1/evaluations", **params)
    assert answer.status_code == 422, answer.text


def test_without_the_queue_what_is_accepted_is_kept(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise ConnectionError("the engine is away")

    monkeypatch.setattr(service.queue, "enqueue_evaluation", away)
    made = service.submit()
    assert made.status_code == 202
    with service.database.reading() as session:
        row = session.get(Evaluation, made.json()["evaluation_id"])
    assert row is not None
    assert row.status == "queued"
