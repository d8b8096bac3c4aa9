"""Ratings from a CSV file, by criterion; what is wrong is named by file and line, with what to do."""

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from callgrade.cli.agree_scales import Scale, Scales, scale_of
from callgrade.domain.errors import InputError
from callgrade.stats.ratings import Ratings, Row
from callgrade.stats.results import WrongRatings

NEEDED = ("item", "rater", "rating")
KNOWN = (*NEEDED, "criterion", "agent")


@dataclass(frozen=True, slots=True)
class Rated:
    """One criterion's ratings. `scale` is None for a measure (interval or ratio without a scale)."""

    criterion: str
    ratings: Ratings
    scale: Scale | None


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    item: str
    rater: str
    rating: str
    agent: str | None


def read_ratings(path: Path, scales: Scales) -> list[Rated]:
    """By criterion, in the order of the file. Raises InputError."""
    by_criterion: dict[str, list[_Line]] = {}
    for criterion, line in _lines(path):
        by_criterion.setdefault(criterion, []).append(line)
    if not by_criterion:
        raise InputError(f"{path}: holds no ratings under its header")
    if "" in by_criterion and any(scales.by_criterion):
        raise InputError(f"{path}: has no column criterion: leave the name before = out of --scale")
    unknown = scales.by_criterion.keys() - by_criterion.keys() - {""}
    if unknown:
        raise InputError(
            f"{path}: no criterion {', '.join(sorted(unknown))} (as in --scale); there are {', '.join(by_criterion)}"
        )
    return [_rated(path, criterion, lines, scales) for criterion, lines in by_criterion.items()]


def _lines(path: Path) -> Iterator[tuple[str, _Line]]:
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    try:
        header = _header(path, next(reader, []))
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            yield _line(path, reader.line_num, header, cells)
    except csv.Error as error:
        raise InputError(
            f"{path}:{reader.line_num}: is not CSV ({error}): look for a quotation mark too many"
        ) from None


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not UTF-8: save it as “CSV UTF-8”") from None


def _header(path: Path, cells: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in cells]
    if not any(names):
        raise InputError(f"{path}:1: no header: the first line names item,rater,rating[,criterion][,agent]")
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        raise InputError(f"{path}:1: columns are separated by semicolons or tabs: save it with commas")
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise InputError(
            f"{path}:1: no column {', '.join(missing)}: the first line names item,rater,rating[,criterion][,agent]"
        )
    twice = sorted({name for name in names if name in KNOWN and names.count(name) > 1})
    if twice:
        raise InputError(f"{path}:1: the column {twice[0]} stands twice: rename one")
    return names


def _line(path: Path, number: int, header: list[str], cells: list[str]) -> tuple[str, _Line]:
    if len(cells) != len(header):
        raise InputError(
            f"{path}:{number}: {len(cells)} cells, but the first line names {len(header)} columns: "
            "put text with commas in quotation marks"
        )
    row = {name: cell.strip() for name, cell in zip(header, cells, strict=True) if name in KNOWN}
    for name in ("item", "rater", "criterion"):
        if row.get(name) == "":
            raise InputError(f"{path}:{number}: no {name}: every rating has one")
    line = _Line(number, row["item"], row["rater"], row["rating"], row.get("agent") or None)
    return row.get("criterion", ""), line


def _rated(path: Path, criterion: str, lines: list[_Line], scales: Scales) -> Rated:
    scale = scales.of(criterion)
    if scale is None and scales.kind not in ("interval", "ratio"):
        scale = _from_file(path, criterion, lines, scales)
    _check_places(path, lines)
    rows = (
        Row(item=line.item, rater=line.rater, rating=_number(path, line, scale), agent=line.agent) for line in lines
    )
    kind = scale.kind if scale else scales.kind or "interval"
    try:
        ratings = Ratings.from_rows(rows, categories=scale.numbers if scale else None, kind=kind)
    except WrongRatings as error:
        raise InputError(f"{path}: {error}") from None
    return Rated(criterion, ratings, scale)


def _from_file(path: Path, criterion: str, lines: list[_Line], scales: Scales) -> Scale:
    """Without --scale, what occurs is all there is."""
    labels = tuple(sorted({line.rating for line in lines if line.rating}))
    where = f"{path}: {criterion}" if criterion else f"{path}"
    if len(labels) < 2:
        raise InputError(f"{where}: only one value occurs, so the scale cannot be guessed: name it with --scale")
    if scales.kind == "ordinal" and not all(map(_is_number, labels)):
        raise InputError(f"{where}: words have no order of their own: name it with --scale, lowest first")
    return scale_of(labels, scales.kind, where, given=False)


def _check_places(path: Path, lines: list[_Line]) -> None:
    """One rating by one rater for an item, and one agent for it: the lines are named where it is not so."""
    seen: dict[tuple[str, str], int] = {}
    agents: dict[str, tuple[str, int]] = {}
    for line in lines:
        before = seen.setdefault((line.item, line.rater), line.number)
        if before != line.number:
            raise InputError(
                f"{path}:{line.number}: {line.rater} has rated {line.item} already in line {before}: "
                "keep one, or name the criteria in a column criterion"
            )
        if line.agent is not None:
            agent, first = agents.setdefault(line.item, (line.agent, line.number))
            if agent != line.agent:
                raise InputError(
                    f"{path}:{line.number}: {line.item} has another agent in line {first}: mend one of them"
                )


def _number(path: Path, line: _Line, scale: Scale | None) -> float | None:
    if not line.rating:
        return None
    place = f"{path}:{line.number}"
    if scale is not None and scale.words:
        if line.rating not in scale.labels:
            raise InputError(
                f"{place}: {line.rating} is not on the scale {', '.join(scale.labels)}: mend it, or --scale"
            )
        return float(scale.labels.index(line.rating))
    if not _is_number(line.rating):
        raise InputError(f"{place}: {line.rating} is no number: mend it, or leave it empty where the rating is missing")
    value = float(line.rating)
    if scale is not None and not any(math.isclose(value, n, abs_tol=1e-9) for n in scale.numbers):
        half = ", or allow half points: --scale 1..5:0.5" if value % 1 == 0.5 else ", or --scale"
        raise InputError(f"{place}: {line.rating} is not on the scale {', '.join(scale.labels)}: mend it{half}")
    return value


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
