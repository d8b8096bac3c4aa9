"""Digits in any writing: typed, full-width, spoken as hanzi, spoken in English."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from callgrade.adapters.redaction import tables

SPOKEN = "".join(tables.SPOKEN_DIGITS)
DIGIT = f"[\\d{SPOKEN}]"
JOINT = f"[{tables.TYPED_JOINTS}{tables.SPOKEN_JOINTS}]"
"""Up to three of these may stand between two digits of one number."""
LATIN = re.compile("[A-Za-zＡ-Ｚａ-ｚ]")
X_TAIL = re.compile(f"{JOINT}{{0,3}}[XxＸｘ×叉](?![A-Za-z])")
"""The last character of an identity card, 叉 when read out."""

_RUN = re.compile(f"{DIGIT}(?:{JOINT}{{0,3}}{DIGIT}){{2,}}")
_GROUP = re.compile(f"\\d+|[{SPOKEN}]+")
_WORD = "(?:(?:double |triple )?(?:" + "|".join(tables.ENGLISH_DIGITS) + "))"
_ENGLISH_RUN = re.compile(f"(?<![A-Za-z']){_WORD}(?:[ ,\\-]{{1,2}}{_WORD}){{2,}}(?![A-Za-z'])", re.IGNORECASE)
_FOLD = {ord(char): digit for char, digit in tables.SPOKEN_DIGITS.items()}
_NOT_KEY = re.compile(f"{JOINT}+")

_PASSAGE = re.compile("[A-Za-z][ -~]*")


class Group(NamedTuple):
    """Digits that stand next to each other at [start, end) in one writing; `digits` is their value in ASCII."""

    start: int
    end: int
    digits: str
    spoken: bool


def ascii_digits(surface: str) -> str:
    """`幺三８` → `138`. Only for strings of digits."""
    folded = surface.translate(_FOLD)
    return folded if folded.isascii() else "".join(str(int(char)) for char in folded)


def runs(text: str) -> Iterator[list[Group]]:
    """Every stretch of three digits or more, joints included, as its groups. A change of writing begins a group."""
    for match in _RUN.finditer(text):
        yield [
            Group(m.start(), m.end(), ascii_digits(m[0]), not m[0][0].isdecimal())
            for m in _GROUP.finditer(text, match.start(), match.end())
        ]


def in_english(pattern: re.Pattern[str], text: str, reach: int = 0) -> Iterator[re.Match[str]]:
    """Matches of a pattern that begins with a Latin letter, in order; they end at most `reach` behind the Latin text.

    Most calls hold a 5G or an APP and nothing else in Latin: looking only there saves over a millisecond a call.
    """
    begin = end = -1
    for passage in _PASSAGE.finditer(text):
        if passage.start() > end:
            if end >= 0:
                yield from pattern.finditer(text, begin, end)
            begin = passage.start()
        end = passage.end() + reach
    if end >= 0:
        yield from pattern.finditer(text, begin, end)


def english_runs(text: str) -> Iterator[list[Group]]:
    """`four one five double five` → 41555, as one group."""
    for match in in_english(_ENGLISH_RUN, text):
        digits, times = "", 1
        for word in re.findall("[a-z]+", match[0].lower()):
            if word in ("double", "triple"):
                times = 2 if word == "double" else 3
            else:
                digits, times = digits + tables.ENGLISH_DIGITS[word] * times, 1
        yield [Group(match.start(), match.end(), digits, True)]


def folded(surface: str) -> str:
    """What two writings of the same value have in common: joints away, width, case and spoken digits folded."""
    return _NOT_KEY.sub("", surface).translate(_FOLD).translate(_WIDTH).casefold()


_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
