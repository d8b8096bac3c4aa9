"""Words that turn a sentence around: negations, numbers and amounts, modal verbs.

Two texts that differ in one of them say different things however alike they look: 可以取消 is not 不可以取消, 5元 is
not 50元. Found in folded text, where spoken digits already are digits; English words are found in the source, where
words still have borders.
"""

import re
from typing import Literal, NamedTuple

from callgrade.domain.folding import Folded

Kind = Literal["negation", "number", "unit", "modal", "idiom"]


class Guard(NamedTuple):
    """Folded characters [start, end) hold a word that must not be bridged.

    An `idiom` only looks like one (一下, 特别): it may come and go, but whole.
    """

    start: int
    end: int
    kind: Kind
    text: str


_NUMERAL = "0-9十百千万亿半"
# Idioms first: 一下 is no number, 要是 no modal, 特别 no negation. 千万, 十分 and 得到 may be either: left out.
_HANZI = re.compile(
    "(?P<idiom>1(?:下|些|样|起|直|般|旦|切|共)|统1|唯1|万1|要是|只要|主要|重要|机会|会员|社会|会议|能力|功能|智能|性能"
    "|觉得|记得|获得|值得|懂得|应用|适应|反应|供应|相应|对应|部分|充分|分析|分享|分别|特别|区别|级别|类别|个别|识别|性别"
    "|非常|无论|无线|否则|不过|不仅|不但|不管|不好意思|对不起|差不多|角度|角色|元旦|毛病|百度)"
    "|(?P<modal>1定|可以|可能|可|必须|必需|必|务必|应该|应当|应|需要|需|须|肯定|肯|能够|能|会|要|得)"
    f"|(?P<number>[{_NUMERAL}]+(?:[点~][{_NUMERAL}]+)*[多来几]?个?[天日月年周岁号点分秒时元块毛角厘折倍成次位gmk%‰]?)"
    "|(?P<unit>[元块毛角分%‰¥$€£])"
    "|(?P<negation>没有?|不是|[不未别无非勿莫否甭唔冇])"
)
_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)*", re.IGNORECASE)
_HALF_WIDTH = {0xFEE0 + c: c for c in range(0x21, 0x7F)}
_ENGLISH = re.compile(
    "(?P<negation>no|not|never|none|nothing|nobody|neither|nor|without|cannot"
    "|(?:is|are|was|were|do|does|did|has|have|had|ca|wo|could|would|should|must|need)n'?t)"
    "|(?P<modal>must|may|can|will|should|could|would|shall|might|needs?|ought|[a-z]+'ll)"
    "|(?P<number>zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    "|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|hundred|thousand|million|billion|half)"
    "|(?P<unit>percent|yuan|rmb|dollars?|cents?|pounds?|euros?)"
)
_CLAUSE_BREAK = re.compile(r"[，。？！；,.?!;\n]")
_IDENTIFIER_DIGITS = 7


def guards(folded: Folded) -> tuple[Guard, ...]:
    """Every guarded word of `folded`, in order, none overlapping another of its own script."""
    found = [
        Guard(match.start(), match.end(), match.lastgroup, match.group())  # type: ignore[arg-type]
        for match in _HANZI.finditer(folded.text)
    ]
    if any("a" <= c <= "z" for c in folded.text):
        found.extend(_english(folded))
        found.sort()
    return tuple(found)


def _english(folded: Folded) -> list[Guard]:
    found = []
    for match in _WORD.finditer(folded.source.translate(_HALF_WIDTH)):
        word = _ENGLISH.fullmatch(match.group().lower().replace("’", "'"))
        if word is not None:
            start, end = folded.index(match.start()), folded.index(match.end())
            found.append(Guard(start, end, word.lastgroup, folded.text[start:end]))  # type: ignore[arg-type]
    return found


def cuts(folded: Folded, found: tuple[Guard, ...], start: int, end: int) -> bool:
    """Does taking only [start, end) of the folded text change what it says?

    It does when it cuts a number (5元 out of 15元) or an English word in two, or leaves behind the negation that
    governs its first word (可以取消 out of 不可以取消). A part of a long number, seven digits or more, is fair: people
    quote the last four digits of a telephone.
    """
    for guard in found:
        straddles = guard.start < start < guard.end or guard.start < end < guard.end
        if straddles and guard.kind != "idiom" and sum(c.isdigit() for c in guard.text) < _IDENTIFIER_DIGITS:
            return True
    return _negated_from_before(folded, found, start) or any(_inside_word(folded, place) for place in (start, end))


def negated_from_behind(found: tuple[Guard, ...], end: int) -> bool:
    """取消 followed by 不了."""
    return any(guard.start == end and guard.kind == "negation" for guard in found)


def _negated_from_before(folded: Folded, found: tuple[Guard, ...], start: int) -> bool:
    border = start
    for guard in reversed(found):
        if guard.end > border:
            continue
        if guard.end < border or guard.kind not in ("negation", "modal"):
            return False
        if border < len(folded.starts):
            between = folded.source[folded.starts[guard.end - 1] : folded.starts[border]]
            if _CLAUSE_BREAK.search(between):
                return False
        if guard.kind == "negation":
            return True
        border = guard.start
    return False


def _inside_word(folded: Folded, place: int) -> bool:
    if not 0 < place < len(folded.text) or not _latin(folded.text[place - 1]) or not _latin(folded.text[place]):
        return False
    return folded.starts[place] - folded.starts[place - 1] <= 1


def _latin(character: str) -> bool:
    return "a" <= character <= "z"
