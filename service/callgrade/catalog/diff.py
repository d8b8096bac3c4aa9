"""Two rubrics compared: what was added, removed, moved or changed, and what that does to the totals they allow."""

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import JsonValue

from callgrade.catalog.changes import Difference, Place, differences, moves
from callgrade.catalog.rubrics import digest, resolved_json
from callgrade.domain.form import Part, build
from callgrade.domain.frozen import Frozen
from callgrade.domain.intervals import Unbounded
from callgrade.domain.numbers import Exact
from callgrade.domain.reckoning import Worth, reckon
from callgrade.domain.rubrics import Rubric
from callgrade.domain.standing import INFINITE, standings

Kind = Literal["added", "removed", "renamed", "moved", "changed"]
Of = Literal["rubric", "total", "section", "criterion", "programme", "list", "error"]

_KINDS_OF_THING: dict[str, Of] = {
    "total": "total",
    "sections": "section",
    "criteria": "criterion",
    "programme": "programme",
    "phrase_lists": "list",
    "error_names": "error",
}
_ASPECTS = {
    "title": "wording",
    "guidance": "wording",
    "section": "order",
    "parent": "order",
    "pass_line": "pass_line",
    "grades": "grades",
    "judge": "judge",
    "rule": "rule",
    "speech": "speech",
    "when": "applicability",
    "applies_when": "applicability",
    "not_applicable": "applicability",
    "source": "source",
    "source_notes": "source",
    "id": "identity",
    "version": "identity",
    "status": "identity",
}
_ONE_ASPECT: dict[Of, str] = {"list": "words", "error": "wording", "programme": "programme"}


class Side(Frozen):
    """One of the two rubrics."""

    id: str
    version: str
    status: str
    digest: str


class Change(Frozen):
    """One thing that is not the same.

    `of` and `id` say of what (`criterion` fees-unclear), `field` which field of it, `aspect` in what respect: wording,
    points, effect, scale (another kind), judge, rule, speech, words, order, limits, pass_line, grades, …. `path` is the
    place: `criteria[fees-unclear].scale.cap`. `before` is null for what was added, `after` for what was removed. A move
    is from place to place in the file, from 1.
    """

    of: Of
    id: str | None
    kind: Kind
    field: str | None = None
    aspect: str
    path: str
    before: JsonValue = None
    after: JsonValue = None


class TotalRange(Frozen):
    """The lowest and the highest total that any call can have. `low` is None where nothing bounds it from below."""

    low: float | None
    high: float
    max: float


class RangeChange(Frozen):
    """A range before and after; None for a section that is not there, or a form that only counts."""

    id: str | None
    before: TotalRange | None
    after: TotalRange | None


class RubricDiff(Frozen):
    """`same_content`: one digest; then only the status can differ. `total` and `sections` are what can be scored."""

    before: Side
    after: Side
    same_content: bool
    total: RangeChange
    sections: tuple[RangeChange, ...]
    """Those whose range is another one, sections of the later rubric first."""
    changes: tuple[Change, ...]


def diff_rubrics(before: Rubric, after: Rubric) -> RubricDiff:
    """Compare two rubrics as they are resolved, lists included. Nothing of the schema is left out."""
    old, new = _side(before), _side(after)
    ranges, new_ranges = possible_totals(before), possible_totals(after)
    ids = dict.fromkeys((*new_ranges, *ranges))
    compared = {id_: RangeChange(id=id_, before=ranges.get(id_), after=new_ranges.get(id_)) for id_ in ids}
    return RubricDiff(
        before=old,
        after=new,
        same_content=old.digest == new.digest,
        total=compared.pop(None, RangeChange(id=None, before=None, after=None)),
        sections=tuple(change for change in compared.values() if change.before != change.after),
        changes=tuple(_changes(resolved_json(before), resolved_json(after))),
    )


def possible_totals(rubric: Rubric) -> dict[str | None, TotalRange]:
    """What each section, and under None the whole form, can be worth for any call; no whole where it only counts."""
    form = build(rubric)
    worths = reckon(form, standings(rubric, {}, {}))
    ranges = {part.id: _range(part, worths[part.id]) for part in parts_of(form)}
    if rubric.total is None:
        del ranges[None]
    return ranges


