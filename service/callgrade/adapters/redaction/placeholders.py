"""Spans into numbered placeholders, and placeholders back into what they stand for."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from callgrade.adapters.redaction import tables
from callgrade.adapters.redaction.spans import OPAQUE, Lines, Span

_KIND = "|".join(sorted(tables.KINDS, key=len, reverse=True))
# models rewrite brackets, and digits after a Chinese word, in their own punctuation
_LOOK_ALIKE = re.compile(f"[\\[［【〔(（「][ \u3000]?({_KIND})[ \u3000]?(\\d{{1,4}})[ \u3000]?[\\]］】〕)）」]")
_OPENERS = "[［【〔(（「"


@dataclass(frozen=True, repr=False)
class Redacted:
    """A call's texts without personal data. No `repr`: what was taken out must not reach a log."""

    texts: Sequence[str]
    _first: Mapping[str, str] = field(default_factory=dict)
    _within: Mapping[tuple[int, str], str] = field(default_factory=dict)

    def restore(self, text: str, *, turn: int | None = None) -> str:
        """`text` with this call's placeholders, in any brackets, replaced by the first wording they stand for.

        With `turn`, the index of the text that `text` is quoted from, the wording of that text comes first: the same
        number may be 138-0013-8000 in one turn and 幺三八… in another. Placeholders this call does not know stay.
        """
        if not any(opener in text for opener in _OPENERS):
            return text

        def surface(match: re.Match[str]) -> str:
            name = _name(match[1], int(match[2]))
            known = self._first.get(name, match[0])
            return known if turn is None else self._within.get((turn, name), known)

        return _LOOK_ALIKE.sub(surface, text)


def masked(text: str) -> tuple[str, set[str]]:
    """`text` with everything that looks like a placeholder made opaque, at equal length; and those placeholders."""
    if not any(opener in text for opener in _OPENERS):
        return text, set()
    used = {_name(m[1], int(m[2])) for m in _LOOK_ALIKE.finditer(text)}
    return _LOOK_ALIKE.sub(lambda m: OPAQUE * len(m[0]), text), used


def replaced(lines: Lines, spans: Iterable[Span], used: set[str]) -> Redacted:
    """The texts with a placeholder for each span. Spans are in order, apart, and inside one text each."""
    names = _Numbering(used)
    first: dict[str, str] = {}
    within: dict[tuple[int, str], str] = {}
    parts: defaultdict[int, list[str]] = defaultdict(list)
    at = list(lines.starts)
    for span in spans:
        line = lines.number(span.start)
        name = names.of(span)
        surface = lines.joined[span.start : span.end]
        first.setdefault(name, surface)
        within.setdefault((line, name), surface)
        parts[line] += (lines.joined[at[line] : span.start], name)
        at[line] = span.end
    texts = list(lines.texts)
    for line, changed in parts.items():
        texts[line] = "".join((*changed, lines.joined[at[line] : lines.ends[line]]))
    return Redacted(tuple(texts), first, within)


class _Numbering:
    """Counts by kind, the three kinds of a person's name together, and leaves out what the source already holds."""

    def __init__(self, used: set[str]):
        self._used = used
        self._numbers: dict[tuple[str, str], int] = {}
        self._last: defaultdict[str, int] = defaultdict(int)

    def of(self, span: Span) -> str:
        family = tables.FULL_NAME if span.kind in tables.NAME_KINDS else span.kind
        number = self._numbers.get((family, span.who))
        if number is None:
            number = self._last[family] + 1
            kinds = tables.NAME_KINDS if family == tables.FULL_NAME else (family,)
            while any(_name(kind, number) in self._used for kind in kinds):
                number += 1
            self._last[family] = self._numbers[family, span.who] = number
        return _name(span.kind, number)


def _name(kind: str, number: int) -> str:
    return f"[{kind}{number}]"
