"""How many calls to draw, which ones, and how likely each of them was.

A drawing is reproducible: the order in which calls are taken is that of a hash of the seed and their ids, which is a
simple random sample without replacement for whoever does not choose ids by it. Every drawn call keeps its inclusion
probability, so that an estimate over the sample can weigh by it (Horvitz and Thompson, 1952).
"""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from callgrade.domain.conditions import holds
from callgrade.domain.frozen import Frozen
from callgrade.domain.programme import Sampling

Share = Annotated[float, Field(gt=0, lt=1)]


class Candidate(Frozen):
    """A call that may be drawn. `facts` are the call's, with its agent's among them."""

    id: str
    agent_id: str | None = None
    facts: Mapping[str, JsonValue] = Field(default_factory=dict)


class Drawn(Frozen):
    """`probability` is 0..1, that of this call within its stratum. `instead`: it stands in for another kind."""

    id: str
    stratum: str
    probability: Annotated[float, Field(gt=0, le=1)]
    instead: bool = False


class Stratum(Frozen):
    """What was there, wanted and drawn of one stratum; `short` is by how many it fell short, stand-ins counted."""

    name: str
    population: int
    wanted: int
    drawn: int
    instead: int = 0

    @property
    def short(self) -> int:
        return max(0, self.wanted - self.drawn - self.instead)


def sample_size(population: int, *, confidence: Share = 0.95, margin: Share = 0.05, share: Share = 0.5) -> int:
    """Calls to draw so that a share among `population` calls is known to ± `margin` at this confidence.

    n0 = z² p (1 − p) / e², with the finite-population correction n = n0 / (1 + (n0 − 1) / N), rounded up (Cochran,
    Sampling Techniques, 1977, 4.4). `share` is the expected one; 0.5 is the worst case. 0 of none.
    """
    if population <= 0:
        return 0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    unlimited = z * z * share * (1 - share) / (margin * margin)
    return min(population, math.ceil(unlimited / (1 + (unlimited - 1) / population)))


def shuffled(ids: Iterable[str], seed: str) -> list[str]:
    """In an order that the seed alone decides."""
    return sorted(ids, key=lambda id_: (hashlib.sha256(f"{seed}\0{id_}".encode()).digest(), id_))


def draw(
    quota: Sampling, population: Sequence[Candidate], seed: str, *, margin: float = 0.05
) -> tuple[tuple[Drawn, ...], tuple[Stratum, ...]]:
    """What one quota of a programme draws: so many per agent, so many in all, a share, or as many as a confidence asks.

    Each number that is given must be met; `in_all` is filled up over all agents after `per_agent`. Where calls of the
    wanted kind are too few, those that meet `instead` stand in.
    """
    wanted = [call for call in population if _meets(quota, call)]
    spare = [call for call in population if quota.instead and holds(quota.instead, call.facts) is True]
    drawn: list[Drawn] = []
    strata: list[Stratum] = []
    if quota.per_agent is not None:
        for agent in sorted({call.agent_id for call in (*wanted, *spare) if call.agent_id is not None}):
            some, stratum = _stratum(
                f"agent:{agent}",
                [call.id for call in wanted if call.agent_id == agent],
                [call.id for call in spare if call.agent_id == agent],
                quota.per_agent,
                seed,
            )
            drawn += some
            strata.append(stratum)
    at_least = in_all(quota, len(wanted), margin=margin)
    taken = {one.id for one in drawn}
    if at_least > len(taken):
        some, stratum = _stratum(
            "all",
            [call.id for call in wanted if call.id not in taken],
            [call.id for call in spare if call.id not in taken],
            at_least - len(taken),
            seed,
        )
        drawn += some
        strata.append(stratum)
    return tuple(drawn), tuple(strata)


def in_all(quota: Sampling, population: int, *, margin: float = 0.05) -> int:
    """How many a quota asks for over all agents: the most that any of its numbers asks."""
    asked = [quota.in_all or 0]
    if quota.share is not None:
        asked.append(math.ceil(population * quota.share))
    if quota.confidence is not None and quota.confidence < 1:
        asked.append(sample_size(population, confidence=float(quota.confidence), margin=margin))
    return max(asked)


def together(probabilities: Iterable[float]) -> float:
    """Of being drawn at all, by drawings that know nothing of each other."""
    missed = 1.0
    for probability in probabilities:
        missed *= 1 - probability
    return 1 - missed


Unusual = Literal["short", "long"]


def unusual(durations_ms: Mapping[str, int], *, fence: float = 1.5, fewest: int = 20) -> dict[str, Unusual]:
    """Calls that are far shorter or longer than the others: beyond `fence` times the interquartile range on a
    logarithmic scale (Tukey's fences; durations are skewed). None below `fewest` calls: there is no "usual" yet."""
    known = {id_: math.log(ms) for id_, ms in durations_ms.items() if ms > 0}
    if len(known) < fewest:
        return {}
    values = sorted(known.values())
    low, high = _quantile(values, 0.25), _quantile(values, 0.75)
    reach = fence * (high - low)
    found: dict[str, Unusual] = {}
    for id_, value in known.items():
        if value < low - reach:
            found[id_] = "short"
        elif value > high + reach:
            found[id_] = "long"
    return found


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between the two nearest (Hyndman and Fan's type 7)."""
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def _meets(quota: Sampling, call: Candidate) -> bool:
    return holds(quota.calls, call.facts) is True and holds(quota.who, call.facts) is True


def _stratum(
    name: str, wanted: Sequence[str], spare: Sequence[str], number: int, seed: str
) -> tuple[list[Drawn], Stratum]:
    first = shuffled(wanted, f"{seed}\0{name}")[:number]
    left = [id_ for id_ in spare if id_ not in set(wanted)]
    stand_ins = shuffled(left, f"{seed}\0{name}\0instead")[: number - len(first)]
    drawn = [Drawn(id=id_, stratum=name, probability=len(first) / len(wanted)) for id_ in first]
    drawn += [Drawn(id=id_, stratum=name, probability=len(stand_ins) / len(left), instead=True) for id_ in stand_ins]
    stratum = Stratum(name=name, population=len(wanted), wanted=number, drawn=len(first), instead=len(stand_ins))
    return drawn, stratum
