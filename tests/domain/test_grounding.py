import random
from itertools import permutations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from callgrade.domain.calls import Speaker, Transcript
from callgrade.domain.folding import bare, fold
from callgrade.domain.grounding import Grounder, span_evidence
from callgrade.domain.judgements import Evidence


def transcript(*turns: tuple[str, str], **more: object) -> Transcript:
    return Transcript(call_id="C-1", turns=[{"speaker": speaker, "text": text, **more} for speaker, text in turns])


CALL = transcript(
    ("agent", "您好，请问有什么可以帮您？"),
    ("customer", "我想取消这个套餐，可以吗？"),
    ("agent", "您这个套餐不可以取消的。"),
    ("customer", "好的。"),
    ("agent", "先试用一个月，不满意随时可以取消，每个月50元。"),
    ("customer", "嗯，我的号码是幺三八零零一三八零零零。"),
    ("agent", "好的。"),
    ("unknown", "这里是另外一个人在说话。"),
    ("system", "请对本次服务进行评价。"),
    ("agent", "您可以在网上营业厅自己办理，也可以到门店办理。"),
    ("agent", "I can't cancel the contract before the end of March."),
)


def ground(quote: str, **asked: object) -> Evidence:
    return Grounder(CALL).ground(quote, **asked)  # type: ignore[arg-type]


def test_a_verbatim_quote_is_exact():
    found = ground("不满意随时可以取消", turn=4, side="agent")
    # 先0试1用2一3个4月5，6不7满8意9随10时11可12以13取14消15
    assert found == Evidence(
        quote="不满意随时可以取消", grounding="exact", turn=4, speaker=Speaker.AGENT, start=7, end=16
    )


@pytest.mark.parametrize(
    ("quote", "said"),
    [
        ("不滿意隨時可以取消", "不满意随时可以取消"),
        ("不满意，随时…可以 取消！", "不满意随时可以取消"),
        ("随时可以取消每个月５０元", "随时可以取消，每个月50元"),
        ("我的号码是13800138000", "我的号码是幺三八零零一三八零零零"),
        ("i CAN'T cancel  the contract", "I can't cancel the contract"),
        ("先试用，嗯，一个月", "先试用一个月"),
        ("“先试用一个月”", "先试用一个月"),
    ],
)
def test_a_quote_written_otherwise_is_normalised_and_shown_as_it_was_said(quote: str, said: str):
    found = ground(quote)
    assert (found.grounding, found.quote) == ("normalised", said)
    assert CALL.turns[found.turn].text[found.start : found.end] == said


@pytest.mark.parametrize(
    ("quote", "said"),
    [
        ("您好，有什么可以帮您？", "您好，请问有什么可以帮您"),  # 请问 left out
        ("先试用一个月，不满意的话随时可以取消", "先试用一个月，不满意随时可以取消"),  # a filler more
        ("你可以在网上营业厅自己办理", "您可以在网上营业厅自己办理"),
        ("I can't cancel your contract before the end of March", None),  # the → your is another word
        ("I can't cancel the contrakt before the end of March", "I can't cancel the contract before the end of March"),
    ],
)
def test_a_slip_is_approximate_and_the_transcripts_own_words_replace_it(quote: str, said: str | None):
    found = ground(quote)
    if said is None:
        assert found.why == "not_found"
    else:
        assert (found.grounding, found.quote) == ("approximate", said)


@pytest.mark.parametrize(
    "quote",
    [
        "您这个套餐可以取消的",  # 不 dropped
        "您这个套餐不能取消的",  # another modal
        "您这个套餐不可取消的",
        "先试用一个月，满意随时可以取消，每个月50元",
        "先试用一个月，不满意随时取消，每个月50元",
        "先试用两个月，不满意随时可以取消",
        "先试用一个月，不满意随时可以取消，每个月5元",
        "先试用一个月，不满意随时可以取消，每个月500元",
        "先试用一个月，不满意随时可以取消，每个月50块",
        "先试用一个月，不满意随时可以取消，每个月0元",
        "先试用一个月不满意随时可以退款",  # another word
        "先试用一个月，不满意免费随时可以取消",  # a word more
        "您必须在网上营业厅自己办理",
        "您不可以在网上营业厅自己办理，也可以到门店办理",
        "您可以在网上营业厅自己办理，也不可以到门店办理",
        "我的号码是13800138001",
        "I can cancel the contract before the end of March",
        "I will cancel the contract before the end of March",
        "I can't cancel the contract before the end of May two",
    ],
)
def test_what_turns_the_meaning_is_never_bridged(quote: str):
    found = ground(quote)
    assert (found.grounding, found.why) == ("unfounded", "not_found")
    assert (found.turn, found.start, found.end, found.speaker, found.time) == (None, None, None, None, None)
    assert found.quote == quote


