"""Lines on a page are broken where Chinese and English may be broken, and never run over."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from callgrade.cli.sheet import wrapped

TEXTS = st.text(st.sampled_from("ab 甲乙，。（）“”/.-12\n"), max_size=60)


def lines(text: str, width: int) -> list[str]:
    return [line.plain for line in wrapped(Text(text), width)]


@pytest.mark.parametrize(
    ("text", "width", "broken"),
    [
        ("一次扣 20。按词句", 12, ["一次扣 20。", "按词句"]),
        ("甲乙丙丁戊，己", 10, ["甲乙丙丁", "戊，己"]),
        ("甲乙丙丁（戊）", 10, ["甲乙丙丁", "（戊）"]),
        ("one two three", 8, ["one two", "three"]),
        ("abcdefghijkl", 8, ["abcdefgh", "ijkl"]),
        ("甲\n乙", 20, ["甲", "乙"]),
        ("", 20, [""]),
    ],
)
def test_where_lines_are_broken(text, width, broken):
    assert lines(text, width) == broken


@given(TEXTS, st.integers(8, 30))
def test_no_line_runs_over_and_nothing_is_lost(text, width):
    broken = lines(text, width)
    assert all(cell_len(line) <= width for line in broken)
    assert "".join("".join(broken).split()) == "".join(text.split())


def test_colours_stay_where_they_were():
    text = Text.assemble("甲乙", ("丙丁戊己", "red"), "庚")
    first, second = wrapped(text, 8)
    assert (first.plain, second.plain) == ("甲乙丙丁", "戊己庚")
    assert [(span.start, span.end) for span in first.spans] == [(2, 4)]
    assert [(span.start, span.end) for span in second.spans] == [(0, 2)]
