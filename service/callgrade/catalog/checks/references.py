"""Ids that stand twice, references into nothing, circles."""

from collections.abc import Iterable, Iterator, Mapping

from callgrade.catalog.draft import Draft
from callgrade.catalog.faults import Path_, Problem, did_you_mean
from callgrade.domain.scales import BonusScale, CountsAs, DeductScale, LevelsScale, ViolationScale


def reference_problems(draft: Draft) -> Iterator[Problem]:
    yield from _twice(draft.section_ids, "section")
    yield from _twice(draft.criterion_ids, "criterion")
    yield from _levels_twice(draft)
    yield from _unknown_sections(draft)
    yield from _unknown_criteria(draft)
    parents = {s.id: (s.parent,) if s.parent else () for _, s in draft.sections}
    yield from _circles(parents, draft.section_ids, "parent", "lies inside itself", "remove one of the parents")
    targets = {c.id: _counts_as(c.scale) for _, c in draft.criteria}
    at_effect = tuple(((*at, "scale", "effect"), id_) for at, id_ in draft.criterion_ids)
    yield from _circles(targets, at_effect, "counts_as", "counts as itself", "give one an effect of its own")


def _counts_as(scale: object) -> tuple[str, ...]:
    return scale.counts_as if isinstance(scale, ViolationScale) else ()


def _twice(ids: Iterable[tuple[Path_, str]], kind: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for at, id_ in ids:
        if id_ in seen:
            yield Problem(
                at=(*at, "id"), message=f"the {kind} id {id_!r} stands twice", suggestion="give one of them another id"
            )
        seen.add(id_)


def _levels_twice(draft: Draft) -> Iterator[Problem]:
    for at, criterion in draft.criteria:
        if isinstance(criterion.scale, LevelsScale):
            levels = (((*at, "scale", "levels", i), level.id) for i, level in enumerate(criterion.scale.levels))
            yield from _twice(levels, "level")


def _unknown_sections(draft: Draft) -> Iterator[Problem]:
    known = {id_ for _, id_ in draft.section_ids}
    named = [((*at, "section"), c.section) for at, c in draft.criteria]
    named += [((*at, "parent"), s.parent) for at, s in draft.sections]
    for at, id_ in named:
        if id_ is not None and id_ not in known:
            mend = did_you_mean(id_, known) or "add it under sections:"
            yield Problem(at=at, message=f"there is no section {id_!r}", suggestion=mend)


def _unknown_criteria(draft: Draft) -> Iterator[Problem]:
    known = {id_ for _, id_ in draft.criterion_ids}
    for at, criterion in draft.criteria:
        scale = criterion.scale
        if isinstance(scale, BonusScale):
            for i, id_ in enumerate(scale.requires_clean):
                if id_ not in known:
                    yield _no_criterion((*at, "scale", "requires_clean", i), id_, known)
        for target in _counts_as(scale):
            yield from _no_target((*at, "scale"), scale, target, draft)


def _no_target(at: Path_, scale: object, target: str, draft: Draft) -> Iterator[Problem]:
    plain = isinstance(scale, ViolationScale) and scale.effect == CountsAs(counts_as=target)
    place = (*at, "effect", "counts_as") if plain else (*at, "aggravated", "effect", "counts_as")
    known, by_id = {id_ for _, id_ in draft.criterion_ids}, draft.criterion_by_id
    if target not in known:
        yield _no_criterion(place, target, known)
    elif target in by_id and not isinstance(by_id[target].scale, ViolationScale | DeductScale):
        yield Problem(
            at=place,
            message=f"{target!r} has a {by_id[target].scale.kind} scale, which counts nothing",
            suggestion="name a criterion with a violation or deduct scale",
        )


def _no_criterion(at: Path_, id_: str, known: Iterable[str]) -> Problem:
    return Problem(at=at, message=f"there is no criterion {id_!r}", suggestion=did_you_mean(id_, known))


def _circles(
    follow: Mapping[str, tuple[str, ...]], ids: Iterable[tuple[Path_, str]], field: str, what: str, mend: str
) -> Iterator[Problem]:
    for at, id_ in ids:
        chain = _way_back(id_, (id_,), follow)
        if chain:
            yield Problem(at=(*at, field), message=f"{id_!r} {what} ({' > '.join([*chain, id_])})", suggestion=mend)


def _way_back(start: str, chain: tuple[str, ...], follow: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The way that leads from `start` back to it, or nothing."""
    for here in follow.get(chain[-1], ()):
        if here == start:
            return chain
        if here not in chain and (found := _way_back(start, (*chain, here), follow)):
            return found
    return ()
