"""draft → back-tested → published → retired, for rubrics and prompts.

A draft is published under the next free number once it was back-tested as it stands and the gate let it through; or
once somebody says by name why it should be all the same. What is published never changes: its digest freezes it.
"""

from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from callgrade.access import audit
from callgrade.access.principals import Principal
from callgrade.calibration import gates_repository
from callgrade.calibration.backtesting import Contest, Kind, require_back_test
from callgrade.catalog import digest
from callgrade.db.tables import Gate
from callgrade.db.types import now
from callgrade.domain.errors import ConflictError, InputError
from callgrade.evaluations import registry
from callgrade.reviews import drafts_repository as drafts

DESK = "desk"
OVERRIDDEN = "overridden"
LONGEST = 500
"""Characters of a reason."""


def publish(
    session: Session,
    principal: Principal,
    contest: Contest,
    *,
    override: str | None = None,
    name: str | None = None,
    from_draft: bool = False,
    clock: Callable[[], datetime] = now,
) -> Gate:
    """The version is in the registry, and the gate's row says by what it got there. `insufficient_data` is let through:
    nothing of it goes by itself. `override`: the reason of whoever publishes in spite of the gate, or without one;
    `name` is what they are called, where they are not signed in. `from_draft`: what is published is the open draft in
    the browser, which is closed.

    Raises ConflictError for a draft that was not back-tested as it stands, that the gate stopped or never saw, or whose
    number was taken meanwhile; InputError for an override without reason or name.
    """
    principal.reach("rubrics:write")
    tested = require_back_test(session, principal, contest)
    decided = decision(session, principal, contest)
    if override is not None:
        gate = _overridden(session, principal, contest, tested.run_id, decided, override, name)
    elif decided is None:
        raise ConflictError(f"{contest.reference} has not stood at the gate: put it there first")
    elif decided.outcome == "stopped":
        raise ConflictError(f"the gate stopped {contest.reference}: mend it, or override with a reason")
    else:
        gate = decided
    version = contest.draft.rubric if contest.kind == "rubric" else contest.draft.asking.prompt
    assert version is not None
    registry.add(session, version.model_copy(update={"status": "published"}), DESK)
    draft = None
    if from_draft:
        draft = drafts.open_one(session, principal.client_id, contest.kind, contest.subject, hold=True)
    if draft is not None:
        draft.closed_at = clock()
        session.add(draft)
    facts = {contest.kind: contest.reference, "digest": contest.digest, "gate": gate.id, "outcome": gate.outcome}
    audit.record(session, principal, f"{contest.kind}.published", gate.id, facts)
    return gate


def decision(session: Session, principal: Principal, contest: Contest) -> Gate | None:
    """What the gate last said of exactly this draft, tried on this rubric; None where it never stood there."""
    found = gates_repository.gates(session, principal, contest.kind, contest.subject, contest.digest)
    by = digest(contest.draft.rubric)
    return next((row for row in found if row.outcome != OVERRIDDEN and by in row.details.get("judge", ())), None)


def retire(session: Session, principal: Principal, kind: Kind, reference: str) -> None:
    """Nobody finds it by its id alone any more; what was graded by it stays what it is. Raises NotFoundError,
    ConflictError for what is not published."""
    principal.reach("rubrics:write")
    find = registry.rubric_version if kind == "rubric" else registry.prompt_version
    if not reference.partition("@")[2]:
        raise InputError("say which version: id@v1")
    row = find(session, reference)
    if row.status != "published":
        raise ConflictError(f"{reference} is {row.status}; only what is published can be retired")
    registry.set_status(session, row, registry.RETIRED)
    audit.record(session, principal, f"{kind}.retired", f"{row.id}@{row.version}", {"digest": row.digest})


def _overridden(
    session: Session,
    principal: Principal,
    contest: Contest,
    run_id: str,
    decided: Gate | None,
    reason: str,
    name: str | None,
) -> Gate:
    reason, name = " ".join(reason.split()), (name or principal.name or "").strip()
    if not reason or len(reason) > LONGEST:
        raise InputError(f"say in at most {LONGEST} characters why it is published in spite of the gate")
    if not name and principal.user_id is None:
        raise InputError("an override is somebody's by name: say whose")
    told = {**(decided.details if decided else {}), "name": name, "gate": decided.outcome if decided else None}
    return gates_repository.add(
        session,
        Gate(
            client_id=principal.client_id,
            kind=contest.kind,
            subject=contest.subject,
            version=contest.version,
            digest=contest.digest,
            run_id=run_id,
            outcome=OVERRIDDEN,
            by=principal.actor,
            reason=reason,
            details=told,
        ),
    )
