"""A draft on its way to be published: tried beside the version in use, looked at call by call, put before the gate."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response

from callgrade.access.principals import Principal
from callgrade.calibration import gating, golden, publishing
from callgrade.calibration.backtesting import Kind
from callgrade.calibration.drafted import begin_back_test, contest_of, set_id_of, standing, to_gate
from callgrade.calibration.gating import Host
from callgrade.calibration.holdout import wear
from callgrade.db.tables import Gate
from callgrade.domain.errors import ConflictError, InputError, NotFoundError, UnknownResourceError
from callgrade.domain.gates import MEANS, OUTCOMES, GateResult
from callgrade.web.comparisons import changes_of
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.preferences import language_of, words_of
from callgrade.web.shell import Tone, page_or_part, redirect
from callgrade.wiring.calibration import host_of as wired_host

router = APIRouter()
Writer = Annotated[Principal, needs("rubrics:write")]
Named = Annotated[str, Form(max_length=200)]
Asked = Annotated[str, Query(max_length=200)]
SetForm = Annotated[str, Form(alias="set", max_length=200)]
SetAsked = Annotated[str, Query(alias="set", max_length=200)]
TONES: dict[str, Tone] = {"passed": "good", "stopped": "bad", "insufficient_data": "partly", "overridden": "partly"}
SHIPPED = "shipped"


@router.post("/rubrics/{rubric_id}/back-tests")
def begin_rubric(
    request: Request, visitor: Writer, desk: Desked, rubric_id: str, set_name: SetForm = SHIPPED
) -> Response:
    """Tries the open draft, as it was saved."""
    return _begin(request, visitor, desk, "rubric", rubric_id, set_name)


@router.get("/rubrics/{rubric_id}/back-test")
def look_rubric(
    request: Request, visitor: Writer, desk: Desked, rubric_id: str, set_name: SetAsked = SHIPPED
) -> Response:
    """How far it is, and what was found."""
    return _look(request, visitor, desk, "rubric", rubric_id, set_name)


@router.post("/rubrics/{rubric_id}/gate")
def gate_rubric(
    request: Request, visitor: Writer, desk: Desked, rubric_id: str, set_name: SetForm = SHIPPED
) -> Response:
    """Puts it before the gate, which reads the holdout."""
    return _to_gate(request, visitor, desk, "rubric", rubric_id, set_name)


@router.post("/rubrics/{rubric_id}/publish")
def publish_rubric(
    request: Request,
    visitor: Writer,
    desk: Desked,
    rubric_id: str,
    digest: Named,
    override: Annotated[str | None, Form(max_length=2000)] = None,
) -> Response:
    """Exactly the draft that was looked at, by its digest."""
    return _publish(request, visitor, desk, "rubric", rubric_id, digest, override)


@router.post("/rubrics/{rubric_id}/retire")
def retire_rubric(request: Request, visitor: Writer, desk: Desked, rubric_id: str, version: Named) -> Response:
    """Takes a published version out of use."""
    try:
        with desk.database.writing() as session:
            publishing.retire(session, visitor, "rubric", f"{rubric_id}@{version}")
    except NotFoundError as error:
        raise UnknownResourceError(str(error)) from None
    told = words_of(request).gettext("It is retired: calls are graded by another version from now on.")
    return redirect(request, f"/rubrics/{rubric_id}?version={version}", told=told)


@router.post("/prompts/{prompt_id}/back-tests")
def begin_prompt(
    request: Request, visitor: Writer, desk: Desked, prompt_id: str, on: Named = "", set_name: SetForm = SHIPPED
) -> Response:
    """Tries the open draft, as it was saved, by the rubric `on`."""
    return _begin(request, visitor, desk, "prompt", prompt_id, set_name, on)


@router.get("/prompts/{prompt_id}/back-test")
def look_prompt(
    request: Request, visitor: Writer, desk: Desked, prompt_id: str, on: Asked = "", set_name: SetAsked = SHIPPED
) -> Response:
    """How far it is, and what was found."""
    return _look(request, visitor, desk, "prompt", prompt_id, set_name, on)


@router.post("/prompts/{prompt_id}/gate")
def gate_prompt(
    request: Request, visitor: Writer, desk: Desked, prompt_id: str, on: Named = "", set_name: SetForm = SHIPPED
) -> Response:
    """Puts it before the gate, which reads the holdout."""
    return _to_gate(request, visitor, desk, "prompt", prompt_id, set_name, on)


@router.post("/prompts/{prompt_id}/publish")
def publish_prompt(
    request: Request,
    visitor: Writer,
    desk: Desked,
    prompt_id: str,
    digest: Named,
    on: Named = "",
    override: Annotated[str | None, Form(max_length=2000)] = None,
) -> Response:
    """Exactly the draft that was looked at, by its digest."""
    return _publish(request, visitor, desk, "prompt", prompt_id, digest, override, on)


def _begin(
    request: Request, visitor: Principal, desk: Desk, kind: Kind, subject: str, set_name: str, on: str = ""
) -> Response:
    set_id, host = set_id_of(desk.database, visitor, set_name), host_of(desk, visitor)
    with desk.database.reading() as session:
        contest = contest_of(session, visitor, kind, subject, on=on)
    begin_back_test(desk.database, visitor, contest, set_id, host, desk.long_work)
    return redirect(request, _address(kind, subject, set_name, on))


def _look(
    request: Request, visitor: Principal, desk: Desk, kind: Kind, subject: str, set_name: str, on: str = ""
) -> Response:
    language = language_of(request)
    set_id = set_id_of(desk.database, visitor, set_name)
    with desk.database.reading() as session:
        try:
            contest = contest_of(session, visitor, kind, subject, on=on)
        except (ConflictError, InputError) as error:
            # nothing to try yet: where it is written it is also told why
            why = str(error) if isinstance(error, InputError) else None
            return redirect(request, f"/{kind}s/{subject}/edit", told=why, tone="bad")
        stands = standing(session, visitor, contest, desk.long_work)
        left = wear(session, visitor, set_id, contest.draft.rubric.id).left
        sets = [(SHIPPED, words_of(request).gettext("The set that ships"))]
        sets += [(row.set.name, row.set.title) for row in golden.list_sets(session, visitor) if row.set.client_id]
    context = {
        "kind": kind,
        "subject": subject,
        "on": on,
        "standing": stands,
        "contest": contest,
        "set_name": set_name,
        "sets": sets,
        "address": _address(kind, subject, set_name, on),
        "base": f"/{kind}s/{subject}",
        "left": left,
        "not_tried": not host_of(desk, visitor).model and len(contest.draft.rubric.judged_by("llm")),
        "changed": changes_of(stands.found.comparison if stands.found else None, language),
        "result": _result(stands.gate),
        "outcomes": OUTCOMES,
        "means": MEANS,
        "tones": TONES,
    }
    return page_or_part(request, "rubrics/back_test.html", "rubrics/_back_test.html", visitor, **context)


def _to_gate(
    request: Request, visitor: Principal, desk: Desk, kind: Kind, subject: str, set_name: str, on: str = ""
) -> Response:
    set_id, host = set_id_of(desk.database, visitor, set_name), host_of(desk, visitor)
    with desk.database.reading() as session:
        contest = contest_of(session, visitor, kind, subject, on=on)
    to_gate(desk.database, visitor, contest, set_id, host, desk.long_work)
    return redirect(request, _address(kind, subject, set_name, on))


def _publish(
    request: Request,
    visitor: Principal,
    desk: Desk,
    kind: Kind,
    subject: str,
    digest: str,
    override: str | None,
    on: str = "",
) -> Response:
    with desk.database.writing() as session:
        contest = contest_of(session, visitor, kind, subject, on=on)
        if contest.digest != digest:
            raise ConflictError("the draft was changed meanwhile; look at what it does now")
        publishing.publish(session, visitor, contest, override=override, from_draft=True, clock=desk.clock)
    told = words_of(request).gettext("%(reference)s is published.") % {"reference": contest.reference}
    return redirect(request, f"/{kind}s/{subject}?version={contest.version}", told=told)


def host_of(desk: Desk, visitor: Principal) -> Host:
    return wired_host(desk.settings, desk.database, visitor.client_id)


def _result(gate: Gate | None) -> GateResult | None:
    return None if gate is None else gating.result_of(gate)


def _address(kind: Kind, subject: str, set_name: str, on: str) -> str:
    told = {"on": on, "set": "" if set_name == SHIPPED else set_name}
    query = urlencode({name: value for name, value in told.items() if value})
    return f"/{kind}s/{subject}/back-test" + (f"?{query}" if query else "")
