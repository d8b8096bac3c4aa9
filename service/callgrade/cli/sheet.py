"""Printing pages of text. Lines are broken here: rich knows words between blanks only, and Chinese has none."""

import re
from collections.abc import Iterable, Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from callgrade.cli.output import console

_OPENING = "（“‘《「【"
_CLOSING = "，。；：、！？）”’》」】…"
_WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60"
_ATOM = re.compile(rf"\s+|[{_OPENING}]*(?:[^\s{_WIDE}{_OPENING}{_CLOSING}]+|.)[{_CLOSING}]*", re.S)
"""What stays on one line: a word, or one character with the marks that may not stand apart from it."""


def wrapped(text: Text, width: int) -> list[Text]:
    """The text in lines of at most `width` cells, broken between words and between Chinese characters."""
    lines = []
    for paragraph in text.split("\n", allow_blank=True):
        for line in paragraph.divide(list(_breaks(paragraph.plain, max(width, 8)))):
            line.rstrip()
            lines.append(line)
    return lines or [Text()]


def _breaks(text: str, width: int) -> Iterator[int]:
    used = 0
    for found in _ATOM.finditer(text):
        atom, cells = found[0], cell_len(found[0])
        if used + cells <= width or atom.isspace():
            used += cells
            continue
        if used:
            yield found.start()
        used = cells
        if cells > width:
            used = 0
            for place, character in enumerate(atom, found.start()):
                if used + cell_len(character) > width:
                    yield place
                    used = 0
                used += cell_len(character)


class Sheet:
    """A page on standard output: in colour on a terminal, plain and without trailing blanks in a pipe."""

    def __init__(self) -> None:
        self._out = console()

    @property
    def width(self) -> int:
        return self._out.width

    @property
    def in_colour(self) -> bool:
        return self._out.is_terminal and not self._out.no_color

    def text(self, text: Text | str, indent: int = 0, *, style: str = "", first: str = "") -> None:
        """A paragraph; `first` stands before its first line and the others are indented as far."""
        styled = Text(text, style=style) if isinstance(text, str) else text
        hang = indent + cell_len(first)
        for number, line in enumerate(wrapped(styled, self.width - hang)):
            before = " " * indent + first if number == 0 else " " * hang
            self._print(Text.assemble(before, line))

    def labelled(self, rows: Sequence[tuple[str, Iterable[Text | str]]], indent: int = 0) -> None:
        """Labels in a column of their own, beside each its paragraphs."""
        beside = max((cell_len(label) for label, _ in rows), default=0) + 2
        for label, texts in rows:
            for text in texts:
                styled = Text(text) if isinstance(text, str) else text
                for line in wrapped(styled, self.width - indent - beside):
                    space = " " * (beside - cell_len(label))
                    self._print(Text.assemble(" " * indent, (label, "dim"), space, line))
                    label = ""

    def apart(self, left: Text, right: Text, first: str = "") -> None:
        """`left` at the left and `right` at the right edge, each broken where both do not fit a line."""
        room = self.width - cell_len(first) - 2
        most = max(room * 2 // 5, room - left.cell_len)
        rights = wrapped(right, min(most, right.cell_len))
        side = max(line.cell_len for line in rights)
        lefts = wrapped(left, room - side)
        for number in range(max(len(lefts), len(rights))):
            a = lefts[number] if number < len(lefts) else Text()
            b = rights[number] if number < len(rights) else Text()
            before = first if number == 0 else " " * cell_len(first)
            space = " " * (room + 2 - a.cell_len - b.cell_len) if b else ""
            self._print(Text.assemble((before, "dim"), a, space, b))

    def gap(self) -> None:
        self._out.print()

    def _print(self, line: Text) -> None:
        self._out.print(line, soft_wrap=True)
