"""Appeals: what agents contest, and what becomes of it. A key acts in the name of the person that a request names."""

from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter

from callgrade.access.acting import in_the_name_of
from callgrade.access.permissions import Scope
from callgrade.access.principals import Principal
from callgrade.api.dependencies import AppealsDecider, AppealsReader, AppealsWriter, Services, Serving
from callgrade.api.documentation import errors
from callgrade.api.paging import Cursor, Limit, Page, decoded, encoded
from callgrade.api.review_schemas import (
    AppealDecided,
    AppealShown,
    AppealState,
    AppealWanted,
    AppealWithdrawn,
    NotApplicable,
    outcome_of,
)
from callgrade.api.schemas import ServerId
from callgrade.reviews import appeals_repository as repository
from callgrade.reviews.appeals import AppealDesk
from callgrade.reviews.appeals_repository import AppealRow

router = APIRouter(prefix="/v1/appeals", tags=["reviews"])


@router.get("", responses=errors(422))
def list_appeals(
    principal: AppealsReader,
    services: Serving,
    state: AppealState | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[AppealShown]:
    """Those that are open and overdue say so."""
    desk = _desk(services)
    before = None if cursor is None else decoded(cursor)
    found = desk.page(principal, state=state, before=before, limit=limit + 1)
    more = encoded(found[limit - 1].appeal.id) if len(found) > limit else None
    return Page(items=[_shown(desk, row) for row in found[:limit]], next_cursor=more)


@router.get("/{id}", responses=errors(404, 422))
def read_appeal(id_: ServerId, principal: AppealsReader, services: Serving) -> AppealShown:
    return _read(services, principal, id_)


@router.post("", status_code=201, responses=errors(404, 409, 413, 422))
def file_appeal(wanted: AppealWanted, principal: AppealsWriter, services: Serving) -> AppealShown:
    """An agent contests one criterion of their own published score, once. A 409 says where it is too late, by which
    rule, or that it was contested before."""
    person = _person(services, principal, wanted.by, "appeals:write")
    row = _desk(services).file(
        person,
        wanted.evaluation,
        wanted.criterion,
        reason=wanted.reason,
        wanted=outcome_of(wanted.wanted),
        at_ms=wanted.at_ms,
    )
    return _read(services, person, row.id)


@router.post("/{id}/withdraw", responses=errors(404, 409, 413, 422))
def withdraw_appeal(id_: ServerId, wanted: AppealWithdrawn, principal: AppealsWriter, services: Serving) -> AppealShown:
    """By whoever filed it, while it is open."""
    person = _person(services, principal, wanted.by, "appeals:write")
    return _read(services, person, _desk(services).withdraw(person, id_).id)


@router.post("/{id}/decide", responses=errors(404, 409, 413, 422))
def decide_appeal(id_: ServerId, wanted: AppealDecided, principal: AppealsDecider, services: Serving) -> AppealShown:
    """Never by whoever judged the call or took it (403). What changes is published as the next revision."""
    person = _person(services, principal, wanted.by, "appeals:decide")
    row = _desk(services).decide(
        person,
        id_,
        wanted.ruling,
        words=wanted.words,
        outcome=None if wanted.outcome is None else outcome_of(wanted.outcome),
        not_applicable=isinstance(wanted.outcome, NotApplicable),
    )
    return _read(services, person, row.id)


def _desk(services: Services) -> AppealDesk:
    return AppealDesk(services.database, zone=ZoneInfo(services.settings.timezone))


def _person(services: Services, principal: Principal, login: str, scope: Scope) -> Principal:
    with services.database.writing() as session:
        return in_the_name_of(session, principal, login, scope)


def _read(services: Services, principal: Principal, id_: str) -> AppealShown:
    with services.database.reading() as session:
        row = repository.find_row(session, principal, id_)
    return _shown(_desk(services), row)


def _shown(desk: AppealDesk, row: AppealRow) -> AppealShown:
    it = row.appeal
    return AppealShown(
        id=it.id,
        evaluation=it.evaluation_id,
        call=row.call_id,
        call_id=row.shown_call_id,
        rubric=row.rubric_id,
        criterion=it.criterion_id,
        revision=it.revision,
        agent=it.agent_id,
        team=it.team,
        state=it.state,
        reason=it.reason,
        at_ms=it.at_ms,
        wanted=_told(it.wanted),
        filed_at=it.filed_at,
        file_by=it.file_by,
        decide_by=it.decide_by,
        overdue=desk.is_overdue(it),
        decided_at=it.decided_at,
        decision=it.decision,
        given=None if it.given is None else _told(it.given),
    )


def _told(stored: dict[str, Any]) -> dict[str, Any]:
    """As contracts.md has judgements."""
    outcome = stored["outcome"]
    return outcome if isinstance(outcome, dict) else {"status": "not_applicable"}
