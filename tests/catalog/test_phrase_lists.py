"""What the shipped lists catch and let pass, and that the rules find what was planted in the demo calls."""

import asyncio
import json
from functools import cache
from pathlib import Path

import pytest

from callgrade.adapters.matching import Matcher, Script
from callgrade.adapters.rules import RuleJudge
from callgrade.catalog import list_rubrics, load_rubric
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
    "anything-else": ({"请问您还有别的需要吗": "还有别的需要"}, ["还有三天到期"]),
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
            "您没听见吗": "您没听见吗",
            "您急什么": "您急什么",
        },
        [
            "您之前不是说过要换地址吗",
            "我刚才说过会帮您查",
            "您听不到我的声音吗",
            "您刚才说过您的号码",
            "刚刚已经为您查过了",
            "这个还要问一下技术部门",
            "您还有什么要问吗",
        ],
    ),
    "forbidden-words": (
        {
            "喂，找谁": "喂",
            "那你想好了再打来吧": "想好了再打来",
            "我不负责这个": "我不负责这个",
            "你爱投诉就投诉": "你爱投诉",
            "没别的问题我就挂了": "没别的问题我就挂了",
            "我没空": "我没空",
        },
        [
            "请问您不清楚的是哪一步",
            "不知道您是否方便",
            "孩子喂养方面",
            "您慢慢想办法",
            "您哪里的话",
            "没有什么了不起的故障",
        ],
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
        ["不能保证收益", "请问有没有风险", "收益是不确定的", "不保证收益", "分红固定在五月份发", "有人跟您保证收益吗"],
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
        {
            "已经为您开通了": "已经为您开通了",
            "马上帮您办理": "马上帮您办理",
            "办理成功": "办理成功",
            "那给您开通了啊": "给您开通了",
        },
        [
            "什么时候给您开通了的",
            "给您开通了之后会有短信",
            "还没给您开通了的话再联系",
            "已经为您登记投诉",
            "已经帮您申请退款",
            "办理成功后会有短信",
            "我帮您查一下",
        ],
    ),
    "pushing": (
        {"您再想想，名额有限": "您再想想", "活动月底截止": "活动月底截止", "每天才几毛钱": "每天才几毛"},
        ["好的不打扰您了", "那我先给您登记免打扰"],
    ),
    "fee-disclosure": (
        {"每个月二十九块九": "每个月二十九块", "资费标准是5元": "资费标准是5", "三十九元每月": "三十九元每月"},
        ["资费很便宜", "包含三百分钟通话", "每天多走路"],
    ),
    "fee-minimising": (
        {"每天只多收1毛多钱": "每天只多收1毛", "才几块钱": "才几块钱", "一根冰棍的钱": "一根冰棍的钱"},
        ["每月十五元", "每天七点开门"],
    ),
    "empathy": ({"换成谁都会着急，换成我也会": "换成我也会", "很抱歉": "很抱歉"}, ["我不理解您的意思"]),
    "not-the-owner": (
        {"我不是机主": "不是机主", "这是我女儿的手机": "这是我女儿的手机", "机主是我爸爸": "机主是我爸爸"},
        ["请问你是不是本人", "我是本人"],
    ),
    "proxy-decision": ({"您替您爱人，您同意就可以": "您同意就可以", "您帮他办也行": "您帮他办也行"}, ["我帮您办理"]),
}


LINES: dict[str, dict[str, dict[str, list[str]]]] = read_yaml(Path(__file__).parent / "phrase_lines.yaml").data

KNOWN = {
    "[每天衹多收一毛多錢]": "衹 is no traditional form of 只 to the folding",
    "下次再见您本人签字": "再见 before 您 is a goodbye nearly always (再见，您慢走)",
    "您[务必得]去柜台": "务必 asks (请您务必保管好密码) more often than it compels",
}
"""Lines that go wrong and are left so, each with why. One that goes right again must leave this table."""


@cache
def matcher(list_id: str) -> Matcher:
    found, faults = read_list(known_lists(None)[list_id])
    assert found is not None, faults
    return Matcher(found.as_phrases(), {})


def spans(list_id: str, text: str, said_by: Speaker = Speaker.AGENT, side: str = "any") -> list[tuple[int, int]]:
    transcript = Transcript(call_id="x", turns=(Turn(speaker=said_by, text=text),))
    return [(m.start, m.end) for m in matcher(list_id).in_script(Script(transcript), side)]


def quotes(list_id: str, text: str) -> list[str]:
    return [text[start:end] for start, end in spans(list_id, text)]


def lines(list_id: str, kind: str) -> list[str]:
    return [line for part in LINES[list_id].values() for line in part[kind]]


