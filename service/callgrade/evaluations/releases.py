"""Releases: rubric, prompt, model, parameters, recogniser and redaction together, in use from a moment on.

None is ever changed or deleted. What is to be graded otherwise from now on is a later release, and one that is to have
no effect any more is retired by a later one that names what shall hold instead.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from pydantic import StringConstraints
from sqlalchemy import or_, select
from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal, system
from callgrade.catalog.prompts import Prompt, Template
from callgrade.db.tables import PromptVersion, Release, RubricVersion
from callgrade.db.types import now
from callgrade.domain.errors import ConfigurationError, InputError, NotFoundError, UnknownResourceError
from callgrade.domain.frozen import Frozen
from callgrade.domain.moments import Moment
from callgrade.evaluations import registry
from callgrade.evaluations.asking import Graded, Parameters, PromptNamed, Terms, read_terms
from callgrade.evaluations.tables import CLIENT, PROMPT_VERSION, RELEASE

NAMED_AT_ONCE = 30
JUDGING = {"system": "rubric", "user": "transcript", "part": "part", "json": "schema"}
"""The blocks that a prompt needs to judge with, and what each is filled with."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""On one line."""

RequireModel = Callable[[str], None]
"""Raises InputError for a model that cannot be asked here, saying which can."""


class Wanted(Frozen):
    """A release to be made. `rubric` and `prompt` by `id` (the newest version) or `id@vN`. What is None is as the host
    that grades is set up. `active_from` None is now."""

    rubric: str
    team: Name | None = None
    prompt: str | None = None
    model: Name | None = None
    parameters: Parameters = Parameters()
    recogniser: Name | None = None
    redaction: Name | None = None
    active_from: Moment | None = None


class Choice(NamedTuple):
    """What a call of each team is graded by: a team's own release, or what holds for all others."""

    others: Graded
    by_team: Mapping[str, Graded]

    def of(self, team: str | None) -> Graded:
        return self.by_team.get(team, self.others) if team else self.others


def require_possible(wanted: Wanted, require_model: RequireModel, redactions: Collection[str]) -> None:
    """What the database cannot tell, and no session should wait for. Raises InputError that says what there is."""
    if wanted.redaction not in (None, *redactions):
        raise InputError(f"redaction: there is no {wanted.redaction!r}; there are {', '.join(sorted(redactions))}")
    if wanted.model is not None:
        require_model(wanted.model)


def create(session: Session, principal: Principal | None, wanted: Wanted) -> Release:
    """Appends a release. `principal` None makes it everybody's: of all clients that have none of their own.

    Raises InputError for a rubric or prompt that there is not, saying what there is, and for a moment that has passed:
    what was graded since then was graded by what held then.
    """
    moment = now()
    if wanted.active_from is not None and wanted.active_from < moment:
        raise InputError("active_from: lies in the past; leave it out, and it holds from now on")
    rubric = _rubric(session, wanted.rubric)
    release = Release(
        client_id=principal.client_id if principal else None,
        team=wanted.team,
        rubric_id=rubric.id,
        rubric_version=rubric.version,
        rubric_digest=rubric.digest,
        prompt=_prompt(session, wanted.prompt).model_dump() if wanted.prompt else None,
        model=wanted.model,
        parameters=wanted.parameters.given(),
        recogniser=wanted.recogniser,
        redaction=wanted.redaction,
        active_from=(wanted.active_from or moment).astimezone(UTC),
        created_at=moment,
        created_by=principal.actor if principal else "system",
    )
    session.add(release)
    session.flush()
    _record(session, principal, release)
    return release


def choose(
    session: Session, client_id: str, reference: str, *, team: str | None = None, at: datetime | None = None
) -> Graded:
    """What grades a call of this client and team that came in at that moment: by the nearest release, of

        1. the client's own, for the team          3. everybody's, for a team of that name
        2. the client's own, for all teams         4. everybody's, for all teams

    and among several equally near the one that became active last, or was made last where that is the same moment.

    A rubric named by its id is of the release's version, and the newest where there is no release. One that is named
    with its version is taken as it is named: as part of the nearest release where that names the same version, else
    without one. Raises NotFoundError.
    """
    return _chosen(session, reference, team, _candidates(session, client_id, reference, at or now()))


def choose_for_all(session: Session, client_id: str, reference: str) -> Choice:
    """The same for calls that come in now, whichever team they are of."""
    found = _candidates(session, client_id, reference, now())
    teams = sorted({row.team for row in found if row.team is not None})
    by_team = {team: _chosen(session, reference, team, found) for team in teams}
    return Choice(_chosen(session, reference, None, found), by_team)


def pins_of(choice: Choice) -> dict[str, str | None]:
    """The release of each team that has a say of its own, and under "" that of all others: to be kept with a batch, so
    that all of it is graded by what was chosen when it began to come in."""
    return {"": choice.others.release_id, **{team: graded.release_id for team, graded in choice.by_team.items()}}


def pinned(session: Session, pins: Mapping[str, str | None], reference: str) -> Choice:
    """What was chosen then. `reference` (`id@vN`) is the rubric where it was no release's. Raises NotFoundError."""
    wanted = [id_ for id_ in pins.values() if id_]
    found = {row.id: row for row in session.execute(select(Release).where(RELEASE.c.id.in_(wanted))).scalars()}
    without = plain(registry.rubric_version(session, reference))
    chosen = {team: graded_by(found[id_]) if id_ else without for team, id_ in pins.items()}
    return Choice(chosen.pop("", without), chosen)


