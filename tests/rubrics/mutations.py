"""Is every number of every rubric held by a hand-worked case? `python -m tests.rubrics.mutations [ID…]`

Changes each number of a rubric file in turn, one up and one down, and runs the rubric's hand-worked cases (nothing
else: no lock, no snapshot). A change that the linter refuses, or that makes a case fail, is caught; what survives is
listed with its place, and what cannot matter is explained below.
"""

import sys
import tempfile
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from callgrade.catalog.resources import resource_folder
from callgrade.catalog.rubrics import find_rubric, load_rubric
from callgrade.catalog.yaml_source import read_yaml
from callgrade.cli.output import to_json
from callgrade.domain.errors import RubricError
from callgrade.domain.rubrics import Rubric
from tests.rubrics import test_standards as standards
from tests.rubrics.hand_worked import FILES, read

Place = tuple[str | int, ...]
EXPLAINED = {
    "outbound-sales-qa.total.floor": "no part goes below zero, so the total cannot: the source says 不设倒扣分 of both",
    "outbound-sales-qa.sections.overall.floor": "nothing is deducted from 总体评价, whose lowest level is worth 0",
}
"""Numbers that the source gives and that no outcome can reach."""
STEP = {int: 1, float: 0.25}


def main(ids: list[str]) -> int:
    survivors = 0
    for path in FILES:
        if ids and path.stem not in ids:
            continue
        refused = failed = 0
        left: list[str] = []
        explained: set[str] = set()
        for place, value, mutated in mutants(path):
            if mutated is None:
                refused += 1
            elif caught(path, mutated):
                failed += 1
            elif f"{path.stem}.{place}" not in EXPLAINED:
                left.append(f"    {place} → {value}")
            else:
                explained.add(place)
        told = "".join(f", {place} cannot matter" for place in sorted(explained))
        print(f"{path.stem}: {failed} changes fail a case, {refused} lint refuses, {len(left)} survive{told}")
        print("\n".join(left), end="\n" if left else "", flush=True)
        survivors += len(left)
    return 1 if survivors else 0


def mutants(path: Path) -> Iterator[tuple[str, float, Rubric | None]]:
    """(place, new value, the changed rubric or None where it does not load)."""
    data = read_yaml(find_rubric(read(path).rubric)).data
    with tempfile.TemporaryDirectory() as folder:
        # the taxonomy and the lists stay as they are shipped
        file = Path(folder) / "rubrics" / data["id"] / "v1.yaml"
        file.parent.mkdir(parents=True)
        (file.parents[1] / "lists").symlink_to(resource_folder("rubrics") / "lists")
        for place, value in numbers(data):
            for changed in (value + STEP[type(value)], value - STEP[type(value)]):
                file.write_text(to_json(_with(data, place, changed), pretty=False), "utf-8")
                try:
                    yield _named(data, place), changed, load_rubric(file)
                except RubricError:
                    yield _named(data, place), changed, None


def numbers(value: Any, at: Place = ()) -> Iterator[tuple[Place, int | float]]:
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield at, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in items:
        yield from numbers(inner, (*at, step))


def caught(path: Path, rubric: Rubric) -> bool:
    """Whether any of the rubric's hand-worked cases fails on it."""
    before, standards.rubric_of = standards.rubric_of, lambda _: rubric  # type: ignore[assignment,misc]
    try:
        for case in read(path).cases:
            standards.test_a_case_worked_by_hand(path, case)
        standards.test_the_points_of_one_outcome_at_a_time(path)
        standards.test_the_programme_is_as_the_document_says(path)
        for call in read(path).calls:
            standards.test_a_call_that_rules_and_speech_facts_judge(path, call)
    except Exception:
        return True
    finally:
        standards.rubric_of = before
    return False


def _with(data: Any, place: Place, value: float) -> Any:
    changed = deepcopy(data)
    inner = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return changed


def _named(data: Any, place: Place) -> str:
    words = []
    for step in place:
        data = data[step]
        words.append(data["id"] if isinstance(data, dict) and "id" in data else str(step))
    return ".".join(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