def test_an_alignment_may_not_sidestep_the_word_before_or_after_it():
    call = transcript(
        ("agent", "我们这边不能够提前给您办理退订手续哦"),
        ("agent", "这项业务网上办理退订手续不了的"),
        ("agent", "费用总共是150元一个季度呢"),
    )
    assert Grounder(call).ground("能够提前给您办理退订手续呀", turn=0).why == "not_found"
    assert Grounder(call).ground("这个业务网上办理退订手续", turn=1).why == "not_found"
    assert Grounder(call).ground("50元一个季度呀啦").why == "not_found"


def test_what_only_looks_guarded_may_be_left_out_but_not_split():
    call = transcript(("agent", "我现在帮您查询一下宽带账单特别抱歉"), ("agent", "我们办理无线网络安装服务"))
    assert Grounder(call).ground("我现在帮您查询宽带账单特别抱歉").grounding == "approximate"
    assert Grounder(call).ground("我们办理网络安装服务").grounding == "approximate"
    assert Grounder(call).ground("我们办理线网络安装服务").why == "not_found"


def test_a_negation_that_moved_is_a_difference():
    call = transcript(("agent", "你今天不去交费明天去交费就可以"))
    assert not Grounder(call).ground("你今天去交费明天不去交费就可以").founded


def test_the_named_turn_decides_between_equal_words():
    assert ground("好的。", turn=3).turn == 3
    assert ground("好的。", turn=6).turn == 6
    assert ground("好的", side="agent").turn == 6
    assert ground("好的").why == "ambiguous"


def test_a_wrong_turn_is_corrected_only_when_one_turn_holds_the_quote():
    found = ground("您这个套餐不可以取消的", turn=0, side="agent")
    assert (found.turn, found.turn_corrected, found.grounding) == (2, True, "exact")
    assert ground("您这个套餐不可以取消的", turn=2).turn_corrected is False
    assert ground("您这个套餐不可以取消的", turn=99).turn == 2
    assert ground("您这个套餐不可以取消的", turn=-1).turn_corrected is True
    twice = transcript(("agent", "请您稍等一下"), ("customer", "好"), ("agent", "请您稍等一下。"))
    assert Grounder(twice).ground("请您稍等一下", turn=1).why == "ambiguous"
    assert Grounder(twice).ground("请您稍等一下").why == "ambiguous"
    assert Grounder(twice).ground("请您稍等一下", turn=2).turn == 2


def test_no_other_turn_is_found_guilty_of_words_it_negated():
    call = transcript(("agent", "您好"), ("agent", "这个是不可以取消的"), ("agent", "一共是150元钱"))
    assert Grounder(call).ground("可以取消的", turn=1).grounding == "exact"  # it does stand in the turn named
    assert Grounder(call).ground("可以取消的", turn=0).why == "not_found"
    assert Grounder(call).ground("五十元钱", turn=0).why == "not_found"
    assert Grounder(call).ground("50元钱", turn=0).why == "not_found"


def test_a_place_that_says_the_same_comes_before_one_that_cuts():
    call = transcript(("agent", "昨天不可以取消，今天可以取消"), ("agent", "那个不可以取消"))
    found = Grounder(call).ground("可以取消")
    assert (found.turn, found.start) == (0, 10)


