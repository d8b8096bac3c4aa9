"""Numbers that only their surroundings give away: after a cue, in answer to a question, dictated in pieces."""

import re
from bisect import bisect_right
from itertools import chain
from typing import NamedTuple

from callgrade.adapters.redaction import digits, tables
from callgrade.adapters.redaction.digits import DIGIT, JOINT, Group
from callgrade.adapters.redaction.numbers import HARD_UNIT_AFTER, LONG, UNIT_AFTER, follows_currency, is_amount
from callgrade.adapters.redaction.scanner import Scanner, alternatives
from callgrade.adapters.redaction.spans import OPAQUE, Lines, Span
from callgrade.adapters.redaction.tables import BANK_CARD, ID_CARD, NUMBER, PHONE, STAFF
from callgrade.adapters.redaction.variants import both

REACH = 12
"""Characters a cue reaches forward in its turn: 身份证后四位的话您记一下是三七二一."""
NEAR = 4
"""Characters between a cue and digits that are its own, even if they look like a count: 尾号是3721套餐."""
ANSWER_TURNS = 4
"""Turns after a question, or after the last piece of a dictation, in which digits are the answer."""
FEWEST = 3

_NUMBER_CUES = [
    (kind, level, alternative) for kind, level, cue in tables.NUMBER_CUES for alternative in alternatives(cue)
]
_CUES = Scanner("|".join(alternative + "()" for _, _, alternative in _NUMBER_CUES))
_ENGLISH_CUES = re.compile(
    "(?<![A-Za-z])(?:" + "|".join(f"(?:{cue})()" for _, _, cue in tables.ENGLISH_NUMBER_CUES) + ")(?![A-Za-z])",
    re.IGNORECASE,
)
_ASKING = re.compile(both(tables.ASKING))
_BREAKS = re.compile(f"[{tables.BREAKS_CUE}{OPAQUE}]")
_CONNECTS = re.compile(both(f"[{tables.CONNECTS}a-zA-Z ]") + "*")
_ENDS = re.compile(
    both(
        "[，。！？、,.!?; 吧吗嘛呢啊呀对没是错这我您你就好行谢麻\n]|的(?!套餐|活动|流量|话费|优惠|业务|会员|那|这)|\\Z"
    )
)
_DOTTED = re.compile(r"\d+(?:\.\d+)+")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_BELONGS = re.compile(both("[，, ]?(?:就|这个|这|那个)?是(?:我|您|你|他|她|咱)?们?(?:的|这个)?"))
_HOTLINE = re.compile(tables.HOTLINE)
_POLITE = f"(?:{JOINT}|[。！？!?.对是好的嗯呢吧哈]|然后|就是|后面|前面)"
_ONLY_DIGITS = re.compile(f"{_POLITE}*({DIGIT}(?:{JOINT}{{0,3}}{DIGIT})*){_POLITE}*")
# what such a turn can begin with: one look that spares most turns the pattern
_OPENING = frozenset(tables.TYPED_JOINTS + tables.SPOKEN_JOINTS + digits.SPOKEN + "。！？!?.对是好的嗯呢吧哈然就后前")
_STAFF = re.compile(both(f"{tables.STAFF_WORDS}{tables.STAFF_DIGITS}".replace("DIGITS", digits.SPOKEN)))
_STAFF_BEFORE = re.compile(both(f"({DIGIT}{DIGIT}{{1,7}}){tables.STAFF_ROLES}"))
_CODES = Scanner(tables.CODE_CUES, f"(?:{tables.CODE_CUES}){tables.CODE}")
_ENGLISH_CODES = re.compile(f"(?i:(?<![A-Za-z])(?:{tables.ENGLISH_CODE_CUES})){tables.CODE}")


class Cue(NamedTuple):
    start: int
    end: int
    kind: str
    level: int


def find_staff(text: str) -> list[Span]:
    """Employee numbers: 工号八零三一, 8031号客服, A803为您服务."""
    spans = [
        Span(match.start("staff"), match.end("staff"), STAFF, "")
        for match in _STAFF.finditer(text)
        if re.search(DIGIT, match["staff"])
    ]
    for match in _STAFF_BEFORE.finditer(text):
        start = match.start(1)
        lettered = start > 0 and digits.LATIN.match(text, start - 1) is not None
        if match[1] != "一一" and not _HOTLINE.fullmatch(digits.folded(match[1])):
            spans.append(Span(start - lettered, match.end(1), STAFF, ""))
    return spans


