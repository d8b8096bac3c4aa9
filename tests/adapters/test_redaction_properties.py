"""What holds for every call: nothing leaks, everything comes back, nothing changes twice, nobody's words stay.

All numbers are synthetic: drawn at random and completed with their check digit.
"""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.cn import ric

from callgrade.adapters.redaction import RuleRedactor
from callgrade.adapters.redaction.digits import folded
from callgrade.domain.folding import fold

relaxed = settings(deadline=None, max_examples=100)  # the libraries load during the first example

PLACEHOLDER = re.compile(r"\[(?:电话|身份证|银行卡|邮箱|地址|车牌|姓名|号码|工号|姓|名)\d+\]")
HANZI = "零一二三四五六七八九"
WIDE = "０１２３４５６７８９"


def digits(size: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=size, max_size=size)


mobiles = st.builds(lambda second, rest: f"1{second}{rest}", st.sampled_from("356789"), digits(9))
landlines = st.builds(lambda code, rest: f"{code}{rest}", st.sampled_from(["010", "021", "0571", "0755"]), digits(8))
identity_cards = st.builds(
    lambda year, month, day, order: _with_check(f"110101{year}{month:02d}{day:02d}{order}"),
    st.integers(1900, 1930),
    st.integers(1, 12),
    st.integers(1, 28),
    digits(3),
)
bank_cards = st.builds(lambda rest: f"622202{rest}" + luhn.calc_check_digit(f"622202{rest}"), digits(12))
numbers = mobiles | landlines | identity_cards | bank_cards


def _with_check(first: str) -> str:
    return first + ric.calc_check_digit(first + "0")


@st.composite
def written(draw: st.DrawFn, number: str) -> str:
    """A number typed, wide, spoken or mixed, whole or in groups with what typists and recognisers put between them."""
    style = draw(st.sampled_from(["typed", "wide", "spoken", "phone", "mixed"]))
    joint = draw(st.sampled_from(["", "", " ", "，", "-", "。", "，嗯，", "呃", "\u200b"]))
    out = ""
    for i, char in enumerate(number):
        if i and i % 4 == 3 and joint:
            out += joint
        if not char.isdigit():
            out += draw(st.sampled_from("XxＸ叉"))
            continue
        value = int(char)
        form = draw(st.sampled_from(["typed", "spoken"])) if style == "mixed" else style
        spoken = "幺" if form == "phone" and value == 1 else HANZI[value]
        out += {"typed": char, "wide": WIDE[value]}.get(form, spoken)
    return out


said_numbers = numbers.flatmap(lambda number: st.tuples(st.just(number), written(number)))
AROUND = [
    ("", ""),
    ("我的是", "，对吧"),
    ("您记好，", "。"),
    ("手机号", "没换"),
    ("身份证号码是", "，谢谢"),
    ("卡号：", ""),
    ("机主王建国，", "这个"),
    ("call me at ", " please"),
]
PLAIN = [
    "您好，很高兴为您服务，请问有什么可以帮您？",
    "每月五十九元，一共十二个月，打八折。",
    "我三月十五号下午两点打的，等了二十分钟。",
    "这个月用了30GB流量，超出了100元。",
    "2026年11月1号生效，2026-12-31到期。",
    "我打了三次了，一二十个电话都打不通。",
    "5G套餐199元，版本2.3.1，百分之九十九点九。",
    "马上帮您处理，您方便的时候再说。",
    "好的，谢谢您。",
    "嗯。",
    "I waited 30 minutes and paid 1500 dollars.",
]


def leaves(text: str) -> str:
    """All that is left of the digits of a redacted text."""
    return re.sub(r"\D", "", folded(PLACEHOLDER.sub("｜", text)))


@relaxed
@given(said_numbers, st.sampled_from(AROUND), st.lists(st.sampled_from(PLAIN), max_size=3))
def test_no_number_leaks_in_any_writing(said: tuple[str, str], around: tuple[str, str], others: list[str]) -> None:
    _, surface = said
    redaction = RuleRedactor().redact([*others, around[0] + surface + around[1], *others])
    turn = redaction.texts[len(others)]
    assert surface not in turn
    assert leaves(turn) == ""
    assert redaction.texts[: len(others)] == tuple(others)