@pytest.mark.parametrize(
    ("quote", "side", "why"),
    [
        ("我想取消这个套餐", "agent", "wrong_side"),
        ("我想取消這個套餐", "agent", "wrong_side"),
        ("我想取消这个套餐阿，可以吗", "agent", "wrong_side"),
        ("您这个套餐不可以取消的", "customer", "wrong_side"),
        ("这里是另外一个人在说话", "agent", "wrong_side"),  # an unknown speaker accuses nobody
        ("请对本次服务进行评价", "agent", "wrong_side"),
        ("我想取消这个套餐", "any", None),
        ("这里是另外一个人在说话", "any", None),
        ("请对本次服务进行评价", "any", None),
        ("从来没有人说过这句话", "agent", "not_found"),
        ("帮您", "agent", "too_short"),
        ("取消的", "agent", "too_short"),
        ("", "any", "too_short"),
        ("……！", "any", "too_short"),
    ],
)
def test_the_side_and_the_length_are_checked(quote: str, side: str, why: str | None):
    assert ground(quote, side=side).why == why


def test_fillers_can_be_a_whole_turn():
    call = transcript(("customer", "嗯。"), ("agent", "啊"), ("customer", " 嗯嗯，好 "))
    assert Grounder(call).ground("嗯", turn=0).quote == "嗯"
    assert Grounder(call).ground("嗯！", turn=0).quote == "嗯。"
    assert Grounder(call).ground("好").quote == "好"
    assert Grounder(call).ground("啊", side="customer").why == "wrong_side"
    assert Grounder(call).ground("嗯", turn=1, side="customer").turn_corrected is True


def test_the_first_of_several_places_in_a_turn_is_taken():
    call = transcript(("agent", "请您稍等，请您稍等，请您稍等"))
    assert Grounder(call).ground("请您稍等").start == 0


def test_a_label_in_front_is_no_part_of_the_quote():
    for label in ("坐席：", "[2] agent: ", "agent:", "【2】客服：", "2. 坐席："):
        assert ground(f"{label}您这个套餐不可以取消的。").quote == "您这个套餐不可以取消的。"


def test_an_empty_transcript_grounds_nothing():
    assert Grounder(transcript()).ground("您好您好", turn=0).why == "not_found"
    assert Grounder(transcript()).ground_all("您好\n您好")[0].why == "too_short"


class TestGroundAll:
    def items(self, quote: str, **asked: object) -> list[tuple[object, ...]]:
        found = Grounder(CALL).ground_all(quote, **asked)  # type: ignore[arg-type]
        return [(e.turn, e.quote, e.grounding, e.turn_corrected) if e.founded else (e.quote, e.why) for e in found]

    def test_a_quote_in_one_turn_is_one_item(self):
        assert self.items("您这个套餐不可以取消的", turn=2) == [(2, "您这个套餐不可以取消的", "exact", False)]
        assert self.items("没有这句话没有这句话") == [("没有这句话没有这句话", "not_found")]

    def test_lines_become_items(self):
        assert self.items("[2] 坐席：您这个套餐不可以取消的。\n[3] 客户：好的。", turn=2) == [
            (2, "您这个套餐不可以取消的。", "exact", False),
            (3, "好的。", "exact", False),
        ]

    def test_lines_of_the_other_side_are_unfounded(self):
        assert self.items("您这个套餐不可以取消的。\n好的，谢谢。\n先试用一个月", turn=2, side="agent") == [
            (2, "您这个套餐不可以取消的。", "exact", False),
            ("好的，谢谢。", "not_found"),
            (4, "先试用一个月", "exact", False),
        ]

    def test_what_stands_on_either_side_of_an_ellipsis_is_grounded_apart(self):
        assert self.items("先试用一个月……每个月50元", turn=4) == [
            (4, "先试用一个月", "exact", False),
            (4, "每个月50元", "exact", False),
        ]

    def test_an_ellipsis_may_not_swallow_a_negation(self):
        assert self.items("您这个套餐...可以取消的", turn=2) == [
            (2, "您这个套餐", "exact", False),
            ("可以取消的", "not_found"),
        ]

    def test_a_quote_that_runs_on_into_the_next_turn_is_split_at_its_border(self):
        assert self.items("不可以取消的，好的先试用一个月", turn=2) == [
            (2, "不可以取消的", "exact", False),
            (3, "好的", "exact", False),
            (4, "先试用一个月", "exact", False),
        ]
        assert self.items("不可以取消的，先试用一个月", turn=2, side="agent") == [
            (2, "不可以取消的", "exact", False),
            (4, "先试用一个月", "exact", False),
        ]
        assert self.items("不可以取消的，好的先试用一个月", turn=2, side="agent") == [
            (2, "不可以取消的", "exact", False),
            ("好的", "wrong_side"),
            (4, "先试用一个月", "exact", False),
        ]

    def test_a_run_that_stands_twice_needs_a_named_turn(self):
        call = transcript(*[("agent", "请您稍等一下"), ("customer", "好的没有问题")] * 2)
        assert Grounder(call).ground_all("稍等一下好的没有问题")[0].why == "ambiguous"
        named = Grounder(call).ground_all("稍等一下好的没有问题", turn=2)
        assert [(e.turn, e.quote) for e in named] == [(2, "稍等一下"), (3, "好的没有问题")]

    def test_a_wrong_turn_is_corrected_once(self):
        assert self.items("您这个套餐不可以取消的。\n好的。", turn=9) == [
            (2, "您这个套餐不可以取消的。", "exact", True),
            (3, "好的。", "exact", False),
        ]


