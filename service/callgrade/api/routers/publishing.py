"""Drafts of rubrics and prompts on their way to be published: back-test, gate, publish, retire.

Back-tests and gates take minutes. A request begins one, and the same request once more tells how far it is, and then
what was found; nothing is ever done twice for one draft, which is known by its digest.
"""

from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Path, Request, Response

from callgrade.access import requests
from callgrade.access.acting import in_the_name_of
from callgrade.access.permissions import require
from callgrade.access.principals import Principal
from callgrade.api import examples
from callgrade.api.dependencies import IdempotencyKey, RubricsWriter, Services, Serving, once_of
from callgrade.api.documentation import errors
from callgrade.api.present import version_shown
from callgrade.api.publishing_schemas import (
    BackTestShown,
    DraftTried,
    GateShown,
    PromptPublished,
    PromptTried,
    PublishedShown,
    Retired,
    RubricPublished,
)
from callgrade.api.schemas import Reference, VersionShown
from callgrade.calibration import drafted, publishing
from callgrade.calibration.backtesting import Contest, Kind
from callgrade.calibration.drafted import Standing
from callgrade.calibration.gating import Host, result_of
from callgrade.domain.errors import NotFoundError, UnknownResourceError
from callgrade.evaluations import registry
from callgrade.evaluations.intake import answered
from callgrade.wiring.calibration import host_of

router = APIRouter(prefix="/v1", tags=["publishing"])
ID = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Rubric = Annotated[
    str, Path(alias="reference", pattern=ID, max_length=80, description="Its `id`.", examples=[examples.RUBRIC])
]
Prompt = Annotated[
    str, Path(alias="reference", pattern=ID, max_length=80, description="Its `id`.", examples=[examples.PROMPT])
]
Version = Annotated[Reference, Path(description="`id@vN`", examples=[examples.RETIRABLE])]
PromptVersion = Annotated[Reference, Path(description="`id@vN`", examples=[examples.RETIRABLE_PROMPT])]


def _trying(principal: RubricsWriter) -> Principal:
    require(principal, "calibrations:write")
    require(principal, "calibrations:read")
    return principal


def _publishing(principal: RubricsWriter) -> Principal:
    require(principal, "calibrations:read")
    return principal


Trying = Annotated[Principal, Depends(_trying)]
Publishing = Annotated[Principal, Depends(_publishing)]
_ERRORS = errors(404, 409, 413, 422)
_TRIED = {200: {"model": BackTestShown, "description": "It is done, or stopped."}, **_ERRORS}
_DECIDED = {200: {"model": GateShown, "description": "It is decided, or failed."}, **_ERRORS}


@router.post("/rubrics/{reference}/back-tests", status_code=202, responses=_TRIED)
def back_test_rubric(
    id_: Rubric, wanted: DraftTried, response: Response, who: Trying, services: Serving
) -> BackTestShown:
    """Tries a draft on the development split beside the version in use: every verdict that flips, what agreement and
    cost do. Needs calibrations:write too."""
    return _back_test(services, who, "rubric", id_, wanted, response)


@router.post("/prompts/{reference}/back-tests", status_code=202, responses=_TRIED)
def back_test_prompt(
    id_: Prompt, wanted: PromptTried, response: Response, who: Trying, services: Serving
) -> BackTestShown:
    """The same of a prompt, on one rubric and with the model that is set up."""
    return _back_test(services, who, "prompt", id_, wanted, response)


@router.post("/rubrics/{reference}/gate", status_code=202, responses=_DECIDED)
def gate_rubric(id_: Rubric, wanted: DraftTried, response: Response, who: Trying, services: Serving) -> GateShown:
    """Puts a draft that was back-tested before the gate, which reads the holdout, once and on record. Needs
    calibrations:write too."""
    return _gate(services, who, "rubric", id_, wanted, response)


@router.post("/prompts/{reference}/gate", status_code=202, responses=_DECIDED)
def gate_prompt(id_: Prompt, wanted: PromptTried, response: Response, who: Trying, services: Serving) -> GateShown:
    """The same of a prompt."""
    return _gate(services, who, "prompt", id_, wanted, response)


@router.post("/rubrics/{reference}/publish", responses=_ERRORS)
def publish_rubric(
    id_: Rubric,
    wanted: RubricPublished,
    request: Request,
    who: Publishing,
    services: Serving,
    idempotency_key: IdempotencyKey = None,
) -> PublishedShown:
    """Publishes a draft that the gate let through under the next number; with `override` and `by`, in spite of it and
    in that person's name. Needs calibrations:read too."""
    return _publish(services, who, "rubric", id_, wanted, request, idempotency_key)