def parts_of(part: Part) -> Iterator[Part]:
    """A part of a form and everything in it."""
    yield part
    for below in part.parts:
        yield from parts_of(below)


def _range(part: Part, worth: Worth) -> TotalRange:
    return TotalRange(low=_number(worth.low), high=float(worth.high), max=float(part.max))


def _number(value: Exact | Unbounded) -> float | None:
    return None if value == -INFINITE else float(value)


def _side(rubric: Rubric) -> Side:
    return Side(id=rubric.id, version=rubric.version, status=rubric.status, digest=digest(rubric))


def _changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys((*before, *after)):
        if name in ("sections", "criteria"):
            yield from _in_things(before[name], after[name], name)
        else:
            found = differences(before.get(name), after.get(name), (name,))
            yield from (_described(difference) for difference in found)


def _in_things(before: list[Any], after: list[Any], name: str) -> Iterator[Change]:
    """Sections or criteria: as any list by id, but that one with a new id and its old title is told as renamed."""
    of = _KINDS_OF_THING[name]
    old, new = ({item["id"]: item for item in items} for items in (before, after))
    renamed = _renamed(old, new)
    for id_, item in old.items():
        if id_ not in new and id_ not in renamed.values():
            yield Change(of=of, id=id_, kind="removed", aspect="presence", path=f"{name}[{id_}]", before=item)
    now = {earlier: id_ for id_, earlier in renamed.items()}
    moved = {id_: places for id_, *places in moves([now.get(id_, id_) for id_ in old], list(new))}
    for id_, item in new.items():
        told = {"of": of, "id": id_, "path": f"{name}[{id_}]"}
        earlier = old.get(renamed.get(id_, id_))
        if earlier is None:
            yield Change(**told, kind="added", aspect="presence", after=item)
            continue
        if id_ in renamed:
            yield Change(**told, kind="renamed", field="id", aspect="identity", before=renamed[id_], after=id_)
        if id_ in moved:
            here, there = moved[id_]
            yield Change(**told, kind="moved", field="order", aspect="order", before=here, after=there)
        yield from map(_described, differences({**earlier, "id": id_}, item, (name, id_)))


def _renamed(old: dict[str, Any], new: dict[str, Any]) -> dict[str, str]:
    """New id → old id, where exactly one thing that went away and one that came have the same title."""
    gone, come = (
        [(id_, item["title"]) for id_, item in these.items() if id_ not in those]
        for these, those in ((old, new), (new, old))
    )
    pairs = {}
    for id_, title in come:
        same_title = [other for other, its in gone if its == title]
        if len(same_title) == 1 and sum(its == title for _, its in come) == 1 and any(title.values()):
            pairs[id_] = same_title[0]
    return pairs


def _described(difference: Difference) -> Change:
    at = difference.at
    of = _KINDS_OF_THING.get(str(at[0]), "rubric")
    named = of in ("section", "criterion", "list", "error") and len(at) > 1
    within = at if of == "rubric" else at[2 if named else 1 :]
    return Change(
        of=of,
        id=str(at[1]) if named else None,
        kind=difference.kind,
        field=str(within[0]) if within else None,
        aspect=_aspect(of, within),
        path=_path(at),
        before=difference.before,
        after=difference.after,
    )


def _aspect(of: Of, within: Place) -> str:
    if not within:
        return "presence"
    if of in _ONE_ASPECT:
        return _ONE_ASPECT[of]
    field = str(within[0])
    if field == "scale":
        return _aspect_of_scale(within)
    return _ASPECTS.get(field, "limits" if of in ("section", "total") else field)


def _aspect_of_scale(within: Place) -> str:
    """`scale` for another kind of scale, `wording` for its texts, `effect` of a violation, `points` for the rest."""
    if len(within) == 1:
        return "scale"
    if any(step in ("title", "unit") for step in within):
        return "wording"
    return "effect" if any(step in ("severity", "effect") for step in within) else "points"


def _path(at: Place) -> str:
    text = str(at[0])
    in_list = at[0] in ("sections", "criteria", "phrase_lists", "error_names")
    for i, step in enumerate(at[1:]):
        bracketed = isinstance(step, int) or (in_list and i == 0) or at[i] in ("levels", "grades")
        text += f"[{step}]" if bracketed else f".{step}"
    return text
