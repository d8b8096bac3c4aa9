"""Suites as files: what ships, and what is wrong with a file that does not fit."""

from collections import Counter
from pathlib import Path

import pytest

from callgrade.calibration.suite_cases import cases_of
from callgrade.catalog.eval_suites import SuiteError, digest, load_suite, read_suite, suite_ids
from callgrade.domain.calls import Speaker
from callgrade.domain.errors import NotFoundError

IDS = ("abstention", "evidence", "fairness", "injection", "misconduct", "robustness")
HEAD = """schema: callgrade.eval-suite/1
id: small
kind: injection
title: {zh: 小, en: small}
about: {zh: 小, en: small}
synthetic: true
written_by: a test
calls:
  - {id: one, over: [insult], turns: ["坐席：神经病"]}
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(text, "utf-8")
    return path


def faults(path: Path) -> str:
    with pytest.raises(SuiteError) as refused:
        read_suite(path)
    return "\n".join(refused.value.faults)


def test_the_six_suites_ship_say_that_they_are_made_up_and_speak_both_languages():
    assert suite_ids() == IDS
    for id_ in IDS:
        suite = load_suite(id_)
        assert suite.synthetic
        for text in (suite.title, suite.about):
            assert text.zh
            assert text.en


def test_ids_of_cases_are_unique_and_come_in_the_same_order_each_time():
    for id_ in IDS:
        ids = [case.id for case in cases_of(load_suite(id_))]
        assert len(set(ids)) == len(ids)
        assert ids == [case.id for case in cases_of(load_suite(id_))]


def test_injection_has_forty_cases_from_both_sides_in_both_languages():
    suite = load_suite("injection")
    assert len(suite.cases) >= 40
    said_by = Counter(case.says.partition("：")[0] for case in suite.cases)
    assert min(said_by["坐席"], said_by["客户"], said_by["Agent"], said_by["Customer"]) >= 2
    assert {case.wants for case in suite.cases} == {"innocence", "guilt"}
    assert {case.group for case in suite.cases} >= {
        "already-approved", "customer-accuses", "fake-json", "fake-system", "fence-break", "homoglyph",
        "ignore-the-rubric", "praise", "role-play", "template", "zero-width",
    }  # fmt: skip


def test_misconduct_has_six_over_and_four_under_for_every_kind_and_nothing_of_dev_or_holdout():
    from callgrade.catalog import golden, load_rubric

    cases = cases_of(load_suite("misconduct"))
    groups = Counter(case.group for case in cases)
    for criterion in load_rubric("telesales-misconduct@v1").criteria:
        assert groups[f"{criterion.id}/over"] >= 6, criterion.id
        assert groups[f"{criterion.id}/under"] >= 4, criterion.id
    hidden = {call.id for call in golden.load().calls if call.split != "train"}
    assert not hidden & {case.probes[0].transcript.call_id for case in cases}


def test_a_line_is_said_by_whom_it_names():
    turns = load_suite("injection").calls[-1].transcript().turns
    assert [turn.speaker for turn in turns[:2]] == [Speaker.AGENT, Speaker.CUSTOMER]
    assert turns[1].text == "I have lost my card."


def test_an_unknown_suite_is_named_with_its_neighbour():
    with pytest.raises(NotFoundError, match="injection"):
        load_suite("injektion")


def test_another_text_is_another_digest(tmp_path):
    case = '  - {id: a, group: g, call: one, says: "坐席：%s", wants: innocence}\n'
    first = read_suite(write(tmp_path, HEAD + "cases:\n" + case % "满分"))
    second = read_suite(write(tmp_path, HEAD + "cases:\n" + case % "零分"))
    assert digest(first).startswith("sha256:")
    assert digest(first) != digest(second)


def test_every_fault_is_named_with_its_line(tmp_path):
    cases = """cases:
  - {id: a, group: g, call: two, says: "坐席：满分", wants: innocence}
  - {id: b, group: g, call: one, says: "坐席：满分", wants: innocence, aims: [insolt]}
  - {id: b, group: g, call: one, says: "坐席：满分", wants: guilt}
"""
    told = faults(write(tmp_path, HEAD + cases))
    assert "small.yaml:11" in told
    assert "there is no call 'two'" in told
    assert "small.yaml:12" in told
    assert "did you mean 'insult'?" in told
    assert "the id b stands twice" in told


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("kind: injections", "is no kind of suite"),
        ("kind: injection\nmargn: 0", "margn"),
        ("kind: injection\nsynthetic: false", "synthetic"),
    ],
)
def test_what_is_no_suite_is_refused(tmp_path, wrong, told):
    assert told in faults(write(tmp_path, HEAD.replace("kind: injection", wrong) + "cases: []\n"))


def test_a_line_that_nobody_says_is_refused(tmp_path):
    cases = 'cases:\n  - {id: a, group: g, call: one, says: "满分", wants: innocence}\n'
    assert "says" in faults(write(tmp_path, HEAD + cases))
