"""Every label in both languages, and none missing for anything that a scorecard can hold."""

import re
from string import Formatter
from typing import get_args

import pytest

from callgrade.adapters.rules import NOT_SAID, SAID
from callgrade.domain import errors
from callgrade.domain.calls import Speaker
from callgrade.domain.judgements import Grounding, Judgement, Method, WhyUnfounded
from callgrade.domain.outcomes import Answer, Count, Kinds, Level, Occurrences, Score
from callgrade.domain.scorecards import Provenance, score
from callgrade.domain.speech_definitions import DEFINITIONS
from callgrade.evaluations.service import NOT_MEANT_FOR_THIS_CALL, SPEAKERS_UNCERTAIN
from callgrade.evaluations.words import (
    TABLE,
    effect_in_words,
    flag_in_words,
    outcome_in_words,
    reason_in_words,
    word,
)
from tests.domain.forms import answer, likert, rubric, violation


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


class TestTable:
    @pytest.mark.parametrize("key", TABLE)
    def test_both_languages_say_it_with_the_same_values(self, key):
        zh, en = TABLE[key]
        assert zh.strip()
        assert en.strip()
        assert fields(zh) == fields(en)

    @pytest.mark.parametrize("key", TABLE)
    def test_no_language_borrows_the_other_ones_words(self, key):
        zh, en = TABLE[key]
        assert not re.search("[\u3400-\u9fff]", en)
        assert re.search("[\u3400-\u9fff]", zh) or not re.search("[A-Za-z]{2}", re.sub(r"{\w+}", "", zh))

    def test_an_unknown_key_is_an_error(self):
        with pytest.raises(KeyError):
            word("no-such-key", "zh")


def _errors(root: type[errors.CallgradeError]) -> list[type[errors.CallgradeError]]:
    return [kind for below in root.__subclasses__() for kind in (below, *_errors(below))]


class TestNothingIsLeftWithoutAWord:
    @pytest.mark.parametrize(
        "key",
        [
            *(f"speaker.{speaker}" for speaker in Speaker),
            *(f"grounding.{grounding}" for grounding in get_args(Grounding) if grounding != "unfounded"),
            *(f"why.{why}" for why in get_args(WhyUnfounded)),
            *(f"method.{method}" for method in get_args(Method)),
            *(f"status.{status}" for status in get_args(Judgement.model_fields["status"].annotation)),
            *(f"made_by.{field}" for field in Provenance.model_fields),
            *(f"flag.{flag}" for flag in (NOT_MEANT_FOR_THIS_CALL, SPEAKERS_UNCERTAIN)),
            *(f"error.{kind('').type}" for kind in _errors(errors.JudgeError)),
        ],
    )
    def test_every_member_of_a_closed_set_has_one(self, key):
        assert key in TABLE

    def test_every_flag_that_score_can_raise_has_one(self):
        unfounded = {"quote": "没有这句", "grounding": "unfounded", "why": "not_found"}
        made = {
            "found": {"status": "judged", "outcome": {"occurrences": 1}, "evidence": [unfounded]},
            "broken": {"status": "failed", "error": {"type": "refused", "message": "", "retryable": False}},
        }
        judged = {
            id_: Judgement.model_validate({"criterion_id": id_, "method": "llm", **item}) for id_, item in made.items()
        }
        form = rubric(violation("found", "flag"), answer("broken", 5), answer("tone", 5, judge="human"))
        flags = score(form, judged, {}).flags
        assert len(flags) == 6
        assert all(f"flag.{flag}" in TABLE for flag in flags)


SCALES = rubric(
    answer("greeting", 5),
    likert("warmth"),
    {
        "id": "clarity",
        "scale": {
            "kind": "levels",
            "levels": [
                {"id": "full", "points": 5, "title": {"zh": "讲清", "en": "clear"}},
                {"id": "none", "points": 0},
            ],
        },
    },
)


def judged(outcome, criterion="greeting"):
    return Judgement(criterion_id=criterion, status="judged", outcome=outcome, method="llm")


