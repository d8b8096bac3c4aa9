"""Who spoke when: arithmetic on spans of milliseconds [start, end). All of it sorts once and then walks."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise

Span = tuple[int, int]


def union(spans: Iterable[Span]) -> list[Span]:
    """The same time without overlaps, in order: what a side said over itself counts once. Empty spans vanish."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if start == end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def duration(spans: Iterable[Span]) -> int:
    """Milliseconds in all; of spans that do not overlap."""
    return sum(end - start for start, end in spans)


def gaps(merged: Sequence[Span]) -> list[Span]:
    """What lies between the spans of a union."""
    return [(end, start) for (_, end), (start, _) in pairwise(merged)]


def overlap(one: Sequence[Span], other: Sequence[Span]) -> int:
    """Milliseconds that lie in both of two unions."""
    i = j = total = 0
    while i < len(one) and j < len(other):
        (start, end), (other_start, other_end) = one[i], other[j]
        if start < other_end and other_start < end:
            total += min(end, other_end) - max(start, other_start)
        if end < other_end:
            i += 1
        else:
            j += 1
    return total


def broken_into(starts: Iterable[int], floor: Sequence[Span], *, head_start_ms: int, goes_on_ms: int) -> int:
    """How many of `starts` fall into a span of `floor` that began at least `head_start_ms` earlier and went on for
    more than `goes_on_ms`."""
    held = sorted(floor)
    begins = [start for start, _ in held]
    latest_end = list(accumulate((end for _, end in held), max))
    count = 0
    for start in starts:
        before = bisect_right(begins, start - head_start_ms)
        count += before > 0 and latest_end[before - 1] - start > goes_on_ms
    return count


def longest_between(between: Sequence[Span], start: int, end: int | None) -> Span | None:
    """The longest of the gaps `between` that begins in [start, end), or after `start` where there is no end."""
    first = bisect_left(between, (start, 0))
    last = len(between) if end is None else bisect_left(between, (end, 0))
    return max(between[first:last], key=lambda gap: gap[1] - gap[0], default=None)
