"""The registry of what may be graded by: versions of rubrics and prompts. releases.py names them together.

At run time the database decides; files only fill it, at `callgrade db upgrade`.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from callgrade.catalog import digest, load_rubric, resolved_json
from callgrade.catalog.lock import locked
from callgrade.catalog.prompts import Prompt, list_prompts
from callgrade.catalog.rubrics import shipped_statuses
from callgrade.db.tables import PromptVersion, RubricVersion
from callgrade.db.types import now
from callgrade.domain.errors import ConfigurationError, ConflictError, NotFoundError
from callgrade.domain.frozen import LocalText
from callgrade.domain.rubrics import Rubric
from callgrade.evaluations.tables import EVALUATION, PROMPT_VERSION, RELEASE, RUBRIC_VERSION

SHIPPED = "shipped"
RETIRED = "retired"
MOST_PARSED = 256
_PARSED: dict[tuple[str, str], Rubric] = {}
"""By digest and status: a digest does not cover the status."""
_TITLES = select(RUBRIC_VERSION.c.id, RUBRIC_VERSION.c.version, RUBRIC_VERSION.c.content["title"].label("title"))
_CONTENT = select(RUBRIC_VERSION.c.content).where(RUBRIC_VERSION.c.digest == bindparam("wanted")).limit(1)
_STATUS = select(RUBRIC_VERSION.c.status).where(RUBRIC_VERSION.c.digest == bindparam("wanted")).limit(1)


class Synced(NamedTuple):
    """How many versions came new into the registry, and how many were brought up to date (their status, or a draft
    that nothing was graded by)."""

    added: int = 0
    updated: int = 0


class _Version(NamedTuple):
    id: str
    version: str
    status: str
    content: Any
    digest: str


def sync_shipped(session: Session) -> Synced:
    """Brings every shipped rubric and prompt into the registry; all of them or, on an exception, none.

    Raises ConfigurationError where a version is there with another digest: what scorecards were made with must stay
    what it was. A draft may change as long as nothing was graded by it. RubricError, PromptError for a broken file.
    """
    columns = (RUBRIC_VERSION.c.id, RUBRIC_VERSION.c.version, RUBRIC_VERSION.c.digest, RUBRIC_VERSION.c.status)
    there = {f"{row.id}@{row.version}": row for row in session.execute(select(*columns))}
    # reading a rubric file takes a tenth of a second, and a published one is known by its locked digest
    rubrics = [
        _rubric_version(load_rubric(reference))
        for reference, status in shipped_statuses().items()
        if reference not in there
        or (there[reference].digest, there[reference].status) != (locked().get(reference), status)
    ]
    prompts = [_prompt_version(prompt) for prompt in list_prompts()]
    done = [_bring(session, RUBRIC_VERSION, "rubric", version) for version in rubrics]
    done += [_bring(session, PROMPT_VERSION, "prompt", version) for version in prompts]
    return Synced(done.count("added"), done.count("updated"))


def rubric_version(session: Session, reference: str) -> RubricVersion:
    """By `id@vN`, or by `id`: the newest published version, or where none is published the newest draft.

    Raises NotFoundError. A retired version is found only by its full name.
    """
    id_, _, version = reference.partition("@")
    statement = select(RubricVersion).where(RUBRIC_VERSION.c.id == id_)
    if version:
        statement = statement.where(RUBRIC_VERSION.c.version == version)
    else:
        statement = statement.where(RUBRIC_VERSION.c.status != "retired")
    found = list(session.execute(statement).scalars())
    if not found:
        raise NotFoundError(f"there is no rubric {reference!r} in the registry; GET /v1/rubrics lists them")
    newest: RubricVersion = max(found, key=lambda row: (row.status == "published", number_of(row.version)))
    return newest


def rubric(session: Session, reference: str) -> tuple[Rubric, str]:
    """(the rubric, its digest), by reference as `rubric_version` reads it."""
    row = rubric_version(session, reference)
    return parsed(row), row.digest


def rubric_of_digest(session: Session, digest_: str) -> Rubric:
    """The rubric that an evaluation was made with. Raises NotFoundError."""
    status = session.execute(_STATUS, {"wanted": digest_}).scalar_one_or_none()
    if status is None:
        raise NotFoundError(f"the registry holds no rubric with the digest {digest_}")
    # kilobytes of JSON, which are read once
    return _parse(digest_, status, lambda: session.execute(_CONTENT, {"wanted": digest_}).scalar_one())


def parsed(row: RubricVersion) -> Rubric:
    """The rubric in a row; read once."""
    return _parse(row.digest, row.status, lambda: row.content)


def list_rubric_versions(session: Session) -> list[RubricVersion]:
    """By id, the newest version first."""
    found = session.execute(select(RubricVersion)).scalars()
    return sorted(found, key=lambda row: (row.id, -number_of(row.version)))


def titles(session: Session) -> dict[str, LocalText]:
    """`id@vN` → title, of every rubric version; without reading the rubrics themselves."""
    return {f"{row.id}@{row.version}": LocalText.model_validate(row.title) for row in session.execute(_TITLES)}


def prompt_version(session: Session, reference: str) -> PromptVersion:
    """By `id@vN`, or by `id` its newest version. Raises NotFoundError."""
    id_, _, version = reference.partition("@")
    found = session.execute(select(PromptVersion).where(PROMPT_VERSION.c.id == id_)).scalars()
    rows = [row for row in found if version in ("", row.version)]
    if not rows:
        raise NotFoundError(f"there is no prompt {reference!r} in the registry; GET /v1/prompts lists them")
    newest: PromptVersion = max(rows, key=lambda row: (row.status == "published", number_of(row.version)))
    return newest


def list_prompt_versions(session: Session) -> list[PromptVersion]:
    found = session.execute(select(PromptVersion)).scalars()
    return sorted(found, key=lambda row: (row.id, -number_of(row.version)))


def next_rubric_version(session: Session, rubric_id: str) -> str:
    """The number that the next version takes: `v1` where there is none yet."""
    return _next(session, RUBRIC_VERSION, rubric_id)


def next_prompt_version(session: Session, prompt_id: str) -> str:
    return _next(session, PROMPT_VERSION, prompt_id)


def parsed_prompt(row: PromptVersion) -> Prompt:
    """The prompt in a row. Raises ConfigurationError for a row that was changed by hand."""
    found = Prompt.model_validate_json(row.content).model_copy(update={"status": row.status})
    if found.digest != row.digest:
        raise ConfigurationError(f"the registry's prompt {found.reference} is not what its digest says: it was changed")
    return found


def add(session: Session, version: Rubric | Prompt, origin: str) -> None:
    """A version that did not ship. Raises ConflictError where its number is taken."""
    is_rubric = isinstance(version, Rubric)
    row = _rubric_version(version) if isinstance(version, Rubric) else _prompt_version(version)
    table = RUBRIC_VERSION if is_rubric else PROMPT_VERSION
    values = {**row._asdict(), "origin": origin, "created_at": now()}
    try:
        with session.begin_nested():
            session.execute(insert(table).values(**values))
    except IntegrityError:
        raise ConflictError(f"{version.reference} is there already: publish under the next number") from None


def set_status(session: Session, version: RubricVersion | PromptVersion, status: str) -> None:
    """Nothing else of a version ever changes."""
    table = RUBRIC_VERSION if isinstance(version, RubricVersion) else PROMPT_VERSION
    here = (table.c.id == version.id) & (table.c.version == version.version)
    session.execute(update(table).where(here).values(status=status))


def _next(session: Session, table: Any, id_: str) -> str:
    found = session.execute(select(table.c.version).where(table.c.id == id_)).scalars()
    return f"v{1 + max((number_of(version) for version in found), default=0)}"


def _parse(digest_: str, status: str, read: Callable[[], dict[str, Any]]) -> Rubric:
    known = _PARSED.get((digest_, status))
    if known is not None:
        return known
    found = Rubric.model_validate({**read(), "status": status})
    if digest(found) != digest_:
        raise ConfigurationError(f"the registry's {found.reference} is not what its digest says: the row was changed")
    while len(_PARSED) >= MOST_PARSED:
        _PARSED.pop(next(iter(_PARSED)), None)
    _PARSED[digest_, status] = found
    return found


def _rubric_version(rubric: Rubric) -> _Version:
    return _Version(rubric.id, rubric.version, rubric.status, resolved_json(rubric), digest(rubric))


def _prompt_version(prompt: Prompt) -> _Version:
    return _Version(prompt.id, prompt.version, prompt.status, prompt.model_dump_json(by_alias=True), prompt.digest)


def _bring(session: Session, table: Any, kind: str, shipped: _Version) -> str:
    here = (table.c.id == shipped.id) & (table.c.version == shipped.version)
    row = session.execute(select(table.c.status, table.c.digest).where(here).with_for_update()).one_or_none()
    if row is None:
        session.execute(insert(table).values(**shipped._asdict(), origin=SHIPPED, created_at=now()))
        return "added"
    if row.digest == shipped.digest:
        # what was retired here stays retired
        if row.status in (shipped.status, RETIRED):
            return "same"
        session.execute(update(table).where(here).values(status=shipped.status, content=shipped.content))
        return "updated"
    if row.status != "draft" or _graded_by(session, kind, row.digest):
        raise ConfigurationError(
            f"{kind} {shipped.id}@{shipped.version} is in the database with another content ({row.digest}, not "
            f"{shipped.digest}), and calls were graded by it or may have been: ship the change as the next version"
        )
    session.execute(
        update(table)
        .where(here)
        .values(status=shipped.status, content=shipped.content, digest=shipped.digest, created_at=now())
    )
    return "updated"


def _graded_by(session: Session, kind: str, digest_: str) -> bool:
    if kind == "prompt":
        # that scorecards hold it no index tells: a draft that no release names may change
        named = RELEASE.c.prompt["digest"].as_string() == digest_
        return session.execute(select(RELEASE.c.id).where(named).limit(1)).first() is not None
    for table in (EVALUATION, RELEASE):
        if session.execute(select(table.c.id).where(table.c.rubric_digest == digest_).limit(1)).first():
            return True
    return False


def number_of(version: str) -> int:
    """`v12` → 12."""
    return int(version[1:]) if version[1:].isdigit() else 0