class TestOutcomes:
    @pytest.mark.parametrize(
        ("criterion", "outcome", "zh", "en"),
        [
            ("greeting", Answer(answer="yes"), "是", "yes"),
            ("clarity", Level(level="full"), "讲清", "clear"),
            ("clarity", Level(level="none"), "none", "none"),
            ("warmth", Score(score=4), "4 / 5", "4 of 5"),
            ("greeting", Occurrences(occurrences=0), "0 处", "0 found"),
            ("greeting", Occurrences(occurrences=2), "2 处", "2 found"),
            (
                "greeting",
                Occurrences(occurrences=3, aggravated=1),
                "3 处，其中情节严重 1 处",
                "3 found, 1 of them aggravated",
            ),
            ("greeting", Kinds(kinds=2), "2 种", "2 kinds"),
            ("greeting", Count(count=7), "7 次", "7 times"),
        ],
    )
    def test_each_kind(self, criterion, outcome, zh, en):
        for language, expected in (("zh", zh), ("en", en)):
            assert outcome_in_words(judged(outcome, criterion), SCALES.by_id[criterion], language) == expected

    def test_what_hangs_on_an_unknown_fact_says_so(self):
        form = rubric(violation("beneficiary", "flag", when={"outcome": ["closed"]}))
        made = {"beneficiary": judged({"occurrences": 1}, "beneficiary")}
        said = {
            str(facts): outcome_in_words(score(form, made, facts).judgements[0], form.criteria[0], "zh")
            for facts in ({}, {"outcome": "closed"}, {"outcome": "open"})
        }
        assert list(said.values()) == ["1 处（是否适用待通话事实）", "1 处", "不适用"]

    def test_without_one_the_status_is_said(self):
        waiting = Judgement(criterion_id="greeting", status="cannot_assess", method="human", reason="awaiting_human")
        assert outcome_in_words(waiting, SCALES.by_id["greeting"], "zh") == "待人工"
        open_ = waiting.model_copy(update={"reason": "no_model"})
        assert outcome_in_words(open_, SCALES.by_id["greeting"], "en") == "Cannot assess"


class TestReasons:
    def reason(self, reason: str, language: str) -> str:
        made = Judgement(criterion_id="greeting", status="not_applicable", method="llm", reason=reason)
        return reason_in_words(made, language)

    @pytest.mark.parametrize("reason", ["awaiting_human", "no_model", SAID, NOT_SAID])
    def test_our_own_are_translated(self, reason):
        assert re.search("[\u3400-\u9fff]", self.reason(reason, "zh"))
        assert not re.search("[\u3400-\u9fff]", self.reason(reason, "en"))

    def test_a_measured_fact_gets_its_name_and_unit(self):
        title = DEFINITIONS["longest_silence_ms"].title
        assert self.reason("longest_silence_ms = 11600", "zh") == f"{title.zh}：11.6 秒"
        assert self.reason("longest_silence_ms = 11600", "en") == f"{title.en}: 11.6 s"
        assert self.reason("talk_ratio_agent = 0.62", "en").endswith(": 62%")
        assert self.reason("talk_ratio_agent is undefined for this call", "zh").startswith("这通电话测不出")

    @pytest.mark.parametrize(
        "reason", ["态度很好", "turns = 1.2.3", "turns = 9e999999", "__class__ = 1", "{0.__class__}", "turns = "]
    )
    def test_anybody_elses_stay_as_they_are(self, reason):
        assert self.reason(reason, "zh") == reason

    def test_a_number_beyond_all_bounds_breaks_nothing(self):
        assert self.reason("turns = 9e+999999", "en").endswith("inf")

    def test_a_failure_is_said_by_its_kind_and_never_by_its_message(self):
        failure = {"type": "model-timeout", "message": "raw text", "retryable": True}
        made = Judgement.model_validate(
            {"criterion_id": "greeting", "status": "failed", "method": "llm", "error": failure}
        )
        assert reason_in_words(made, "zh") == "模型超时（稍后重试可能成功）"
        assert reason_in_words(made, "en") == "the model did not answer in time (trying again later may help)"


def test_an_unknown_flag_is_still_readable():
    assert flag_in_words("made_up_flag", "zh") == "made up flag"


def test_an_effect_names_the_criterion_it_counts_as():
    form = rubric(violation("rude", {"counts_as": "fraud"}), violation("fraud", "fail_call"))
    assert effect_in_words("counts_as: fraud", form.by_id, "zh") == "按“fraud”计一次"
    assert effect_in_words("fail_call", form.by_id, "en") == "the call fails"
