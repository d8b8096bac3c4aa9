"""A draft on its way to be published, over HTTP: tried, looked at, decided on, published in somebody's name."""

import time
from typing import Any

import pytest

from callgrade.access.keys import ensure_client
from callgrade.access.principals import system
from callgrade.calibration.holdout import MOST_READINGS
from callgrade.catalog.prompts import find_prompt
from callgrade.reviews.drafts import as_next
from tests.api.made import RUBRIC, Service
from tests.calibration.publishing import TEXT, filled, published
from tests.db.rows import everything
from tests.reviews.made import person

DRAFT = TEXT.replace("包赚, 稳赚", "包赚").replace("published", "draft")
SET = "sales-2026"
REASON = "新词表已由质检组逐条核对"
PATH = "/v1/rubrics/promises"


@pytest.fixture
def ready(service: Service) -> Service:
    """A rubric in use, and a set of the client's own that people labelled."""
    published(service.database)
    with service.database.writing() as session:
        owner = system(ensure_client(session).id)
    ours = {"client_id": owner.client_id}
    filled(service.database, owner, each=20)
    person(service.database, "wang.li", "qa_lead", name="Wang Li", **ours)
    person(service.database, "chen", "reviewer", name="Chen", **ours)
    return service


def post(service: Service, path: str, key: dict[str, str] | None = None, **body: Any) -> Any:
    return service.http.post(path, json=body, headers=key or service.key())


def until_done(service: Service, path: str, **body: Any) -> dict[str, Any]:
    """As a program asks: the same request until there is an answer."""
    end = time.monotonic() + 60
    while (answer := post(service, path, **body)).status_code == 202:
        assert time.monotonic() < end, answer.text
        time.sleep(0.05)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def actions(service: Service) -> list[str]:
    with service.database.reading() as session:
        return [row["action"] for row in everything(session)["audit_event"]]


def test_a_draft_is_tried_decided_on_and_published_and_every_flip_is_told_before(ready: Service) -> None:
    refused = post(ready, f"{PATH}/publish", draft=DRAFT)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:callgrade:problem:conflict")
    assert post(ready, f"{PATH}/gate", draft=DRAFT, set=SET).status_code == 409
    first = post(ready, f"{PATH}/back-tests", draft=DRAFT, set=SET)
    assert first.status_code == 202
    assert first.json()["status"] == "under_way"
    found = until_done(ready, f"{PATH}/back-tests", draft=DRAFT, set=SET)
    assert (found["status"], found["reference"], found["done"]) == ("done", "promises@v2", found["wanted"])
    flips = found["comparison"]["flips"]
    assert {flip["call"] for flip in flips} == {f"dev-{at:03}" for at in range(3, 20, 4)}
    assert all((flip["before"]["occurrences"], flip["after"]["occurrences"]) == (1, 0) for flip in flips)
    gate = until_done(ready, f"{PATH}/gate", draft=DRAFT, set=SET)
    assert (gate["status"], gate["outcome"]) == ("decided", "stopped")
    assert "holdout-" not in str(gate)
    assert "stopped" in post(ready, f"{PATH}/publish", draft=DRAFT).json()["detail"]


def test_what_the_gate_lets_through_is_published_in_somebodys_name_and_retired(ready: Service) -> None:
    draft = DRAFT.replace("[包赚]", "[包赚, 稳赚, 保本]")
    found = until_done(ready, f"{PATH}/back-tests", draft=draft, set=SET)
    assert (found["comparison"]["flips"], found["failure"]) == ([], None)
    gate = until_done(ready, f"{PATH}/gate", draft=draft, set=SET)
    assert (gate["outcome"], gate["left"]) == ("insufficient_data", MOST_READINGS - 1)
    made = post(ready, f"{PATH}/publish", draft=draft, by="wang.li")
    assert made.status_code == 200, made.text
    assert made.json() == {
        "reference": "promises@v2", "digest": found["digest"], "gate": gate["id"], "outcome": "insufficient_data",
        "reason": "", "human_only": ["promise"],
    }  # fmt: skip
    read = ready.get(f"{PATH}@v2").json()
    assert (read["status"], read["digest"], read["origin"]) == ("published", found["digest"], "desk")
    told = [one for one in actions(ready) if one.partition(".")[0] in ("back_test", "gate", "rubric", "key")]
    assert told[-4:] == ["back_test.begun", "gate.decided", "key.acted", "rubric.published"]
    gone = post(ready, f"{PATH}@v1/retire", by="wang.li")
    assert (gone.status_code, gone.json()["status"]) == (200, "retired")
    assert post(ready, f"{PATH}@v1/retire").status_code == 409


