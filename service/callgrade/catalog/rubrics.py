"""Rubrics: found by id, version or path; loaded with their lists; digested."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from callgrade.catalog.faults import did_you_mean
from callgrade.catalog.lint import NOT_IN_FILES, check
from callgrade.catalog.lock import hold_to_lock
from callgrade.catalog.resources import resource_folder
from callgrade.catalog.shape import parsed
from callgrade.catalog.yaml_source import read_yaml
from callgrade.domain.errors import NotFoundError, RubricError
from callgrade.domain.form import build
from callgrade.domain.frozen import Frozen, LocalText
from callgrade.domain.rubrics import Rubric, Source

SCHEMA_ID = "urn:callgrade:rubric:1"
_REFERENCE = re.compile(r"(?P<id>[^@/\\]+)(@(?P<version>v[0-9]+))?")
_STATUS = re.compile(r"^status: ([a-z]+)$", re.MULTILINE)
_VERSION_FILE = re.compile(r"v([1-9][0-9]*)\.yaml")


class RubricEntry(Frozen):
    """One shipped rubric file, as `rubric list` shows it.

    `languages` are those in which every title and all guidance is there. `points` is the most a call can earn, null
    where the form only counts; `combine` says whether the sections are added or averaged. `judges` is how many
    criteria each judge decides. A file that cannot be read has the status `broken`, and nothing is known of it.
    """

    id: str
    version: str
    status: str
    title: LocalText
    languages: tuple[str, ...] = ()
    criteria: int = 0
    points: float | None = None
    combine: Literal["sum", "mean"] | None = None
    judges: dict[str, int] = Field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    path: Path

    @property
    def reference(self) -> str:
        return f"{self.id}@{self.version}"


def list_rubrics() -> tuple[RubricEntry, ...]:
    """Every shipped rubric and version, by id, the newest version first. A broken file is listed as `broken`."""
    return tuple(_entry(id_, path) for id_, paths in sorted(_shipped().items()) for path in paths)


def shipped_statuses() -> dict[str, str]:
    """`id@vN` → the status that its file gives, of every shipped rubric, without reading the files as YAML. Empty where
    the status does not stand on a line of its own, as the shipped ones have it."""
    found = {}
    for id_, paths in sorted(_shipped().items()):
        for path in paths:
            status = _STATUS.search(path.read_text("utf-8"))
            found[f"{id_}@{path.stem}"] = status[1] if status else ""
    return found


def load_rubric(reference: str | Path) -> Rubric:
    """A rubric by `id` (its latest version), `id@vN`, or the path of a YAML file, with its phrase lists resolved.

    Raises NotFoundError when there is none, RubricError naming every fault when the file has any, or when a published
    version that ships with callgrade has been changed. Warnings do not keep a rubric from loading (`lint` shows them).
    """
    path = find_rubric(reference)
    checked = check(read_yaml(path), path)
    if checked.rubric is None:
        errors = tuple(str(fault) for fault in checked.faults if fault.severity == "error")
        raise RubricError(str(path), errors)
    if path.is_relative_to(resource_folder("rubrics")):
        hold_to_lock(checked.rubric, digest(checked.rubric), str(path))
    return checked.rubric


def find_rubric(reference: str | Path) -> Path:
    """The file behind a reference. Raises NotFoundError with what was perhaps meant."""
    text = str(reference)
    looks_like_a_file = text.endswith((".yaml", ".yml"))
    if isinstance(reference, Path) or looks_like_a_file or "/" in text or "\\" in text:
        path = Path(reference)
        # a reference may come from outside: no other kind of file is ever opened for one
        if not path.is_file() or not looks_like_a_file:
            raise NotFoundError(
                f"there is no rubric file {text}: give a path to a YAML file, or one of the shipped ids"
            )
        return path
    shipped = _shipped()
    match = _REFERENCE.fullmatch(text)
    id_ = match["id"] if match else text
    if match is None or id_ not in shipped:
        ids = ", ".join(shipped)
        raise NotFoundError(f"there is no rubric {text!r}: {_nearest(id_, shipped)}the rubrics are {ids}")
    paths = shipped[id_]
    if match["version"] is None:
        return paths[0]
    for path in paths:
        if path.stem == match["version"]:
            return path
    versions = ", ".join(path.stem for path in paths)
    raise NotFoundError(f"rubric {id_!r} has no version {match['version']}: it has {versions}")


def sources_of(rubric: Rubric) -> tuple[Source, ...]:
    """Where a rubric comes from: a file may write one source or several."""
    if rubric.source is None:
        return ()
    return rubric.source if isinstance(rubric.source, tuple) else (rubric.source,)


def resolved_json(rubric: Rubric) -> dict[str, Any]:
    """The rubric as `rubric show --json` prints it: every field, defaults and lists included."""
    return rubric.model_dump(mode="json", by_alias=True)


def canonical_json(rubric: Rubric) -> str:
    """What the digest is taken of: the resolved rubric, keys sorted, no white space.

    Fields at their defaults are left out, so that writing a default out, or a later callgrade with a new optional
    field, changes no digest. `status` is left out too: publishing or retiring a rubric does not make it another one.
    """
    content = rubric.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude={"status"})
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(rubric: Rubric) -> str:
    """`sha256:` and the SHA-256 of `canonical_json`. Takes about a millisecond: keep it where it is needed per call."""
    return "sha256:" + hashlib.sha256(canonical_json(rubric).encode()).hexdigest()


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a rubric FILE, for editors; committed as `rubrics/rubric.schema.json`."""
    schema = Rubric.model_json_schema(by_alias=True)
    for name in NOT_IN_FILES:
        del schema["properties"][name]
    _numbers_only(schema)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "callgrade rubric",
    }
    return {**head, **{key: value for key, value in schema.items() if key != "title"}}