class TestTimes:
    turn = {
        "speaker": "agent",
        "text": "您好，请问OK吗？",  # 9 code points
        "start_ms": 1000,
        "end_ms": 2800,
        "tokens": [
            [0, 1, 1000, 1180],
            [1, 2, 1180, 1400, 0.9],
            [3, 4, 1500, 1700],
            [4, 5, 1700, 1900],
            [5, 7, 1900, 2500],
        ],
    }

    def times(self, start: int, end: int, **changed: object) -> tuple[object, ...]:
        call = Transcript(call_id="c", turns=[{**self.turn, **changed}])
        found = span_evidence(call, 0, start, end)
        return found.start_ms, found.end_ms, found.time

    def test_tokens_give_exact_times(self):
        assert self.times(0, 2) == (1000, 1400, "exact")
        assert self.times(1, 5) == (1180, 1900, "exact")

    def test_punctuation_at_the_ends_needs_no_token(self):
        assert self.times(0, 3) == (1000, 1400, "exact")
        assert self.times(2, 4) == (1500, 1700, "exact")

    def test_a_token_partly_inside_counts_whole(self):
        assert self.times(4, 6) == (1700, 2500, "exact")

    def test_what_tokens_do_not_cover_is_estimated(self):
        # 1,800 ms over 9 characters: 200 ms each
        assert self.times(3, 8) == (1600, 2600, "estimated")
        assert self.times(0, 9, tokens=[]) == (1000, 2800, "estimated")
        assert self.times(1, 2, tokens=[]) == (1200, 1400, "estimated")
        # 1,000 ms over 9 characters: 111.1 each; the start rounds down, the end up
        assert self.times(1, 2, tokens=[], start_ms=0, end_ms=1000) == (111, 223, "estimated")

    def test_a_turn_without_times_has_none(self):
        assert self.times(0, 2, tokens=[], start_ms=None, end_ms=None) == (None, None, None)
        assert self.times(0, 2, start_ms=None, end_ms=None) == (1000, 1400, "exact")

    def test_impossible_token_times_are_not_believed(self):
        assert self.times(0, 1, tokens=[[0, 1, -5, 10]]) == (1000, 1200, "estimated")
        assert self.times(0, 1, tokens=[[0, 1, 50, 10]]) == (1000, 1200, "estimated")


def test_a_rules_span_is_exact_and_must_lie_inside():
    found = span_evidence(CALL, 2, 5, 10)
    assert (found.quote, found.grounding, found.turn, found.speaker) == ("不可以取消", "exact", 2, Speaker.AGENT)
    with pytest.raises(ValueError, match="turn 11 of a transcript with 11 turns"):
        span_evidence(CALL, 11, 0, 1)
    with pytest.raises(ValueError, match="outside turn 3 of 3 characters"):
        span_evidence(CALL, 3, 0, 4)
    with pytest.raises(ValueError, match="is empty"):
        span_evidence(CALL, 3, 1, 1)


# Properties

