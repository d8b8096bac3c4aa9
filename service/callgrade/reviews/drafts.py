"""Rubrics that somebody is writing: one open draft a rubric, checked as it stands, saved against the version that was
read. A published version is never touched; to publish a draft is another room's business, which then closes it here."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Literal

import yaml
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.catalog import digest, load_rubric
from callgrade.catalog.faults import Fault
from callgrade.catalog.lint import NOT_IN_FILES, Checked, check
from callgrade.catalog.prompts import Prompt, check_prompt, find_prompt, read_prompt
from callgrade.catalog.rubrics import find_rubric
from callgrade.catalog.yaml_source import parse_yaml
from callgrade.db.session import Database
from callgrade.db.tables import Draft, PromptVersion, RubricVersion
from callgrade.db.types import now
from callgrade.domain.errors import CallgradeError, ConflictError, InputError
from callgrade.domain.frozen import Frozen
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations import registry
from callgrade.reviews import drafts_repository as drafts

Kind = Literal["rubric", "prompt"]
RUBRIC: Kind = "rubric"
LONGEST = 200_000
"""Characters; the longest that ships has a quarter of it."""


class StaleDraftError(ConflictError):
    """Somebody saved in between: `text` is what they saved, `version` is now current, 0 where the draft was closed."""

    def __init__(self, text: str, version: int):
        self.text, self.version = text, version
        super().__init__("somebody saved this draft meanwhile; look at both and save again")


class Written(Frozen):
    """A draft as it stands. `version` 0: nobody has saved it yet, and `text` is what it would begin with."""

    rubric_id: str
    based_on: str
    text: str
    version: int
    written_at: datetime | None


class Drafts:
    """One a process; threads share it."""

    def __init__(self, database: Database, *, clock: Callable[[], datetime] = now, kind: Kind = RUBRIC):
        self._database, self._clock, self._kind = database, clock, kind

    def saved(self, session: Session, visitor: Principal, subject: str) -> Written | None:
        """The open draft in the caller's session; None where nobody has saved one."""
        visitor.reach("rubrics:write")
        row = drafts.open_one(session, visitor.client_id, self._kind, subject)
        return None if row is None else _written(row)

    def look(self, visitor: Principal, rubric_id: str, version: str | None = None) -> Written:
        """The open draft, or where there is none, what one would begin with: `version` of the rubric, or its newest, as
        the next draft. Raises ForbiddenError, NotFoundError."""
        visitor.reach("rubrics:write")
        with self._database.reading() as session:
            row = drafts.open_one(session, visitor.client_id, self._kind, rubric_id)
            if row is not None:
                return _written(row)
            reference = f"{rubric_id}@{version}" if version else rubric_id
            base: RubricVersion | PromptVersion
            if self._kind == RUBRIC:
                base = registry.rubric_version(session, reference)
                text = as_next(text_of(base), registry.next_rubric_version(session, rubric_id))
            else:
                base = registry.prompt_version(session, reference)
                text = as_next(text_of_prompt(base), registry.next_prompt_version(session, rubric_id))
            return Written(rubric_id=rubric_id, based_on=base.version, text=text, version=0, written_at=None)

    def save(self, visitor: Principal, rubric_id: str, based_on: str, text: str, expected: int) -> Written:
        """`expected` is the version that was read, 0 for a draft that nobody has saved yet. Faults keep nothing from
        being saved. Raises StaleDraftError, InputError for a text that is too long or no text."""
        visitor.reach("rubrics:write")
        if visitor.user_id is None:
            raise ConflictError("only a person can write a draft; an API key has no name to answer with")
        text = plain(text)
        with self._database.writing() as session:
            # whoever begins a draft does so alone
            base = drafts.hold_version(session, self._kind, rubric_id, based_on)
            row = drafts.open_one(session, visitor.client_id, self._kind, rubric_id, hold=True)
            if (row.version if row else 0) != expected:
                raise StaleDraftError(row.text if row else "", row.version if row else 0)
            if row is None:
                row = Draft(
                    client_id=visitor.client_id,
                    kind=self._kind,
                    subject=rubric_id,
                    based_on=base.version,
                    text=text,
                    version=0,
                    written_by=visitor.user_id,
                )
            row.text, row.written_by, row.version, row.updated_at = text, visitor.user_id, expected + 1, self._clock()
            session.add(row)
            session.flush()
            audit.record(session, visitor, "draft.saved", row.id, {self._kind: rubric_id, "version": row.version})
            return _written(row)

    def close(self, visitor: Principal, rubric_id: str, expected: int) -> None:
        """Nobody goes on with it; it stays in the database. Raises StaleDraftError. Closing twice is once."""
        visitor.reach("rubrics:write")
        with self._database.writing() as session:
            row = drafts.open_one(session, visitor.client_id, self._kind, rubric_id, hold=True)
            if row is None:
                return
            if row.version != expected:
                raise StaleDraftError(row.text, row.version)
            row.closed_at = self._clock()
            session.add(row)
            audit.record(session, visitor, "draft.closed", row.id, {self._kind: rubric_id, "version": row.version})


