"""Alerts: what rules found, who has seen it, and the rules themselves."""

from collections.abc import Hashable
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from sqlmodel import Session
from starlette.datastructures import FormData

from callgrade.access.principals import Principal
from callgrade.db.tables import AlertRule
from callgrade.domain.alerts import Kind, Spec
from callgrade.domain.errors import CallgradeError
from callgrade.domain.frozen import LocalText
from callgrade.evaluations import registry
from callgrade.reviews import alerts_repository as repository
from callgrade.reviews.alerts import AlertDesk, spec_in
from callgrade.reviews.alerts_repository import AlertRow
from callgrade.web.alert_forms import RuleForm, RuleFormError, form_in, form_of, rule_in
from callgrade.web.alert_words import KINDS, MEANT, Told, mail_of, rule_in_words, told_of
from callgrade.web.dependencies import Desk, Desked, needs
from callgrade.web.live import Topic
from callgrade.web.preferences import words_of
from callgrade.web.shell import Tone, page, page_or_part, redirect
from callgrade.web.words import N_, Words

PAGE = 50
CONFIDENCES = (("0.95", "95%"), ("0.99", "99%"), ("0.999", "99.9%"))
WHEN = {"": N_("As soon as it is proposed"), "yes": N_("Once it is published")}

NAMES = {"criteria", "criterion"}
"""Of figures that name criteria of the rubric."""

router = APIRouter()
Watcher = Annotated[Principal, needs("alerts:write")]


async def sent(request: Request) -> FormData:
    return await request.form()


class Shown(NamedTuple):
    """A line of the list."""

    row: AlertRow
    told: Told
    mail: tuple[Tone, str] | None


class ShownRule(NamedTuple):
    row: AlertRule
    kind: str
    words: list[str]


@router.get("/alerts")
def alerts(
    request: Request,
    visitor: Watcher,
    desk: Desked,
    before: Annotated[str | None, Query(pattern=r"^[0-9a-f]{32}$")] = None,
) -> Response:
    """The newest first."""
    words, service = words_of(request), alerting(desk)
    found = service.page(visitor, before=before, limit=PAGE + 1)
    with desk.database.reading() as session:
        titles = _titles(session, [row.alert.data["rubric"] for row in found if NAMES & row.alert.data.keys()])
    shown = [Shown(row, told_of(row, titles, words), mail_of(row.alert)) for row in found[:PAGE]]
    return page_or_part(
        request,
        "alerts/list.html",
        "alerts/_list.html",
        visitor,
        rows=shown,
        unseen=[one.row.alert.id for one in shown if one.row.seen_by is None],
        any_rules=bool(found) or bool(service.rules(visitor)),
        further=f"/alerts?before={shown[-1].row.alert.id}" if len(found) > PAGE else None,
        first="/alerts" if before else None,
    )


@router.post("/alerts/seen")
def see(
    request: Request, visitor: Watcher, desk: Desked, alert: Annotated[list[str] | None, Form(max_length=PAGE)] = None
) -> Response:
    """One, or all that a page shows."""
    words = words_of(request)
    seen = alerting(desk).see(visitor, alert or [])
    told = words.ngettext("Marked as seen.", "%(num)s alerts marked as seen.", seen)
    return redirect(request, "/alerts", told=told if seen else words.gettext("Somebody had seen it before."))


@router.get("/alerts/rules")
def rules(request: Request, visitor: Watcher, desk: Desked, disabled: bool = False) -> Response:
    words = words_of(request)
    with desk.database.reading() as session:
        titles = _titles(session)
    rows = alerting(desk).rules(visitor, disabled=disabled)
    shown = [ShownRule(row, words.gettext(KINDS[_kind(row)]), _in_words(row, titles, words)) for row in rows]
    return page(request, "alerts/rules.html", visitor, rules=shown, disabled=disabled)


@router.get("/alerts/rules/new")
def new(request: Request, visitor: Watcher, desk: Desked, kind: Kind = "red_line") -> Response:
    return _form(request, visitor, desk, kind, RuleForm())


