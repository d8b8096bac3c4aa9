"""The taxonomy of named errors: what the numbers in a criterion's `errors:` stand for.

It is a rubric itself (`error-list-50`), each of whose criteria carries its own number.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any

from callgrade.catalog.draft import Draft, as_list
from callgrade.catalog.faults import Problem
from callgrade.catalog.resources import resource_folder
from callgrade.catalog.yaml_source import read_yaml
from callgrade.domain.frozen import LocalText

TAXONOMY = "error-list-50"


def resolve_errors(draft: Draft, path: Path | None) -> tuple[list[Problem], dict[int, LocalText]]:
    """The names of the errors that the criteria point to, by number; a number without a name is a problem."""
    if draft.raw.get("id") == TAXONOMY:
        return [], {}
    named = {(at, i): number for at, c in draft.criteria for i, number in enumerate(c.errors)}
    if not named:
        return [], {}
    known = _names(path)
    problems = [
        Problem(
            at=(*at, "errors", i),
            message=f"there is no error {number} in {TAXONOMY}",
            suggestion=f"see `callgrade rubric show {TAXONOMY}`",
        )
        for (at, i), number in named.items()
        if number not in known
    ]
    return problems, {number: known[number] for number in sorted(set(named.values())) if number in known}


def _names(rubric: Path | None) -> dict[int, LocalText]:
    """From the taxonomy beside the rubric's own folder, else from the shipped one."""
    near = [] if rubric is None else [rubric.parent.parent]
    for folder in (*near, resource_folder("rubrics")):
        files = sorted((folder / TAXONOMY).glob("v*.yaml"), key=lambda file: (len(file.name), file.name))
        if files:
            return _read(files[-1], files[-1].stat().st_mtime_ns)
    return {}


@lru_cache(maxsize=8)
def _read(path: Path, _changed: int) -> dict[int, LocalText]:
    data = read_yaml(path).data
    criteria = as_list(data.get("criteria")) if isinstance(data, dict) else []
    return {number: _title(item) for item in criteria if isinstance(item, dict) for number in _numbers(item)}


def _numbers(item: dict[str, Any]) -> list[int]:
    return [number for number in as_list(item.get("errors")) if isinstance(number, int)]


def _title(item: dict[str, Any]) -> LocalText:
    title = item.get("title")
    texts = title if isinstance(title, dict) else {}
    return LocalText(zh=str(texts.get("zh") or ""), en=str(texts.get("en") or ""))