def find_codes(text: str) -> list[Span]:
    """Order numbers, passwords and account names that hold letters: 订单号DD20261101, 密码是abc123."""
    return [
        Span(match.start("code"), match.end("code"), NUMBER, "")
        for match in chain(_CODES.finditer(text), digits.in_english(_ENGLISH_CODES, text, reach=40))
        if re.search(r"[\d_]", match["code"]) and not match["code"].isdecimal()
    ]


def _find_cues(text: str) -> list[Cue]:
    found = [
        Cue(match.start(), match.end(), *_NUMBER_CUES[(match.lastindex or 1) - 1][:2]) for match in _CUES.finditer(text)
    ]
    if digits.LATIN.search(text):
        found += [
            Cue(match.start(), match.end(), *tables.ENGLISH_NUMBER_CUES[(match.lastindex or 1) - 1][:2])
            for match in digits.in_english(_ENGLISH_CUES, text)
        ]
    return sorted(found)


class Dictation:
    """Walks the pieces of digits that prove nothing by themselves, turn by turn, with the cues around them."""

    def __init__(self, text: str, lines: Lines, pieces: list[list[Group]], found: list[Span]):
        self._text, self._lines = text, lines
        self._pieces = pieces
        self._cues = _find_cues(text) if pieces or found else []
        self._cue_ends = [cue.end for cue in self._cues]
        self._kind_from = {cue.start: cue.kind for cue in self._cues}
        self._number_ends = sorted([span.end for span in found] + [piece[-1].end for piece in pieces])
        self._answering: dict[int, str] = {}
        self._spans: list[Span] = []

    def spans(self) -> list[Span]:
        if self._cues:
            asked = self._questions()
            by_line: dict[int, list[list[Group]]] = {}
            for piece in self._pieces:
                by_line.setdefault(self._lines.number(piece[0].start), []).append(piece)
            self._walk(asked, by_line)
        return self._spans

    def _questions(self) -> dict[int, str]:
        """Turn → the kind of number that its successors may answer with."""
        asked: dict[int, str] = {}
        for cue in self._cues:
            line = self._lines.number(cue.start)
            if cue.level == 2 or _ASKING.search(self._text, *self._lines.bounds(line)):
                asked[line] = cue.kind
        return asked

    def _walk(self, asked: dict[int, str], by_line: dict[int, list[list[Group]]]) -> None:
        until, kind = -1, NUMBER
        for line in range(min((*asked, *by_line), default=0), len(self._lines.starts)):
            answering = kind if line <= until else None
            if answering is not None:
                self._answering[line] = answering
            if line in by_line:
                took = [self._take(piece, answering) for piece in by_line[line]]
            else:
                took = [answering is not None and self._take_short(line, answering)]
            if answering is not None and any(took):
                until = line + ANSWER_TURNS
            if line in asked:
                until, kind = line + ANSWER_TURNS, asked[line]

    def _take(self, piece: list[Group], answering: str | None) -> bool:
        kept = self._without_amount(piece, HARD_UNIT_AFTER)
        kind = self._cue_before(kept[0].start, NEAR) if kept else None
        if kind is None:
            kept = self._without_amount(piece, UNIT_AFTER)
            kind = self._kind_around(kept, answering) if kept else None
        size = sum(len(group.digits) for group in kept)
        if kind is None or size < FEWEST:
            return False
        end = kept[-1].end
        if tail := digits.X_TAIL.match(self._text, end):
            end = tail.end()
        self._spans.append(Span(kept[0].start, end, _kind_for(kind, size), ""))
        return True

    def _kind_around(self, piece: list[Group], answering: str | None) -> str | None:
        kind = self._cued(piece[0].start, piece[-1].end)
        if kind == PHONE and _is_hotline(piece):
            kind = None
        return answering if kind is None and answering is not None and self._answers(piece) else kind

    def named(self, span: Span) -> Span:
        """A number that is merely long gets the kind its cue or question gives it: a misheard identity card.

        To be asked after `spans`, which finds the questions.
        """
        if span.kind != NUMBER or not self._cues:
            return span
        kind = self._cue_before(span.start) or self._answering.get(self._lines.number(span.start), NUMBER)
        return span._replace(kind=_kind_for(kind, len(digits.folded(self._text[span.start : span.end]))))

    def _take_short(self, line: int, kind: str) -> bool:
        """One or two digits that are all of a turn, in the middle of a dictation."""
        match = _ONLY_DIGITS.fullmatch(self._text, *self._lines.bounds(line))
        if match is None:
            return False
        self._spans.append(Span(match.start(1), match.end(1), _kind_for(kind, 1), ""))
        return True

    def _without_amount(self, piece: list[Group], unit: re.Pattern[str]) -> list[Group]:
        """验证码3721，59元: the last group is a price. 1,234,567 points is one altogether."""
        text = self._text
        if unit.match(text, piece[-1].end) and _THOUSANDS.fullmatch(text, piece[0].start, piece[-1].end):
            return []
        while piece and unit.match(text, piece[-1].end):
            end = piece[-1].start
            piece = piece[:-1]
            while piece and piece[-1].end == end:
                end, piece = piece[-1].start, piece[:-1]
        return [] if piece and follows_currency(text, piece[0].start) else piece

    def _cued(self, start: int, end: int) -> str | None:
        """The kind that the words of the same turn give to the digits at [start, end)."""
        text = self._text
        if kind := self._cue_before(start):
            return kind
        if self._spans and start - self._spans[-1].end <= REACH // 2:
            gap = text[self._spans[-1].end : start]
            if "\n" not in gap and not _BREAKS.search(gap):
                return self._spans[-1].kind
        match = _BELONGS.match(text, end)
        return self._kind_from.get(match.end()) if match else None

    def _cue_before(self, start: int, reach: int = REACH) -> str | None:
        """The kind of the cue before `start`; with a shorter `reach`, of a cue that is no everyday word."""
        before = bisect_right(self._cue_ends, start) - 1
        if before < 0:
            return None
        cue = self._cues[before]
        far = reach < REACH and (start - cue.end > reach or cue.level == 0)
        return None if far or not self._reaches(cue, start) else cue.kind

    def _reaches(self, cue: Cue, start: int) -> bool:
        gap = self._text[cue.end : start]
        between = bisect_right(self._number_ends, cue.end)
        if len(gap) > REACH or "\n" in gap or self._number_ends[between] < start:
            return False
        if cue.level == 0:
            return _CONNECTS.fullmatch(gap) is not None
        return _BREAKS.search(gap) is None

    def _answers(self, piece: list[Group]) -> bool:
        """Whether digits in the turns after a question can be its answer: no price, version or plan's name."""
        text, start, end = self._text, piece[0].start, piece[-1].end
        low, high = self._lines.bounds(self._lines.number(start))
        if _ONLY_DIGITS.fullmatch(text, low, high):
            return True
        if _BREAKS.search(text, max(low, start - REACH // 2), start) or _is_hotline(piece):
            return False
        if len(piece) > 2 and _DOTTED.fullmatch(text, start, end):
            return False
        if sum(len(group.digits) for group in piece) > FEWEST + 1:
            return True
        return _ENDS.match(text, end) is not None or (low < start and _CONNECTS.fullmatch(text, low, start) is not None)


def _kind_for(kind: str, size: int) -> str:
    """A cue names the kind; a few digits of a card are not the card."""
    fewest = {PHONE: LONG, ID_CARD: 15, BANK_CARD: 13}.get(kind, 0)
    return kind if size >= fewest else NUMBER


def _is_hotline(piece: list[Group]) -> bool:
    return _HOTLINE.fullmatch("".join(group.digits for group in piece)) is not None


def find_uncued_dictation(text: str, lines: Lines, found: list[Span]) -> list[Span]:
    """Neighbouring turns that are nothing but digits and together a long number: 一三八 / 嗯 / 零零一三 / 八零零零.

    Turns that hold a number already `found` are no pieces of another.
    """
    taken = {lines.number(span.start) for span in found}
    spans: list[Span] = []
    cluster: list[tuple[int, re.Match[str]]] = []
    for line, (start, end) in enumerate(zip(lines.starts, lines.ends, strict=True)):
        if start == end or line in taken or not (text[start] in _OPENING or text[start].isdecimal()):
            continue
        match = _ONLY_DIGITS.fullmatch(text, start, end)
        if match is None:
            continue
        if cluster and line - cluster[-1][0] > 2:
            spans += _dictated(cluster)
            cluster = []
        cluster.append((line, match))
    return spans + _dictated(cluster)


def _dictated(cluster: list[tuple[int, re.Match[str]]]) -> list[Span]:
    values = [digits.folded(match[1]) for _, match in cluster]
    if len(values) < 2 or sum(map(len, values)) < LONG or all(value.endswith("00") for value in values):
        return []
    return [Span(match.start(1), match.end(1), NUMBER, "") for _, match in cluster]


def find_repeats(text: str, pieces: list[list[Group]], spans: list[Span]) -> list[Span]:
    """Digits that were somebody's number in one place are so in every other."""
    known = {digits.folded(text[span.start : span.end]) for span in spans}
    return [
        Span(group.start, group.end, NUMBER, "")
        for piece in pieces
        for group in piece
        if len(group.digits) > FEWEST and group.digits in known and not is_amount(text, group.start, group.end)
    ]
