"""Who stands on which side: calls are split so that nobody's calls stand on two.

What an agent says in one call is like what they say in the next, and a customer who calls twice tells the same story.
So agents and customers who ever spoke with each other, directly or over others, are one group, and a group is placed
whole. (Grouped splits: the unit of generalisation is the person, not the call.)
"""

import hashlib
from collections.abc import Mapping, Sequence

from callgrade.domain.golden import SPLITS, Split

Pair = tuple[str | None, str | None]
"""(agent, customer) of one call; None where it is not known."""
SHARES: Mapping[Split, float] = {"train": 0.4, "dev": 0.3, "holdout": 0.3}
"""Of the calls. They are met as nearly as whole groups allow."""


def groups(pairs: Sequence[Pair]) -> list[list[int]]:
    """Connected components: the places of the calls of each, in the order of their first call. A call of which neither
    the agent nor the customer is known is a group of its own."""
    root = list(range(len(pairs)))

    def find(at: int) -> int:
        while root[at] != at:
            root[at] = at = root[root[at]]
        return at

    first: dict[tuple[str, str], int] = {}
    for place, (agent, customer) in enumerate(pairs):
        for who in (("agent", agent), ("customer", customer)):
            if who[1] is not None:
                mine, theirs = find(place), find(first.setdefault((who[0], who[1]), place))
                root[max(mine, theirs)] = min(mine, theirs)
    found: dict[int, list[int]] = {}
    for place in range(len(pairs)):
        found.setdefault(find(place), []).append(place)
    return list(found.values())


def draw(pairs: Sequence[Pair], seed: str, taken: Mapping[Split, int] | None = None) -> list[Split]:
    """The split of each call. Groups are shuffled by the seed and each goes whole where the most is missing of its
    share. `taken` is how many calls stand on each side already; they stay."""
    count = {split: (taken or {}).get(split, 0) for split in SPLITS}
    total = sum(count.values()) + len(pairs)
    drawn: list[Split] = ["train"] * len(pairs)
    # the large ones first: the small ones then even out what these overshoot
    for group in sorted(
        groups(pairs), key=lambda members: (-len(members), _shuffled(seed, pairs[members[0]], members))
    ):
        side = max(SPLITS, key=lambda split: SHARES[split] * total - count[split])
        count[side] += len(group)
        for place in group:
            drawn[place] = side
    return drawn


def place(pair: Pair, placed: Mapping[Pair, Split]) -> set[Split]:
    """Where a call of this agent and customer has to stand, by those that stand already: nowhere yet, on one side, or
    on two, and then it can stand on none."""
    agent, customer = pair
    return {
        split
        for (other_agent, other_customer), split in placed.items()
        if (agent is not None and agent == other_agent) or (customer is not None and customer == other_customer)
    }


def astride(pairs: Sequence[Pair], splits: Sequence[Split]) -> list[str]:
    """The agents and customers whose calls stand on two sides; none, where the splits are what they should be."""
    sides: dict[str, set[Split]] = {}
    for (agent, customer), split in zip(pairs, splits, strict=True):
        for kind, who in (("agent", agent), ("customer", customer)):
            if who is not None:
                sides.setdefault(f"{kind} {who}", set()).add(split)
    return sorted(who for who, found in sides.items() if len(found) > 1)


def _shuffled(seed: str, pair: Pair, members: Sequence[int]) -> str:
    named = "\x1f".join([seed, *(who or "" for who in pair), "" if any(pair) else str(members[0])])
    return hashlib.sha256(named.encode()).hexdigest()