@router.post("/prompts/{reference}/publish", responses=_ERRORS)
def publish_prompt(
    id_: Prompt,
    wanted: PromptPublished,
    request: Request,
    who: Publishing,
    services: Serving,
    idempotency_key: IdempotencyKey = None,
) -> PublishedShown:
    """The same of a prompt."""
    return _publish(services, who, "prompt", id_, wanted, request, idempotency_key)


@router.post("/rubrics/{reference}/retire", responses=_ERRORS)
def retire_rubric(reference: Version, wanted: Retired, principal: RubricsWriter, services: Serving) -> VersionShown:
    """Takes a published version out of use: it is found by its full name alone."""
    return _retire(services, principal, "rubric", reference, wanted)


@router.post("/prompts/{reference}/retire", responses=_ERRORS)
def retire_prompt(
    reference: PromptVersion, wanted: Retired, principal: RubricsWriter, services: Serving
) -> VersionShown:
    """The same of a prompt."""
    return _retire(services, principal, "prompt", reference, wanted)


class _Draft(NamedTuple):
    contest: Contest
    set_id: str
    host: Host
    stands: Standing


def _draft(services: Services, who: Principal, kind: Kind, id_: str, wanted: DraftTried) -> _Draft:
    set_id = drafted.set_id_of(services.database, who, wanted.set_)
    host = host_of(services.settings, services.database, who.client_id)
    with services.database.reading() as session:
        contest = drafted.contest_of(session, who, kind, id_, on=wanted.on, text=wanted.draft)
        return _Draft(contest, set_id, host, drafted.standing(session, who, contest, services.long_work))


def _back_test(
    services: Services, who: Principal, kind: Kind, id_: str, wanted: DraftTried, response: Response
) -> BackTestShown:
    draft = _draft(services, who, kind, id_, wanted)
    contest, stands = draft.contest, draft.stands
    if stands.state == "none" or (stands.state == "stopped" and wanted.again):
        drafted.begin_back_test(services.database, who, contest, draft.set_id, draft.host, services.long_work)
        with services.database.reading() as session:
            stands = drafted.standing(session, who, contest, services.long_work)
    if stands.state in ("done", "stopped"):
        response.status_code = 200
    return BackTestShown.of(stands)


def _gate(
    services: Services, who: Principal, kind: Kind, id_: str, wanted: DraftTried, response: Response
) -> GateShown:
    draft = _draft(services, who, kind, id_, wanted)
    contest, stands = draft.contest, draft.stands
    if stands.gate is None and not stands.at_gate and (wanted.again or not stands.failure):
        drafted.to_gate(services.database, who, contest, draft.set_id, draft.host, services.long_work)
        with services.database.reading() as session:
            stands = drafted.standing(session, who, contest, services.long_work)
    shown = GateShown.of(stands, None if stands.gate is None else result_of(stands.gate))
    response.status_code = 202 if shown.status == "under_way" else 200
    return shown


def _publish(
    services: Services,
    who: Principal,
    kind: Kind,
    id_: str,
    wanted: RubricPublished,
    request: Request,
    idempotency_key: str | None,
) -> PublishedShown:
    once = once_of(request, idempotency_key, wanted.model_dump_json())
    with services.database.writing() as session:
        if once is not None and (before := answered(session, who, once)) is not None:
            return PublishedShown.model_validate(before)
        person = who if wanted.by is None else in_the_name_of(session, who, wanted.by, "rubrics:write")
        contest = drafted.contest_of(session, person, kind, id_, on=wanted.on, text=wanted.draft)
        gate = publishing.publish(session, person, contest, override=wanted.override)
        result = result_of(gate)
        shown = PublishedShown(
            reference=contest.reference,
            digest=contest.digest,
            gate=gate.id,
            outcome=gate.outcome,
            reason=gate.reason,
            human_only=list(result.human_only) if result else [],
        )
        if once is not None:
            requests.finish(session, who.client_id, once.key, 200, shown.model_dump(mode="json"))
    return shown


def _retire(services: Services, principal: Principal, kind: Kind, reference: str, wanted: Retired) -> VersionShown:
    find = registry.rubric_version if kind == "rubric" else registry.prompt_version
    with services.database.writing() as session:
        person = principal if wanted.by is None else in_the_name_of(session, principal, wanted.by, "rubrics:write")
        try:
            publishing.retire(session, person, kind, reference)
        except NotFoundError as error:
            raise UnknownResourceError(str(error)) from None
        return version_shown(find(session, reference))
