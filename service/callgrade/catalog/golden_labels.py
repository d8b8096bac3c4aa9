"""Labels as files: `golden_set/labels/<rater>.jsonl`, one a line, and what is wrong with them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import Field

from callgrade.catalog.faults import Fault, Problem
from callgrade.catalog.placing import readable
from callgrade.catalog.shape import parsed, shape_problems
from callgrade.domain.golden import Label

SCHEMA: Literal["callgrade.label/1"] = "callgrade.label/1"


class LabelLine(Label):
    """A label as it is written: with the name of its shape."""

    schema_: Literal["callgrade.label/1"] = Field(SCHEMA, alias="schema")


class Placed(NamedTuple):
    """A label and where it stands."""

    label: Label
    file: str
    line: int

    def fault(self, message: str, suggestion: str = "") -> Fault:
        return Fault(file=self.file, line=self.line, message=message, suggestion=suggestion)


def read_labels(path: Path) -> tuple[list[Placed], list[Fault]]:
    """The labels of a file and its faults. Never raises for what is in it."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        told = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else f"cannot be read: {error.strerror}"
        return [], [Fault(file=str(path), message=told)]
    return parse_labels(text, str(path))


def parse_labels(text: str, source: str, *, first_line: int = 1) -> tuple[list[Placed], list[Fault]]:
    """Blank lines are passed over. Lines end with a line feed alone: JSON may hold the other separators."""
    found: list[Placed] = []
    faults: list[Fault] = []
    for number, line in enumerate(text.split("\n"), start=first_line):
        if not line.strip():
            continue
        label, wrong = _label(line, source, number)
        faults += wrong
        if label is not None:
            found.append(Placed(label, source, number))
    return found, faults


def _label(line: str, source: str, number: int) -> tuple[Label | None, list[Fault]]:
    try:
        data: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None, [Fault(file=source, line=number, message="is no JSON", suggestion="one label a line")]
    return read_label(data, source, number)


def read_label(data: Any, source: str, number: int) -> tuple[Label | None, list[Fault]]:
    """The label in a document that stands in a line, or its faults."""
    if isinstance(data, dict) and "schema" not in data:
        return None, [Fault(file=source, line=number, message="has no schema", suggestion=f'add "schema": "{SCHEMA}"')]
    problems = shape_problems(data, LabelLine)
    label = None if problems else parsed(data, LabelLine)
    if label is None:
        faults = [_placed(problem, data, source, number) for problem in problems]
        return None, faults or [Fault(file=source, line=number, message=f"is no {SCHEMA}")]
    return Label(**{name: getattr(label, name) for name in Label.model_fields}), []


def _placed(problem: Problem, data: Any, source: str, number: int) -> Fault:
    told = {"message": problem.message, "suggestion": problem.suggestion}
    return Fault(file=source, line=number, path=readable(problem.at, data), **told)


def written(label: Label) -> str:
    """The label as a line, without its line end. Fields at their defaults are left out."""
    content = label.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return json.dumps({"schema": SCHEMA, **content}, ensure_ascii=False, separators=(", ", ": "))


def rules_broken(labels: Iterable[Placed], calls: Mapping[str, Any]) -> list[Fault]:
    """What shows only beside other labels, or the calls: each fault at its line."""
    faults: list[Fault] = []
    labels = list(labels)
    ratings: dict[tuple[str, str], set[str]] = {}
    for placed in labels:
        if placed.label.kind == "rating":
            ratings.setdefault((placed.label.call, placed.label.rubric), set()).add(placed.label.rater)
    seen: dict[tuple[str, str, str, str], Placed] = {}
    for placed in labels:
        label = placed.label
        if label.call not in calls:
            faults.append(placed.fault(f"there is no call {label.call!r}"))
        first = seen.setdefault((label.call, label.rubric, label.rater, label.kind), placed)
        if first is not placed:
            told = f"{label.rater} labelled {label.call} by {label.rubric} before ({first.file}:{first.line})"
            faults.append(placed.fault(told, "keep one of them"))
        raters = ratings.get((label.call, label.rubric), set())
        if label.kind == "adjudicated" and label.rater in raters:
            faults.append(
                placed.fault(f"{label.rater} rated {label.call} and adjudicates it", "let somebody else decide")
            )
        if label.kind == "adjudicated" and len(raters) < 2:
            faults.append(
                placed.fault(f"{label.call} is adjudicated, but has {len(raters)} rating(s)", "rate it twice")
            )
    return faults
