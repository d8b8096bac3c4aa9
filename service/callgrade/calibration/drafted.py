"""Drafts on their way to be published, for those that serve many: what a draft is, where it stands, and the long work
that takes it on. Pages and the JSON API have it from here."""

import asyncio
from collections.abc import Iterable
from typing import Literal, NamedTuple

from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calibration import backtesting, gating, golden, golden_repository, publishing
from callgrade.calibration.backtesting import BackTest, Contest, Kind, Opened
from callgrade.calibration.gating import Host
from callgrade.calibration.long_work import LongWork
from callgrade.catalog.faults import Fault
from callgrade.db.session import Database
from callgrade.db.tables import Gate
from callgrade.domain.errors import ConflictError, InputError, NotFoundError, UnknownResourceError
from callgrade.evaluations import registry
from callgrade.reviews import drafts_repository as drafts
from callgrade.reviews.drafts import checked, checked_prompt

State = Literal["none", "under_way", "stopped", "done"]
SHOWN_FAULTS = 5
SHIPS = ("golden", "shipped")


class Standing(NamedTuple):
    """Where a draft stands on its way: of `wanted` judgements of its back-test `done` are there. `at_gate`: it is
    being decided on."""

    contest: Contest
    state: State
    opened: Opened | None = None
    done: int = 0
    wanted: int = 0
    found: BackTest | None = None
    gate: Gate | None = None
    failure: str | None = None
    at_gate: bool = False


def set_id_of(database: Database, principal: Principal, name: str) -> str:
    """Of the client's own set, or of the one that ships, under any of its names, which is brought in where it has not
    been used yet. Raises UnknownResourceError."""
    principal.reach("calibrations:read")
    if name in SHIPS:
        return golden.shipped(database)
    with database.reading() as session:
        row = golden_repository.named(session, principal, name)
    if row is None:
        raise UnknownResourceError(f"there is no golden set {name!r}")
    return row.id


def contest_of(
    session: Session, principal: Principal, kind: Kind, subject: str, *, on: str = "", text: str | None = None
) -> Contest:
    """Of this text of a draft, or of the open one; `on` is the rubric that a prompt is tried on. Raises ConflictError
    where none is open, InputError for one with errors, and says which."""
    principal.reach("rubrics:write")
    if text is None:
        row = drafts.open_one(session, principal.client_id, kind, subject)
        if row is None:
            raise ConflictError("there is no open draft: begin one, and save it")
        text = row.text
    if kind == "rubric":
        found = checked(subject, text)
        if found.rubric is None:
            raise InputError(_errors(found.faults))
        return backtesting.of_rubric(session, found.rubric)
    prompt, faults = checked_prompt(subject, text)
    if prompt is None:
        raise InputError(_errors(faults))
    try:
        rubric, _ = registry.rubric(session, on)
    except NotFoundError:
        raise InputError("name the rubric that the prompt is tried on") from None
    return backtesting.of_prompt(session, prompt, rubric)


def standing(session: Session, principal: Principal, contest: Contest, work: LongWork) -> Standing:
    """Raises ForbiddenError for whoever may not see how judges did."""
    run = backtesting.newest(session, principal, contest)
    name = _name("back-test", contest)
    if run is None:
        return Standing(contest, "under_way" if work.is_under_way(name) else "none", failure=work.failure(name))
    opened = backtesting.opened_by(run)
    status, done, wanted = backtesting.how_far(session, principal, run.id)
    if work.is_under_way(name):
        return Standing(contest, "under_way", opened, done, wanted)
    if status != "done":
        failure = work.failure(name) or str((run.error or {}).get("message") or "")
        return Standing(contest, "stopped", opened, done, wanted, failure=failure)
    name = _name("gate", contest)
    return Standing(
        contest,
        "done",
        opened,
        done,
        wanted,
        found=backtesting.result(session, principal, contest, opened),
        gate=publishing.decision(session, principal, contest),
        failure=work.failure(name),
        at_gate=work.is_under_way(name),
    )


def begin_back_test(
    database: Database, principal: Principal, contest: Contest, set_id: str, host: Host, work: LongWork
) -> None:
    """Begins it, or goes on with it, and does not wait. Raises as `backtesting.open_back_test`."""
    with database.writing() as session:
        opened = backtesting.open_back_test(session, principal, contest, set_id, host.model)

    def judge() -> None:
        asyncio.run(backtesting.back_test(database, principal, contest, opened, host.judges, in_flight=host.in_flight))

    work.begin(_name("back-test", contest), judge)


def to_gate(
    database: Database, principal: Principal, contest: Contest, set_id: str, host: Host, work: LongWork
) -> None:
    """Puts it before the gate, which reads the holdout, and does not wait. Raises ConflictError for a draft that was
    not back-tested as it stands."""
    with database.reading() as session:
        backtesting.require_back_test(session, principal, contest)
    work.begin(_name("gate", contest), lambda: asyncio.run(gating.gate(database, principal, contest, set_id, host)))


def _name(what: str, contest: Contest) -> str:
    return f"{what} {contest.kind} {contest.digest}"


def _errors(faults: Iterable[Fault]) -> str:
    found = [str(fault) for fault in faults if fault.severity == "error"]
    more = f"; and {len(found) - SHOWN_FAULTS} more" if len(found) > SHOWN_FAULTS else ""
    return f"the draft has errors; mend them first: {'; '.join(found[:SHOWN_FAULTS])}{more}"