def _numbers_only(schema: Any) -> None:
    """pydantic lets decimals be written as words; a rubric file writes numbers."""
    if isinstance(schema, list):
        for item in schema:
            _numbers_only(item)
    if not isinstance(schema, dict):
        return
    options = schema.get("anyOf", [])
    numbers = [option for option in options if option.get("type") == "number"]
    if numbers:
        kept = [option for option in options if option.get("type") != "string"]
        schema["anyOf"] = kept
        if len(kept) == 1:
            del schema["anyOf"]
            schema.update(kept[0])
    for value in list(schema.values()):
        _numbers_only(value)


def _shipped() -> dict[str, list[Path]]:
    """Id → its files, the newest version first."""
    found: dict[str, list[Path]] = {}
    for path in sorted(resource_folder("rubrics").glob("*/v*.yaml")):
        if _VERSION_FILE.fullmatch(path.name):
            found.setdefault(path.parent.name, []).append(path)
    return {id_: sorted(paths, key=_version, reverse=True) for id_, paths in found.items()}


def _version(path: Path) -> int:
    return int(path.stem[1:])


def _nearest(word: str, known: dict[str, list[Path]]) -> str:
    mend = did_you_mean(word, known)
    return f"{mend} " if mend.startswith("did") else ""


def _entry(id_: str, path: Path) -> RubricEntry:
    data = read_yaml(path).data
    rubric = parsed(data, Rubric) if isinstance(data, dict) else None
    if rubric is None:
        return RubricEntry(id=id_, version=path.stem, status="broken", title=LocalText(), path=path)
    total = rubric.total
    return RubricEntry(
        id=id_,
        version=path.stem,
        status=rubric.status,
        title=rubric.title,
        languages=tuple(language for language in LocalText.model_fields if _is_written_in(language, rubric)),
        criteria=len(rubric.criteria),
        points=None if total is None else float(build(rubric).max),
        combine=None if total is None else total.combine,
        judges=dict(Counter(criterion.judge for criterion in rubric.criteria)),
        sources=sources_of(rubric),
        path=path,
    )


def _is_written_in(language: str, rubric: Rubric) -> bool:
    texts = [rubric.title, *(section.title for section in rubric.sections)]
    for criterion in rubric.criteria:
        texts += [criterion.title, *([criterion.guidance] if criterion.guidance != LocalText() else [])]
    return all(getattr(text, language).strip() for text in texts)
