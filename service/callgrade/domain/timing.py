"""When a part of a turn was spoken."""

from collections.abc import Sequence
from typing import Literal

from callgrade.domain.calls import Token, Turn
from callgrade.domain.folding import bare

_LAST_MS = 86_400_000

Spoken = tuple[int, int, Literal["exact", "estimated"]]


def spoken_at(turn: Turn, start: int, end: int) -> Spoken | None:
    """(start_ms, end_ms, how it is known) of characters [start, end) of the turn's text.

    `exact` is the time of the recogniser's tokens, when they cover the first and the last character besides
    punctuation; a token that is only partly inside counts whole. `estimated` takes every character of the turn to
    last equally long. None where the turn has no times.
    """
    if turn.tokens and (covered := _from_tokens(turn.text, turn.tokens, start, end)):
        return covered
    if turn.start_ms is None or turn.end_ms is None or not turn.text:
        return None
    lasting = turn.end_ms - turn.start_ms
    first = turn.start_ms + lasting * start // len(turn.text)
    last = turn.start_ms + -(-lasting * end // len(turn.text))
    return first, last, "estimated"


def _from_tokens(text: str, tokens: Sequence[Token], start: int, end: int) -> Spoken | None:
    while start < end and not bare(text[start]):
        start += 1
    while start < end and not bare(text[end - 1]):
        end -= 1
    inside = [token for token in tokens if token.start < end and start < token.end]
    if not inside or min(t.start for t in inside) > start or max(t.end for t in inside) < end:
        return None
    first, last = min(t.start_ms for t in inside), max(t.end_ms for t in inside)
    return (first, last, "exact") if 0 <= first <= last <= _LAST_MS else None
