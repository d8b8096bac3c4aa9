"""Finding phrases in turns: one compiled pattern a list, over folded text, with exact spans back.

Folding is grounding's own, so a rule and a quote agree on what is "the same words". Literal phrases are folded as
well; patterns are written against folded text (no punctuation, no spaces, ASCII digits).

In an exception (`unless`) … stands for up to eight characters of any kind, so that reported speech can be excepted
without naming every word: 骂您… covers 骂您神经病, and 上次说…免费 covers 上次说开通免费.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from callgrade.adapters.first_characters import compile_search
from callgrade.domain.calls import Speaker, Transcript
from callgrade.domain.folding import Folded, fold
from callgrade.domain.rubrics import Phrases
from callgrade.domain.writing import legible

NEGATIONS = ("不", "没", "未", "无", "别", "非", "勿", "never", "not", "no", "dont", "cant", "wont")
_LOOK_BACK = 8
_AUXILIARIES = "能|会|可以|可|敢|法|有|是|要|用|需要|必|想|再|人|说|承诺|给您|给你|为您"
_NEGATED = re.compile("(?:" + "|".join(NEGATIONS) + f")(?:{_AUXILIARIES}){{0,3}}$")
"""A negation governs what follows it directly or after three auxiliaries at most: 不|保证, 不能|保证, 没有人能|保证."""

_NOT_A_NEGATION = ("要不", "差不", "好不", "是不", "不得不")
"""要不保证… and 是不是 begin no negation of what follows."""

_CLAUSE_ENDS = frozenset("，。！？；,!?;")
"""A negation before one of these is an answer of its own: 不会，保证收益."""

_GAP = ".{0,8}"


class Line(NamedTuple):
    """One turn, folded."""

    turn: int
    speaker: Speaker
    folded: Folded


class Match(NamedTuple):
    """Code points [start, end) of a turn's original text, and the folded words found there."""

    turn: int
    start: int
    end: int
    phrase: str


class Script:
    """A call's turns, folded once for all the rules that read them."""

    def __init__(self, transcript: Transcript):
        self.lines = tuple(Line(i, turn.speaker, fold(turn.text)) for i, turn in enumerate(transcript.turns))
        self._joined: dict[str, str] = {}
        self._found: dict[tuple[Matcher, str], list[Match]] = {}
        self._legible: dict[str, bool] = {}

    def spoken_by(self, side: str) -> tuple[Line, ...]:
        return self.lines if side == "any" else tuple(line for line in self.lines if line.speaker == side)

    def joined(self, side: str) -> str:
        """All that a side said, a turn a line: one look decides whether a list occurs at all."""
        if side not in self._joined:
            self._joined[side] = "\n".join(line.folded.text for line in self.spoken_by(side))
        return self._joined[side]

    def legible(self, side: str) -> bool:
        """Whether it can be told that something is not among what a side said, see `domain.writing`."""
        if side not in self._legible:
            self._legible[side] = legible(line.folded.source for line in self.spoken_by(side))
        return self._legible[side]

    def matches(self, matcher: "Matcher", side: str) -> list[Match]:
        """What a matcher finds in one side's turns; searched once, however many rules ask."""
        key = (matcher, side)
        if key not in self._found:
            self._found[key] = matcher.in_script(self, side)
        return self._found[key]


class Matcher:
    """All the phrases of one `Phrases`, its lists included."""

    def __init__(self, phrases: Phrases, lists: Mapping[str, Phrases]):
        chosen = [phrases, *(lists[id_] for id_ in phrases.lists)]
        literals = [text for part in chosen for text in part.phrases]
        self._find = _alternatives(literals, [pattern for part in chosen for pattern in part.patterns])
        self._unless = _exceptions([text for part in chosen for text in part.unless])
        self._drops_negated = any(part.negation == "drop" for part in chosen)

    def in_script(self, script: Script, side: str) -> list[Match]:
        """Every match in one side's turns (`any`: in all), in order; the longest where several begin together."""
        if self._find is None or not self._find.search(script.joined(side)):
            return []
        return [match for line in script.spoken_by(side) for match in self._in_line(line)]

    def _in_line(self, line: Line) -> Iterable[Match]:
        text = line.folded.text
        found = [m.span() for m in self._find.finditer(text)] if self._find else []
        if not found:
            return
        covered = [m.span(1) for m in self._unless.finditer(text)] if self._unless else []
        for start, end in found:
            if start < end and self._counts(line.folded, (start, end), covered):
                yield Match(line.turn, *line.folded.span(start, end), text[start:end])

    def _counts(self, folded: Folded, span: tuple[int, int], covered: list[tuple[int, int]]) -> bool:
        if any(left <= span[0] and span[1] <= right and (left, right) != span for left, right in covered):
            return False
        return not (self._drops_negated and _is_negated_in_its_clause(folded, span[0]))


def is_negated(text: str, start: int) -> bool:
    """Whether what begins at `start` of a folded text is governed by a negation word."""
    return _negation(text, start) is not None


def _negation(text: str, start: int) -> int | None:
    """Where the negation begins that governs what begins at `start`."""
    begin = max(0, start - _LOOK_BACK)
    before = text[begin:start]
    found = _NEGATED.search(before)
    if found is None or before[: found.start() + 1].endswith(_NOT_A_NEGATION):
        return None
    return begin + found.start()


def _is_negated_in_its_clause(folded: Folded, start: int) -> bool:
    negation = _negation(folded.text, start)
    if negation is None:
        return False
    between = folded.source[folded.starts[negation] : folded.starts[start]]
    return _CLAUSE_ENDS.isdisjoint(between)


def _alternatives(literals: list[str], patterns: list[str]) -> re.Pattern[str] | None:
    folded = sorted({fold(text).text for text in literals} - {""}, key=lambda text: (-len(text), text))
    options = [*map(re.escape, folded), *(f"(?:{pattern})" for pattern in patterns)]
    return compile_search("|".join(options), re.MULTILINE) if options else None


def _exceptions(texts: list[str]) -> re.Pattern[str] | None:
    """Where a match does not count, as group 1 of a match of no width: one exception may begin inside another."""
    parts = [[fold(part).text for part in re.split("…+", text)] for text in texts]
    options = {_GAP.join(map(re.escape, part)) for part in parts if any(part)}
    longest_first = sorted(options, key=lambda text: (-len(text), text))
    return re.compile("(?=(" + "|".join(longest_first) + "))") if options else None
