"""From standings to ranges: what each part of the form, and the whole, is worth or may still be worth.

Every step is monotone in every criterion, so the low end takes every criterion at its lowest and the high end at its
highest, but for two things that are settled apart: whether an item applies (`intervals`), and whether a bonus is
earned, which depends on other criteria being clean (the cases below).
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from callgrade.domain.form import Part
from callgrade.domain.intervals import Entry, Range, Unbounded, group_range
from callgrade.domain.numbers import Exact
from callgrade.domain.rubrics import Criterion
from callgrade.domain.scales import BonusScale, Effect
from callgrade.domain.standing import Standing

Standings = Mapping[str, Standing]


class Worth(NamedTuple):
    """A part's range while it applies; `optional` if it may not apply, `absent` if it certainly does not."""

    low: Exact | Unbounded
    high: Exact
    optional: bool = False
    absent: bool = False


def reckon(form: Part, standings: Standings) -> dict[str | None, Worth]:
    """The worth of every part by section id; the whole form's under None."""
    merged: dict[str | None, Worth] = {}
    for case in _cases(form, standings):
        worths: dict[str | None, Worth] = {}
        _worth(form, case, worths)
        for id_, worth in worths.items():
            known = merged.get(id_)
            merged[id_] = worth if known is None else _hull(known, worth)
    zeroed = zeroing(standings, "zero_call")
    if zeroed:
        merged[None] = _zero(merged[None], certain=zeroed == "certain")
    return merged


def zeroing(standings: Standings, effect: Effect, section: str | None = None) -> str | None:
    """`certain` or `possible` if a violation with this effect was found or may be; in one section, or anywhere."""
    verdict = None
    for standing in standings.values():
        if section is not None and standing.criterion.section != section:
            continue
        fewest, most = standing.with_effect(effect)
        if fewest:
            return "certain"
        if most:
            verdict = "possible"
    return verdict


def _hull(a: Worth, b: Worth) -> Worth:
    return Worth(min(a.low, b.low), max(a.high, b.high), a.optional or b.optional, a.absent and b.absent)


def _zero(worth: Worth, *, certain: bool) -> Worth:
    return worth._replace(low=min(worth.low, 0), high=min(worth.high, 0) if certain else worth.high)


def _worth(part: Part, standings: Standings, worths: dict[str | None, Worth]) -> Worth:
    entries = [Entry(part.start, part.start, part.start)] if part.start else []
    own = _own_group(part, standings)
    if own is not None:
        entries.append(own)
    low: Exact | Unbounded = 0
    high: Exact = 0
    for below in part.parts:
        worth = _worth(below, standings, worths)
        if worth.absent:
            continue
        ends = (below.weight * worth.low, below.weight * worth.high)
        if below.max:
            entries.append(Entry(*ends, below.weight * below.max, worth.optional))
        else:
            low, high = low + ends[0], high + ends[1]
    for criterion in part.extras:
        extra = _extra(standings[criterion.id])
        low, high = low + extra.low, high + extra.high
    worth = _bounded(part, group_range(entries, part.full), Range(low, high), entries)
    zeroed = part.id is not None and zeroing(standings, "zero_section", part.id)
    worths[part.id] = _zero(worth, certain=zeroed == "certain") if zeroed else worth
    return worths[part.id]


def _own_group(part: Part, standings: Standings) -> Entry | None:
    present = [s for s in (standings[c.id] for c in part.earners) if s.state != "absent"]
    full = sum(c.scale.best for c in part.earners)
    earned = group_range((Entry(s.low, s.high, s.criterion.scale.best, s.optional) for s in present), full)
    return earned and Entry(earned.low, earned.high, full, all(s.optional for s in present))


def _extra(standing: Standing) -> Range:
    if standing.state == "absent":
        return Range(0, 0)
    if standing.optional:
        return Range(min(standing.low, 0), max(standing.high, 0))
    return Range(standing.low, standing.high)


def _bounded(part: Part, earned: Range | None, extra: Range, entries: list[Entry]) -> Worth:
    if earned is None and part.full:
        # whatever could earn points does not apply: the part is left out, and its deductions with it
        return Worth(0, 0, absent=True)
    base = earned or Range(0, 0)
    low, high = base.low + extra.low, base.high + extra.high
    if part.floor is not None:
        low, high = max(low, part.floor), max(high, part.floor)
    low, high = min(low, part.max), min(high, part.max)
    return Worth(low, high, optional=bool(entries) and all(entry.optional for entry in entries))


def _cases(form: Part, standings: Standings) -> Iterator[Standings]:
    """The standings, once for every way the open bonuses may be won or lost."""
    cases: list[dict[str, Standing]] = [dict(standings)]
    for criterion in _bonuses(form):
        cases = [variant for case in cases for variant in _settle(case, criterion.id)]
    return iter(cases)


def _bonuses(part: Part) -> Iterator[Criterion]:
    yield from (c for c in part.extras if isinstance(c.scale, BonusScale) and c.scale.requires_clean)
    for below in part.parts:
        yield from _bonuses(below)


def _settle(case: dict[str, Standing], bonus_id: str) -> Iterator[dict[str, Standing]]:
    bonus = case[bonus_id]
    scale = bonus.criterion.scale
    if not isinstance(scale, BonusScale) or not bonus.high:
        yield case
        return
    required = [case[id_] for id_ in scale.requires_clean if id_ in case]
    lost = {**case, bonus_id: bonus._replace(low=0, high=0)}
    if any(standing.clean is False for standing in required):
        yield lost
        return
    unsettled = [standing for standing in required if standing.clean is None]
    yield {**case, **{s.criterion.id: _made_clean(s) for s in unsettled}}
    for standing in unsettled:
        yield {**lost, standing.criterion.id: _made_unclean(standing)}


def _made_clean(standing: Standing) -> Standing:
    best = standing.criterion.scale.best
    return standing._replace(low=best, high=best, fewest=0, most=0, grave_fewest=0, grave_most=0)


def _made_unclean(standing: Standing) -> Standing:
    return standing._replace(optional=False, fewest=max(1, standing.fewest) if standing.most else 0)
