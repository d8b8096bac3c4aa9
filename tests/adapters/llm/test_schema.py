"""The generated schema is strict and compact, and its parser takes what the schema allows."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from callgrade.adapters.llm.claims import read_claims
from callgrade.adapters.llm.schema import AnswerSheet, build_schema, build_sheet
from callgrade.domain.rubrics import Rubric
from tests.adapters.llm.exchange import ANSWER, DEDUCT, VIOLATION, criterion, local, rubric


def likert(low: int, span: int) -> dict[str, Any]:
    return {"kind": "likert", "min": low, "max": low + span}


def levels(number: int) -> dict[str, Any]:
    anchors = [{"id": f"l{i}", "points": number - i, "title": local("级")} for i in range(number)]
    return {"kind": "levels", "levels": anchors}


def tiers(by: str) -> dict[str, Any]:
    return {"kind": "tiers", "by": by, "steps": [{"up_to": 1, "points": 0}, {"points": -1}]}


SCALES = st.one_of(
    st.just(ANSWER),
    st.just({"kind": "answer", "yes": -1, "no": 0}),
    st.just(DEDUCT),
    st.just({"kind": "deduct", "points": 1}),
    st.just(VIOLATION),
    st.just({"kind": "bonus", "points": 3}),
    st.builds(likert, st.integers(-2, 2), st.integers(1, 6)),
    st.builds(levels, st.integers(2, 5)),
    st.builds(tiers, st.sampled_from(["count", "kinds"])),
)


@st.composite
def rubrics(draw: st.DrawFn) -> Rubric:
    return rubric(
        *[
            criterion(
                f"c-{i}",
                draw(SCALES),
                evidence=draw(st.sampled_from(["required", "optional", "none"])),
                not_applicable=draw(st.sampled_from(["rescale", "full", "forbidden"])),
            )
            for i in range(draw(st.integers(1, 6)))
        ]
    )


def sheet_of(form: Rubric) -> tuple[dict[str, Any], type[AnswerSheet]]:
    schema = build_schema(form.criteria)
    return schema, build_sheet(form.criteria, schema)


def objects(schema: Any) -> list[dict[str, Any]]:
    """Every object schema anywhere in it."""
    inner = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    own = [schema] if isinstance(schema, dict) and schema.get("type") == "object" else []
    return own + [found for value in inner for found in objects(value)]


def resolved(schema: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    return schema["$defs"][item["$ref"].split("/")[-1]] if "$ref" in item else item


@st.composite
def answers(draw: st.DrawFn, schema: dict[str, Any], item: dict[str, Any]) -> Any:
    item = resolved(schema, item)
    if "enum" in item:
        return draw(st.sampled_from(item["enum"]))
    match item["type"]:
        case "string":
            return draw(st.text(max_size=8))
        case "integer":
            return draw(st.integers(item.get("minimum", 0), item.get("maximum", 500)))
        case "array":
            return draw(st.lists(answers(schema, item["items"]), max_size=2))
        case _:
            return {name: draw(answers(schema, inner)) for name, inner in item["properties"].items()}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_what_the_schema_allows_is_parsed_and_nothing_else_is_asked_for(data: st.DataObject) -> None:
    form = data.draw(rubrics())
    schema, sheet = sheet_of(form)
    Draft202012Validator.check_schema(schema)
    for closed in objects(schema):
        assert closed["additionalProperties"] is False
        assert closed["required"] == list(closed["properties"])
    answer = data.draw(answers(schema, schema))
    Draft202012Validator(schema).validate(answer)
    claims = read_claims(form.criteria, sheet.model_validate_json(json.dumps(answer)), "zh")
    assert [claim.criterion.id for claim in claims] == [c.id for c in form.criteria]
    for claim, criterion_ in zip(claims, form.criteria, strict=True):
        said = answer[criterion_.id]
        assert (claim.outcome is None) == (claim.status != "judged")
        if said["verdict"] == "not_applicable":
            assert claim.status == "not_applicable"
            assert criterion_.not_applicable != "forbidden"
        if claim.outcome is not None:
            criterion_.scale.points(claim.outcome)


def test_reason_comes_before_verdict_and_evidence_last() -> None:
    schema = build_schema(rubric(criterion("fees", DEDUCT)).criteria)
    assert list(schema["properties"]["fees"]["properties"]) == [
        "reason",
        "verdict",
        "occurrences",
        "aggravated",
        "evidence",
    ]  # type: ignore[index, call-overload]


def test_criteria_of_one_shape_share_a_definition() -> None:
    form = rubric(*[criterion(f"c-{i}", ANSWER) for i in range(10)])
    schema = build_schema(form.criteria)
    assert {json.dumps(item) for item in schema["properties"].values()} == {'{"$ref": "#/$defs/A"}'}  # type: ignore[union-attr]
    assert list(schema["$defs"]) == ["A", "Q"]  # type: ignore[arg-type]


def test_the_best_verdict_stands_first() -> None:
    worst_first = {"kind": "levels", "levels": [{"id": "bad", "points": 0}, {"id": "good", "points": 5}]}
    form = rubric(
        criterion("a", worst_first),
        criterion("b", {"kind": "answer", "yes": -2, "no": 0}),
        criterion("c", {"kind": "likert"}),
    )
    items = build_schema(form.criteria)["properties"]
    first = [item["properties"]["verdict"]["enum"][0] for item in items.values()]  # type: ignore[union-attr]
    assert first == ["good", "no", "5"]


GOOD = {"a": {"reason": "r", "verdict": "yes", "evidence": []}}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(GOOD),
        f"```json\n{json.dumps(GOOD)}\n```",
        f"答案如下 {json.dumps(GOOD)} 希望有帮助 }}",
        f"<think>也许 {{\"a\": 1}}</think>{json.dumps(GOOD)}",
        f"<thinking>嗯</thinking>\n```\n{json.dumps(GOOD)}\n```",
        json.dumps({**GOOD, "summary": "多余的"}),
        json.dumps({"a": {"verdict": "yes"}}),
        json.dumps({"a": {"verdict": "yes", "evidence": None}}),
        json.dumps({"a": {"verdict": "yes", "evidence": [{"turn": None, "quote": "好"}, {"quote": "好"}]}}),
    ],
)  # fmt: skip
def test_what_is_survived(text: str) -> None:
    _, sheet = sheet_of(rubric(criterion("a", ANSWER)))
    assert next(sheet.model_validate_json(text).items()).verdict == "yes"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "抱歉",
        json.dumps(GOOD)[:-1],
        json.dumps(GOOD)[:-1] + ",}",
        '{"a": {"verdict": "maybe"}}',
        '{"b": {"verdict": "yes"}}',
        "[]",
        "<think>" + json.dumps(GOOD)[:-3],
        "{" * 5000,
        '{"a":' * 100_000,
    ],
)
def test_what_is_not(text: str) -> None:
    _, sheet = sheet_of(rubric(criterion("a", ANSWER)))
    with pytest.raises(ValidationError):
        sheet.model_validate_json(text)


@pytest.mark.parametrize(
    "item",
    [
        '{"verdict": "counted"}',
        '{"verdict": "counted", "occurrences": 100}',
        '{"verdict": "counted", "occurrences": -1}',
    ],
)
def test_a_count_must_be_one(item: str) -> None:
    _, sheet = sheet_of(rubric(criterion("a", VIOLATION)))
    with pytest.raises(ValidationError):
        sheet.model_validate_json(f'{{"a": {item}}}')


def test_a_score_may_come_as_a_number() -> None:
    _, sheet = sheet_of(rubric(criterion("a", {"kind": "likert"})))
    assert next(sheet.model_validate_json('{"a": {"verdict": 4}}').items()).verdict == "4"
