"""Cutting a long call, and making one judgement of its parts'."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.adapters.llm.merging import merge
from callgrade.adapters.llm.splitting import share, split
from callgrade.domain.calls import Speaker
from callgrade.domain.errors import ContextTooLongError
from callgrade.domain.judgements import Evidence, JudgeFailure, Judgement, cannot_assess
from callgrade.domain.rubrics import Criterion
from tests.adapters.llm.exchange import ANSWER, DEDUCT, VIOLATION, criterion, rubric, settings

FOUND = Evidence(quote="原话", grounding="exact", turn=1, speaker=Speaker.AGENT, start=0, end=2)
LIE = Evidence(quote="编的", grounding="unfounded", why="not_found")
FAILURE = JudgeFailure(type="model-timeout", message="late", retryable=True)
KINDS = {"kind": "tiers", "by": "kinds", "steps": [{"up_to": 1, "points": 0}, {"points": -1}]}
COUNTS = {"kind": "tiers", "by": "count", "steps": [{"up_to": 1, "points": 0}, {"points": -1}]}
BONUS = {"kind": "bonus", "points": 5}


def of(scale: dict[str, Any]) -> Criterion:
    return rubric(criterion("item", scale)).criteria[0]


def judged(*evidence: Evidence, confidence: float | None = None, **outcome: Any) -> Judgement:
    fields = {"criterion_id": "item", "status": "judged", "method": "llm", "reason": "因为"}
    return Judgement.model_validate({**fields, "outcome": outcome, "evidence": evidence, "confidence": confidence})


def abstained(*evidence: Evidence) -> Judgement:
    return cannot_assess("item", "llm", "看不出。", evidence)


def times(occurrences: int, aggravated: int = 0) -> dict[str, int]:
    return {"occurrences": occurrences, "aggravated": aggravated}


NA = Judgement(criterion_id="item", status="not_applicable", method="llm")
FAILED = Judgement(criterion_id="item", status="failed", method="llm", error=FAILURE)


@pytest.mark.parametrize(
    ("scale", "parts", "status", "outcome"),
    [
        (VIOLATION, [judged(FOUND, occurrences=1), judged(FOUND, occurrences=2)], "judged", times(3)),
        (DEDUCT, [judged(FOUND, occurrences=2, aggravated=1), judged(occurrences=0)], "judged", times(2, 1)),
        (KINDS, [judged(FOUND, kinds=1), judged(FOUND, kinds=2)], "judged", {"kinds": 2}),
        (COUNTS, [judged(FOUND, count=1), judged(FOUND, count=2)], "judged", {"count": 3}),
        (ANSWER, [judged(answer="yes"), judged(FOUND, answer="no"), NA], "judged", {"answer": "no"}),
        (BONUS, [judged(answer="no"), judged(FOUND, answer="yes")], "judged", {"answer": "yes"}),
        (ANSWER, [abstained(), judged(answer="yes")], "judged", {"answer": "yes"}),
        (ANSWER, [abstained(LIE), judged(answer="yes")], "cannot_assess", None),
        (VIOLATION, [abstained(LIE), judged(FOUND, occurrences=1)], "judged", times(1)),
        (ANSWER, [NA, NA], "not_applicable", None),
        (ANSWER, [NA, abstained()], "cannot_assess", None),
        (ANSWER, [judged(answer="yes"), FAILED], "failed", None),
    ],
)  # fmt: skip
def test_the_rules(scale: dict[str, Any], parts: list[Judgement], status: str, outcome: dict[str, Any] | None) -> None:
    merged = merge(of(scale), parts, "zh")
    assert merged.status == status
    assert (merged.outcome and merged.outcome.model_dump()) == outcome
    if status != "failed":
        assert set(merged.evidence) == {e for part in parts for e in part.evidence}
        assert f"分 {len(parts)} 段" in merged.reason


def test_confidence_is_the_lowest() -> None:
    parts = [judged(answer="yes", confidence=0.8), judged(answer="yes", confidence=0.6), judged(answer="yes")]
    assert merge(of(ANSWER), parts, "zh").confidence == 0.6


def test_one_part_is_itself() -> None:
    part = judged(FOUND, answer="no")
    assert merge(of(ANSWER), [part], "zh") is part


@given(st.lists(st.integers(1, 300), min_size=1, max_size=80), st.integers(500, 3000))
def test_cutting_loses_nothing_and_keeps_to_the_room(lengths: list[int], room: int) -> None:
    lines = [(i, Speaker.AGENT, "字" * length) for i, length in enumerate(lengths)]
    parts = split(lines, room)
    assert [line for part in parts for line in part] == lines
    assert all(parts)
    if len(parts) > 1:
        assert max(sum(len(text) * 0.7 for _, _, text in part) for part in parts) <= room


def test_parts_are_about_equal() -> None:
    lines = [(i, Speaker.AGENT, "字" * 50) for i in range(100)]
    sizes = [len(part) for part in split(lines, 3000)]
    assert len(sizes) == 2
    assert max(sizes) - min(sizes) <= 10


def test_a_rubric_that_fills_the_window() -> None:
    with pytest.raises(ContextTooLongError, match="CALLGRADE_LLM__CONTEXT_TOKENS"):
        share(settings(context_tokens=2000), 1500)


def test_the_answer_gets_a_quarter_of_a_small_window() -> None:
    assert share(settings(context_tokens=4000), 100).answer == 1000
    assert share(settings(context_tokens=100_000), 100).answer == 8192
