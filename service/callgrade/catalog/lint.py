"""`rubric lint`: every fault of a rubric or phrase list at once, each with file, line, path and how to mend it."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from callgrade.catalog.checks import CHECKS
from callgrade.catalog.checks.texts import file_name_problems
from callgrade.catalog.draft import Draft, understand
from callgrade.catalog.error_names import resolve_errors
from callgrade.catalog.faults import Fault, Problem, did_you_mean
from callgrade.catalog.phrase_lists import PhraseList, known_lists, read_list
from callgrade.catalog.placing import placed
from callgrade.catalog.shape import shape_problems
from callgrade.catalog.yaml_source import YamlFile, read_yaml
from callgrade.domain.frozen import LocalText
from callgrade.domain.rubrics import Phrases, Rubric

NOT_IN_FILES = ("phrase_lists", "error_names")
"""Fields of a rubric that are resolved when it is loaded."""


class Checked(NamedTuple):
    """`rubric` is None exactly when a fault is an error."""

    rubric: Rubric | None
    faults: tuple[Fault, ...]


def lint(path: Path | str) -> list[Fault]:
    """Check a rubric, a phrase list, or every one under a folder. Raises nothing, whatever the files hold."""
    path = Path(path)
    if path.is_dir():
        files = sorted(found for found in path.rglob("*") if found.suffix in (".yaml", ".yml"))
        return [fault for file in files for fault in lint(file)]
    file = read_yaml(path)
    schema = file.data.get("schema") if isinstance(file.data, dict) else None
    if path.parent.name == "lists" or str(schema).startswith("callgrade.phrases/"):
        return read_list(path)[1]
    return list(check(file, path).faults)


def check(file: YamlFile, path: Path | None = None) -> Checked:
    """A parsed file as a rubric, its lists resolved, with everything that is wrong with it."""
    if file.root is None:
        return Checked(None, file.faults)
    problems = shape_problems(file.data, Rubric, skip=NOT_IN_FILES)
    lists: dict[str, Phrases] = {}
    names: dict[int, LocalText] = {}
    if isinstance(file.data, dict):
        draft = understand(file.data)
        problems += [problem for find in CHECKS for problem in find(draft)]
        problems += file_name_problems(draft, path) if path else []
        list_problems, lists = _resolve_lists(draft, path)
        problems += list_problems
        error_problems, names = resolve_errors(draft, path)
        problems += error_problems
    faults = [*file.faults, *placed(problems, file)]
    if any(fault.severity == "error" for fault in faults):
        return Checked(None, tuple(faults))
    try:
        rubric = Rubric.model_validate({**file.data, "phrase_lists": lists, "error_names": names})
    except ValidationError as error:  # something the type checks as a whole that none of the checks here foresaw
        rest = [Problem(message=str(found["msg"])) for found in error.errors(include_url=False)]
        return Checked(None, (*faults, *placed(rest, file)))
    return Checked(rubric, tuple(faults))


def _resolve_lists(draft: Draft, path: Path | None) -> tuple[list[Problem], dict[str, Phrases]]:
    """The lists that the rules name. A list that cannot be read is a problem of the rubric that names it."""
    known = known_lists(path)
    problems: list[Problem] = []
    lists: dict[str, Phrases] = {}
    for at, phrases in draft.phrases:
        for i, name in enumerate(phrases.lists):
            place = (*at, "lists", i)
            if name not in known:
                message = f"there is no phrase list {name!r}"
                problems.append(Problem(at=place, message=message, suggestion=did_you_mean(name, known)))
            elif name not in lists:
                found, faults = _list_in(known[name])
                if found is not None:
                    lists[name] = found.as_phrases()
                    continue
                first = next(fault for fault in faults if fault.severity == "error")
                message = f"the phrase list {name!r} has faults: {first}"
                problems.append(Problem(at=place, message=message, suggestion=f"mend {known[name].name}"))
    return problems, dict(sorted(lists.items()))


def _list_in(path: Path) -> tuple[PhraseList | None, tuple[Fault, ...]]:
    """As `read_list`, and only once for the many rubrics that name a list, as long as nobody writes to its file."""
    try:
        now = path.stat()
    except OSError:
        return _read_once(path, None)
    return _read_once(path, (now.st_mtime_ns, now.st_size, now.st_ino))


@lru_cache(maxsize=256)
def _read_once(path: Path, _as_of: tuple[int, int, int] | None) -> tuple[PhraseList | None, tuple[Fault, ...]]:
    found, faults = read_list(path)
    return found, tuple(faults)
