"""What went and what came, inside a text or one after the other."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.cli.text_diff import ARROW, compared, compared_lines

SENTENCES = st.text(st.sampled_from("甲乙丙丁戊，。 ab12"), max_size=30)


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("每次扣 10 分，至多扣 50 分", "每次扣 5 分，至多扣 50 分", "每次扣 [-10-]{+5+} 分，至多扣 50 分"),
        (
            "0.5 off per occurrence, at most 2",
            "0.25 off per occurrence, at most 2",
            "[-0.5-]{+0.25+} off per occurrence, at most 2",
        ),
        ("20 分", "24 分", "20 分 → 24 分"),
        ("客服在客户说完之前开口", "与此毫不相干的另一句话了", "客服在客户说完之前开口 → 与此毫不相干的另一句话了"),
    ],
)
def test_how_it_is_shown(before, after, shown):
    assert compared(before, after, in_colour=False).plain == shown


@given(SENTENCES, SENTENCES)
def test_both_texts_can_be_read_out_of_it(before, after):
    shown = compared(before, after, in_colour=False).plain
    if shown == f"{before}{ARROW}{after}":
        return
    assert re.sub(r"\[-(.*?)-\]|\{\+(.*?)\+\}", lambda found: found[1] or "", shown) == before
    assert re.sub(r"\[-(.*?)-\]|\{\+(.*?)\+\}", lambda found: found[2] or "", shown) == after


def test_in_colour_there_are_no_marks():
    text = compared("每次扣 10 分，至多扣 50 分", "每次扣 5 分，至多扣 50 分", in_colour=True)
    assert text.plain == "每次扣 105 分，至多扣 50 分"
    assert [str(span.style) for span in text.spans] == ["red strike", "bold green"]


def test_lines_that_stand_in_both_are_left_out():
    before = ["找：词表 a", "按话轮计", "只看其最前 2 个话轮"]
    after = ["找：词表 a", "只看其最前 1 个话轮", "找到：是"]
    shown = [text.plain for text in compared_lines(before, after, in_colour=False)]
    assert shown == ["按话轮计 → 只看其最前 1 个话轮", "只看其最前 2 个话轮 → 找到：是"]
    assert [t.plain for t in compared_lines(["a"], ["a", "b"], in_colour=False)] == ["+ b"]
    assert [t.plain for t in compared_lines(["a", "b"], ["b"], in_colour=False)] == ["− a"]
