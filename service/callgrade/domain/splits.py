"""Who stands on which side: calls are split so that nobody's calls stand on two.

What an agent says in one call is like what they say in the next, and a customer who calls twice tells the same story.
So agents and customers who ever spoke with each other, directly or over others, are one group, and a group is placed
whole. (Grouped splits: the unit of generalisation is the person, not the call.)
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from callgrade.domain.golden import SPLITS, Split

Pair = tuple[str | None, str | None]
"""(agent, customer) of one call; None where it is not known."""
SHARES: Mapping[Split, float] = {"train": 0.4, "dev": 0.3, "holdout": 0.3}
"""Of the calls. They are met as nearly as whole groups allow."""
DRAWINGS = 1000
"""Of which the most even one is taken."""


def groups(pairs: Sequence[Pair]) -> list[list[int]]:
    """Connected components: the places of the calls of each, in the order of their first call. A call of which neither
    the agent nor the customer is known is a group of its own."""
    root = list(range(len(pairs)))

    def find(at: int) -> int:
        while root[at] != at:
            root[at] = at = root[root[at]]
        return at

    first: dict[tuple[str, str], int] = {}
    for place, pair in enumerate(pairs):
        for who in _named(pair):
            mine, theirs = find(place), find(first.setdefault(who, place))
            root[max(mine, theirs)] = min(mine, theirs)
    found: dict[int, list[int]] = {}
    for place in range(len(pairs)):
        found.setdefault(find(place), []).append(place)
    return list(found.values())


def draw(
    pairs: Sequence[Pair],
    seed: str,
    taken: Mapping[Split, int] | None = None,
    strata: Sequence[Collection[str]] = (),
) -> list[Split]:
    """The split of each call. Groups are shuffled by the seed and each goes whole where the most is missing of its
    share. `taken` is how many calls stand on each side already; they stay.

    With `strata` (what each call counts towards, in the order of `pairs`) it is drawn many times over, and the drawing
    whose strata come nearest to the shares is taken: no side shall be without a kind of call. It has to be done before
    anybody looks at an outcome. (Rerandomisation: Morgan and Rubin, Annals of Statistics 40, 2012.)
    """
    found = groups(pairs)
    if not strata:
        # the large ones first: the small ones then even out what these overshoot
        order = sorted(found, key=lambda members: (-len(members), _shuffled(seed, pairs[members[0]], members)))
        return _dealt(order, len(pairs), taken or {})
    drawings = []
    for number in range(DRAWINGS):
        order = sorted(found, key=lambda members: _shuffled(f"{seed} {number}", pairs[members[0]], members))
        drawings.append(_dealt(order, len(pairs), taken or {}))
    return min(drawings, key=lambda drawn: unevenness(drawn, strata))


def _dealt(order: Sequence[Sequence[int]], calls: int, taken: Mapping[Split, int]) -> list[Split]:
    count = {split: taken.get(split, 0) for split in SPLITS}
    total = sum(count.values()) + calls
    drawn: list[Split] = ["train"] * calls
    for group in order:
        side = max(SPLITS, key=lambda split: SHARES[split] * total - count[split])
        count[side] += len(group)
        for member in group:
            drawn[member] = side
    return drawn


def unevenness(drawn: Sequence[Split], strata: Sequence[Collection[str]]) -> float:
    """How far the strata are from their shares, 0 at best: chi-squared over strata and sides, and of the whole."""
    count: Counter[tuple[str, Split]] = Counter()
    total: Counter[str] = Counter()
    for split, names in zip(drawn, strata, strict=True):
        for name in ("", *names):
            count[name, split] += 1
            total[name] += 1
    found = 0.0
    for name, number in total.items():
        for split, share in SHARES.items():
            wanted = share * number
            found += (count[name, split] - wanted) ** 2 / wanted
    return found


class Standing:
    """Where everybody stands, to place more calls by."""

    def __init__(self, placed: Iterable[tuple[Pair, Split]] = ()):
        self._sides: dict[tuple[str, str], set[Split]] = {}
        for pair, split in placed:
            self.add(pair, split)

    def add(self, pair: Pair, split: Split) -> None:
        for who in _named(pair):
            self._sides.setdefault(who, set()).add(split)

    def sides(self, pair: Pair) -> set[Split]:
        """Where a call of this agent and customer has to stand: nowhere yet, on one side, or on two, and then it can
        stand on none."""
        return {side for who in _named(pair) for side in self._sides.get(who, ())}


def _named(pair: Pair) -> list[tuple[str, str]]:
    """The two by kind and name; an agent and a customer of the same name are two people."""
    return [(kind, who) for kind, who in zip(("agent", "customer"), pair, strict=True) if who is not None]


def astride(pairs: Sequence[Pair], splits: Sequence[Split]) -> list[str]:
    """The agents and customers whose calls stand on two sides; none, where the splits are what they should be."""
    sides: dict[str, set[Split]] = {}
    for pair, split in zip(pairs, splits, strict=True):
        for kind, who in _named(pair):
            sides.setdefault(f"{kind} {who}", set()).add(split)
    return sorted(who for who, found in sides.items() if len(found) > 1)


def _shuffled(seed: str, pair: Pair, members: Sequence[int]) -> str:
    named = "\x1f".join([seed, *(who or "" for who in pair), "" if any(pair) else str(members[0])])
    return hashlib.sha256(named.encode()).hexdigest()
