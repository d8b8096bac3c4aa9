"""What differs between two JSON values: generic, so that a field added tomorrow is compared as well.

Lists of things with an `id` are compared thing by thing, and their order by itself; lists of plain values (words,
numbers) as what was added, removed or put in another order; other lists by their longest common run.
"""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, Literal, NamedTuple

Place = tuple[str | int, ...]
Kind = Literal["added", "removed", "changed", "moved"]


class Difference(NamedTuple):
    """`at` leads to it: field names, and in lists the thing's id or its number. A move is from place to place, from 1,
    or, in a list of plain values, from one order to another."""

    at: Place
    kind: Kind
    before: Any = None
    after: Any = None


def differences(before: Any, after: Any, at: Place = ()) -> Iterator[Difference]:
    """Every difference once, in the order of the fields. Yields nothing exactly when both are the same JSON."""
    if same(before, after):
        return
    if isinstance(before, dict) and isinstance(after, dict):
        yield from _in_mappings(before, after, at)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _in_lists(before, after, at)
    else:
        yield Difference(at, "changed", before, after)


def same(before: Any, after: Any) -> bool:
    """Whether both are the same JSON. `==` will not do: to Python, true is 1."""
    return _text(before) == _text(after)


def moves(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """The fewest ids that must have been moved, each with its place before and after, from 1. What stands in only one
    of the two moves nothing."""
    old = {id_: place for place, id_ in enumerate(before, 1)}
    common = [(id_, place) for place, id_ in enumerate(after, 1) if id_ in old]
    kept = _longest_rise([old[id_] for id_, _ in common])
    yield from ((id_, old[id_], place) for id_, place in common if old[id_] not in kept)


def _in_mappings(before: dict[str, Any], after: dict[str, Any], at: Place) -> Iterator[Difference]:
    if before.get("kind") != after.get("kind"):
        # another kind of thing: nothing inside of it can be compared
        yield Difference(at, "changed", before, after)
        return
    for name in dict.fromkeys((*before, *after)):
        if name not in after:
            yield Difference((*at, name), "removed", before[name])
        elif name not in before:
            yield Difference((*at, name), "added", after=after[name])
        else:
            yield from differences(before[name], after[name], (*at, name))


def _in_lists(before: list[Any], after: list[Any], at: Place) -> Iterator[Difference]:
    everything = [*before, *after]
    if all(isinstance(item, dict) and isinstance(item.get("id"), str) for item in everything):
        yield from _by_id(before, after, at)
    elif not any(isinstance(item, dict | list) for item in everything):
        yield from _in_values(before, after, at)
    else:
        yield from _in_sequences(before, after, at)


def _by_id(before: list[dict[str, Any]], after: list[dict[str, Any]], at: Place) -> Iterator[Difference]:
    old, new = ({item["id"]: item for item in items} for items in (before, after))
    yield from (Difference((*at, id_), "removed", item) for id_, item in old.items() if id_ not in new)
    yield from (Difference((*at, id_), "added", after=item) for id_, item in new.items() if id_ not in old)
    yield from (Difference((*at, id_), "moved", here, there) for id_, here, there in moves(tuple(old), tuple(new)))
    for id_ in new:
        if id_ in old:
            yield from differences(old[id_], new[id_], (*at, id_))


def _in_values(before: list[Any], after: list[Any], at: Place) -> Iterator[Difference]:
    old, new = Counter(map(_text, before)), Counter(map(_text, after))
    yield from (Difference(at, "removed", json.loads(text)) for text in (old - new).elements())
    yield from (Difference(at, "added", after=json.loads(text)) for text in (new - old).elements())
    if old == new:
        yield Difference(at, "moved", before, after)


def _in_sequences(before: list[Any], after: list[Any], at: Place) -> Iterator[Difference]:
    matcher = SequenceMatcher(None, [_text(item) for item in before], [_text(item) for item in after], autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        paired = min(end - start, new_end - new_start)
        for i in range(paired):
            yield from differences(before[start + i], after[new_start + i], (*at, new_start + i))
        yield from (Difference((*at, i), "removed", before[i]) for i in range(start + paired, end))
        yield from (Difference((*at, i), "added", after=after[i]) for i in range(new_start + paired, new_end))


def _longest_rise(places: Sequence[int]) -> set[int]:
    """A longest rising run among different numbers (patience sorting)."""
    tops: list[int] = []
    below: dict[int, int | None] = {}
    for place in places:
        pile = bisect_left(tops, place)
        below[place] = tops[pile - 1] if pile else None
        tops[pile : pile + 1] = [place]
    run: set[int] = set()
    here = tops[-1] if tops else None
    while here is not None:
        run.add(here)
        here = below[here]
    return run


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
