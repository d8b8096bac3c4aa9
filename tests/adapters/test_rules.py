"""Rules on lines that must and must not match, and every part of a rule."""

import asyncio
from typing import Any

import pytest

from callgrade.adapters.matching import Matcher, Script, is_negated
from callgrade.adapters.rules import RuleJudge
from callgrade.domain.calls import Transcript
from callgrade.domain.judgements import Judgement
from callgrade.domain.rubrics import Phrases
from tests.domain.forms import rubric

INSULT = {"find": {"phrases": ["神经病"]}, "count": "matches"}
REFUSAL = {"side": "customer", "find": {"phrases": ["不需要", "不用了"]}, "at_least": 3}


def call(*lines: str) -> Transcript:
    """`call("A您好", "C你好")`: A is the agent, C the customer, U unknown."""
    speakers = {"A": "agent", "C": "customer", "U": "unknown"}
    turns = [{"speaker": speakers[line[0]], "text": line[1:]} for line in lines]
    return Transcript.model_validate({"schema": "callgrade.transcript/1", "call_id": "c", "turns": turns})


def found(text: str, **phrases: Any) -> list[str]:
    matches = Matcher(Phrases.model_validate(phrases), {}).in_script(Script(call("A" + text)), "agent")
    return [text[match.start : match.end] for match in matches]


def judge(rule: dict[str, Any], *lines: str, scale: dict[str, Any] | None = None, **criterion: Any) -> Judgement:
    scale = scale or {"kind": "violation", "severity": "level-1", "effect": "flag"}
    form = rubric({"id": "c", "judge": "rules", "rule": rule, "scale": scale, **criterion})
    return asyncio.run(RuleJudge().judge(call(*lines), form)).judgements[0]


class TestMatching:
    def test_words_are_found_whatever_their_writing(self):
        assert found("可以先试用，不满意、随时取消哦", phrases=["不满意随时取消"]) == ["不满意、随时取消"]
        assert found("可以隨時 取消", phrases=["随时取消"]) == ["隨時 取消"]
        assert found("ＯＫ", phrases=["ok"]) == ["ＯＫ"]

    def test_a_match_inside_an_exception_does_not_count(self):
        assert found("喂，哪位", phrases=["喂"], unless=["喂养"]) == ["喂"]
        assert found("宝宝怎么喂养", phrases=["喂"], unless=["喂养"]) == []
        assert found("您好像没听清", phrases=["您好"], unless=["您好像"]) == []
        assert found("您好，您好像没听清", phrases=["您好"], unless=["您好像"]) == ["您好"]

    @pytest.mark.parametrize(
        "text", ["我们不能保证收益", "不保证收益", "没有保证收益", "无法保证收益", "不会给您保证收益"]
    )
    def test_negation_can_take_a_match_away(self, text):
        assert found(text, phrases=["保证收益"], negation="drop") == []
        assert found(text, phrases=["保证收益"]) == ["保证收益"]

    @pytest.mark.parametrize("text", ["保证收益", "要不保证收益给您看", "不满意的话，我保证收益", "您是不是要保证收益"])
    def test_a_negation_of_something_else_does_not(self, text):
        assert found(text, phrases=["保证收益"], negation="drop") == ["保证收益"]

    def test_the_longest_phrase_wins_and_patterns_see_folded_text(self):
        assert found("您好像您好吗", phrases=["您好", "您好吗"]) == ["您好", "您好吗"]
        assert found("每月 只要，５９ 元", patterns=[r"每月只要[0-9]+元"]) == ["每月 只要，５９ 元"]

    def test_only_the_side_that_is_asked_for(self):
        matcher = Matcher(Phrases(phrases=("神经病",)), {})
        script = Script(call("C神经病", "A您别生气"))
        assert matcher.in_script(script, "agent") == []
        assert [m.turn for m in matcher.in_script(script, "customer")] == [0]
        assert [m.turn for m in matcher.in_script(script, "any")] == [0]

    def test_a_phrase_never_runs_over_two_turns(self):
        assert Matcher(Phrases(phrases=("随时取消",)), {}).in_script(Script(call("A随时", "A取消")), "agent") == []

    def test_lists_are_looked_up(self):
        matcher = Matcher(Phrases(lists=("rude",)), {"rude": Phrases(phrases=("烦不烦",))})
        assert len(matcher.in_script(Script(call("A你烦不烦")), "agent")) == 1

    def test_is_negated_looks_back_a_little_only(self):
        assert is_negated("不能保证", 2)
        assert not is_negated("不知道啊反正保证", 6)