def rows_of(session: Session, graded: Graded) -> tuple[RubricVersion, Release | None]:
    """Raises NotFoundError for a rubric that the registry lacks."""
    release = session.get(Release, graded.release_id) if graded.release_id else None
    return registry.rubric_version(session, f"{graded.rubric_id}@{graded.rubric_version}"), release


def find(session: Session, client_id: str | None, id_: str) -> Release:
    """The client's own or everybody's; with None any. Raises UnknownResourceError, for another client's too."""
    found = session.get(Release, id_)
    if found is None or (client_id is not None and found.client_id not in (None, client_id)):
        raise UnknownResourceError("there is no such release")
    return found


def list_all(session: Session, client_id: str | None) -> Sequence[Release]:
    """The client's own and everybody's, or with None all there are; the newest first."""
    statement = select(Release).order_by(RELEASE.c.id.desc())
    if client_id is not None:
        statement = statement.where(or_(RELEASE.c.client_id == client_id, RELEASE.c.client_id.is_(None)))
    return session.execute(statement).scalars().all()


def plain(row: RubricVersion) -> Graded:
    """A rubric without a release."""
    return Graded(rubric_id=row.id, rubric_version=row.version, rubric_digest=row.digest)


def graded_by(release: Release) -> Graded:
    return Graded(
        rubric_id=release.rubric_id,
        rubric_version=release.rubric_version,
        rubric_digest=release.rubric_digest,
        release_id=release.id,
        terms=read_terms(release.id, {name: getattr(release, name) for name in Terms.model_fields}),
    )


def prompt_of(session: Session, named: PromptNamed) -> Prompt:
    """Raises NotFoundError where the registry has it no more as the release names it."""
    row = session.get(PromptVersion, (named.id, named.version))
    if row is None or row.digest != named.digest:
        raise NotFoundError(f"the registry holds no prompt {named.reference} with the digest {named.digest}")
    prompt = Prompt.model_validate_json(row.content)
    if prompt.digest != named.digest:
        raise ConfigurationError(f"the registry's prompt {named.reference} is not what its digest says")
    return prompt


def _candidates(session: Session, client_id: str, reference: str, at: datetime) -> Sequence[Release]:
    theirs = or_(RELEASE.c.client_id == client_id, RELEASE.c.client_id.is_(None))
    rubric_id = reference.partition("@")[0]
    here = select(Release).where(theirs, RELEASE.c.rubric_id == rubric_id, RELEASE.c.active_from <= at)
    return session.execute(here).scalars().all()


def _chosen(session: Session, reference: str, team: str | None, among: Sequence[Release]) -> Graded:
    version = reference.partition("@")[2]
    nearest = max((row for row in among if row.team in (None, team)), key=_nearness, default=None)
    if nearest is not None and version in ("", nearest.rubric_version) and _is_there(session, nearest):
        return graded_by(nearest)
    return plain(registry.rubric_version(session, reference))


def _nearness(release: Release) -> tuple[bool, bool, datetime, str]:
    return release.client_id is not None, release.team is not None, release.active_from, release.id


def _is_there(session: Session, release: Release) -> bool:
    row = session.get(RubricVersion, (release.rubric_id, release.rubric_version))
    return row is not None and row.digest == release.rubric_digest


def _rubric(session: Session, reference: str) -> RubricVersion:
    try:
        return registry.rubric_version(session, reference)
    except NotFoundError:
        known = [f"{row.id}@{row.version}" for row in registry.list_rubric_versions(session) if row.status != "retired"]
        raise InputError(f"rubric: there is no {reference!r}; {_among(known)}") from None


def _prompt(session: Session, reference: str) -> PromptNamed:
    try:
        row = registry.prompt_version(session, reference)
    except NotFoundError:
        raise InputError(f"prompt: there is no {reference!r}; {_among(_judging(session))}") from None
    if not _judges(row):
        raise InputError(f"prompt: {reference!r} is not one to judge with; {_among(_judging(session))}")
    return PromptNamed(id=row.id, version=row.version, digest=row.digest)


def _judging(session: Session) -> list[str]:
    rows = session.execute(select(PromptVersion).order_by(PROMPT_VERSION.c.id, PROMPT_VERSION.c.version)).scalars()
    return [f"{row.id}@{row.version}" for row in rows if row.status != "retired" and _judges(row)]


def _judges(row: PromptVersion) -> bool:
    return judges(Prompt.model_validate_json(row.content))


def judges(prompt: Prompt) -> bool:
    """Whether a prompt is one to judge with: it has the blocks for it, each with its own variable."""
    named = {key.partition(" ")[0] for key in prompt.blocks}
    return named >= JUDGING.keys() and all(
        Template(text).variables == {JUDGING[name]}
        for key, text in prompt.blocks.items()
        if (name := key.partition(" ")[0]) in JUDGING
    )


def _among(known: Sequence[str]) -> str:
    if not known:
        return "there are none: `callgrade db upgrade` brings in those that ship"
    more = len(known) - NAMED_AT_ONCE
    return f"there are {', '.join(known[:NAMED_AT_ONCE])}" + (f", and {more} more" if more > 0 else "")


def _record(session: Session, principal: Principal | None, release: Release) -> None:
    """Everybody's release stands in everybody's record."""
    named = release.prompt or {}
    facts = {
        "rubric": release.rubric_digest,
        "prompt": named.get("digest"),
        "active-from": release.active_from,
        "everybodys": principal is None,
    }
    whose = [principal] if principal else map(system, session.execute(select(CLIENT.c.id)).scalars().all())
    for each in whose:
        audit.record(session, each, "release.created", release.id, facts)