def goes_right(list_id: str, line: str) -> bool:
    text = line.replace("[", "").replace("]", "")
    found = spans(list_id, text)
    if "[" not in line:
        return not found
    start, end = line.index("["), line.index("]") - 1
    return any(left < end and start < right for left, right in found)


def test_every_list_is_tried_on_lines_or_in_the_calls_of_a_rubric_that_uses_it():
    used = {
        name: rubric.id
        for rubric in map(load_rubric, (entry.id for entry in list_rubrics()))
        for name in rubric.phrase_lists
    }
    worked = {path.stem for path in (Path(__file__).parents[1] / "rubrics").glob("*.yaml")}
    assert set(LINES) <= set(known_lists(None))
    assert [name for name in set(known_lists(None)) - set(LINES) if used.get(name) not in worked] == []


@pytest.mark.parametrize("list_id", LINES)
def test_a_list_is_tried_on_eighteen_lines_of_each_kind(list_id):
    for part in ("first", "second", "held_out"):
        assert len(set(LINES[list_id][part]["must"])) >= 6
        assert len(set(LINES[list_id][part]["must_not"])) >= 6


@pytest.mark.parametrize("list_id", LINES)
def test_lines_that_must_and_must_not_match(list_id):
    wrong = [line for kind in ("must", "must_not") for line in lines(list_id, kind) if not goes_right(list_id, line)]
    assert [line for line in wrong if line not in KNOWN] == []


def test_the_known_misses_are_misses_still():
    wrong = {
        line for id_ in LINES for kind in ("must", "must_not") for line in lines(id_, kind) if not goes_right(id_, line)
    }
    assert wrong == set(KNOWN)


@pytest.mark.parametrize("list_id", LINES)
def test_one_side_s_words_are_not_the_other_s(list_id):
    for line in lines(list_id, "must"):
        text = line.replace("[", "").replace("]", "")
        assert spans(list_id, text, Speaker.CUSTOMER, "agent") == []
        assert spans(list_id, text, Speaker.AGENT, "customer") == []


@pytest.mark.parametrize("list_id", EXAMPLES)
def test_what_a_list_finds_and_lets_pass(list_id):
    caught, passed = EXAMPLES[list_id]
    for text, quote in caught.items():
        assert quote in quotes(list_id, text), text
    for text in passed:
        assert quotes(list_id, text) == [], text


# --- the sources' own words -----------------------------------------------------------------------

NAMED = {
    "greetings": ["您好,嘀嗒团,很高兴为您服务!", "您好，欢迎光临", "请问有什么可以帮助您？", "请问有什么需要帮助？"],
    "closings": ["感谢您的来电,再见!", "祝您愉快,再见", "那就不多打扰了", "您慢走", "您走好", "欢迎下次光临！"],
    "anything-else": ["请问还有其它疑问吗？", "请问您是否还有其他问题"],
    "polite-words": [
        "您",
        "请",
        "您好",
        "感谢",
        "谢谢",
        "不客气",
        "感谢您的耐心等待",
        "很抱歉让您久等了",
        "很抱歉打扰您了",
    ],
    "colloquialisms": [
        *("我帮您问了下", "我咨询了下", "我给您问下", "我给您咨询下"),
        *("欧吼", "就是说", "是这样的", "对对对", "是是是"),
    ],
    "forbidden-words": [
        *("喂", "不清楚", "不明白", "不知道", "那你想好了再打来吧", "你这话什么意思"),
        *("没法查", "没办法", "我不清楚", "我不负责这个", "我也没办法！"),
        *("喂，找谁?", "您哪里的？", "您电话多少？", "您姓什么？", "您是什么型号？", "小李已经下班了"),
    ],
    "insults": [
        *("你去死", "神经病", "真是个刁蛮的客户", "这人真罗嗦", "用不起就别用！", "有什么了不起！"),
        "现在才说，早干嘛来着？",
    ],
    "impatience": [
        *("我刚讲过……", "我刚才不是已经说过吗？", "您能不能认真听？", "您没有听懂吗？"),
        *("我说的已经很清楚", "您听不明白我也没办法"),
    ],
    "uncertain-words": ["可能", "大概", "也许", "应该可以", "恐怕"],
    "compulsion-words": ["只有交了钱才能办", "必须", "只能"],
    "negative-replies": ["不可以"],
    "empathy": [
        "非常理解您的顾虑",
        "给您的生活带来不便",
        "您的心情我们可以理解",
        "确实很抱歉",
        "您放心",
        "很抱歉,让您久等了",
    ],
    "follow-up-promises": [
        *("我会同步跟进进度", "我会在2小时内联系您", "我们一定会尽快给您处理好", "我们会帮您及时处理的"),
    ],
    "confirm-understanding": ["我听明白了", "您的意思是：车有异响，对吗？"],
    "availability-ask": ["请问您现在是否方便接听电话？"],
    "vague-inducement": ["可先试用，不满意可随时取消", "目前免费", "优惠期过后业务会自动取消"],
    "fee-minimising": ["每天只多收1毛多钱"],
    "fee-disclosure": ["套餐资费为5元/月"],
}
"""What the sources print word for word. What they print and no list holds is explained in the lists' source_notes."""