def checked(rubric_id: str, text: str) -> Checked:
    """The draft as a rubric, with everything that is wrong with it; None with at least one error."""
    found = check(parse_yaml(plain(text), rubric_id))
    if found.rubric is None or found.rubric.id == rubric_id:
        return found
    fault = Fault(file=rubric_id, path="id", message=f"is {found.rubric.id!r}", suggestion=f"write id: {rubric_id}")
    return Checked(None, (*found.faults, fault))


def text_of(row: RubricVersion) -> str:
    """The file of a version that ships, with its comments; else written out anew."""
    rubric = registry.parsed(row)
    try:
        path = find_rubric(f"{row.id}@{row.version}")
        if digest(load_rubric(path)) == row.digest:
            return path.read_text("utf-8")
    except CallgradeError:
        pass  # not one that ships
    return written_out(rubric)


def checked_prompt(prompt_id: str, text: str) -> tuple[Prompt | None, tuple[Fault, ...]]:
    """The draft as a prompt, its variables strict; None with any fault."""
    found, faults = check_prompt(plain(text), prompt_id)
    if found is not None and found.id != prompt_id:
        named = Fault(file=prompt_id, path="id", message=f"is {found.id!r}", suggestion=f"write id: {prompt_id}")
        faults = (*faults, named)
    return (None if faults else found), faults


def text_of_prompt(row: PromptVersion) -> str:
    """The file of a version that ships, with its comments; else written out anew."""
    prompt = registry.parsed_prompt(row)
    try:
        path = find_prompt(prompt.reference)
        if read_prompt(path).digest == row.digest:
            return path.read_text("utf-8")
    except CallgradeError:
        pass  # not one that ships
    front = prompt.model_dump(mode="json", by_alias=True, exclude={"blocks"})
    head = yaml.safe_dump(front, allow_unicode=True, sort_keys=False, width=110)
    blocks = "\n".join(f"## {name}\n{text}" for name, text in prompt.blocks.items())
    return f"---\n{head}---\n{blocks}\n"


def written_out(rubric: Rubric) -> str:
    content = rubric.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude=set(NOT_IN_FILES))
    content = {"schema": "callgrade.rubric/1", **content}
    text: str = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110)
    return text


def as_next(text: str, version: str) -> str:
    """The text of a version as a draft of the next."""
    text = re.sub(r"^version: .*$", f"version: {version}", text, count=1, flags=re.MULTILINE)
    return re.sub(r"^status: .*$", "status: draft", text, count=1, flags=re.MULTILINE)


def plain(text: str) -> str:
    """With the line ends of files. Raises InputError."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > LONGEST:
        raise InputError(f"a draft has at most {LONGEST} characters")
    if "\x00" in text:
        raise InputError("a draft is text, and holds no NUL")
    return text


def _written(row: Draft) -> Written:
    return Written(
        rubric_id=row.subject,
        based_on=row.based_on or "",
        text=row.text,
        version=row.version,
        written_at=row.updated_at,
    )
