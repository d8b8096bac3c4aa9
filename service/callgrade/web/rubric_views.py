"""Rubrics as their pages show them: the list, and what differs between two versions, worked out beforehand."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any, NamedTuple

from callgrade.catalog.diff import Change, RubricDiff
from callgrade.db.tables import Release, RubricVersion
from callgrade.domain.frozen import LocalText
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations import registry
from callgrade.evaluations.report.marks import Tone
from callgrade.evaluations.rubric_page.say import Say

STATUS: dict[str, Tone] = {"published": "good", "draft": "open", "retired": "none"}
KINDS: dict[str, Tone] = {"added": "good", "removed": "bad", "renamed": "open", "moved": "open", "changed": "partly"}
GROUPS = (("rubric", "total"), ("section",), ("criterion",), ("programme",), ("list",), ("error",))
IN_HEADER = ("id", "version", "status")


class Version(NamedTuple):
    """`releases` are those that name it, the newest first."""

    version: str
    status: str
    tone: Tone
    digest: str
    releases: tuple[Release, ...]


class Listed(NamedTuple):
    """One rubric with its versions, the newest first; `criteria` counts those of the newest."""

    id: str
    title: LocalText
    criteria: int
    versions: tuple[Version, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text: `same`, `gone` or `new`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One field that differs. `place` is where in it."""

    label: str
    place: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """A criterion, a section, … that is not the same."""

    id: str
    title: str
    kind: str
    tone: Tone
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Group:
    of: str
    things: tuple[Thing, ...]


def listed(rows: Sequence[RubricVersion], releases: Iterable[Release]) -> list[Listed]:
    """`rows` by id, the newest first."""
    found = []
    every = list(releases)
    for id_, those in groupby(rows, key=lambda row: row.id):
        versions = tuple(those)
        newest = registry.parsed(versions[0])
        found.append(Listed(id_, newest.title, len(newest.criteria), tuple(_version(row, every) for row in versions)))
    return found


def _version(row: RubricVersion, releases: list[Release]) -> Version:
    named = tuple(release for release in releases if release.rubric_digest == row.digest)
    return Version(row.version, row.status, STATUS.get(row.status, "none"), row.digest, named)


def groups_of(found: RubricDiff, before: Rubric, after: Rubric, language: str) -> list[Group]:
    """Every change, thing by thing, in the order of the later version."""
    say = Say(language)
    groups = []
    for kinds in GROUPS:
        changes = [c for c in found.changes if c.of in kinds and not (c.of == "rubric" and c.field in IN_HEADER)]
        by_thing: dict[str, list[Change]] = {}
        for change in changes:
            by_thing.setdefault(str(change.id or ""), []).append(change)
        if by_thing:
            things = [_thing(id_, those, before, after, say) for id_, those in by_thing.items()]
            groups.append(Group(say(f"diff.of.{kinds[0]}"), tuple(things)))
    return groups


def _thing(id_: str, changes: list[Change], before: Rubric, after: Rubric, say: Say) -> Thing:
    whole = next((c for c in changes if c.aspect == "presence"), None)
    kind = whole.kind if whole is not None else changes[0].kind if len({c.kind for c in changes}) == 1 else "changed"
    kind = kind if kind in ("added", "removed") and whole is not None else "changed"
    rows = () if whole is not None else tuple(_row(change, say) for change in changes)
    rubric = before if kind == "removed" else after
    return Thing(id_, _title(id_, changes[0], rubric, say), kind, KINDS[kind], rows)


def _title(id_: str, change: Change, rubric: Rubric, say: Say) -> str:
    if change.of == "criterion" and id_ in rubric.by_id:
        return say.text(rubric.by_id[id_].title)
    if change.of == "section":
        return next((say.text(section.title) for section in rubric.sections if section.id == id_), "")
    return ""


def _row(change: Change, say: Say) -> Row:
    field = str(change.field or change.of)
    label = say.known(f"form.{field}", say.known(field, field))
    inner = change.path.rpartition(f".{field}")[2].strip(".")
    return Row(label, inner, tuple(compared(_text(change.before), _text(change.after))))


def compared(before: str, after: str) -> Iterable[Piece]:
    """Character by character where they have much in common, else the one and then the other."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    if not before or not after or len(before) * len(after) > 1_000_000 or matcher.ratio() < 0.4:
        yield from (Piece(kind, text) for kind, text in (("gone", before), ("new", after)) if text)
        return
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            yield Piece("same", before[a:b])
            continue
        yield from (Piece(kind, text) for kind, text in (("gone", before[a:b]), ("new", after[c:d])) if text)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
