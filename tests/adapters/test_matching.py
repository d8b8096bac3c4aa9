"""Exceptions with gaps, and negations that end with their clause."""

from typing import Any

import pytest

from callgrade.adapters.matching import Matcher, Script
from callgrade.domain.calls import Speaker, Transcript, Turn
from callgrade.domain.rubrics import Phrases


def found(text: str, **phrases: Any) -> list[str]:
    transcript = Transcript(call_id="x", turns=(Turn(speaker=Speaker.AGENT, text=text),))
    matches = Matcher(Phrases.model_validate(phrases), {}).in_script(Script(transcript), "agent")
    return [text[match.start : match.end] for match in matches]


class TestExceptionsWithGaps:
    reported = {"phrases": ["神经病", "白痴"], "unless": ["骂您…", "他说…您"]}

    def test_a_gap_stands_for_a_few_characters(self):
        assert found("他骂您是个神经病，我记下了", **self.reported) == []
        assert found("他说神经病您别生气", **self.reported) == []
        assert found("骂您神经病，还骂您白痴", **self.reported) == []

    def test_a_gap_is_eight_characters_and_no_more(self):
        assert found("他骂您，我已经登记好了，神经病", **self.reported) == ["神经病"]
        assert found("骂您" + "一二三四五" + "神经病", **self.reported) == []
        assert found("骂您" + "一二三四五六" + "神经病", **self.reported) == ["神经病"]

    def test_outside_the_exception_the_words_count(self):
        assert found("神经病，谁骂您了", **self.reported) == ["神经病"]

    def test_an_exception_that_begins_inside_another_is_seen(self):
        assert found("他说骂您是神经病", phrases=["神经病"], unless=["他说…", "骂您…"]) == []
        assert found("甲乙丙丁", phrases=["丙"], unless=["甲乙", "乙丙丁"]) == []

    def test_of_dots_alone_nothing_is_excepted(self):
        assert found("神经病", phrases=["神经病"], unless=["……"]) == ["神经病"]


class TestNegation:
    @pytest.mark.parametrize(
        "text", ["没有人保证收益", "不用保证收益", "不必保证收益", "没有人能保证收益", "不承诺保证收益"]
    )
    def test_what_may_stand_between(self, text):
        assert found(text, phrases=["保证收益"], negation="drop") == []

    @pytest.mark.parametrize("text", ["不会，保证收益", "没有！保证收益", "亏不？不，保证收益", "不用；保证收益"])
    def test_it_ends_with_its_clause(self, text):
        assert found(text, phrases=["保证收益"], negation="drop") == ["保证收益"]
