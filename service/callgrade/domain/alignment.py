"""Where a text holds something very nearly like a quote, and whether the two say the same.

Search: a quote within `e` edits of a place, cut into `e + 1` pieces, has at least one piece standing there verbatim
(the pigeonhole argument of Wu and Manber, 1992), so a few plain string searches find every candidate; each is then
aligned outwards from its piece by Levenshtein distance.
"""

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from heapq import nlargest
from itertools import pairwise
from typing import Any, NamedTuple

from callgrade.domain.folding import Folded
from callgrade.domain.guards import Guard, cuts, negated_from_behind

SHORTEST = 6
"""Folded characters a quote needs before a single slip can be told from another sentence."""
MOST_EDITS = 24
LONGEST_OMISSION = 6
_SPOKEN_IN_PASSING = frozenset(("那个", "这个", "就是", "就是说", "的话", "然后"))
_MOST_HITS_OF_A_PIECE = 64
_MOST_CANDIDATES = 32
_MOST_CHARACTERS_ALIGNED = 4_000


class Stretch(NamedTuple):
    """Characters [start, end) of a text, `distance` edits away from a quote."""

    start: int
    end: int
    distance: int


def allowed_edits(length: int) -> int:
    """One edit in five characters, but two in the shortest quotes; at most 24, and none below six characters."""
    return min(max(2, length // 5), MOST_EDITS) if length >= SHORTEST else 0


def stretches(quote: str, text: str) -> Iterator[Stretch]:
    """Places in `text` within the allowed edits of `quote`, most promising first. Lines are never crossed.

    At most 32 places are tried, and fewer for a long quote, so that a text of endless repetition costs no more than
    another.
    """
    allowed = allowed_edits(len(quote))
    if not allowed:
        return
    promise: defaultdict[int, float] = defaultdict(float)
    anchors: dict[int, tuple[int, int, int]] = {}
    for offset, piece in _pieces(quote, allowed + 1):
        hits = list(_hits(text, piece))
        for hit in hits:
            diagonal = (hit - offset) // (allowed + 1)
            promise[diagonal] += 1 / len(hits)  # a rare piece tells more than 您好
            anchors.setdefault(diagonal, (offset, hit, len(piece)))
    tries = min(_MOST_CANDIDATES, 1 + _MOST_CHARACTERS_ALIGNED // len(quote))
    for diagonal in nlargest(tries, promise, key=promise.__getitem__):
        stretch = _align(quote, text, anchors[diagonal], allowed)
        if stretch is not None:
            yield stretch


def says_the_same(
    quote: Folded, quote_guards: tuple[Guard, ...], text: Folded, text_guards: tuple[Guard, ...], stretch: Stretch
) -> bool:
    """May `stretch` of `text` stand for `quote`?

    Not when a guarded word differs, moved, or was left outside; not when a word became another word or the quote has
    a word more. What the quote left out passes, and so does a single character in six that differs.
    """
    start, end, _ = stretch
    if cuts(text, text_guards, start, end) or negated_from_behind(text_guards, end):
        return False
    inside = tuple(
        guard._replace(start=guard.start - start, end=guard.end - start)
        for guard in text_guards
        if start <= guard.start and guard.end <= end
    )
    if _guarded_words(inside) != _guarded_words(quote_guards):
        return False
    window = text.text[start:end]
    differences = list(_differences(quote.text, window))
    if sum(q1 < q2 for q1, q2, _, _ in differences) > len(quote.text) // SHORTEST:
        return False
    return all(
        _slight(quote.text[q1:q2], window[t1:t2])
        and not _touches(quote_guards, q1, q2)
        and not _touches(inside, t1, t2)
        for q1, q2, t1, t2 in differences
    )


def _pieces(quote: str, number: int) -> Iterator[tuple[int, str]]:
    borders = [len(quote) * i // number for i in range(number + 1)]
    return ((a, quote[a:b]) for a, b in pairwise(borders))


def _hits(text: str, piece: str) -> Iterator[int]:
    hit = text.find(piece)
    for _ in range(_MOST_HITS_OF_A_PIECE):
        if hit < 0:
            return
        yield hit
        hit = text.find(piece, hit + 1)


def _align(quote: str, text: str, anchor: tuple[int, int, int], allowed: int) -> Stretch | None:
    offset, hit, size = anchor
    line_start = text.rfind("\n", max(0, hit - offset - allowed), hit) + 1
    before = text[max(line_start, hit - offset - allowed) : hit]
    # a sentence's first word says who, its last is often a particle: only the first is replaced by what stands there
    left = _reach(quote[:offset][::-1], before[::-1], allowed, greedy=True)
    if left is None:
        return None
    rest = len(quote) - offset - size
    after = text[hit + size : hit + size + rest + allowed].partition("\n")[0]
    right = _reach(quote[offset + size :], after, allowed - left[0], greedy=False)
    if right is None:
        return None
    return Stretch(hit - left[1], hit + size + right[1], left[0] + right[0])


def _reach(part: str, text: str, allowed: int, *, greedy: bool) -> tuple[int, int] | None:
    """(fewest edits, length) of a beginning of `text` that stands for `part`.

    Of several lengths with as few edits, the one that keeps most of `part` (您好有什么 reaches over 您好请问有什么),
    and then the longest if `greedy`, else the shortest.
    """
    measure = _distances()
    best: tuple[int, int] | None = None
    for length in range(max(0, len(part) - allowed), min(len(text), len(part) + allowed) + 1):
        edits = measure.Levenshtein.distance(part, text[:length], score_cutoff=allowed)
        if edits > allowed or (best is not None and edits > best[0]):
            continue
        kept = measure.LCSseq.similarity
        if best is None or edits < best[0] or kept(part, text[:length]) + greedy > kept(part, text[: best[1]]):
            best = (edits, length)
    return best


def _differences(quote: str, window: str) -> Iterator[tuple[int, int, int, int]]:
    """Stretches between what is equal: quote [q1, q2) became window [t1, t2)."""
    q, t = 0, 0
    for block in _distances().Levenshtein.opcodes(quote, window):
        if block.tag == "equal":
            if (q, t) != (block.src_start, block.dest_start):
                yield q, block.src_start, t, block.dest_start
            q, t = block.src_end, block.dest_end
    if (q, t) != (len(quote), len(window)):
        yield q, len(quote), t, len(window)


def _slight(quoted: str, said: str) -> bool:
    if not said:
        return len(quoted) == 1 or quoted in _SPOKEN_IN_PASSING
    return len(said) <= LONGEST_OMISSION if not quoted else len(quoted) == 1 and len(said) <= 2


def _guarded_words(found: tuple[Guard, ...]) -> list[str]:
    return [guard.text for guard in found if guard.kind != "idiom"]


def _touches(found: tuple[Guard, ...], start: int, end: int) -> bool:
    """Does the difference lie in a guarded word, or split one, or split an idiom?"""
    for guard in found:
        touched = guard.start < end and start < guard.end
        if touched and not (guard.kind == "idiom" and start <= guard.start and guard.end <= end):
            return True
    return False


@lru_cache(maxsize=1)
def _distances() -> Any:
    from rapidfuzz import distance  # compiled; loaded when a first quote is not found verbatim

    return distance
