"""Texts made comparable: what differs only in writing folds to the same text, and offsets lead back.

Folded away: width and compatibility forms, case, accents, punctuation, white space, traditional characters, Cyrillic
and Greek letters that look Latin, fillers of one sound (嗯 啊 呃 哦, um, uh). Spoken digits become ASCII digits
(幺三八 → 138); 十 百 千 万 stay, they are arithmetic, not writing. Kept because they carry an amount: a decimal point
and a clock's colon (both 点, as they are spoken), the dash of a range and its spoken form (1-2天, 一两天 → 1~2天,
never 12天), % and currency signs, superscripts and circled numbers.
"""

import re
import unicodedata
from bisect import bisect_left
from functools import lru_cache
from typing import Any

_DIGITS = {"〇": "0", "零": "0", "幺": "1", "两": "2"} | {c: str(i) for i, c in enumerate("一二三四五六七八九", 1)}
_FILLERS = frozenset("嗯啊呃哦噢喔欸诶")  # not 唔, which is 不 in Cantonese
_SAME_WORD = {"妳": "你", "著": "着"}  # written variants that OpenCC decides by phrase, or not at all
_LOOKALIKE = dict(zip("авекмнорстухіјѕԁһαικνορτυχ", "abekmhopctyxijsdhaikvoptux", strict=True))
"""Cyrillic and Greek letters that the eye takes for Latin ones (Unicode's confusables, UTS 39): they would hide a word
from whoever looks for it."""
_KEPT_PUNCTUATION = frozenset("%‰")
_LARGEST_TABLE = 30_000  # more distinct characters than any honest archive holds
_LARGEST_CACHED = 2_000

# Marks put in the place of single characters before the table runs. Noncharacters: no text may contain them.
_RANGE = "\ufdd0"
_PAIR_FIRST = {c: chr(0xFDD1 + i) for i, c in enumerate("一二三四五六七八")}
_MARKS = {_RANGE: "~"} | {mark: f"{_DIGITS[c]}~" for c, mark in _PAIR_FIRST.items()}

_ARABIC = "0-9０-９"
_HANZI = "一二三四五六七八九两兩"
_MEASURE = "个個天日月年周岁歲号號点點分秒时時小元块塊毛角折倍成次位名台条條张張件种種十百千万亿萬億遍步层層户戶家人"
_CONTEXTUAL = re.compile(
    rf"(?P<range>(?<![{_ARABIC}])[{_ARABIC}]+(?:[-–—~～－][{_ARABIC}]+)+)"
    rf"|(?P<point>(?<=[{_ARABIC}])[.．](?=[{_ARABIC}]))"
    rf"|(?P<clock>(?<![{_ARABIC}])[{_ARABIC}]{{1,2}}[:：][0-5０-５][{_ARABIC}](?![{_ARABIC}]))"
    rf"|(?P<pair>(?<![{_ARABIC}{_HANZI}〇零幺十百千万亿第])[{_HANZI}{_ARABIC}][、,，]?[{_HANZI}{_ARABIC}](?=[{_MEASURE}]))"
    r"|(?P<filler>(?<![A-Za-zＡ-Ｚａ-ｚ])(?:[uｕ][mｍ]+|[uｕ][hｈ]+[mｍ]?|[hｈ][mｍ]{2,}|[eｅ][rｒ][mｍ])(?![A-Za-zＡ-Ｚａ-ｚ]))",
    re.IGNORECASE,
)
# Begins with one character class, which `re` can skip by; most turns hold nothing of the kind.
_CONTEXTUAL_NEARBY = re.compile(
    rf"[{_ARABIC}{_HANZI}uheｕｈｅ](?:[-–—~～－.．:：、,，][{_ARABIC}{_HANZI}]|(?<=[{_HANZI}])[{_HANZI}](?=[{_MEASURE}])"
    r"|(?<=[uheｕｈｅ])(?:[mhｍｈ]|[rｒ][mｍ]))",
    re.IGNORECASE,
)


