"""The scales that `agree` is told of: `1,2,3`, `1..5`, `1..5:0.5`, `no,yes`, each for all criteria or for one."""

import re
from dataclasses import dataclass
from typing import Literal

import typer

from callgrade.stats.ratings import Kind, steps
from callgrade.stats.results import WrongRatings

_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\.\.(-?\d+(?:\.\d+)?)(?::(\d+(?:\.\d+)?))?")
_MOST = 200
"""Points of a scale: more is a measure and no scale."""


@dataclass(frozen=True, slots=True)
class Scale:
    """`labels` in order, and their numbers; words are numbered from 0."""

    kind: Kind
    labels: tuple[str, ...]
    numbers: tuple[float, ...]
    words: bool
    given: bool = True
    """False where it was taken from the file."""


@dataclass(frozen=True, slots=True)
class Scales:
    kind: Kind | None
    by_criterion: dict[str, Scale]
    """Under "" the one for all others."""

    @classmethod
    def parse(cls, given: list[str], kind: Kind | None) -> "Scales":
        if not given and kind is None:
            raise typer.BadParameter(
                "say what the ratings can be: --scale 1,2,3,4,5 (or 1..5, 1..5:0.5, no,yes), or at least --kind nominal"
            )
        found: dict[str, Scale] = {}
        for text in given:
            criterion, sign, values = text.partition("=")
            name = criterion.strip() if sign else ""
            if name in found:
                raise typer.BadParameter(f"--scale {text}: there is a scale for {name or 'all criteria'} already")
            found[name] = parse_scale(values if sign else text, kind)
        return cls(kind, found)

    def of(self, criterion: str) -> Scale | None:
        return self.by_criterion.get(criterion) or self.by_criterion.get("")


def parse_scale(text: str, kind: Kind | None) -> Scale:
    """Raises BadParameter with what to write in its place."""
    span = _RANGE.fullmatch(text.strip())
    try:
        if span:
            numbers = steps(float(span[1]), float(span[2]), float(span[3] or 1))
            labels = tuple(f"{number:g}" for number in numbers)
        else:
            labels = tuple(part.strip() for part in text.split(","))
            numbers = ()
    except (WrongRatings, ValueError) as error:
        raise typer.BadParameter(f"--scale {text}: {error}") from None
    if "" in labels or len(labels) < 2:
        raise typer.BadParameter(f"--scale {text}: name at least two values, with commas between them")
    if len(labels) > _MOST:
        raise typer.BadParameter(f"--scale {text}: {len(labels)} values; leave --scale out and say --kind interval")
    return (
        scale_of(labels, kind, f"--scale {text}") if not numbers else Scale(kind or "ordinal", labels, numbers, False)
    )


def scale_of(labels: tuple[str, ...], kind: Kind | None, place: str, *, given: bool = True) -> Scale:
    """From labels: numbers rise, words keep their order."""
    if len(set(labels)) < len(labels):
        raise typer.BadParameter(f"{place}: a value stands twice")
    try:
        numbers = tuple(map(float, labels))
    except ValueError:
        if kind in ("interval", "ratio"):
            raise typer.BadParameter(f"{place}: --kind {kind} needs numbers") from None
        return Scale(kind or "nominal", labels, tuple(map(float, range(len(labels)))), True, given)
    in_order = sorted(zip(numbers, labels, strict=True))
    if len(set(numbers)) < len(numbers):
        raise typer.BadParameter(f"{place}: a value stands twice")
    default: Literal["ordinal"] = "ordinal"
    return Scale(kind or default, tuple(x for _, x in in_order), tuple(x for x, _ in in_order), False, given)