@pytest.mark.parametrize("list_id", NAMED)
def test_what_the_sources_name_is_in_the_list(list_id):
    assert [text for text in NAMED[list_id] if not quotes(list_id, text)] == []


ALLOWED = [
    "我帮您查了一下，稍等我帮您查下",
    "您好，欢迎光临。请问有什么可以帮助您？请问有什么需要帮助？您慢走，您走好。欢迎下次光临！",
    "请问您的车是什么型号？请问您的车是在什么时间购买？",
    "确实很抱歉，给您的生活带来不便。请放心，我们一定会尽快给您处理好。",
    "女士，我听明白了，您的意思是：要换货，对吗？",
    "很抱歉，我刚才听得不是很清楚，能麻烦您再说一遍吗？",
    "很抱歉，小王现在正在受理其他客户的问题，您方便把您的情况跟我说一下吗？看我能不能帮到您。",
    "很抱歉，这个问题我需要核实后给您准确的回复，请问是否方便留下联系方式？我会在2小时内联系您。",
    "请问还有其它疑问吗？感谢您的来电，祝您愉快，再见。那就不多打扰了，祝您愉快。",
    "不客气，这是我们应该做的。后期有什么问题或疑问，欢迎您随时拨打我们24小时服务热线。",
    "很抱歉，您的需求在电话中我无法承诺，但可以记录下来向相关领导反馈，结果可能无法保证。",
    "您大概描述的情况我们已经清楚了，您放心，我们会帮您及时处理的，请您最近抽空到我们4S店。",
    "很抱歉，我这边是信息回访员，不太了解销售方面的情况，那么我把我们销售部门的电话给您。",
]
"""What the sources tell the agent to say (录音评分标准, 接听及回访录音抽查考核标准)."""

ACCUSING = (
    *("forbidden-words", "insults", "impatience", "colloquialisms", "uncertain-words", "compulsion-words"),
    *("negative-replies", "false-promises", "vague-inducement", "fee-minimising", "pushing", "proxy-decision"),
)


@pytest.mark.parametrize("list_id", ACCUSING)
def test_nobody_is_accused_of_the_sources_own_script(list_id):
    assert {text: quotes(list_id, text) for text in ALLOWED if quotes(list_id, text)} == {}


# --- what may be said instead ---------------------------------------------------------------------


@pytest.mark.parametrize("list_id", sorted(known_lists(None)))
def test_what_is_allowed_is_not_found_and_what_it_replaces_is(list_id):
    found, _ = read_list(known_lists(None)[list_id])
    assert found is not None
    for said, allowed in found.instead.items():
        assert quotes(list_id, said), said
        assert quotes(list_id, allowed) == [], allowed


def test_the_source_s_allowed_counterparts():
    found, _ = read_list(known_lists(None)["colloquialisms"])
    assert found is not None
    assert found.instead["我帮您问了下"] == "我帮您查了一下"
    assert found.instead["我给您问下"] == "稍等我帮您查下"


WORDS = """\
schema: callgrade.phrases/1
id: words
title: {zh: 词, en: Words}
phrases: [问下]
"""


def faults_of(tmp_path: Path, instead: str) -> list[str]:
    path = tmp_path / "words.yaml"
    path.write_text(WORDS + instead, "utf-8")
    return [f"{fault.line} {fault.severity} {fault.path}: {fault.message}" for fault in read_list(path)[1]]


def test_a_counterpart_must_replace_what_is_found_by_what_is_not(tmp_path):
    assert faults_of(tmp_path, "instead: {我问 下: 我查一下}\n") == []
    assert faults_of(tmp_path, "instead:\n  我看下: 我查一下\n") == [
        "6 error instead.我看下: the list does not find '我看下'"
    ]
    assert faults_of(tmp_path, "instead:\n  我问下: 帮您问下\n") == [
        "6 error instead.我问下: the list finds '帮您问下' as well"
    ]
    assert len(faults_of(tmp_path, "instead: [问下]\n")) == 1  # a mapping, and nothing else


def test_a_counterpart_changes_no_digest(tmp_path):
    path = tmp_path / "words.yaml"
    path.write_text(WORDS, "utf-8")
    plain, _ = read_list(path)
    path.write_text(WORDS + "instead: {问下: 查一下}\n", "utf-8")
    told, _ = read_list(path)
    assert plain is not None
    assert told is not None
    assert told.instead == {"问下": "查一下"}
    assert plain.as_phrases() == told.as_phrases()


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
