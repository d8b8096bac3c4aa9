"""The OpenAPI says what the service does: examples that are sent and come back so, and every answer there is."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from callgrade.api import examples
from callgrade.api.app import build
from callgrade.api.metrics import Metrics
from callgrade.settings import Settings
from tests.api.made import RUBRIC, Service

PROBES = ("/healthz", "/readyz")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return build(Settings(), Metrics()).openapi()


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, found in document["paths"].items():
        for method, operation in found.items():
            yield method.upper(), path, operation


def fits(document: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    jsonschema.validate(value, {**schema, "components": document["components"]}, jsonschema.Draft202012Validator)


def test_every_error_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        answers = operation["responses"]
        expected = {"500", "503"} | ({"401", "403", "429"} if path not in PROBES else set())
        expected |= {"404"} if "{" in path else set()
        expected |= {"422"} if operation.get("parameters") else set()
        assert expected <= set(answers), (method, path)
        for status, answer in answers.items():
            if int(status) >= 400 and path != "/readyz":
                assert list(answer["content"]) == ["application/problem+json"], (method, path, status)
                shown = answer["content"]["application/problem+json"]
                assert shown["example"]["status"] == int(status)
                fits(document, shown["schema"], shown["example"])


def test_no_shape_of_the_frameworks_own_is_left(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in json.dumps(document)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for name in set(_references(document)):
        assert name.removeprefix("#/components/schemas/") in document["components"]["schemas"], name


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _references(value)
    if isinstance(part, list):
        for value in part:
            yield from _references(value)


def test_examples_fit_their_shapes(document: dict[str, Any]) -> None:
    shown = 0
    for schema in document["components"]["schemas"].values():
        for example in schema.get("examples", []):
            fits(document, schema, example)
            shown += 1
    assert shown >= 12
    for _, _, operation in operations(document):
        for media_type, body in operation.get("requestBody", {}).get("content", {}).items():
            if media_type == "application/json" and "example" in body:
                fits(document, body["schema"], body["example"])


def test_every_operation_has_a_name_and_a_word_of_its_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names))
    assert all(operation["tags"] for _, _, operation in operations(document))


def test_everything_but_the_probes_asks_for_a_key(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        must = operation.get("security", [{}])
        assert ({} not in must) == (path not in PROBES), (method, path)


def shape(value: Any) -> Any:
    """Names, not values; of a list its first item's."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


def test_what_the_examples_promise_is_what_comes(service: Service, document: dict[str, Any]) -> None:
    made = service.submit(examples.TRANSCRIPT)
    assert set(made.json()) == {"call_id", "id", "evaluation_id"}
    call = service.get(f"/v1/calls/{made.json()['id']}").json()
    assert shape({**call, "created_at": ""}) == shape({**examples.CALL, "created_at": ""})
    told = {name: call[name] for name in ("call_id", "channel", "language", "started_at", "agent", "queue", "facts")}
    assert told == {name: examples.CALL[name] for name in told}
    evaluation = service.get(f"/v1/evaluations/{made.json()['evaluation_id']}").json()
    assert set(evaluation) == {*examples.EVALUATION, "scorecard"}
    assert evaluation["scorecard"].keys() >= examples.SCORECARD.keys()
    batch_id = service.batch([examples.TRANSCRIPT]).json()["batch_id"]
    assert set(service.get(f"/v1/batches/{batch_id}").json()) == set(examples.BATCH)
    form = {"metadata": (None, json.dumps(examples.METADATA)), "audio": ("a.wav", b"RIFFhello", "audio/wav")}
    sent = service.http.post("/v1/calls", params={"rubric": RUBRIC}, files=form, headers=service.key())
    assert sent.status_code == 202, sent.text


def test_answers_fit_what_is_documented(service: Service, document: dict[str, Any]) -> None:
    """Each GET with something to show, held to its schema."""
    made = service.submit().json()
    batch_id = service.batch([examples.TRANSCRIPT]).json()["batch_id"]
    hook = service.http.post("/v1/webhooks", json={"url": "https://crm.example.com/x"}, headers=service.key()).json()
    service.http.post(f"/v1/webhooks/{hook['id']}/test", headers=service.key())
    ids = {
        "/v1/calls/{id}": made["id"],
        "/v1/calls/{id}/transcript": made["id"],
        "/v1/evaluations/{id}": made["evaluation_id"],
        "/v1/batches/{id}": batch_id,
        "/v1/webhooks/{id}": hook["id"],
        "/v1/webhooks/{id}/deliveries": hook["id"],
        "/v1/rubrics/{reference}": RUBRIC,
        "/v1/prompts/{reference}": service.get("/v1/prompts").json()["items"][0]["id"],
    }
    held = 0
    for method, path, operation in operations(document):
        content = operation["responses"].get("200", {}).get("content", {})
        if method != "GET" or "application/json" not in content or ("{" in path and path not in ids):
            continue
        answer = service.get(path.replace("{id}", ids.get(path, "")).replace("{reference}", ids.get(path, "")))
        assert answer.status_code == 200, (path, answer.text)
        fits(document, content["application/json"]["schema"], answer.json())
        held += 1
    assert held >= 15