def test_an_override_is_somebodys_by_name_who_may(ready: Service) -> None:
    until_done(ready, f"{PATH}/back-tests", draft=DRAFT, set=SET)
    publish = f"{PATH}/publish"
    assert post(ready, publish, draft=DRAFT, override=REASON).status_code == 422
    assert post(ready, publish, draft=DRAFT, override=" ", by="wang.li").status_code == 422
    assert post(ready, publish, draft=DRAFT, override=REASON, by="nobody").status_code == 404
    assert post(ready, publish, draft=DRAFT, override=REASON, by="chen").status_code == 403
    sent = {"draft": DRAFT, "override": REASON, "by": "wang.li"}
    once = {**ready.key(), "Idempotency-Key": "publish/1"}
    made = post(ready, publish, once, **sent)
    assert (made.json()["outcome"], made.json()["reason"]) == ("overridden", REASON)
    # the line broke, and the program asks again: it is the same version
    assert post(ready, publish, once, **sent).json() == made.json()
    with ready.database.reading() as session:
        (row,) = [row for row in everything(session)["gate"] if row["outcome"] == "overridden"]
    assert (row["details"]["name"], row["by"].partition(":")[0]) == ("Wang Li", "user")


def test_scopes(ready: Service) -> None:
    key = ready.key("rubrics:write")
    for path in (f"{PATH}/back-tests", f"{PATH}/gate"):
        answer = post(ready, path, key, draft=DRAFT, set=SET)
        assert (answer.status_code, "calibrations:write" in answer.json()["detail"]) == (403, True)
    assert post(ready, f"{PATH}/publish", key, draft=DRAFT).status_code == 403
    assert post(ready, f"{PATH}@v1/retire", key).status_code == 200


def test_a_draft_with_errors_is_told_what_they_are(ready: Service) -> None:
    for draft, told in (
        (DRAFT.replace("judge: rules", "judge: ruels"), "promises:9"),
        (DRAFT.replace("id: promises", "id: others"), "write id: promises"),
        ("[", "promises"),
    ):
        answer = post(ready, f"{PATH}/back-tests", draft=draft, set=SET)
        assert (answer.status_code, told in answer.json()["detail"]) == (422, True), answer.text
    assert post(ready, f"{PATH}/back-tests", draft=DRAFT, set="nobodys").status_code == 404
    assert post(ready, f"{PATH}/back-tests", draft=DRAFT, sett=SET).status_code == 422


def test_prompts_go_the_same_way_where_a_model_is_set_up(ready: Service) -> None:
    (item,) = ready.get("/v1/prompts").json()["items"]
    path = f"/v1/prompts/{item['id']}"
    answer = post(ready, f"{path}/back-tests", draft="no prompt", set=SET, rubric="promises@v1")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:callgrade:problem:input")
    draft = as_next(find_prompt(item["id"]).read_text("utf-8"), "v2")
    answer = post(ready, f"{path}/back-tests", draft=draft, set=SET, rubric="promises@v1")
    assert (answer.status_code, "asks no model" in answer.json()["detail"]) == (409, True)
    answer = post(ready, f"{path}/gate", draft=draft, set=SET, rubric=RUBRIC)
    assert (answer.status_code, "was not back-tested" in answer.json()["detail"]) == (409, True)
    assert post(ready, f"{path}/publish", draft=draft, rubric=RUBRIC).status_code == 409
    answer = post(ready, f"{path}/back-tests", draft=draft, set=SET, rubric=RUBRIC)
    assert (answer.status_code, "CALLGRADE_LLM__MODEL" in answer.json()["detail"]) == (409, True)
    assert post(ready, f"{path}/retire").status_code == 422
    refused = post(ready, f"{path}@{item['version']}/retire", by="wang.li")
    assert (refused.status_code, item["status"] in refused.json()["detail"]) == (409, True)
