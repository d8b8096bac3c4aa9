"""The shipped rubrics and what loading, digesting and describing them promises."""

import json
import re
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest

from callgrade.catalog import digest, json_schema, lint, list_rubrics, load_rubric, resolved_json
from callgrade.catalog.resources import resource_folder
from callgrade.catalog.rubrics import find_rubric
from callgrade.catalog.yaml_source import read_yaml
from callgrade.domain.errors import ConfigurationError, NotFoundError, RubricError
from callgrade.domain.form import build
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scales import ViolationScale

RUBRICS = resource_folder("rubrics")
FILES = sorted(path for path in RUBRICS.glob("*/v*.yaml") if path.parent.name != "lists")
SHIPPED = [path.parent.name for path in FILES]

MINIMAL = """\
schema: callgrade.rubric/1
id: small
version: v1
title: {zh: 小表, en: Small}
criteria:
  - id: greeting
    title: {zh: 开头语, en: Greeting}
    judge: rules
    evidence: optional
    scale: {kind: answer, yes: 0.5, no: 0}
    rule: {find: {phrases: [您好], lists: [words]}, found: {answer: yes}, missing: {answer: no}}
"""
WORDS = "schema: callgrade.phrases/1\nid: words\ntitle: {zh: 词, en: Words}\nphrases: [您好]\n"


@pytest.fixture
def small(tmp_path) -> Path:
    """A rubric file with a list of its own beside its folder."""
    path = tmp_path / "small" / "v1.yaml"
    path.parent.mkdir()
    path.write_text(MINIMAL, "utf-8")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "words.yaml").write_text(WORDS, "utf-8")
    return path


def test_the_four_rubrics_of_this_release_are_there():
    assert {"service-quality-core", "telesales-misconduct", "outbound-sales-qa", "monitoring-sheet-40"} <= set(SHIPPED)


@pytest.mark.parametrize("path", FILES, ids=SHIPPED)
def test_a_shipped_rubric_is_clean_in_every_respect(path):
    assert lint(path) == []
    text = path.read_text("utf-8")
    assert text.startswith("# yaml-language-server: $schema=../rubric.schema.json\n")
    jsonschema.validate(read_yaml(path).data, json_schema())


@pytest.mark.parametrize("path", FILES, ids=SHIPPED)
def test_a_shipped_rubric_says_where_it_comes_from_in_two_languages(path):
    rubric = load_rubric(path)
    assert rubric.source is not None
    assert rubric.source_notes
    assert rubric.status == "published"
    for criterion in rubric.criteria:
        assert criterion.guidance.zh, criterion.id
        assert criterion.guidance.en, criterion.id
        assert re.search("[一-鿿]", criterion.guidance.zh), criterion.id


def test_the_lists_are_clean():
    assert lint(RUBRICS / "lists") == []


def test_the_committed_schema_is_up_to_date():
    committed = json.loads((RUBRICS / "rubric.schema.json").read_text("utf-8"))
    assert committed == json_schema(), "run: callgrade rubric schema > rubrics/rubric.schema.json"


def test_the_schema_describes_files_not_resolved_rubrics():
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert "phrase_lists" not in schema["properties"]
    assert schema["$defs"]["DeductScale"]["properties"]["points"] == {
        "minimum": 0.0,
        "title": "Points",
        "type": "number",
    }
    good = read_yaml(FILES[0]).data
    for wrong in ({"phrase_lists": {}}, {"titel": "x"}, {"total": {"max": "40"}}, {"version": "1"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**good, **wrong}, schema)


# --- what the sources say, number by number -------------------------------------------------------


def test_outbound_sales_has_four_parts_that_cannot_go_below_zero():
    rubric = load_rubric("outbound-sales-qa")
    parts = {section.id: (section.max, section.floor) for section in rubric.sections if section.max is not None}
    assert parts == {"business": (50, 0), "attitude": (25, 0), "skill": (20, 0), "overall": (5, 0)}
    assert rubric.total is not None
    assert (rubric.total.max, rubric.total.floor, rubric.total.pass_line) == (100, 0, None)


