"""A found piece of personal data, and the call's texts as one text with lines."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

OPAQUE = "\ufffc"
"""Stands where a placeholder look-alike stood in the source: no pattern matches it, no cue reaches across it."""


class Span(NamedTuple):
    """Characters [start, end) of the joined text, to be replaced by a placeholder of `kind`.

    Spans with the same `who` (a number's digits, a person, an address) share the placeholder's number.
    """

    start: int
    end: int
    kind: str
    who: str


def places(text: str, part: str) -> list[int]:
    """Where `part` begins in `text`, without overlaps."""
    found, at = [], text.find(part)
    while at >= 0:
        found.append(at)
        at = text.find(part, at + len(part))
    return found


class Lines:
    """The texts joined with line feeds, and which text an offset lies in."""

    def __init__(self, texts: Sequence[str]):
        self.texts = texts
        self.joined = "\n".join(texts)
        self.starts: list[int] = []
        self.ends: list[int] = []
        offset = 0
        for text in texts:
            self.starts.append(offset)
            offset += len(text)
            self.ends.append(offset)
            offset += 1

    def number(self, offset: int) -> int:
        """The index of the text that holds `offset`."""
        return bisect_right(self.starts, offset) - 1

    def after(self, offsets: Iterable[int], turns: int) -> set[int]:
        """The next `turns` texts after each of those that hold an offset: where a question is answered."""
        asked = {self.number(offset) for offset in offsets}
        return {line + k for line in asked for k in range(1, turns + 1) if line + k < len(self.starts)}

    def bounds(self, number: int) -> tuple[int, int]:
        """[start, end) of one text in the joined text."""
        return self.starts[number], self.ends[number]
