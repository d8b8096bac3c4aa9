"""What the shipped lists catch and let pass, and that the rules find what was planted in the demo calls."""

import asyncio
import json

import pytest

from callgrade.adapters.matching import Matcher, Script
from callgrade.adapters.rules import RuleJudge
from callgrade.catalog import load_rubric
from callgrade.catalog.phrase_lists import known_lists, read_list
from callgrade.catalog.resources import resource_folder
from callgrade.catalog.yaml_source import read_yaml
from callgrade.domain.calls import Speaker, Transcript, Turn
from callgrade.domain.outcomes import Occurrences

GOLDEN = resource_folder("golden_set")

# list → what it must find (the whole quote), what it must let pass. None of these sentences is in the demo calls.
EXAMPLES: dict[str, tuple[dict[str, str], list[str]]] = {
    "greetings": (
        {"您好，嘀嗒团，很高兴为您服务！": "您好", "请问有什么可以帮到您？": "请问有什么可以帮到您"},
        ["你好像没听清"],
    ),
    "closings": ({"感谢您的来电，再见！": "感谢您的来电", "祝您用车愉快": "祝您用车愉快"}, ["感谢您的建议"]),
    "anything-else": ({"请问您还有别的需要吗": "还有别的"}, ["还有三天到期"]),
    "polite-words": ({"麻烦您了": "麻烦您", "謝謝": "謝謝"}, ["我去申请一下"]),
    "insults": (
        {"你是不是神经病": "神经病", "你到底听不听得懂": "你到底听不听得懂", "用不起就别用！": "用不起就别用"},
        ["您没有听懂吗", "请问您有病史吗", "这是傻瓜式操作"],
    ),
    "impatience": (
        {
            "我刚讲过，您再看看": "我刚讲过",
            "我刚才不是已经说过吗？": "我刚才不是已经说过吗",
            "您能不能认真听": "能不能认真听",
            "我说的已经很清楚": "说的已经很清楚",
        },
        ["您刚才说过您的号码", "刚刚已经为您查过了", "这个还要问一下技术部门", "您还有什么要问吗"],
    ),
    "forbidden-words": (
        {
            "喂，找谁": "喂",
            "那你想好了再打来吧": "想好了再打来",
            "我不负责这个": "不负责这个",
            "你爱投诉就投诉": "你爱投诉",
            "没别的问题我就挂了": "没别的问题我就挂了",
            "我没空": "我没空",
        },
        ["请问您不清楚的是哪一步", "不知道您是否方便", "孩子喂养方面", "您慢慢想办法"],
    ),
    "colloquialisms": (
        {"我帮您问了下": "我帮您问了下", "我给您咨询下": "我给您咨询下", "就是说这个": "就是说"},
        ["我帮您查了一下", "稍等我帮您查下"],
    ),
    "refusals": (
        {"我说了不需要": "说了不需要", "不用了谢谢": "不用了", "别打了行不行": "别打了", "我没兴趣": "没兴趣"},
        ["需不需要身份证", "真的不要钱吗", "不要紧", "号码要不要换", "不用担心"],
    ),
    "reluctance": ({"行吧，你看着办": "行吧", "随你便": "随你便", "那好吧": "那好吧"}, ["好的", "太好了"]),
    "vague-inducement": (
        {
            "您可先试用，不满意可随时取消": "先试用，不满意可随时取消",
            "目前是免费的": "目前是免费的",
            "到期会自动取消的": "自动取消",
            "一毛钱都不收": "一毛钱都不收",
        },
        ["免费期三个月，到期后每月二十元", "到期不会自动取消", "提前取消要付违约金", "现在不是免费的"],
    ),
    "false-promises": (
        {
            "保证收益百分之六": "保证收益百分之六",
            "绝对不会亏": "绝对不会亏",
            "这个保本的": "保本",
            "没有一点风险": "没有一点风险",
        },
        ["不能保证收益", "请问有没有风险", "收益是不确定的", "不保证收益"],
    ),
    "identity-check": (
        {
            "请问是机主本人吗": "请问是机主本人",
            "麻烦报一下证件号码": "报一下证件号",
            "您是赵女士吗": "您是赵女士吗",
        },
        ["请问您贵姓", "请您提供一下订单号"],
    ),
    "consent-ask": ({"您是否同意开通": "是否同意"}, ["您同意了吧，我记得"]),
    "consent": (
        {
            "好的": "好的",
            "行，那就办": "行，那就",
            "我同意": "我同意",
            "帮我开一个": "帮我开",
            "那办一个吧": "办一个吧",
        },
        ["我不同意", "可以吗", "你怎么给我开通了", "我再考虑考虑", "好，你说"],
    ),
    "pitches": ({"这边给您推荐一款宽带": "给您推荐"}, ["推荐信收到了"]),
    "openings": (
        {"已经为您开通了": "已经为您开通了", "马上帮您办理": "马上帮您办理", "办理成功": "办理成功"},
        ["已经为您登记投诉", "已经帮您申请退款", "办理成功后会有短信", "我帮您查一下"],
    ),
    "pushing": (
        {"您再想想，名额有限": "您再想想", "活动月底截止": "活动月底截止", "每天才几毛钱": "每天才几毛"},
        ["好的不打扰您了"],
    ),
    "fee-disclosure": (
        {"每个月二十九块九": "每个月二十九块", "资费标准是5元": "资费标准是5", "三十九元每月": "三十九元每月"},
        ["资费很便宜", "包含三百分钟通话", "每天多走路"],
    ),
    "fee-minimising": ({"每天只多收1毛多钱": "每天只多收1毛", "才几块钱": "才几块钱"}, ["每月十五元", "每天七点开门"]),
    "empathy": ({"换成谁都会着急，换成我也会": "换成我也会", "很抱歉": "很抱歉"}, ["我不理解您的意思"]),
    "not-the-owner": (
        {"我不是机主": "不是机主", "这是我女儿的手机": "这是我女儿的手机", "机主是我爸爸": "机主是我爸爸"},
        ["请问你是不是本人", "我是本人"],
    ),
    "proxy-decision": ({"您替您爱人，您同意就可以": "您同意就可以", "您帮他办也行": "您帮他办也行"}, ["我帮您办理"]),
}


