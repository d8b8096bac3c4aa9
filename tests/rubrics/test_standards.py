"""Every shipped rubric against what its document says, worked out by hand (`<id>.yaml` beside this file)."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from callgrade.adapters.rules import RuleJudge
from callgrade.adapters.speech import SpeechJudge
from callgrade.catalog import list_rubrics
from callgrade.domain.judgements import Judgement
from callgrade.domain.scorecards import Scorecard, score
from callgrade.evaluations.by_hand import read_judgements
from tests.rubrics.hand_worked import FILES, Call, Case, document, read, rubric_of

CASES = [(path, case) for path in FILES for case in read(path).cases]
CALLS = [(path, call) for path in FILES for call in read(path).calls]


def test_every_rubric_has_its_cases() -> None:
    assert {path.stem for path in FILES} == {entry.id for entry in list_rubrics()}


@pytest.mark.parametrize(("path", "case"), CASES, ids=[f"{p.stem}: {c.name}" for p, c in CASES])
def test_a_case_worked_by_hand(path: Path, case: Case) -> None:
    rubric = rubric_of(path)
    judgements, facts = read_judgements(document(case, rubric), rubric)
    card = score(rubric, judgements, facts)
    seen = {name: _seen(card, name, expected) for name, expected in case.expect.items()}
    assert seen == case.expect, case.working


def _seen(card: Scorecard, name: str, expected: Any) -> Any:
    """What the scorecard says, in the words of the case."""
    match name:
        case "total":
            return None if card.total is None else _amount(card.total)
        case "max":
            return None if card.total is None else card.total.max
        case "critical":
            return None if card.critical is None else _amount(card.critical)
        case "sections":
            return {section.id: _amount(section) for section in card.sections if section.id in expected}
        case "section_max":
            return {section.id: section.max for section in card.sections if section.id in expected}
        case "section_pass_lines":
            return {section.id: section.pass_line for section in card.sections if section.id in expected}
        case "sections_passed":
            return {section.id: section.passed for section in card.sections if section.id in expected}
        case "violations":
            counts: dict[str, int] = {}
            for found in card.violations:
                counts[found.criterion_id] = counts.get(found.criterion_id, 0) + found.count
            return counts
        case "severities":
            counts = {}
            for found in card.violations:
                counts[found.severity] = counts.get(found.severity, 0) + found.count
            return counts
        case "errors":
            return {str(error.number): error.count for error in card.errors}
        case "flags":
            return [flag for flag in expected if flag in card.flags]
        case _:
            return getattr(card, name)


def _amount(amount: Any) -> Any:
    """A settled amount is a number, an open one its ends, one that nothing applies to None."""
    if amount.value is not None or amount.high is None:
        return amount.value
    return {"low": amount.low, "high": amount.high}


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_points_of_one_outcome_at_a_time(path: Path) -> None:
    rubric = rubric_of(path)
    seen = []
    for id_, outcome, expected in read(path).points:
        judgements, facts = read_judgements({"judgements": {id_: outcome}}, rubric)
        scored = next(j for j in score(rubric, judgements, facts).judgements if j.criterion_id == id_)
        seen.append((id_, outcome, scored.points if expected is not None else None))
    assert seen == list(read(path).points)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_criterion_stands_in_the_table_of_points(path: Path) -> None:
    worth_points = {c.id for c in rubric_of(path).criteria if c.scale.kind != "violation"}
    assert worth_points <= {id_ for id_, _, _ in read(path).points}


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_programme_is_as_the_document_says(path: Path) -> None:
    programme = rubric_of(path).programme
    given = None if programme is None else programme.model_dump(mode="json", exclude_defaults=True)
    assert given == json.loads(json.dumps(read(path).programme))


@pytest.mark.parametrize(("path", "call"), CALLS, ids=[f"{p.stem}: {c.name}" for p, c in CALLS])
def test_a_call_that_rules_and_speech_facts_judge(path: Path, call: Call) -> None:
    rubric, transcript = rubric_of(path), call.transcript()
    judged = [asyncio.run(judge.judge(transcript, rubric)) for judge in (RuleJudge(), SpeechJudge())]
    seen = {j.criterion_id: _verdict(j) for answer in judged for j in answer.judgements}
    expected = {id_: _filled(outcome) for id_, outcome in call.expect.items()}
    assert seen == expected


def _verdict(judgement: Judgement) -> Any:
    return judgement.outcome.model_dump(mode="json") if judgement.outcome is not None else judgement.status


def _filled(outcome: Any) -> Any:
    """`{occurrences: 1}` says that none of them is aggravated."""
    return {**outcome, "aggravated": 0} if isinstance(outcome, dict) and outcome.keys() == {"occurrences"} else outcome
