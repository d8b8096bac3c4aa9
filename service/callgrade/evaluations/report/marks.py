"""A turn's text cut where quotes begin and end, so that overlapping quotes can all be shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from callgrade.domain.calls import Turn

Tone = Literal["good", "bad", "partly", "open", "none"]
"""How a verdict looks: nothing lost, lost or accused, lost in part, not settled, and neither."""

_WORST_FIRST: tuple[Tone, ...] = ("bad", "partly", "open", "good", "none")
UNSURE_BELOW = 0.5
"""A recogniser's confidence in a word under which the word is underlined."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote's place in a turn: code points [start, end). `id` names it, `number` is its criterion's."""

    id: str
    number: int
    start: int
    end: int
    tone: Tone


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters that share their quotes. `ending` are the quotes that end with this piece."""

    text: str
    cited: tuple[Citation, ...] = ()
    ending: tuple[Citation, ...] = ()
    unsure: bool = False

    @property
    def tone(self) -> Tone:
        return worst(self.cited)

    @property
    def ids(self) -> str:
        return " ".join(citation.id for citation in self.cited)


def worst(cited: Sequence[Citation]) -> Tone:
    tones = {citation.tone for citation in cited}
    return next((tone for tone in _WORST_FIRST if tone in tones), "none")


def pieces(turn: Turn, cited: Sequence[Citation]) -> tuple[Piece, ...]:
    """The turn's text in order; the pieces' texts put together are the text. Spans outside of it are cut off."""
    length = len(turn.text)
    inside = [c for c in cited if 0 <= c.start < c.end and c.start < length]
    unsure = _unsure(turn)
    ends = {0, length, *(min(edge, length) for c in inside for edge in (c.start, c.end))}
    ends.update(edge for span in unsure for edge in span)
    borders = sorted(ends)
    return tuple(
        Piece(
            turn.text[start:end],
            tuple(c for c in inside if c.start <= start and end <= c.end),
            tuple(c for c in inside if min(c.end, length) == end),
            any(a <= start and end <= b for a, b in unsure),
        )
        for start, end in pairwise(borders)
    )


def _unsure(turn: Turn) -> list[tuple[int, int]]:
    """The stretches that the recogniser was unsure of, neighbours joined."""
    spans: list[tuple[int, int]] = []
    for token in turn.tokens:
        if token.confidence is None or token.confidence >= UNSURE_BELOW or token.start == token.end:
            continue
        if spans and token.start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], token.end))
        else:
            spans.append((token.start, token.end))
    return spans
