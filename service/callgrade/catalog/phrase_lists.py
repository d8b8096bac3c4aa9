"""Phrase lists: `rubrics/lists/<id>.yaml`, words that several rubrics look for. Loading a rubric resolves them."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from callgrade.catalog.faults import Fault, Problem
from callgrade.catalog.patterns import phrase_problems
from callgrade.catalog.placing import placed
from callgrade.catalog.resources import resource_folder
from callgrade.catalog.shape import parsed, shape_problems
from callgrade.catalog.yaml_source import YamlFile, read_yaml
from callgrade.domain.folding import fold
from callgrade.domain.frozen import Frozen, Id, LocalText
from callgrade.domain.rubrics import Phrases, Source

Word = Annotated[str, Field(min_length=1)]
Words = tuple[Word, ...]


class PhraseList(Frozen):
    """A named list of words to look for. Its fields mean what they mean in `Phrases`.

    `instead` says what may be said in place of what is found: 我帮您问了下 → 我帮您查了一下. It is for those who
    read the list. It finds nothing, so that it is no part of a rubric's digest, like the title and the source.
    """

    schema_: Literal["callgrade.phrases/1"] = Field(alias="schema")
    id: Id
    title: LocalText
    source: Source | tuple[Source, ...] | None = None
    source_notes: tuple[str, ...] = ()
    phrases: Words = ()
    patterns: Words = ()
    unless: Words = ()
    negation: Literal["keep", "drop"] = "keep"
    instead: dict[Word, Word] = Field(default_factory=dict)

    def as_phrases(self) -> Phrases:
        return Phrases(phrases=self.phrases, patterns=self.patterns, unless=self.unless, negation=self.negation)


def list_folders(rubric: Path | None) -> list[Path]:
    """Where a rubric's lists are looked for: beside the rubric's own folder, beside the file, then the shipped ones."""
    near = [] if rubric is None else [rubric.parent.parent / "lists", rubric.parent / "lists"]
    return [folder for folder in (*near, resource_folder("rubrics") / "lists") if folder.is_dir()]


def known_lists(rubric: Path | None) -> dict[str, Path]:
    """Id → file of every list within reach; the nearest folder wins."""
    found: dict[str, Path] = {}
    for folder in list_folders(rubric):
        for path in sorted(folder.glob("*.yaml")):
            found.setdefault(path.stem, path)
    return found


def read_list(path: Path, source: str | None = None) -> tuple[PhraseList | None, list[Fault]]:
    """The list in a file, and everything that is wrong with it; None with at least one error."""
    file = read_yaml(path, source)
    if file.root is None:
        return None, list(file.faults)
    faults = [*file.faults, *placed(_problems(file, path), file)]
    broken = any(fault.severity == "error" for fault in faults)
    return (None if broken else parsed(file.data, PhraseList)), faults


def _problems(file: YamlFile, path: Path) -> list[Problem]:
    problems = shape_problems(file.data, PhraseList)
    found = parsed(file.data, PhraseList) if isinstance(file.data, dict) else None
    if found is None:
        return problems
    if found.id != path.stem:
        message = f"id is {found.id!r}, but the file is {path.name}"
        problems.append(Problem(at=("id",), message=message, suggestion=f"write id: {path.stem} or rename the file"))
    if not (found.phrases or found.patterns):
        problems.append(Problem(message="the list is empty", suggestion="give phrases: or patterns:"))
        return problems
    for name in ("phrases", "patterns"):
        words: tuple[str, ...] = getattr(found, name)
        for i, word in enumerate(words):
            if word in words[:i]:
                problems.append(
                    Problem(at=(name, i), message=f"{word!r} stands twice", suggestion="remove one", severity="warning")
                )
    problems += phrase_problems(found.as_phrases(), ())
    if not any(problem.severity == "error" for problem in problems):
        problems += _counterpart_problems(found)
    return problems


def _counterpart_problems(found: PhraseList) -> list[Problem]:
    """What is replaced must be in the list, and what replaces it must not be."""
    problems: list[Problem] = []
    for said, allowed in found.instead.items():
        if not _says(found, said):
            message, suggestion = (
                f"the list does not find {said!r}",
                "add it to phrases: or patterns:, or remove it here",
            )
            problems.append(Problem(at=("instead", said), message=message, suggestion=suggestion))
        if _says(found, allowed):
            message, suggestion = f"the list finds {allowed!r} as well", "give words that it lets pass"
            problems.append(Problem(at=("instead", said), message=message, suggestion=suggestion))
    return problems


def _says(found: PhraseList, text: str) -> bool:
    """Whether any of the list's words stand in a text, exceptions and negation aside."""
    folded = fold(text).text
    if any(fold(phrase).text in folded for phrase in found.phrases):
        return True
    return any(re.search(pattern, folded) for pattern in found.patterns)
