"""What calls are graded by, read over HTTP, and how a release decides."""

import pytest

from callgrade.access.keys import ensure_client
from callgrade.access.principals import system
from callgrade.catalog import load_rubric, resolved_json
from callgrade.evaluations.releases import Wanted, create
from tests.api.made import OTHER_RUBRIC, RUBRIC, Service, rubrics, transcript


def test_rubrics_are_listed_and_read(service: Service) -> None:
    items = service.get("/v1/rubrics").json()["items"]
    assert [item["id"] for item in items] == sorted((RUBRIC, OTHER_RUBRIC))
    assert set(items[0]["title"]) == {"zh", "en"}
    by_name, exact = service.get(f"/v1/rubrics/{RUBRIC}"), service.get(f"/v1/rubrics/{RUBRIC}@v1")
    assert by_name.json() == exact.json()
    assert exact.json()["content"] == resolved_json(load_rubric(RUBRIC))
    assert exact.json()["digest"] == rubrics()[0]["digest"]
    kept = service.http.get(f"/v1/rubrics/{RUBRIC}", headers={**service.key(), "If-None-Match": exact.headers["etag"]})
    assert kept.status_code == 304
    first = service.get("/v1/rubrics", limit=1).json()
    rest = service.get("/v1/rubrics", limit=1, cursor=first["next_cursor"]).json()
    assert (first["items"] + rest["items"], rest["next_cursor"]) == (items, None)


def test_prompts_are_listed_and_read(service: Service) -> None:
    (item,) = service.get("/v1/prompts").json()["items"]
    whole = service.get(f"/v1/prompts/{item['id']}@{item['version']}").json()
    assert whole["digest"] == item["digest"]
    assert whole["content"]["blocks"]


@pytest.mark.parametrize("path", ["rubrics", "prompts"])
@pytest.mark.parametrize(("name", "status"), [("no-such", 404), ("a@v9", 404), ("..%2f..%2fetc", 404), ("A b", 422)])
def test_what_is_not_there(service: Service, path: str, name: str, status: int) -> None:
    assert service.get(f"/v1/{path}/{name}").status_code == status


def test_a_release_decides_unless_a_version_is_named(service: Service) -> None:
    with service.database.writing() as session:
        mine = create(session, system(ensure_client(session).id), Wanted(rubric=RUBRIC)).id
        theirs = create(session, system(ensure_client(session, "stranger").id), Wanted(rubric=OTHER_RUBRIC)).id
        everybodys = create(session, None, Wanted(rubric=OTHER_RUBRIC)).id
    shown = service.get("/v1/releases").json()["items"]
    assert {item["id"] for item in shown} == {mine, everybodys}
    assert service.get(f"/v1/releases/{mine}").json()["rubric"]["id"] == RUBRIC
    assert service.get(f"/v1/releases/{theirs}").status_code == 404
    made = service.submit().json()
    found = service.get(f"/v1/evaluations/{made['evaluation_id']}").json()
    assert (found["release"], found["scorecard"]["provenance"]["release"]) == (mine, mine)
    other = service.submit(transcript("C-2"), OTHER_RUBRIC).json()
    assert service.get(f"/v1/evaluations/{other['evaluation_id']}").json()["release"] == everybodys
    path = f"/v1/calls/{made['id']}/evaluations"
    again = service.http.post(path, json={"release": everybodys}, headers=service.key())
    assert service.get(f"/v1/evaluations/{again.json()['evaluation_id']}").json()["rubric"]["id"] == OTHER_RUBRIC
    for wanted, status in (({"release": theirs}, 404), ({"release": mine, "rubric": OTHER_RUBRIC}, 409), ({}, 422)):
        assert service.http.post(path, json=wanted, headers=service.key()).status_code == status, wanted