@relaxed
@given(mobiles, st.data())
def test_no_number_leaks_when_it_is_dictated_in_pieces(number: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(1, 10), min_size=1, max_size=4)))
    pieces = [number[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
    turns = ["请您报手机号。"]
    for piece in pieces:
        spoken = "".join(HANZI[int(char)] for char in piece)
        turns += [
            data.draw(st.sampled_from(["", "嗯，", "是"])) + spoken + data.draw(st.sampled_from(["", "。", "，对"]))
        ]
        turns += data.draw(st.sampled_from([[], ["嗯。"], ["好的，您继续。"], [spoken + "，嗯"]]))
    assert [leaves(turn) for turn in RuleRedactor().redact(turns).texts] == [""] * len(turns)


@relaxed
@given(st.lists(said_numbers, min_size=1, max_size=6), st.data())
def test_everything_comes_back(said: list[tuple[str, str]], data: st.DataObject) -> None:
    turns = [f"{a}{surface}{b}" for _, surface in said for a, b in [data.draw(st.sampled_from(AROUND))]]
    turns += data.draw(st.lists(st.sampled_from(PLAIN), max_size=3))
    redaction = RuleRedactor().redact(turns)
    for i, turn in enumerate(turns):
        assert redaction.restore(redaction.texts[i], turn=i) == turn
        assert folded(redaction.restore(redaction.texts[i])) == folded(turn)


@relaxed
@given(numbers)
def test_what_comes_back_grounds(number: str) -> None:
    turns = [f"我的是{number}，对", "我的是" + "".join(HANZI[int(c)] if c != "X" else c for c in number) + "，对"]
    redaction = RuleRedactor().redact(turns)
    assert redaction.texts[0] == redaction.texts[1]
    assert fold(redaction.restore(redaction.texts[1])).text == fold(turns[1]).text


@relaxed
@given(said_numbers, said_numbers)
def test_placeholders_are_equal_where_values_are(one: tuple[str, str], other: tuple[str, str]) -> None:
    redaction = RuleRedactor().redact([f"这个是{one[1]}，对", f"那个是{other[1]}，对", f"这个是{one[1]}，对"])
    first, second, third = (PLACEHOLDER.findall(text) for text in redaction.texts)
    assert first == third
    if one[0] != other[0]:
        assert first != second


@relaxed
@given(st.lists(st.sampled_from(PLAIN), max_size=12))
def test_texts_without_personal_data_pass_unchanged(turns: list[str]) -> None:
    assert RuleRedactor().redact(turns).texts == tuple(turns)


# Pieces that meet in every order: cues, digits, units, names, parts of addresses, brackets, what joins and what breaks.
WORDS = """
138 三七二一 13800138000 幺三八零零幺三八零零零 62220212 分钟 GB +86
手机号 电话 号码 身份证 后四位 尾号 卡号 验证码 密码 账号 订单号 工号 客服 为您服务
请报一下 是多少 是 的 嗯 我 您 姓 我叫 机主是 我是 请问您是 贵姓 名字 找
王 李 建国 王建国 欧阳 钱小明 先生 女士 马上 方便 向 叫车
浙江省 杭州市 西湖区 文三路 398号 小区 3栋 二单元 501室 地址 住在 渠道
京A 粤B· A x X 叉 @ 艾特 qq .com 点com abc123 dot PIN nine
[电话1] 【姓名2】 （号码1） [姓1] [电话 电话1] [身份证12]
"""
SCRAPS = st.sampled_from(
    list("零一二三四五六七八九幺两0123456789０１十百千万，。！？、：- .()（）[]【】\n…元块号月次%钱点共第￥")
    + WORDS.split()
    + ["my name is ", "John Smith", "Mr Smith", "four one five "]
)
calls = st.lists(st.lists(SCRAPS, max_size=10).map("".join), max_size=6)


@relaxed
@given(calls)
def test_any_call_comes_back_and_a_second_pass_changes_nothing(turns: list[str]) -> None:
    redaction = RuleRedactor().redact(turns)
    assert len(redaction.texts) == len(turns)
    for i, turn in enumerate(turns):
        assert folded(redaction.restore(redaction.texts[i], turn=i)) == folded(turn)
    assert RuleRedactor().redact(redaction.texts).texts == redaction.texts


@relaxed
@given(st.lists(st.text(max_size=40), max_size=5))
def test_any_text_at_all_survives(turns: list[str]) -> None:
    redaction = RuleRedactor().redact(turns)
    assert [folded(redaction.restore(text, turn=i)) for i, text in enumerate(redaction.texts)] == [*map(folded, turns)]