MIXED = (
    "您好请问有什么可以帮我取消这个套餐不满意，。？！… 臺灣後來ＯＫ１２３幺三八零嗯啊abcXYZ"
    + "don't 5元50%é e\u0301👍👩\u200d💻ﬁ½"
)
texts = st.text(st.sampled_from(MIXED), max_size=40)
long_texts = st.text(st.sampled_from(MIXED), min_size=10, max_size=40)
speakers = st.sampled_from(["agent", "customer", "unknown", "system"])
calls = st.lists(st.tuples(speakers, texts), min_size=1, max_size=6).map(lambda turns: transcript(*turns))
HOSTILE = st.one_of(st.text(max_size=80), st.text(st.sampled_from(MIXED + "\n…[]：agent坐席"), max_size=80))


@given(
    st.lists(st.tuples(speakers, long_texts), min_size=1, max_size=6).map(lambda turns: transcript(*turns)), st.data()
)
def test_a_substring_is_found_at_its_place_in_the_turn_named(call: Transcript, data: st.DataObject):
    i = data.draw(st.integers(0, len(call.turns) - 1))
    text = call.turns[i].text
    start = data.draw(st.integers(0, len(text) - 6))
    quote = text[start : data.draw(st.integers(start + 6, len(text)))]
    assume(len(bare(quote)) >= 4)
    found = Grounder(call).ground(quote, turn=i)
    assert (found.grounding, found.turn, found.turn_corrected) == ("exact", i, False)
    assert text[found.start : found.end] == found.quote == quote
    assert Grounder(call).ground_all(quote, turn=i) == (found,)


@given(calls, HOSTILE, st.none() | st.integers(-2, 8), st.sampled_from(["agent", "customer", "any"]))
def test_whatever_is_founded_slices_to_the_quote_shown(call: Transcript, quote: str, turn: int | None, side: str):
    grounder = Grounder(call)
    for found in (grounder.ground(quote, turn=turn, side=side), *grounder.ground_all(quote, turn=turn, side=side)):  # type: ignore[arg-type]
        if found.founded:
            said = call.turns[found.turn]
            assert said.text[found.start : found.end] == found.quote != ""
            assert found.speaker == said.speaker
            assert side in ("any", said.speaker)
            assert found.why is None
        else:
            assert found.why is not None
            assert (found.turn, found.speaker, found.start, found.end, found.start_ms) == (None,) * 5


@given(calls, st.text(st.sampled_from("龙凤麟龟鹤虎豹狼熊鹿ЖЩЫЭЮЯ"), max_size=30), st.none() | st.integers(0, 5))
def test_characters_that_nobody_said_are_never_founded(call: Transcript, quote: str, turn: int | None):
    grounder = Grounder(call)
    assert not any(
        found.founded for found in (grounder.ground(quote, turn=turn), *grounder.ground_all(quote, turn=turn))
    )


SENTENCES = [turn.text for turn in CALL.turns] + [
    "请您稍等，我帮您查询一下三月份的账单。",
    "非常抱歉给您带来不便，我马上帮您登记处理。",
    "这个业务需要本人带身份证到营业厅办理。",
    "请问您是机主本人吗？麻烦报一下身份证后四位。",
    "我们公司推出了新的宽带套餐，每个月一百二十九元。",
]
LONG_CALL = transcript(*[("agent" if i % 2 else "customer", text) for i, text in enumerate(SENTENCES)])


@given(st.integers(0, len(SENTENCES) - 1), st.integers(0, 2**32), st.data())
def test_variants_of_writing_are_normalised_at_the_right_span(i: int, seed: int, data: st.DataObject):
    text = SENTENCES[i]
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    quote = text[start:end]
    assume(len(fold(quote).text) >= 4)
    rng = random.Random(seed)
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" and rng.random() < 0.5 else c for c in quote)
    traditional = wide.translate(
        str.maketrans("问么帮这个满时为从来宽带费网营业厅办话", "問麼幫這個滿時為從來寬帶費網營業廳辦話")
    )
    noisy = "".join(
        c + rng.choice(["", "", "，", " ", "！"]) if not (c.isascii() or "０" <= c <= "９") else c for c in traditional
    )
    found = Grounder(LONG_CALL).ground(noisy, turn=i)
    assert found.grounding in ("exact", "normalised")
    assert fold(found.quote).text == fold(quote).text
    assert found.turn == i