class TestCounting:
    rule = {"find": {"phrases": ["不知道", "自己看"]}}

    def test_turns_matches_kinds_and_once(self):
        lines = ("A不知道不知道", "C什么", "A自己看", "A不知道")
        counts = {
            how: judge({**self.rule, "count": how}, *lines).outcome.occurrences
            for how in ("turns", "matches", "kinds", "once")
        }
        assert counts == {"turns": 3, "matches": 4, "kinds": 2, "once": 1}

    def test_nothing_found_is_a_clean_verdict_without_evidence(self):
        verdict = judge(self.rule, "A您好")
        assert (verdict.status, verdict.outcome.occurrences, verdict.evidence) == ("judged", 0, ())

    def test_evidence_is_exactly_what_was_said(self):
        lines = ("A您好", "A这个我不 知道。")
        (item,) = judge(self.rule, *lines).evidence
        assert (item.turn, item.quote, item.grounding) == (1, "不 知道", "exact")
        assert lines[1][1:][item.start : item.end] == item.quote

    def test_tiers_by_kinds_and_answers(self):
        tiers = {"kind": "tiers", "by": "kinds", "steps": [{"up_to": 1, "points": 0}, {"points": -1}]}
        assert judge({**self.rule, "count": "matches"}, "A不知道，自己看", scale=tiers).outcome.kinds == 2
        answer = {"kind": "answer", "yes": 1, "no": 0}
        rule = {"find": {"phrases": ["您好"]}, "found": {"answer": "yes"}, "missing": {"answer": "no"}}
        assert judge(rule, "A您好", scale=answer).outcome.answer == "yes"
        assert judge(rule, "A喂", scale=answer).outcome.answer == "no"


class TestPositions:
    rule = {"find": {"phrases": ["您好"]}, "position": {"at": "start"}}

    def test_the_first_turn_of_the_side_itself(self):
        assert judge(self.rule, "C喂", "A您好").outcome.occurrences == 1
        assert judge(self.rule, "A喂", "A您好").outcome.occurrences == 0

    def test_the_last_turns(self):
        rule = {"find": {"phrases": ["再见"]}, "position": {"at": "end", "turns": 2}}
        assert judge(rule, "A再见", "A好", "A嗯", "C再见").outcome.occurrences == 0
        assert judge(rule, "A好", "A再见", "A嗯").outcome.occurrences == 1


