"""A rubric as a tree ready for arithmetic: what each part starts with, earns, and may be worth.

The root stands for the total. Built once for a rubric, and once more for each selection of its criteria.
"""

from collections.abc import Collection, Sequence
from decimal import Decimal
from typing import NamedTuple

from callgrade.domain.numbers import Exact, exact
from callgrade.domain.rubrics import Criterion, Rubric, Section, Total
from callgrade.domain.scales import BonusScale


class Part(NamedTuple):
    """A section, or the whole form (`id` None).

    `full` is what start, items and sub-sections can earn together (in a mean: the best that one of them can earn),
    `max` the declared cap, or full plus bonuses.
    `earners` rescale when some of them do not apply; `extras` (deductions, violations, bonuses) count at face value.
    """

    id: str | None
    start: Exact
    full: Exact
    max: Exact
    floor: Exact | None
    weight: Exact
    earners: tuple[Criterion, ...]
    extras: tuple[Criterion, ...]
    parts: tuple["Part", ...]


def build(rubric: Rubric, keep: Collection[str] | None = None) -> Part:
    """The form, or what remains of it when only the criteria in `keep` are looked at.

    A form with criteria struck out has no declared maxima any more: they follow from what is left.
    """
    criteria = [c for c in rubric.criteria if keep is None or c.id in keep]
    total = rubric.total or Total()

    def parts_of(parent: str | None) -> list[Part]:
        made = (section_part(section) for section in rubric.sections if section.parent == parent)
        return [part for part in made if part.earners or part.extras or part.parts]

    def section_part(section: Section) -> Part:
        cap = section.max if keep is None else None
        start = exact(section.start) if section.start is not None else _start(section, rubric)
        own = [c for c in criteria if c.section == section.id]
        mean = section.combine == "mean"
        return _part(section.id, own, parts_of(section.id), start, (cap, section.floor), exact(section.weight), mean)

    cap = total.max if keep is None else None
    top = [c for c in criteria if c.section is None]
    mean = total.combine == "mean"
    return _part(None, top, parts_of(None), exact(total.start), (cap, total.floor), 1, mean)


def _start(section: Section, rubric: Rubric) -> Exact:
    """A section of deductions holds its maximum before anything is judged; one that is earned holds nothing."""
    own = [c for c in rubric.criteria if c.section == section.id]
    earned = any(_earns(c) for c in own) or any(s.parent == section.id for s in rubric.sections)
    deducts = any(not isinstance(c.scale, BonusScale) for c in own)
    return exact(section.max) if section.max is not None and deducts and not earned else 0


def _earns(criterion: Criterion) -> bool:
    return criterion.scale.best > 0 and not isinstance(criterion.scale, BonusScale)


def _part(
    id_: str | None,
    criteria: Sequence[Criterion],
    parts: Sequence[Part],
    start: Exact,
    bounds: tuple[Decimal | None, Decimal | None],
    weight: Exact,
    mean: bool,
) -> Part:
    earners = tuple(c for c in criteria if _earns(c))
    extras = tuple(c for c in criteria if not _earns(c))
    full = start + sum(c.scale.best for c in earners) + sum(part.weight * part.max for part in parts)
    if mean:
        # what applies is rescaled to the best that one of them can earn: their mean, if all can earn the same
        full = max([*(c.scale.best for c in earners), *(part.max for part in parts)], default=full)
    bonus = sum(c.scale.best for c in extras if isinstance(c.scale, BonusScale))
    cap, floor = bounds
    return Part(
        id=id_,
        start=start,
        full=full,
        max=full + bonus if cap is None else exact(cap),
        floor=None if floor is None else exact(floor),
        weight=weight,
        earners=earners,
        extras=extras,
        parts=tuple(parts),
    )
