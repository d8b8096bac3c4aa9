"""A rule of alerts as a form, and a form as a rule."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import FormData

from callgrade.db.tables import AlertRule
from callgrade.domain.alerts import SPEC, Kind, Spec
from callgrade.domain.errors import InputError
from callgrade.reviews.alerts import LONGEST_NAME, checked_addresses, checked_name, spec_in
from callgrade.web.words import N_

OF_KIND: Mapping[Kind, tuple[str, ...]] = {
    "red_line": ("rubric", "teams", "published_only"),
    "agent_week": ("rubric", "teams", "confidence", "least", "calls", "weeks", "after_days"),
    "queue_age": ("teams", "hours", "open"),
    "autonomy_ended": ("rubric", "teams"),
}
"""The fields of each kind's form that make up its spec."""
WRONG: Mapping[str, str] = {
    "rubric": N_("Choose a rubric."),
    "least": N_("A number of points, 0 or more."),
    "calls": N_("A whole number from 5 on."),
    "weeks": N_("A whole number from 4 to 52."),
    "after_days": N_("A whole number from 0 to 28."),
    "confidence": N_("Choose how sure it must be."),
    "hours": N_("A number of hours above 0."),
    "open": N_("A whole number from 1 on."),
}


@dataclass(frozen=True, slots=True)
class RuleForm:
    """As it was typed."""

    name: str = ""
    rubric: str = ""
    teams: str = ""
    published_only: str = ""
    confidence: str = "0.99"
    least: str = "3"
    calls: str = "5"
    weeks: str = "12"
    after_days: str = "3"
    hours: str = ""
    open: str = ""
    email: str = ""
    webhook: str = ""


class RuleFormError(Exception):
    """`faults` says what is wrong with which field, in words that are still to be translated."""

    def __init__(self, faults: Mapping[str, str]):
        self.faults = dict(faults)
        super().__init__("; ".join(self.faults))


@dataclass(frozen=True, slots=True)
class Wanted:
    name: str
    spec: Spec
    email: tuple[str, ...]
    webhook: bool


def form_in(data: FormData) -> RuleForm:
    return RuleForm(**{field.name: str(data.get(field.name, ""))[:4_000].strip() for field in fields(RuleForm)})


def form_of(row: AlertRule) -> RuleForm:
    """A rule as somebody would have typed it."""
    kind = next(kind for kind in OF_KIND if kind == row.kind)
    spec = spec_in(row).model_dump()
    told = {name: _typed(spec[name]) for name in OF_KIND[kind]}
    return RuleForm(name=row.name, email=", ".join(row.email), webhook="yes" if row.webhook else "", **told)


def _typed(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, bool):
        return "yes" if value else ""
    return f"{value:g}" if isinstance(value, float) else "" if value is None else str(value)


def rule_in(form: RuleForm, kind: Kind) -> Wanted:
    """Raises RuleFormError with all that is wrong."""
    faults: dict[str, str] = {}
    spec: Spec | None = None
    name, email = "", tuple[str, ...]()
    try:
        spec = SPEC.validate_python({"kind": kind, **_told(form, kind)})
    except ValidationError as error:
        for fault in error.errors():
            field = next((str(part) for part in fault["loc"] if part in WRONG), None)
            # what is wrong with none of them is wrong with a queue that asks nothing
            faults[field or "hours"] = WRONG[field] if field else N_("Give at least one of the two.")
    try:
        name = checked_name(form.name)
    except InputError:
        faults["name"] = N_("1 to 100 characters on one line.")
    assert LONGEST_NAME == 100
    try:
        email = checked_addresses(_parts(form.email))
    except InputError:
        faults["email"] = N_("Whole e-mail addresses, 20 at most, with commas between them.")
    if not faults and not email and not form.webhook:
        faults["email"] = N_("Say who is told: addresses, or the webhooks.")
    if faults or spec is None:
        raise RuleFormError(faults)
    return Wanted(name, spec, email, bool(form.webhook))


def _told(form: RuleForm, kind: Kind) -> dict[str, Any]:
    """What was filled in; what was left empty is as the kind has it."""
    told: dict[str, Any] = {name: getattr(form, name) for name in OF_KIND[kind] if getattr(form, name)}
    if "teams" in told:
        told["teams"] = tuple(_parts(form.teams))
    return told


def _parts(text: str) -> list[str]:
    return [part for part in re.split(r"[\s,，;；、]+", text) if part]
