import subprocess
import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from callgrade.domain.folding import bare, fold

CHINESE = "您好请问有什么可以帮我的手机号是这个套餐先试用不满意随时取消"
anything = st.text(
    st.one_of(st.sampled_from(CHINESE + "0123456789一二三两幺零，。？ ,.-:~…嗯啊umUH"), st.characters()), max_size=60
)


def halfwidth_to_fullwidth(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


@pytest.mark.parametrize(
    "variants",
    [
        ["一三八", "幺三八", "138", "１３８", "一 3 八", "𝟏３8"],
        ["您好，請問有什麼可以幫您？", "您好请问有什么可以帮您", "您 好！请问有什么……可以帮您？"],
        ["OK的", "ｏｋ的", "Ok，的"],
        ["两百块", "兩百塊", "二百块"],
        ["嗯，可以啊", "可以", "呃可以哦"],
        ["um, I agree", "I agree", "i AGREE, uh"],
        ["1.5元", "１．５元", "一点五元"],
        ["8:30", "8：30", "８点３０"],
        ["1-2天", "1~2天", "1～2天", "一两天", "一、两天", "1、2天"],
        ["两三天", "2-3天"],
        ["三五个人", "3-5个人"],
        ["138-0013-8000", "138 0013 8000", "幺三八零零一三八零零零"],
        ["010-88888888", "01088888888"],
        ["2026-11-01", "20261101"],
        ["café", "cafe\u0301", "CAFE"],
        ["這裡是台灣", "这里是台湾"],
        ["妳", "你"],
        ["idiot", "idi\u043et", "\u0456d\u0456\u043et"],  # Cyrillic letters that look Latin
        ["stupid", "st\u03c5pid", "ST\u03a5PID"],  # a Greek one
        ["5,000元", "5000元"],
    ],
)
def test_what_differs_only_in_writing_folds_to_the_same(variants: list[str]):
    assert len({fold(variant).text for variant in variants}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1.5元", "15元"),
        ("3.5折", "35折"),
        ("1-2天", "12天"),
        ("一两天", "12天"),
        ("一两天", "十二天"),
        ("50-100元", "50100元"),
        ("8:30", "830"),
        ("5%", "5"),
        ("½", "12"),
        ("5²", "52"),
        ("①5元", "15元"),
        ("十五", "15"),  # arithmetic, not writing
        ("可以", "不可以"),
        ("那个可以", "可以"),
        ("您", "你"),
        ("唔可以", "可以"),
        ("第一百个", "第一个"),
        ("¥5", "$5"),
    ],
)
def test_what_differs_in_meaning_does_not(one: str, other: str):
    assert fold(one).text != fold(other).text


def test_offsets_lead_back_to_the_original():
    source = "嗯，１３８…幺三八！好"
    folded = fold(source)
    assert folded.text == "138138好"
    # 嗯 ， １ ３ ８ … 幺 三 八 ！ 好  →  1,3,8 stand at 2,3,4 and 幺三八 at 6,7,8
    assert folded.starts == [2, 3, 4, 6, 7, 8, 10]
    assert folded.span(0, 3) == (2, 5)
    assert folded.span(2, 4) == (4, 7)
    assert source[slice(*folded.span(3, 6))] == "幺三八"
    assert folded.index(5) == 3


def test_an_accent_stays_with_its_letter():
    source = "un cafe\u0301 noir"
    folded = fold(source)
    start = folded.text.index("cafe")
    assert source[slice(*folded.span(start, start + 4))] == "cafe\u0301"


def test_a_character_that_grows_maps_back_whole():
    folded = fold("Straße")
    assert folded.text == "strasse"
    assert folded.span(4, 5) == folded.span(5, 6) == folded.span(4, 6) == (4, 5)


def test_an_empty_span_stays_empty_and_one_outside_is_refused():
    folded = fold("，好，")
    assert folded.span(0, 0) == (1, 1)
    assert folded.span(1, 1) == (3, 3)
    with pytest.raises(ValueError, match=r"lies outside a folded text of 1 characters"):
        folded.span(0, 2)


def test_bare_keeps_the_fillers():
    assert bare("嗯，啊。") == "嗯啊"
    assert fold("嗯，啊。").text == ""


@given(anything)
@example("\ud800a\ufdd0b")
def test_spans_lie_inside_in_order_and_without_gaps(text: str):
    folded = fold(text)
    assert len(folded.starts) == len(folded.text)
    assert folded.starts == sorted(folded.starts)
    assert all(0 <= start < len(text) for start in folded.starts)
    for i in range(len(folded.text)):
        start, end = folded.span(i, i + 1)
        assert 0 <= start < end <= len(text)
        assert fold(text).index(start) <= i


@given(anything)
def test_folding_twice_is_folding_the_same(text: str):
    assert fold(text).text == fold(str(text)).text
    assert fold(text).span(0, len(fold(text).text))[1] <= len(text)


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
def test_full_width_folds_to_half_width(text: str):
    assert fold(halfwidth_to_fullwidth(text)).text == fold(text).text


@given(st.text(st.sampled_from(CHINESE), min_size=1, max_size=30), st.data())
def test_punctuation_and_fillers_between_hanzi_fold_away(text: str, data: st.DataObject):
    inserted = st.sampled_from(["，", "。", " ", "…", "！", "嗯", "\n", "“", "呃，", ""])
    noisy = "".join(c + data.draw(inserted) for c in text)
    assert fold(noisy).text == fold(text).text


@given(st.text(st.sampled_from("0123456789"), min_size=1, max_size=12))
def test_spoken_digits_fold_to_ascii_digits(number: str):
    assert fold(number.translate(str.maketrans("0123456789", "零幺二三四五六七八九"))).text == number


@pytest.mark.parametrize("unit", ["1", "1-", "一", "u", "um", "一、", "1.", "8:30", "\u0301", "…", "ﷺ"])
def test_long_hostile_texts_fold_without_hanging(unit: str):
    folded = fold(unit * 50_000)
    assert len(folded.starts) == len(folded.text)


def test_importing_does_not_load_the_converter():
    program = "import sys, callgrade.domain.folding; print('opencc' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "False"
