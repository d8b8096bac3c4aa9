"""The record of what was done, and whether it is as it was sealed."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from callgrade.access import audit, ledger
from callgrade.access.principals import Principal
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.preferences import words_of
from callgrade.web.shell import page, page_or_part
from callgrade.web.words import N_

PAGE = 50
KINDS: Mapping[str, str] = {
    "user": N_("Users"),
    "key": N_("Keys"),
    "agents": N_("Agents"),
    "call": N_("Calls"),
    "evaluation": N_("Evaluations"),
    "review": N_("Reviews"),
    "score": N_("Results"),
    "appeal": N_("Appeals"),
    "sample": N_("Samples"),
    "batch": N_("Batches"),
    "release": N_("Releases"),
    "webhook": N_("Webhooks"),
    "golden_set": N_("Golden sets"),
    "golden_call": N_("Golden calls"),
    "holdout": N_("Holdout"),
    "calibration": N_("Calibration"),
    "retention": N_("Retention"),
}
ACTIONS: Mapping[str, str] = {
    "agents.imported": N_("Agents brought in"),
    "appeal.filed": N_("Appeal filed"),
    "audit.sealed": N_("Record sealed"),
    "batch.begun": N_("Batch handed in"),
    "batch.cancelled": N_("Batch cancelled"),
    "call.erased": N_("Call erased"),
    "calibration.begun": N_("Calibration begun"),
    "calibration.blind_asked": N_("Blind look at a calibration asked for"),
    "calibration.cancelled": N_("Calibration cancelled"),
    "calibration.ended": N_("Calibration ended"),
    "calibration.graded_blind": N_("Calibration graded blind"),
    "client.created": N_("Organisation made"),
    "evaluation.asked": N_("Evaluation asked for"),
    "evaluation.cancelled": N_("Evaluation cancelled"),
    "evaluation.published": N_("Result published"),
    "evaluation.retried": N_("Evaluation tried again"),
    "golden_call.adjudicated": N_("Golden call decided by a third"),
    "golden_call.double_graded": N_("Golden call given to two graders"),
    "golden_call.erased": N_("Golden call erased"),
    "golden_set.collected": N_("Labels collected from reviews"),
    "golden_set.created": N_("Golden set made"),
    "golden_set.exported": N_("Golden set taken along"),
    "golden_set.filled": N_("Golden set added to"),
    "holdout.read": N_("The holdout was read"),
    "key.created": N_("Key made"),
    "key.revoked": N_("Key revoked"),
    "release.created": N_("Release made"),
    "retention.set": N_("Retention set"),
    "review.assigned": N_("Review assigned"),
    "review.submitted": N_("Review finished"),
    "review.withdrawn": N_("Review withdrawn"),
    "sample.drawn": N_("Sample drawn"),
    "score.acknowledged": N_("Result acknowledged"),
    "user.changed": N_("User changed"),
    "user.created": N_("User made"),
    "user.disabled": N_("User disabled"),
    "user.enabled": N_("User enabled"),
    "user.password_changed": N_("Password changed"),
    "user.password_reset": N_("Password reset"),
    "user.sign_in_failed": N_("Sign-in failed"),
    "user.signed_in": N_("Signed in"),
    "user.signed_out": N_("Signed out"),
    "user.tied_to_provider": N_("Tied to the sign-in service"),
    "webhook.added": N_("Webhook added"),
    "webhook.removed": N_("Webhook removed"),
}
"""An action without a word of its own is shown as it is recorded."""

router = APIRouter()
Auditor = Annotated[Principal, needs("audit:read")]


@router.get("/admin/audit")
def record(
    request: Request,
    visitor: Auditor,
    desk: Desked,
    about: Annotated[str, Query(max_length=40, pattern=r"^[a-z_]*$")] = "",
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
) -> Response:
    context = _found(request, visitor, desk, about, before)
    return page_or_part(request, "admin/audit.html", "admin/_audit.html", visitor, **context, checked=None)


@router.post("/admin/audit/verify")
def verify(request: Request, visitor: Auditor, desk: Desked) -> Response:
    """Reads all of it, which takes a second for every ten thousand events or so."""
    with desk.database.reading() as session:
        faults = audit.verify(session, visitor.client_id)
        heads = audit.heads(session, visitor.client_id)
    context = _found(request, visitor, desk, "", None)
    checked = {"faults": faults, "head": heads[0] if heads else None, "at": desk.clock()}
    return page(request, "admin/audit.html", visitor, **context, checked=checked)


def _found(request: Request, visitor: Principal, desk: Desk, about: str, before: int | None) -> dict[str, Any]:
    _ = words_of(request).gettext
    with desk.database.reading() as session:
        found = ledger.page(session, visitor, before=before, about=about, limit=PAGE)
    narrow = {"about": about} if about else {}
    return {
        "entries": found.entries,
        "words_for": {action: _(text) for action, text in ACTIONS.items()},
        "kinds": [(kind, _(text)) for kind, text in KINDS.items()],
        "about": about,
        "first": f"/admin/audit?{urlencode(narrow)}" if before else None,
        "further": f"/admin/audit?{urlencode({**narrow, 'before': found.next})}" if found.next else None,
    }
