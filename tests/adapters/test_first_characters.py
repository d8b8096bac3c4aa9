"""A search that looks at first characters finds what the bare pattern finds."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.adapters.first_characters import compile_search

PATTERNS = [
    "不要|不(?!要)",
    "(?<!可)不可以|^好|吧$",
    "(您|你)?自己看",
    "(?:那|就){0,2}好吧|[一-三]个?",
    "[^好]吧",  # anything may begin it
    ".{1,2}吧",
    r"\d好|\]看",
    "要(?=不)|(不|(?:看|))好",
]


def spans(search: re.Pattern[str], text: str) -> list[tuple[int, int]]:
    return [match.span() for match in search.finditer(text)]


@pytest.mark.parametrize("pattern", PATTERNS)
@given(text=st.text(alphabet="不要可以好吧您你自己看那就一三个]3\n", max_size=24))
def test_it_finds_the_same(pattern, text):
    assert spans(compile_search(pattern, re.MULTILINE), text) == spans(re.compile(pattern, re.MULTILINE), text)


@pytest.mark.parametrize("pattern", ["x*", "(?:不|)", "^"])
def test_a_pattern_that_can_be_empty_is_left_as_it_is(pattern):
    assert compile_search(pattern, re.MULTILINE).pattern == pattern


def test_case_is_folded_before_and_never_by_the_pattern():
    assert compile_search("ok", re.IGNORECASE).findall("OK ok") == ["OK", "ok"]


def test_it_asks_for_the_first_characters():
    assert compile_search("(?<!无)不[好行]|您?看|^那", re.MULTILINE).pattern.startswith("(?=[不您看那])")