@router.post("/alerts/rules")
def make(
    request: Request,
    visitor: Watcher,
    desk: Desked,
    data: Annotated[FormData, Depends(sent)],
    kind: Annotated[Kind, Form()],
) -> Response:
    _ = words_of(request).gettext
    form = form_in(data)
    try:
        wanted = rule_in(form, kind)
        alerting(desk).make(visitor, wanted.name, wanted.spec, email=wanted.email, webhook=wanted.webhook)
    except RuleFormError as error:
        return _form(request, visitor, desk, kind, form, error.faults)
    return redirect(request, "/alerts/rules", told=_("The rule is on. Try it with a test."))


@router.get("/alerts/rules/{rule_id}/edit")
def edit(request: Request, visitor: Watcher, desk: Desked, rule_id: str) -> Response:
    row = alerting(desk).rule(visitor, rule_id)
    return _form(request, visitor, desk, _kind(row), form_of(row), of=row)


@router.post("/alerts/rules/{rule_id}")
def change(
    request: Request, visitor: Watcher, desk: Desked, rule_id: str, data: Annotated[FormData, Depends(sent)]
) -> Response:
    """Of a kind it stays; what it found stays, too."""
    _ = words_of(request).gettext
    row, form = alerting(desk).rule(visitor, rule_id), form_in(data)
    try:
        wanted = rule_in(form, _kind(row))
    except RuleFormError as error:
        return _form(request, visitor, desk, _kind(row), form, error.faults, of=row)
    alerting(desk).change(visitor, rule_id, wanted.name, wanted.spec, email=wanted.email, webhook=wanted.webhook)
    return redirect(request, "/alerts/rules", told=_("Saved; it looks for this from now on."))


@router.post("/alerts/rules/{rule_id}/disabling")
def disable(request: Request, visitor: Watcher, desk: Desked, rule_id: str) -> Response:
    _ = words_of(request).gettext
    alerting(desk).disable(visitor, rule_id)
    return redirect(request, "/alerts/rules", told=_("The rule is off. What it found stays."))


@router.post("/alerts/rules/{rule_id}/test")
def test(request: Request, visitor: Watcher, desk: Desked, rule_id: str) -> Response:
    """Goes the way that every alert goes."""
    _ = words_of(request).gettext
    alerting(desk).test(visitor, rule_id)
    return redirect(request, "/alerts", told=_("A test is on its way; here is how it stands."))


def alerting(desk: Desk) -> AlertDesk:
    return AlertDesk(desk.database, clock=desk.clock)


def _form(
    request: Request,
    visitor: Principal,
    desk: Desk,
    kind: Kind,
    form: RuleForm,
    faults: dict[str, str] | None = None,
    *,
    of: AlertRule | None = None,
) -> Response:
    words = words_of(request)
    with desk.database.reading() as session:
        titles = _titles(session)
    return page(
        request,
        "alerts/form.html",
        visitor,
        status=422 if faults else 200,
        kind=kind,
        rule=of,
        kinds=[(f"/alerts/rules/new?kind={name}", words.gettext(text), name == kind) for name, text in KINDS.items()],
        meant=MEANT[kind],
        form=form,
        titles=sorted(titles.items()),
        confidences=CONFIDENCES,
        when=[(value, words.gettext(text)) for value, text in WHEN.items()],
        teams=None if visitor.reach("alerts:write") == "all" else sorted(visitor.teams),
        faults={name: words.gettext(fault) for name, fault in (faults or {}).items()},
    )


def _kind(row: AlertRule) -> Kind:
    return next(kind for kind in KINDS if kind == row.kind)


def _in_words(row: AlertRule, titles: dict[str, LocalText], words: Words) -> list[str]:
    spec: Spec = spec_in(row)
    return rule_in_words(spec, titles, words)


def _titles(session: Session, references: list[str] | None = None) -> dict[str, LocalText]:
    """Of rubrics by their ids, and of the criteria of those named as `<id>@<version>`."""
    found = {name.partition("@")[0]: title for name, title in registry.titles(session).items()}
    for reference in dict.fromkeys(references or ()):
        try:
            rubric = registry.parsed(registry.rubric_version(session, reference))
        except CallgradeError:
            continue
        found |= {f"{reference}/{one.id}": one.title for one in rubric.criteria}
    return found


def _newest(session: Session, visitor: Principal) -> Hashable:
    return repository.pulse(session, visitor)


TOPICS = [Topic("alerts", "alerts:write", _newest, own=True)]