def test_outbound_sales_has_the_six_kinds_of_fraudulent_order():
    rubric = load_rubric("outbound-sales-qa")
    fraud = [c for c in rubric.criteria if c.section == "fraud"]
    assert [c.title.zh[:3] for c in fraud] == ["诈单一", "诈单二", "诈单三", "诈单四", "诈单五", "诈单六"]
    assert all(isinstance(c.scale, ViolationScale) and c.scale.effect == "fail_call" for c in fraud)


def test_the_monitoring_sheet_has_fourteen_items_that_make_40():
    rubric = load_rubric("monitoring-sheet-40")
    assert [c.scale.best for c in rubric.criteria] == [2, 2, 2, 3, 4, 3, 4, 3, 3, 3, 3, 3, 3, 2]
    assert build(rubric).full == build(rubric).max == 40


def test_misconduct_counts_and_does_not_score():
    rubric = load_rubric("telesales-misconduct")
    assert rubric.total is None
    assert all(isinstance(c.scale, ViolationScale) for c in rubric.criteria)
    assert sum(c.judge == "rules" for c in rubric.criteria) > len(rubric.criteria) / 2


@pytest.mark.parametrize("id_", ["outbound-sales-qa", "monitoring-sheet-40", "service-quality-core"])
def test_a_clean_call_can_earn_everything(id_):
    rubric = load_rubric(id_)
    assert rubric.total is not None
    assert build(rubric).full == rubric.total.max


# --- references -----------------------------------------------------------------------------------


def test_references_by_id_version_and_path(small):
    assert load_rubric("monitoring-sheet-40").reference == "monitoring-sheet-40@v1"
    assert load_rubric("monitoring-sheet-40@v1") == load_rubric("monitoring-sheet-40")
    assert load_rubric(small).id == load_rubric(str(small)).id == "small"


def test_the_latest_version_is_the_highest_number(tmp_path, monkeypatch):
    for version in ("v2", "v10", "v9"):
        path = tmp_path / "rubrics" / "small" / f"{version}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x: 1", "utf-8")
    monkeypatch.setattr("callgrade.catalog.rubrics.resource_folder", lambda kind: tmp_path / kind)
    assert find_rubric("small").name == "v10.yaml"
    assert find_rubric("small@v9").name == "v9.yaml"
    assert [entry.version for entry in list_rubrics()] == ["v10", "v9", "v2"]
    with pytest.raises(NotFoundError, match="has no version v3: it has v10, v9, v2"):
        find_rubric("small@v3")


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("outbound-sales-q", "did you mean 'outbound-sales-qa'"),
        ("no-such-thing", "the rubrics are absolute-errors, auto-dealer-callback"),
        ("monitoring-sheet-40@2", "the rubrics are"),
        ("monitoring-sheet-40@v7", "it has v1"),
        ("", "the rubrics are"),
        ("../../etc/passwd", "there is no rubric file"),
        ("nowhere/v1.yaml", "there is no rubric file nowhere/v1.yaml"),
    ],
)
def test_an_unknown_reference_says_what_there_is(reference, says):
    with pytest.raises(NotFoundError) as caught:
        load_rubric(reference)
    assert says in str(caught.value)


def test_the_listing_names_every_shipped_rubric():
    entries = {entry.reference: entry for entry in list_rubrics()}
    sheet = entries["monitoring-sheet-40@v1"]
    assert (sheet.status, sheet.criteria, sheet.title.en) == ("published", 14, "Call monitoring sheet, 40 points")


def test_a_broken_file_does_not_hide_the_others(tmp_path, monkeypatch):
    (tmp_path / "rubrics" / "bad").mkdir(parents=True)
    (tmp_path / "rubrics" / "bad" / "v1.yaml").write_text("a: [", "utf-8")
    monkeypatch.setattr("callgrade.catalog.rubrics.resource_folder", lambda kind: tmp_path / kind)
    assert [(entry.reference, entry.status) for entry in list_rubrics()] == [("bad@v1", "broken")]