def quotes(list_id: str, text: str) -> list[str]:
    found, faults = read_list(known_lists(None)[list_id])
    assert found is not None, faults
    transcript = Transcript(call_id="x", turns=(Turn(speaker=Speaker.AGENT, text=text),))
    return [text[m.start : m.end] for m in Matcher(found.as_phrases(), {}).in_script(Script(transcript), "any")]


def test_every_list_has_examples():
    assert set(EXAMPLES) == set(known_lists(None))


@pytest.mark.parametrize("list_id", EXAMPLES)
def test_what_a_list_finds_and_lets_pass(list_id):
    caught, passed = EXAMPLES[list_id]
    for text, quote in caught.items():
        assert quote in quotes(list_id, text), text
    for text in passed:
        assert quotes(list_id, text) == [], text


def test_the_source_s_own_words_are_in_the_lists():
    """服务禁语, 严禁用语 and 侮辱语言 that the sources print word for word, each in a sentence of its own."""
    for text in (
        "不清楚",
        "不明白",
        "不知道",
        "你这话什么意思",
        "我也没办法",
        "没法查",
        "您哪里的",
        "您电话多少",
        "您姓什么",
    ):
        assert quotes("forbidden-words", text), text
    for text in ("你去死", "神经病", "真是个刁蛮的客户", "这人真罗嗦", "有什么了不起！", "现在才说，早干嘛来着？"):
        assert quotes("insults", text), text
    for text in ("您没有听懂吗？", "您听不明白我也没办法", "我刚讲过……"):
        assert quotes("impatience", text), text


# --- the demo calls ------------------------------------------------------------------------------

PLANTED = {call["id"]: call["planted"] for call in read_yaml(GOLDEN / "manifest.yaml").data["calls"]}
MEASURED = {"silence-without-notice", "interruption"}
"""Planted in time, not in words: speech facts find these."""
ABSENT = {
    "fee-not-disclosed": "undisclosed-fee",
    "opened-without-consent": "missing-consent",
    "no-identity-check": "missing-identity-check",
}
"""Faults of what was not said."""


def verdicts(call_id: str) -> dict[str, list[tuple[int, int, int]]]:
    """Criterion → where it found something (turn, start, end), for the criteria that accuse."""
    transcript = Transcript.model_validate(json.loads((GOLDEN / "calls" / f"{call_id}.json").read_text("utf-8")))
    judged = asyncio.run(RuleJudge().judge(transcript, load_rubric("telesales-misconduct"))).judgements
    return {
        j.criterion_id: [(e.turn, e.start, e.end) for e in j.evidence]
        for j in judged
        if j.outcome is not None and j.outcome.occurrences
    }


@pytest.mark.parametrize("call_id", PLANTED)
def test_rules_find_the_planted_misconduct(call_id):
    found = verdicts(call_id)
    spans = [span for spans in found.values() for span in spans]
    for item in PLANTED[call_id]:
        if item["kind"] != "misconduct" or item["what"] in MEASURED:
            continue
        if item["what"] in ABSENT:
            assert ABSENT[item["what"]] in found, item["what"]
            continue
        overlapping = [s for s in spans if s[0] == item["turn"] and s[1] < item["end"] and item["start"] < s[2]]
        assert overlapping, (item["what"], item["quote"])


@pytest.mark.parametrize("call_id", ["polite-sale", "good-empathy", "long-hold"])
def test_rules_accuse_nobody_who_behaved(call_id):
    assert verdicts(call_id) == {}


def test_each_of_the_planted_kinds_has_its_own_criterion():
    assert {"vague-inducement", "false-promise", "undisclosed-fee"} <= set(verdicts("mis-selling"))
    assert {"coercion", "reluctant-consent"} <= set(verdicts("coercion"))
    assert {"missing-identity-check", "sold-to-non-owner"} <= set(verdicts("missing-identity"))
    assert {"insult", "contempt"} == set(verdicts("rude-agent"))
    assert {"false-promise", "missing-consent"} <= set(verdicts("unauthorised-opening"))


def test_the_same_hints_are_heard_by_the_outbound_form():
    transcript = Transcript.model_validate(json.loads((GOLDEN / "calls" / "coercion.json").read_text("utf-8")))
    judged = asyncio.run(RuleJudge().judge(transcript, load_rubric("outbound-sales-qa"))).judgements
    counts = {j.criterion_id: j.outcome.occurrences for j in judged if isinstance(j.outcome, Occurrences)}
    assert counts["heard-pushing"] == 2
    assert counts["heard-no-fee"] == 0
