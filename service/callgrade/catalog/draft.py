"""A rubric as far as it can be understood.

Lint must name every fault at once, so the checks run on whatever is valid: a criterion with a wrong type is left out,
and checks that would need it hold their tongue.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from callgrade.catalog.faults import Path_
from callgrade.catalog.shape import parsed
from callgrade.domain.programme import Programme
from callgrade.domain.rubrics import Criterion, Phrases, Section, Total

TRIGGERS = ("after", "before")


class Draft(NamedTuple):
    """`sections` and `criteria` are the valid ones with their places in the file; the `…_ids` are of all, as written.

    `phrases` are the valid ones that any rule looks for, in criteria that are themselves not valid too.
    """

    raw: Mapping[str, Any]
    total: Total | None
    total_is_known: bool
    sections: tuple[tuple[Path_, Section], ...]
    criteria: tuple[tuple[Path_, Criterion], ...]
    section_ids: tuple[tuple[Path_, str], ...]
    criterion_ids: tuple[tuple[Path_, str], ...]
    phrases: tuple[tuple[Path_, Phrases], ...]
    programme: Programme | None

    @property
    def section_by_id(self) -> dict[str, Section]:
        return {section.id: section for _, section in self.sections}

    @property
    def criterion_by_id(self) -> dict[str, Criterion]:
        return {criterion.id: criterion for _, criterion in self.criteria}

    @property
    def criteria_in_doubt(self) -> bool:
        """Whether a criterion is written that is not understood."""
        return len(self.criteria) < len(as_list(self.raw.get("criteria")))

    def sections_in_doubt(self) -> set[str | None]:
        """Sections whose sum cannot be checked, because something in them is not understood."""
        understood = {at for at, _ in (*self.sections, *self.criteria)}
        doubtful: set[str | None] = set()
        for key, inside in (("criteria", "section"), ("sections", "parent")):
            for number, item in enumerate(as_list(self.raw.get(key))):
                if (key, number) not in understood:
                    named = item.get(inside) if isinstance(item, dict) else None
                    doubtful.add(named if isinstance(named, str) else None)
        return doubtful


def understand(raw: Mapping[str, Any]) -> Draft:
    """Never raises, whatever `raw` holds."""
    total = None if raw.get("total") is None else parsed(raw["total"], Total)
    unset = "total" not in raw
    return Draft(
        raw=raw,
        total=Total() if unset else total,
        total_is_known=unset or raw["total"] is None or total is not None,
        sections=tuple((("sections", i), s) for i, s in _valid(raw.get("sections"), Section)),
        criteria=tuple((("criteria", i), c) for i, c in _valid(raw.get("criteria"), Criterion)),
        section_ids=tuple(_ids(raw, "sections")),
        criterion_ids=tuple(_ids(raw, "criteria")),
        phrases=tuple(_phrases(raw)),
        programme=None if raw.get("programme") is None else parsed(raw["programme"], Programme),
    )


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _valid(items: Any, model: type[Any]) -> Iterable[tuple[int, Any]]:
    for number, item in enumerate(as_list(items)):
        value = parsed(item, model) if isinstance(item, dict) else None
        if value is not None:
            yield number, value


def _ids(raw: Mapping[str, Any], key: str) -> Iterator[tuple[Path_, str]]:
    for number, item in enumerate(as_list(raw.get(key))):
        if isinstance(item, dict) and isinstance(item.get("id"), str):
            yield (key, number), item["id"]


def _phrases(raw: Mapping[str, Any]) -> Iterator[tuple[Path_, Phrases]]:
    for number, item in enumerate(as_list(raw.get("criteria"))):
        rule = item.get("rule") if isinstance(item, dict) else None
        for inside, holder in _holders(rule) if isinstance(rule, dict) else ():
            found = parsed(holder["find"], Phrases) if isinstance(holder, dict) and "find" in holder else None
            if found is not None:
                yield ("criteria", number, "rule", *inside, "find"), found


def _holders(rule: Mapping[str, Any]) -> Iterator[tuple[Path_, Any]]:
    """Whatever in a rule may hold a `find:`, with its place in the rule."""
    yield (), rule
    yield from (((name,), rule.get(name)) for name in TRIGGERS)
    yield from ((("only_if", number), trigger) for number, trigger in enumerate(as_list(rule.get("only_if"))))