class Folded:
    """A folded text and the way back. Not a pydantic model: one is made for every turn of every call."""

    __slots__ = ("_starts", "source", "text")

    def __init__(self, source: str, text: str):
        self.source = source
        self.text = text
        self._starts: list[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Folded characters [start, end) → code points [start, end) of the source.

        The source's span begins and ends with characters that count, and keeps an accent with its letter. What was
        folded away at either end stays outside. An empty span stays empty.
        """
        starts = self.starts
        if not 0 <= start <= end <= len(starts):
            raise ValueError(f"[{start}, {end}) lies outside a folded text of {len(starts)} characters")
        if start == end:
            place = starts[start] if start < len(starts) else len(self.source)
            return place, place
        last = starts[end - 1] + 1
        while last < len(self.source) and unicodedata.category(self.source[last]) in ("Mn", "Me"):
            last += 1
        return starts[start], last

    def index(self, offset: int) -> int:
        """The first folded character that comes from code point `offset` of the source or later."""
        return bisect_left(self.starts, offset)

    @property
    def starts(self) -> list[int]:
        """For every folded character, the code point of the source it comes from."""
        if self._starts is None:
            starts: list[int] = []
            for i, c in enumerate(_keep_amounts(self.source)):
                size = len(_FOLDED[ord(c)])
                if size == 1:
                    starts.append(i)
                elif size:
                    starts.extend([i] * size)
            self._starts = starts
        return self._starts

    def __repr__(self) -> str:
        return f"<Folded of {len(self.source)} characters>"  # a transcript's words stay out of logs


def fold(text: str) -> Folded:
    """`text` folded for comparison; linear in its length, about 0.1 µs a character."""
    return _fold_cached(text) if len(text) <= _LARGEST_CACHED else _fold(text)


def bare(text: str) -> str:
    """`text` folded character by character with its fillers left in: what is there besides punctuation."""
    return text.translate(_BARE)


def _fold(text: str) -> Folded:
    return Folded(text, _keep_amounts(text).translate(_FOLDED))


_fold_cached = lru_cache(maxsize=2048)(_fold)


def _keep_amounts(text: str) -> str:
    """`text`, same length, with marks where dropping punctuation would change a number. Drops um and uh."""
    return _CONTEXTUAL.sub(_marked, text) if _CONTEXTUAL_NEARBY.search(text) else text


def _marked(match: re.Match[str]) -> str:
    found = match.group()
    kind = match.lastgroup
    if kind == "point":
        return "点"
    if kind == "clock":
        return found.replace(":", "点").replace("：", "点")
    if kind == "range":
        return re.sub(r"[-–—~～－]", " " if _is_telephone_or_date(found) else _RANGE, found)
    if kind == "pair":
        return _marked_pair(found)
    return " " * len(found)


def _is_telephone_or_date(found: str) -> bool:
    groups = re.split(r"[-–—~～－]", found)
    return len(groups) > 2 or (groups[0][0] in "0０" and len(groups[0]) in (3, 4))


def _marked_pair(found: str) -> str:
    """一两天 and 1、2天 say a range; 12天 and 幺二 do not."""
    if len(found) == 3:
        return found[0] + _RANGE + found[2]
    first, second = (_DIGITS.get("两" if c == "兩" else c, "") for c in found)
    if first and second and (int(second) == int(first) + 1 or first + second == "35") and found[0] in _PAIR_FIRST:
        return _PAIR_FIRST[found[0]] + found[1]
    # 两三天 begins with a digit that has two forms
    return _PAIR_FIRST["二"] + found[1] if found[0] in "两兩" and second == "3" else found


class _Table(dict[int, str]):
    """Code point → what it folds to, worked out at first sight. For `str.translate`."""

    def __init__(self, dropped: frozenset[str]):
        super().__init__({ord(mark): text for mark, text in _MARKS.items()})
        self._dropped = dropped

    def __missing__(self, code: int) -> str:
        folded = "".join("" if c in self._dropped else c for c in _fold_character(chr(code)))
        if len(self) < _LARGEST_TABLE:
            self[code] = folded
        return folded


_FOLDED = _Table(_FILLERS)
_BARE = _Table(frozenset())


def _fold_character(character: str) -> str:
    decimal = unicodedata.decimal(character, None)
    if decimal is not None:
        return str(decimal)
    expanded = _without_accents(character)
    if expanded != character and any(c.isdigit() for c in expanded):
        return character  # ½, ², ① and ㏠ are not the digits they look like
    return "".join(_fold_plain(c) for c in expanded.casefold())


def _without_accents(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", character)
    kept = "".join(c for c in decomposed if unicodedata.category(c) not in ("Mn", "Me"))
    return unicodedata.normalize("NFC", kept)


def _fold_plain(character: str) -> str:
    category = unicodedata.category(character)
    if character in _KEPT_PUNCTUATION:
        return character
    if category[0] in "PZ" or category in ("Cc", "Cf", "Cs", "Sk", "Mn", "Me") or character in "~|":
        return ""
    if category == "Lo" and character >= "\u3400":
        character = _simplified(character)
    character = _SAME_WORD.get(character) or _LOOKALIKE.get(character, character)
    return _DIGITS.get(character, character)


def _simplified(character: str) -> str:
    return str(_converter().convert(character))


@lru_cache(maxsize=1)
def _converter() -> Any:
    from opencc import OpenCC  # 40 ms, and only texts with hanzi need it

    return OpenCC("t2s")