class TestMoments:
    push = {"find": {"phrases": ["再考虑", "先给您开通"]}, "after": REFUSAL}

    def test_only_after_the_third_refusal(self):
        twice = ("A办一个吧", "C不需要", "A再考虑一下", "C不用了", "A再考虑一下")
        assert judge(self.push, *twice).outcome.occurrences == 0
        verdict = judge(self.push, *twice, "C说了不需要", "A我先给您开通")
        assert [item.quote for item in verdict.evidence] == ["先给您开通"]

    def test_two_refusals_in_one_turn_are_one(self):
        assert judge(self.push, "C不需要，不用了，不需要", "A再考虑一下").outcome.occurrences == 0

    def test_before_a_moment(self):
        rule = {
            "find": {"phrases": ["机主本人"]},
            "before": {"side": "agent", "find": {"phrases": ["推荐"]}},
            "found": {"occurrences": 0},
            "missing": {"occurrences": 1},
        }
        assert judge(rule, "A是机主本人吗", "A给您推荐").outcome.occurrences == 0
        assert judge(rule, "A给您推荐", "A是机主本人吗").outcome.occurrences == 1
        assert judge(rule, "A是机主本人吗").outcome.occurrences == 0

    def test_only_if_the_moment_came(self):
        rule = {**self.push, "only_if": [{**REFUSAL, "at_least": 1}, {"side": "agent", "find": {"phrases": ["办"]}}]}
        assert judge(rule, "A办一个吧", "C好").status == "not_applicable"
        assert judge(rule, "A您好", "C不需要").status == "not_applicable"
        assert judge(rule, "A办一个吧", "C不需要").status == "judged"

    def test_what_was_missing_is_shown_by_the_moment_that_called_for_it(self):
        rule = {
            "find": {"phrases": ["机主本人"]},
            "only_if": [{"side": "agent", "find": {"phrases": ["推荐"]}}],
            "found": {"occurrences": 0},
            "missing": {"occurrences": 1},
        }
        verdict = judge(rule, "A您好", "A给您推荐一个套餐")
        assert [(item.turn, item.quote) for item in verdict.evidence] == [(1, "推荐")]
        assert judge(rule, "A是机主本人吗", "A给您推荐").evidence[0].quote == "机主本人"


class TestWhoSpoke:
    rule = {"find": {"phrases": ["不知道"]}}

    def test_without_turns_or_without_the_side_it_abstains(self):
        assert judge(self.rule).status == "cannot_assess"
        assert judge(self.rule, "C不知道").status == "cannot_assess"

    def test_an_absence_is_not_claimed_while_speakers_are_unknown(self):
        assert judge(self.rule, "A您好", "U不知道").status == "cannot_assess"
        assert judge(self.rule, "A不知道", "U嗯").status == "judged"

    @pytest.mark.parametrize("blank", ["", "……", " 。 "])
    def test_an_absence_is_not_claimed_of_turns_without_words(self, blank):
        assert judge(INSULT, "A" + blank, "C喂？").status == "cannot_assess"
        assert judge(INSULT, "A嗯", "C喂？").status == "judged"  # somebody heard that

    @pytest.mark.parametrize(
        "said",
        ["Вы что, тупой?", "수익은 무조건 보장됩니다", "ได้ค่ะ รอสักครู่นะคะ", "お客様はおかしいですよ", "ياخشىمۇسىز"],
    )
    def test_an_absence_is_not_claimed_of_words_in_a_writing_that_no_list_is_in(self, said):
        greeting = {"find": {"phrases": ["您好"]}, "found": {"answer": "yes"}, "missing": {"answer": "no"}}
        yes_or_no = {"kind": "answer", "yes": 2, "no": 0}
        assert judge(greeting, "A" + said, "C喂？", scale=yes_or_no).status == "cannot_assess"
        assert judge(INSULT, "A" + said, "C喂？").status == "cannot_assess"

    @pytest.mark.parametrize(
        "said", ["Good morning, Café Müller", "这个是 Wi-Fi 6 的路由器", "我们的 APP 叫 Яндекс", "13800"]
    )
    def test_a_foreign_name_makes_no_foreign_call(self, said):
        assert judge(INSULT, "A" + said, "C喂？").status == "judged"

    def test_what_is_found_all_the_same_counts(self):
        found = judge(INSULT, "AВы что, тупой? 神经病", "C喂？")
        assert (found.status, found.outcome.occurrences) == ("judged", 1)

    def test_whether_it_came_after_something_is_unknown_where_that_side_is_not_heard(self):
        rule = {"find": {"phrases": ["开通"]}, "after": REFUSAL, "count": "turns"}
        assert judge(rule, "A您好", "A我给您开通").status == "cannot_assess"
        assert judge(rule, "A您好", "C好", "A我给您开通").status == "judged"