CONTENT = "您请问套餐取消手续帮查账单网络故障客户电话登记处理服务热线"
GUARDED = [
    "不",
    "没",
    "没有",
    "未",
    "别",
    "无",
    "勿",
    "会",
    "要",
    "能",
    "可以",
    "必须",
    "应该",
    "肯定",
    "一定",
    "可能",
    "半",
]


@given(
    st.text(st.sampled_from(CONTENT), min_size=4, max_size=20),
    st.text(st.sampled_from(CONTENT), min_size=4, max_size=20),
    st.sampled_from([*GUARDED, "5元", "十", "百", "元", "块", "3", "九"]),
)
def test_a_guarded_word_more_or_less_never_grounds(before: str, after: str, guard: str):
    plain, turned = before + after, before + guard + after
    for quote, said in ((plain, turned), (turned, plain)):
        assert not Grounder(transcript(("agent", said))).ground(quote, turn=0).founded
        assert not Grounder(transcript(("agent", "您好，" + said + "。"))).ground(quote).founded


@given(
    st.text(st.sampled_from(CONTENT), min_size=4, max_size=20),
    st.text(st.sampled_from(CONTENT), min_size=4, max_size=20),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.sampled_from(["元", "%", "个月", "折", "天", ""]),
)
def test_another_number_never_grounds(before: str, after: str, one: int, other: int, unit: str):
    assume(one != other)
    call = transcript(("agent", f"{before}{one}{unit}{after}"))
    assert not Grounder(call).ground(f"{before}{other}{unit}{after}", turn=0).founded


@given(st.integers(0, 2**32), st.integers(6, 40), st.none() | st.integers(0, len(SENTENCES) - 1))
def test_recombined_characters_never_ground(seed: int, length: int, turn: int | None):
    said = "".join(SENTENCES)
    quote = "".join(random.Random(seed).sample(said, length))
    grounder = Grounder(LONG_CALL)
    assert not grounder.ground(quote, turn=turn).founded
    assert not any(found.founded and len(found.quote) > 6 for found in grounder.ground_all(quote, turn=turn))


@pytest.mark.parametrize(
    ("one", "other"), [pair for pair in permutations(SENTENCES[-8:], 2) if min(map(len, pair)) > 11]
)
def test_halves_of_different_turns_never_ground_as_one(one: str, other: str):
    assert not Grounder(LONG_CALL).ground(one[: len(one) // 2] + other[len(other) // 2 :]).founded


@given(
    st.permutations([*SENTENCES[:8], "可以取消", "先试用一个月不满意的话随时可以取消", "好的", "没有说过的话就是没有"])
)
def test_the_order_of_asking_changes_nothing(quotes: list[str]):
    shared = Grounder(LONG_CALL)
    assert [shared.ground(quote) for quote in quotes] == [Grounder(LONG_CALL).ground(quote) for quote in quotes]


HOSTILE_UNITS = [
    "好",
    "好的",
    " ",
    "…好的不错",
    "\n坐席：",
    "1-",
    "um ",
    "[",
    "坐席",
    "\ud800",
    "e\u0301",
    "不",
    "ab",
    "\x00",
]


@pytest.mark.parametrize("quote", [unit * 3000 + end for unit in HOSTILE_UNITS for end in ("", "x")])
@pytest.mark.parametrize("said", ["好的" * 5000, "不5元" * 4000, "abc def " * 1500])
def test_hostile_quotes_neither_raise_nor_hang(quote: str, said: str):
    call = transcript(("agent", said), ("customer", said + "吗"), *[("agent", said[:100])] * 50)
    found = Grounder(call).ground(quote, turn=1, side="agent")
    assert found.founded == (found.why is None)
    assert Grounder(call).ground_all(quote, turn=0)


def test_a_quote_over_two_turns_that_leaves_a_negation_behind_is_told_from_the_turn_it_names() -> None:
    call = transcript(("agent", "我们这个套餐不可以随时在网上"), ("agent", "取消退订的业务"), ("customer", "好的"))
    quote = "可以随时在网上取消退订的业务"
    found = {turn: Grounder(call).ground_all(quote, turn=turn) for turn in (0, 1, 2, None)}
    assert {turn: [item.turn for item in items] for turn, items in found.items()} == {
        0: [0, 1],
        1: [0, 1],
        2: [None],
        None: [0, 1],
    }
