"""From a problem's place in a document to a line in a file and a path that people can read."""

from collections.abc import Iterable
from typing import Any

from callgrade.catalog.faults import Fault, Path_, Problem
from callgrade.catalog.yaml_source import YamlFile


def placed(problems: Iterable[Problem], file: YamlFile) -> list[Fault]:
    """The problems as faults, in the order of the file."""
    faults = [_placed(problem, file) for problem in dict.fromkeys(problems)]
    return sorted(faults, key=lambda fault: (fault.line, fault.column))


def _placed(problem: Problem, file: YamlFile) -> Fault:
    line, column = file.place(problem.at)
    return Fault(
        file=file.source,
        line=line,
        column=column,
        path=readable(problem.at, file.data),
        message=problem.message,
        suggestion=problem.suggestion,
        severity=problem.severity,
    )


def readable(at: Path_, data: Any) -> str:
    """`("criteria", 3, "scale")` as `criteria[fees-unclear].scale`; the number where the item has no id of its own."""
    text = ""
    for step in at:
        siblings = data
        data = _inside(data, step)
        if isinstance(step, str):
            text += f".{step}" if text else step
        else:
            text += f"[{_own_id(data, siblings) or step}]"
    return text


def _inside(data: Any, step: str | int) -> Any:
    if isinstance(data, dict):
        return data.get(step)
    return data[step] if isinstance(data, list) and isinstance(step, int) and step < len(data) else None


def _own_id(item: Any, siblings: list[Any]) -> str | None:
    if not isinstance(item, dict) or not isinstance(item.get("id"), str):
        return None
    same = [other for other in siblings if isinstance(other, dict) and other.get("id") == item["id"]]
    return str(item["id"]) if len(same) == 1 else None
