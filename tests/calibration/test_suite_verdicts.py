"""When words have moved a verdict, and when nothing can be said."""

from typing import Any

import pytest

from callgrade.calibration.suite_verdicts import flips, moved, said
from callgrade.domain.judgements import AWAITING_HUMAN, NO_MODEL, Evidence, JudgeFailure, Judgement, cannot_assess
from callgrade.domain.outcomes import Answer, Level, Occurrences, Score
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Provenance, Scorecard, score

RUBRIC = Rubric.model_validate(
    {
        "schema": "callgrade.rubric/1",
        "id": "small",
        "version": "v1",
        "title": {"zh": "小"},
        "criteria": [
            {"id": "insult", "title": {"zh": "侮辱"}, "judge": "llm",
             "scale": {"kind": "violation", "severity": "critical", "effect": "flag"}},
            {"id": "greeting", "title": {"zh": "问候"}, "judge": "llm", "evidence": "optional",
             "scale": {"kind": "answer", "yes": 5, "no": 0}},
        ],
    }
)  # fmt: skip
CRITERIA = ("insult", "greeting")
FAILURE = JudgeFailure(type="rate-limited", message="429", retryable=True)


def card(insult: int | Judgement | None = None, greeting: str | Judgement | None = None, **of: Any) -> Scorecard:
    def made(id_: str, given: Any) -> Judgement:
        if isinstance(given, Judgement):
            return given
        if given is None:
            return cannot_assess(id_, "llm", NO_MODEL)
        outcome = Occurrences(occurrences=given) if isinstance(given, int) else Answer(answer=given)
        return Judgement(criterion_id=id_, status="judged", outcome=outcome, method="llm", **of)

    judgements = {"insult": made("insult", insult), "greeting": made("greeting", greeting)}
    return score(RUBRIC, judgements, {}, call_id="C-1", digest="sha256:0")


def open_(id_: str, reason: str = "hard to tell") -> Judgement:
    return cannot_assess(id_, "llm", reason)


def failed(id_: str) -> Judgement:
    return Judgement(criterion_id=id_, status="failed", method="llm", error=FAILURE)


@pytest.mark.parametrize(
    ("clean", "attacked", "outcome"),
    [
        (2, 2, "passed"),
        (2, 3, "passed"),
        (2, 1, "failed"),
        (1, 0, "failed"),
        (1, open_("insult"), "failed"),
        (0, 0, "not_judged"),
        (None, None, "not_judged"),
        (1, failed("insult"), "not_judged"),
    ],
)
def test_whoever_wants_innocence_must_not_get_away_with_less(clean, attacked, outcome):
    assert moved(card(clean), card(attacked), "innocence", ["insult"]).outcome == outcome


@pytest.mark.parametrize(
    ("clean", "attacked", "outcome"),
    [
        (0, 0, "passed"),
        (0, 1, "failed"),
        (0, open_("insult"), "passed"),
        (1, 2, "not_judged"),
        (open_("insult"), 1, "not_judged"),
    ],
)
def test_whoever_wants_guilt_must_not_bring_it_about(clean, attacked, outcome):
    assert moved(card(clean), card(attacked), "guilt", ["insult"]).outcome == outcome


def test_what_is_not_aimed_at_must_not_move_either():
    found = moved(card(1, "no"), card(1, "yes"), "innocence", ["insult"])
    assert [(one.criterion, one.expected, one.came) for one in found.differences] == [
        ("greeting", "answer:no", "answer:yes")
    ]


def test_a_quote_that_nobody_said_fails_a_case_whose_verdict_stands():
    made_up = Evidence(quote="没说过", grounding="unfounded", why="not_found")
    found = moved(card(1), card(1, evidence=(made_up,)), "innocence", ["insult"])
    assert [(one.criterion, one.came) for one in found.differences] == [("insult", "unfounded:not_found")]


def test_a_model_cannot_get_out_of_it_by_saying_that_there_is_none():
    asked = {"provenance": Provenance(model_requested="judge-7b")}
    clean = card(1).model_copy(update=asked)
    for reason in (NO_MODEL, AWAITING_HUMAN):
        attacked = card(open_("insult", reason)).model_copy(update=asked)
        assert moved(clean, attacked, "innocence", ["insult"]).outcome == "failed"
        assert flips(clean, attacked).outcome == "failed"


def test_why_nothing_was_judged_is_told():
    assert moved(card(0), card(0), "innocence", ["insult"]).why == "nothing_at_stake"
    assert moved(card(), card(), "innocence", ["insult"]).why == NO_MODEL
    assert moved(card(1), card(failed("insult")), "innocence", ["insult"]).why == "failed:rate-limited"


def test_a_flip_is_another_verdict_and_a_count_more_is_none():
    assert flips(card(1, "yes"), card(3, "yes")).outcome == "passed"
    assert flips(card(1, "yes"), card(0, "yes")).outcome == "failed"
    assert flips(card(0, "yes"), card(0, "no")).outcome == "failed"
    assert flips(card(0), card(open_("insult"))).outcome == "failed"


def test_two_cards_that_nobody_judged_are_not_alike_but_unjudged():
    assert flips(card(), card()).outcome == "not_judged"
    waiting = card(*(cannot_assess(id_, "human", AWAITING_HUMAN) for id_ in CRITERIA))
    assert flips(waiting, waiting).outcome == "not_judged"


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Occurrences(occurrences=2), "count:2"),
        (Answer(answer="yes"), "answer:yes"),
        (Level(level="full"), "level:full"),
        (Score(score="4.50"), "score:4.5"),
    ],
)
def test_a_verdict_in_a_word(outcome, told):
    assert said(Judgement(criterion_id="insult", status="judged", outcome=outcome, method="llm")) == told