def test_an_installation_without_its_data_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("callgrade.catalog.resources.files", lambda _: tmp_path)
    with pytest.raises(ConfigurationError, match="has no rubrics/ folder"):
        resource_folder("rubrics")


def test_a_rubric_with_faults_does_not_load_and_names_them_all(small):
    small.write_text(
        MINIMAL.replace("judge: rules", "judge: rulez").replace("lists: [words]", "lists: [wrods]"), "utf-8"
    )
    with pytest.raises(RubricError) as caught:
        load_rubric(small)
    assert len(caught.value.faults) == 2
    assert f"{small}:8: error: criteria[greeting].judge" in caught.value.faults[0]
    assert f"{small}:11: error: criteria[greeting].rule.find.lists[0]: there is no phrase list 'wrods'" in str(
        caught.value
    )


# --- lists, resolution, digest --------------------------------------------------------------------


def test_the_lists_that_rules_name_are_resolved(small):
    rubric = load_rubric(small)
    assert set(rubric.phrase_lists) == {"words"}
    assert rubric.phrase_lists["words"].phrases == ("您好",)
    named = {n for c in load_rubric("telesales-misconduct").criteria if c.rule for n in c.rule.find.lists}
    assert named <= set(load_rubric("telesales-misconduct").phrase_lists)


def test_a_list_beside_the_rubric_wins_over_a_shipped_one(small):
    text = WORDS.replace("id: words", "id: greetings").replace("[您好]", "[喂]")
    (small.parents[1] / "lists" / "greetings.yaml").write_text(text, "utf-8")
    small.write_text(MINIMAL.replace("lists: [words]", "lists: [greetings]"), "utf-8")
    assert load_rubric(small).phrase_lists["greetings"].phrases == ("喂",)


def test_the_resolved_json_is_the_whole_rubric_again(small):
    rubric = load_rubric(small)
    resolved = json.loads(json.dumps(resolved_json(rubric)))
    assert Rubric.model_validate(resolved) == rubric
    assert resolved["criteria"][0]["scale"] == {"kind": "answer", "yes": 0.5, "no": 0.0}
    assert resolved["phrase_lists"]["words"]["phrases"] == ["您好"]


def test_the_digest_survives_reformatting(small):
    before = digest(load_rubric(small))
    assert re.fullmatch("sha256:[0-9a-f]{64}", before)
    data = read_yaml(small).data
    data["total"] = {"start": 0}  # a default, written out
    data["criteria"][0]["critical"] = False
    # JSON is YAML: another order, other quotes, other line breaks, a comment, points as 0.50
    text = "# the same\n" + json.dumps(dict(reversed(data.items())), indent=3).replace("0.5", "0.50")
    small.write_text(text, "utf-8")
    assert digest(load_rubric(small)) == before


def test_the_digest_does_not_depend_on_the_life_cycle(small):
    before = digest(load_rubric(small))
    small.write_text(MINIMAL + "status: published\n", "utf-8")
    assert digest(load_rubric(small)) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("yes: 0.5", "yes: 0.51"),
        ("no: 0}", "no: -1}"),
        ("小表", "小 表"),
        ("phrases: [您好]", "phrases: [你好]"),
        ("found: {answer: yes}, missing: {answer: no}", "found: {answer: no}, missing: {answer: yes}"),
        ("evidence: optional", "evidence: none"),
    ],
)
def test_the_digest_changes_with_any_content(small, old, new):
    before = digest(load_rubric(small))
    assert old in MINIMAL
    small.write_text(MINIMAL.replace(old, new), "utf-8")
    assert digest(load_rubric(small)) != before


def test_the_digest_changes_with_a_list(small):
    before = digest(load_rubric(small))
    (small.parents[1] / "lists" / "words.yaml").write_text(WORDS.replace("[您好]", "[您好, 喂]"), "utf-8")
    assert digest(load_rubric(small)) != before


def test_points_stay_exact(small):
    assert load_rubric(small).criteria[0].scale.yes == Decimal("0.5")
