"""Points that add up, and lines, floors and grades that lie where they can be reached.

The sums are those of `domain/form.py`: a section earns its start and the best of its items and sub-sections; a bonus
may stand inside the declared maximum or on top of it.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple

from callgrade.catalog.draft import Draft, as_list
from callgrade.catalog.faults import Path_, Problem
from callgrade.domain.numbers import Exact, exact
from callgrade.domain.rubrics import Criterion, Section, Total
from callgrade.domain.scales import BonusScale, DeductScale


class Sum(NamedTuple):
    """What a part can earn, and what bonuses can add to that."""

    start: Exact
    items: Exact
    parts: Exact
    bonus: Exact

    @property
    def full(self) -> Exact:
        return self.start + self.items + self.parts

    def agrees_with(self, maximum: Exact) -> bool:
        return maximum in (self.full, self.full + self.bonus)

    def __str__(self) -> str:
        parts = [("start", self.start), ("items", self.items), ("sections", self.parts)]
        shown = " + ".join(f"{name} {_show(value)}" for name, value in parts if value or name == "start")
        bonus = f", or {_show(self.full + self.bonus)} with bonuses" if self.bonus else ""
        return f"{shown} = {_show(self.full)}{bonus}"


def point_problems(draft: Draft) -> Iterator[Problem]:
    doubtful = draft.sections_in_doubt()
    sums = _section_sums(draft)
    for at, section in draft.sections:
        yield from _section(at, section, sums.get(section.id), section.id in doubtful, draft)
        if section.combine == "mean" and section.id not in doubtful:
            yield from _uneven(at, draft, section.id, sums)
    if draft.total is not None:
        yield from _total(draft, draft.total, sums, in_doubt=None in doubtful)
        if draft.total.combine == "mean" and None not in doubtful:
            yield from _uneven(("total",), draft, None, sums)
    for at, criterion in draft.criteria:
        yield from _deduction(at, criterion)


def _section_sums(draft: Draft) -> dict[str, Sum]:
    """The sum of every section, sub-sections first; a section in a circle is left out."""
    sums: dict[str, Sum] = {}
    left = dict(draft.section_by_id)
    while left:
        ready = [id_ for id_ in left if not any(s.parent == id_ for s in left.values())]
        if not ready:
            break
        for id_ in ready:
            section = left.pop(id_)
            parts = [s for _, s in draft.sections if s.parent == id_ and s.id in sums]
            own = [c for _, c in draft.criteria if c.section == id_]
            sums[id_] = _sum_of_section(section, own, parts, sums)
    return sums


def _sum_of_section(section: Section, own: list[Criterion], parts: list[Section], sums: dict[str, Sum]) -> Sum:
    items = _earned(own)
    if section.start is not None:
        start = exact(section.start)
    else:
        start = 0 if section.max is None or items or parts else exact(section.max)
    bonus = _bonus(own) + _weighted_bonus(parts, sums)
    if section.combine == "mean":
        return Sum(0, best_of_a_mean([*_bests(own), *(_without_bonus(s, sums[s.id]) for s in parts)]), 0, bonus)
    return Sum(start, items, _weighted(parts, sums), bonus)


def best_of_a_mean(bests: Iterable[Exact]) -> Exact:
    """What a mean can come to, as `domain/form.py` has it: the best that one of its members can earn."""
    return max((best for best in bests if best > 0), default=0)


def _bests(criteria: Iterable[Criterion]) -> Iterator[Exact]:
    yield from (c.scale.best for c in criteria if not isinstance(c.scale, BonusScale) and c.scale.best > 0)


def _earned(criteria: Iterable[Criterion]) -> Exact:
    return sum(_bests(criteria))


def _bonus(criteria: Iterable[Criterion]) -> Exact:
    return sum(c.scale.best for c in criteria if isinstance(c.scale, BonusScale))


def _weighted(parts: Iterable[Section], sums: dict[str, Sum]) -> Exact:
    """What sections add without their bonuses. A wrong maximum is taken as it stands: one fault is enough."""
    return sum(exact(s.weight) * _without_bonus(s, sums[s.id]) for s in parts)


def _weighted_bonus(parts: Iterable[Section], sums: dict[str, Sum]) -> Exact:
    """What bonuses add beyond that, as far as the sections' declared maxima leave room for them."""
    return sum(exact(s.weight) * (_with_bonus(s, sums[s.id]) - _without_bonus(s, sums[s.id])) for s in parts)


def _without_bonus(section: Section, found: Sum) -> Exact:
    if section.max is None or found.agrees_with(exact(section.max)):
        return found.full
    return exact(section.max)


def _with_bonus(section: Section, found: Sum) -> Exact:
    return found.full + found.bonus if section.max is None else exact(section.max)


