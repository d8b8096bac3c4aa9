"""Prompts are files: front matter, then blocks of text with strict variables.

    ---
    schema: callgrade.prompt/1
    id: judge
    version: v1
    status: draft
    title: {zh: …, en: …}
    variables: [rubric, transcript]
    ---
    ## system zh
    … {{ rubric }} …

A variable is replaced once, by text that is never looked at again: a transcript that contains `{{ rubric }}` or any
other template syntax stays what it is. There are no conditions, loops or filters. Declared, used and given
variables must be the same.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, ValidationError

from callgrade.catalog.faults import Fault, did_you_mean
from callgrade.catalog.resources import resource_folder
from callgrade.catalog.yaml_source import YamlFile, parse_yaml
from callgrade.domain.errors import NotFoundError, PromptError
from callgrade.domain.frozen import Frozen, Id, LocalText

VariableName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
MAX_BYTES = 200_000

_REFERENCE = re.compile(r"([a-z0-9]+(?:-[a-z0-9]+)*)(?:@(v[1-9][0-9]*))?")
_VARIABLE = re.compile(r"\{\{ *([a-z][a-z0-9_]*) *\}\}")
_LEFTOVER = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_HEADING = re.compile(r"##[ \t]+([a-z][a-z0-9-]*)[ \t]+(zh|en)[ \t]*")
_FRONT = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*$\n?", re.S | re.M)


class Template:
    """A text with holes, read once. `render` is one pass of joining: values are never searched for variables."""

    def __init__(self, source: str):
        pieces = _VARIABLE.split(source)
        if found := next(filter(None, map(_LEFTOVER.search, pieces[::2])), None):
            raise PromptError(
                f"{found[0]!r} is not a variable; write {{{{ name }}}}, and nothing else in double braces"
            )
        self.source = source
        self._literals, self._names = pieces[::2], pieces[1::2]
        self.variables = frozenset(self._names)

    def render(self, values: Mapping[str, str]) -> str:
        """The text with its holes filled. Raises PromptError for a variable missing or too many."""
        if values.keys() != self.variables:
            missing, unknown = self.variables - values.keys(), values.keys() - self.variables
            said = [
                f"{word} {', '.join(sorted(names))}"
                for word, names in (("missing", missing), ("unknown", unknown))
                if names
            ]
            raise PromptError(f"the prompt's variables do not match: {'; '.join(said)}")
        parts = [self._literals[0]]
        for name, literal in zip(self._names, self._literals[1:], strict=True):
            parts += (values[name], literal)
        return "".join(parts)


class Prompt(Frozen):
    """One version of a prompt. `blocks` maps `"<name> <language>"` to the text below that heading."""

    schema_: Literal["callgrade.prompt/1"] = Field(alias="schema")
    id: Id
    version: Annotated[str, Field(pattern=r"^v[1-9][0-9]*$")]
    status: Literal["draft", "published", "retired"] = "draft"
    title: LocalText = LocalText()
    variables: tuple[VariableName, ...] = ()
    blocks: Annotated[dict[str, str], Field(min_length=1)]

    @property
    def reference(self) -> str:
        return f"{self.id}@{self.version}"

    @cached_property
    def digest(self) -> str:
        """Of what reaches a model: neither status nor title nor a comment in the front matter changes it."""
        told = {"id": self.id, "version": self.version, "variables": sorted(self.variables), "blocks": self.blocks}
        canonical = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()

    def template(self, name: str, language: str) -> Template:
        """The block in `language`, or in the other one where it is missing. Raises PromptError when there is
        neither."""
        other = "en" if language == "zh" else "zh"
        source = self.blocks.get(f"{name} {language}", self.blocks.get(f"{name} {other}"))
        if source is None:
            raise PromptError(f"prompt {self.reference} has no block `## {name} {language}`; add it")
        return Template(source)


class _Block(NamedTuple):
    key: str
    line: int
    text: str


@lru_cache(maxsize=64)
def load_prompt(reference: str) -> Prompt:
    """A shipped prompt by `id` (its newest version) or `id@vN`. Raises NotFoundError, or PromptError naming every
    fault."""
    return read_prompt(find_prompt(reference))


def list_prompts() -> tuple[Prompt, ...]:
    """Every shipped prompt and version, by id, oldest version first."""
    found = [read_prompt(path) for path in resource_folder("prompts").glob("*/v*.md")]
    return tuple(sorted(found, key=lambda prompt: (prompt.id, int(prompt.version[1:]))))


def find_prompt(reference: str) -> Path:
    """The file of a shipped prompt, or of a path that ends in `.md`."""
    if reference.endswith(".md"):
        path = Path(reference)
        if not path.is_file():
            raise NotFoundError(f"there is no prompt file {reference}")
        return path
    matched, folder = _REFERENCE.fullmatch(reference), resource_folder("prompts")
    versions = sorted((folder / matched[1]).glob("v*.md"), key=_number) if matched else []
    chosen = [path for path in versions if matched and matched[2] in (None, path.stem)]
    if not chosen:
        known = [f"{p.parent.name}@{p.stem}" for p in folder.glob("*/v*.md")]
        raise NotFoundError(f"there is no prompt {reference!r}; {did_you_mean(reference, known)}")
    return chosen[-1]


def read_prompt(path: Path) -> Prompt:
    """Read one file. Raises PromptError that names every fault with file and line."""
    prompt, faults = _examine(path)
    if prompt is None or faults:
        raise PromptError(f"{path} has {len(faults)} fault(s):\n" + "\n".join(map(str, faults)))
    return prompt


def lint_prompt(path: Path) -> tuple[Fault, ...]:
    """Every fault of one file; empty when it is sound."""
    return _examine(path)[1]


def diff_prompts(before: str, after: str) -> str:
    """A unified diff of two prompts, each an `id@vN` or a path; empty when they say the same."""
    old, new = (find_prompt(ref).read_text("utf-8").splitlines(keepends=True) for ref in (before, after))
    return "".join(difflib.unified_diff(old, new, fromfile=before, tofile=after))


def _number(path: Path) -> int:
    return int(path.stem[1:]) if path.stem[1:].isdigit() else 0


def check_prompt(text: str, source: str) -> tuple[Prompt | None, tuple[Fault, ...]]:
    """A text as a prompt, with everything that is wrong with it; None with what cannot be read at all."""
    text = text.replace("\r\n", "\n")
    front = _FRONT.match(text)
    if front is None:
        return None, (Fault(file=source, message="has no front matter", suggestion="begin with ---, fields, ---"),)
    yaml = parse_yaml(front[1], source, first_line=2)
    blocks, faults = _blocks(text[front.end() :], source, text[: front.end()].count("\n") + 1)
    prompt, wrong = _validate(yaml, blocks)
    faults = [*yaml.faults, *wrong, *faults]
    if prompt is not None:
        faults += _variable_faults(prompt, blocks, yaml)
    return prompt, tuple(faults)


def _examine(path: Path) -> tuple[Prompt | None, tuple[Fault, ...]]:
    source = str(path)
    try:
        text = path.read_bytes()[:MAX_BYTES].decode("utf-8-sig")
    except OSError as error:
        return None, (Fault(file=source, message=f"cannot be read: {error.strerror}"),)
    except UnicodeDecodeError:
        return None, (Fault(file=source, message="is not UTF-8", suggestion="save the file as UTF-8"),)
    prompt, faults = check_prompt(text, source)
    if prompt is None:
        return None, faults
    front = _FRONT.match(text.replace("\r\n", "\n"))
    yaml = parse_yaml(front[1] if front else "", source, first_line=2)
    return prompt, (*faults, *_name_faults(prompt, path, yaml))


def _blocks(body: str, source: str, first_line: int) -> tuple[list[_Block], list[Fault]]:
    blocks: list[_Block] = []
    faults: list[Fault] = []
    lines: list[str] = []
    key, start = None, first_line
    for number, line in enumerate([*body.split("\n"), "## end zh"], first_line):
        heading = _HEADING.fullmatch(line)
        if heading is None:
            lines.append(line)
            continue
        text = "\n".join(lines).strip("\n")
        if key is not None:
            blocks.append(_Block(key, start, text))
        elif text.strip():
            faults.append(
                Fault(
                    file=source,
                    line=first_line,
                    message="text before the first heading",
                    suggestion="begin with `## system zh`",
                )
            )
        key, start, lines = f"{heading[1]} {heading[2]}", number, []
    return blocks, faults


def _validate(yaml: YamlFile, blocks: list[_Block]) -> tuple[Prompt | None, list[Fault]]:
    if yaml.root is None:
        return None, []
    if not isinstance(yaml.data, dict):
        return None, [
            Fault(file=yaml.source, line=2, message="the front matter is not a mapping", suggestion="write `id: …`")
        ]
    try:
        return Prompt.model_validate({**yaml.data, "blocks": {block.key: block.text for block in blocks}}), []
    except ValidationError as error:
        return None, [_pydantic_fault(yaml, dict(fault)) for fault in error.errors(include_url=False)]


def _pydantic_fault(yaml: YamlFile, fault: Mapping[str, object]) -> Fault:
    at = tuple(step for step in fault["loc"] if isinstance(step, str | int)) if isinstance(fault["loc"], tuple) else ()
    line, column = yaml.place(at)
    unknown = fault["type"] == "extra_forbidden"
    known = [field.alias or name for name, field in Prompt.model_fields.items() if name != "blocks"]
    return Fault(
        file=yaml.source, line=line, column=column, path=".".join(map(str, at)),
        message="is not a field" if unknown else str(fault["msg"]),
        suggestion=did_you_mean(str(at[-1]), known) if unknown and len(at) == 1 else "",
    )  # fmt: skip


def _variable_faults(prompt: Prompt, blocks: list[_Block], yaml: YamlFile) -> list[Fault]:
    faults: list[Fault] = []
    used: set[str] = set()
    seen: set[str] = set()
    for block in blocks:
        if block.key in seen:
            faults.append(Fault(file=yaml.source, line=block.line, message=f"the block {block.key!r} stands twice"))
        seen.add(block.key)
        if not block.text.strip():
            faults.append(Fault(file=yaml.source, line=block.line, message=f"the block {block.key!r} is empty"))
        try:
            names = Template(block.text).variables
        except PromptError as error:
            faults.append(Fault(file=yaml.source, line=block.line, path=block.key, message=str(error)))
            continue
        used |= names
        for name in sorted(names - set(prompt.variables)):
            mend = did_you_mean(name, prompt.variables) or "declare it under `variables:`"
            faults.append(
                Fault(
                    file=yaml.source,
                    line=block.line,
                    path=block.key,
                    message=f"unknown variable {name!r}",
                    suggestion=mend,
                )
            )
    line, column = yaml.place(("variables",))
    for name in sorted(set(prompt.variables) - used):
        faults.append(
            Fault(
                file=yaml.source,
                line=line,
                column=column,
                path="variables",
                message=f"{name!r} is declared and never used",
            )
        )
    return faults


def _name_faults(prompt: Prompt, path: Path, yaml: YamlFile) -> list[Fault]:
    """`judge/v1.md` must say that it is judge v1: a reference is a path."""
    wanted = {"id": path.parent.name, "version": path.stem}
    return [
        Fault(
            file=yaml.source,
            line=yaml.place((name,))[0],
            path=name,
            message=f"is {getattr(prompt, name)!r}, but the file's path says {said!r}",
        )
        for name, said in wanted.items()
        if getattr(prompt, name) != said
    ]