def _section(at: Path_, section: Section, found: Sum | None, in_doubt: bool, draft: Draft) -> Iterator[Problem]:
    if section.weight <= 0:
        yield Problem(at=(*at, "weight"), message="a weight must be above 0", suggestion="write 1 for its face value")
    empty = not any(
        item.get("section") == section.id for item in as_list(draft.raw.get("criteria")) if isinstance(item, dict)
    )
    if empty and not any(s.parent == section.id for _, s in draft.sections):
        message = f"the section {section.id!r} has no criteria"
        yield Problem(at=at, message=message, suggestion="remove it or give it criteria", severity="warning")
        return
    if found is None or in_doubt:
        return
    if section.max is not None and not found.agrees_with(exact(section.max)):
        message = f"max is {_show(section.max)}, but its points do not add up to it: {found}"
        mend = f"write max: {_show(found.full)} or mend the items"
        yield Problem(at=(*at, "max"), message=message, suggestion=mend)
    top = found.full + found.bonus if section.max is None else exact(section.max)
    yield from _bounds(at, top, section.start, section.floor, section.pass_line)


def _total(draft: Draft, total: Total, sums: dict[str, Sum], in_doubt: bool) -> Iterator[Problem]:
    outer = [s for _, s in draft.sections if s.parent is None]
    free = [c for _, c in draft.criteria if c.section is None]
    complete = not in_doubt and all(s.id in sums for s in outer)
    known = [s for s in outer if s.id in sums]
    bonus = _bonus(free) + _weighted_bonus(known, sums)
    if total.combine == "mean":
        members = [*_bests(free), *(_without_bonus(s, sums[s.id]) for s in known)]
        found = Sum(0, 0, best_of_a_mean(members), bonus)
    else:
        found = Sum(exact(total.start), _earned(free), _weighted(known, sums), bonus)
    if not complete or not draft.criteria:
        return
    at: Path_ = ("total",)
    if total.max is not None and not found.agrees_with(exact(total.max)):
        message = f"max is {_show(total.max)}, but the form does not add up to it: {found}"
        yield Problem(
            at=(*at, "max"), message=message, suggestion=f"write max: {_show(found.full)} or mend the sections"
        )
    top = found.full + found.bonus if total.max is None else exact(total.max)
    yield from _bounds(at, top, total.start, total.floor, total.pass_line)
    yield from _grades(total, top)


def _uneven(at: Path_, draft: Draft, id_: str | None, sums: dict[str, Sum]) -> Iterator[Problem]:
    """A mean of items that are worth different amounts would be none."""
    own = [c for _, c in draft.criteria if c.section == id_]
    parts = [s for _, s in draft.sections if s.parent == id_ and s.id in sums]
    bests = {*_bests(own), *(b for s in parts if (b := _without_bonus(s, sums[s.id])) > 0)}
    if len(bests) > 1:
        message = f"a mean of what earns {', '.join(_show(best) for best in sorted(bests))} at best says nothing"
        yield Problem(at=(*at, "combine"), message=message, suggestion="give all the same best, or write combine: sum")


def _bounds(
    at: Path_, top: Exact, start: Decimal | None, floor: Decimal | None, pass_line: Decimal | None
) -> Iterator[Problem]:
    for name, value in (("start", start), ("floor", floor), ("pass_line", pass_line)):
        if value is not None and value > top:
            message = f"{name} {_show(value)} lies above the maximum {_show(top)}"
            yield Problem(at=(*at, name), message=message, suggestion=f"write at most {_show(top)}")
    if floor is not None and pass_line is not None and pass_line <= floor:
        message = f"everybody meets the pass line {_show(pass_line)}: nothing falls below the floor {_show(floor)}"
        yield Problem(at=(*at, "pass_line"), message=message, suggestion="raise it, or remove it", severity="warning")


def _grades(total: Total, top: Exact) -> Iterator[Problem]:
    lines = [grade.at_least for grade in total.grades]
    seen: set[str] = set()
    for i, grade in enumerate(total.grades):
        at: Path_ = ("total", "grades", i)
        if grade.at_least > top:
            message = f"nobody can reach {_show(grade.at_least)} of {_show(top)}"
            yield Problem(at=(*at, "at_least"), message=message, suggestion=f"write at most {_show(top)}")
        if grade.id in seen:
            yield Problem(at=(*at, "id"), message=f"the grade id {grade.id!r} stands twice", suggestion="rename one")
        seen.add(grade.id)
        if grade.at_least in lines[:i]:
            message = f"a grade from {_show(grade.at_least)} stands above already, so this one is never given"
            yield Problem(at=(*at, "at_least"), message=message, suggestion="lower one of them")
    if lines != sorted(lines, reverse=True) and lines != sorted(lines):
        yield Problem(at=("total", "grades"), message="the grades are not in order", suggestion="write the best first")


def _deduction(at: Path_, criterion: Criterion) -> Iterator[Problem]:
    scale = criterion.scale
    if isinstance(scale, DeductScale) and scale.cap is not None and 0 < scale.cap < scale.points_:
        message = f"the cap {_show(scale.cap)} lies below what one occurrence costs, {_show(scale.points_)}"
        mend = f"write points: {_show(scale.cap)} or a higher cap"
        yield Problem(at=(*at, "scale", "cap"), message=message, suggestion=mend, severity="warning")


def _show(value: Exact | Decimal) -> str:
    return f"{float(value):g}"
