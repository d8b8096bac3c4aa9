"""A sampling plan as a form, and a form as a plan. What a rubric's programme says and the form has no field for is kept
beside each quota and comes back unchanged."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import JsonValue, ValidationError
from starlette.datastructures import FormData

from callgrade.domain.conditions import FactConditions
from callgrade.domain.frozen import LocalText
from callgrade.domain.plans import Always, Plan
from callgrade.domain.programme import Sampling
from callgrade.web.plan_words import CLOSED, OUTCOME, UNCLOSED, UNITS
from callgrade.web.words import N_

MOST_QUOTAS = 20
KINDS: Mapping[str, tuple[str, ...] | None] = {"": None, "closed": CLOSED, "unclosed": UNCLOSED}
NUMBER, PERCENT = N_("A whole number from 1 on."), N_("A percentage above 0, up to 100.")


@dataclass(frozen=True, slots=True)
class QuotaForm:
    """`share` and `confidence` are percentages, `calls`, `who` and `instead` conditions as text; `kept` is the quota
    that it began from."""

    title: str = ""
    per_agent: str = ""
    in_all: str = ""
    share: str = ""
    confidence: str = ""
    kind: str = ""
    calls: str = ""
    who: str = ""
    instead_kind: str = ""
    instead: str = ""
    kept: str = ""

    @property
    def is_empty(self) -> bool:
        return not any((self.per_agent, self.in_all, self.share, self.confidence))


@dataclass(frozen=True, slots=True)
class PlanForm:
    name: str = ""
    rubric: str = ""
    unit: str = "month"
    first_day: str = "1"
    quotas: tuple[QuotaForm, ...] = (QuotaForm(),)
    margin: str = "5"
    red_lines: bool = True
    below_confidence: str = ""
    flags: frozenset[str] = frozenset()
    topic: str = ""
    agents: str = ""
    unusual: bool = False
    double: str = ""
    blind: bool = False
    due_days: str = "3"
    hand_out: bool = True
    teams: tuple[str, ...] = ()

    def with_another_quota(self) -> "PlanForm":
        return replace(self, quotas=(*self.quotas, QuotaForm())[:MOST_QUOTAS])


class PlanFormError(Exception):
    """`faults` says what is wrong with which field, in words that are still to be translated."""

    def __init__(self, faults: Mapping[str, str]):
        self.faults = dict(faults)
        super().__init__("; ".join(self.faults))


def form_of(plan: Plan, name: str, rubric: str, language: str) -> PlanForm:
    always = plan.always
    return PlanForm(
        name=name,
        rubric=rubric,
        unit=plan.period.unit if plan.period.unit in UNITS else "month",
        first_day=str(plan.period.first_day),
        quotas=tuple(_quota_form(quota, language) for quota in plan.quotas) or (QuotaForm(),),
        margin=_percent(plan.margin),
        red_lines=always.red_lines,
        below_confidence="" if always.below_confidence is None else _percent(always.below_confidence),
        flags=frozenset(always.flags),
        topic="\n".join(always.topic),
        agents=", ".join(always.agents),
        unusual=plan.unusual_durations,
        double=_percent(plan.double) if plan.double else "",
        blind=plan.blind,
        due_days=str(plan.due_days),
        hand_out=plan.hand_out,
        teams=plan.teams,
    )


def form_in(data: FormData) -> PlanForm:
    """What was sent, right or wrong."""

    def text(name: str, otherwise: str = "") -> str:
        value = data.get(name, otherwise)
        return value.strip()[:4_000] if isinstance(value, str) else otherwise

    quotas = []
    for number in range(MOST_QUOTAS):
        if f"q{number}.title" not in data:
            break
        fields = {name: text(f"q{number}.{name}") for name in QuotaForm.__dataclass_fields__}
        quotas.append(QuotaForm(**fields))
    return PlanForm(
        name=text("name"),
        rubric=text("rubric"),
        unit=text("unit", "month"),
        first_day=text("first_day", "1"),
        quotas=tuple(quotas) or (QuotaForm(),),
        margin=text("margin", "5"),
        red_lines="red_lines" in data,
        below_confidence=text("below_confidence"),
        flags=frozenset(value for value in data.getlist("flags") if isinstance(value, str)),
        topic=text("topic"),
        agents=text("agents"),
        unusual="unusual" in data,
        double=text("double"),
        blind="blind" in data,
        due_days=text("due_days", "3"),
        hand_out=text("hand_out", "yes") == "yes",
        teams=_listed(text("teams")),
    )


@dataclass
class _Reading:
    """Takes fields apart and keeps what is wrong with them."""

    faults: dict[str, str] = field(default_factory=dict)

    def whole(self, name: str, text: str, least: int = 1, most: int = 1_000_000) -> int | None:
        if not text:
            return None
        if re.fullmatch(r"\d{1,7}", text) and least <= int(text) <= most:
            return int(text)
        self.faults[name] = NUMBER if least == 1 else N_("A whole number.")
        return None

    def share(self, name: str, text: str) -> Decimal | None:
        """From a percentage."""
        text = text.rstrip("%％ ")
        if not text:
            return None
        try:
            value = Decimal(text) / 100
        except InvalidOperation:
            value = Decimal(0)
        if value.is_finite() and 0 < value <= 1:
            return value
        self.faults[name] = PERCENT
        return None

    def conditions(self, name: str, text: str, kind: str = "") -> FactConditions:
        found: FactConditions = {}
        for part in re.split(r"[;；\n]", text):
            if not part.strip():
                continue
            fact, equals, values = part.partition("=")
            allowed = tuple(_value(value) for value in _listed(values))
            if not equals or not fact.strip() or not allowed:
                self.faults[name] = N_("Conditions read like rank=senior, junior; direction=outbound.")
                return {}
            found[fact.strip()] = allowed
        if chosen := KINDS.get(kind):
            found[OUTCOME] = chosen
        return found


def plan_from(form: PlanForm) -> Plan:
    """Raises PlanFormError."""
    reading = _Reading()
    if form.unit not in UNITS:
        raise PlanFormError({"unit": N_("Choose a period.")})
    quotas = [
        _quota_from(reading, number, quota, form.unit) for number, quota in enumerate(form.quotas) if not quota.is_empty
    ]
    first_day = reading.whole("first_day", form.first_day, most=28) or 1
    below = reading.share("below_confidence", form.below_confidence)
    due_days = reading.whole("due_days", form.due_days, least=0, most=365)
    told: dict[str, Any] = {
        "period": {"unit": form.unit, "first_day": first_day if form.unit == "month" else 1},
        "margin": float(reading.share("margin", form.margin) or Decimal("0.05")),
        "always": Always(
            red_lines=form.red_lines,
            below_confidence=None if below is None else float(below),
            flags=tuple(sorted(form.flags)),
            topic=_listed(form.topic),
            agents=_listed(form.agents),
        ),
        "unusual_durations": form.unusual,
        "double": float(reading.share("double", form.double) or 0),
        "blind": form.blind,
        "due_days": 3 if due_days is None else due_days,
        "hand_out": form.hand_out,
        "teams": form.teams,
    }
    if reading.faults:
        raise PlanFormError(reading.faults)
    try:
        return Plan(quotas=tuple(quota for quota in quotas if quota is not None), **told)
    except ValidationError:
        # each field was looked at: what is left is that all of them are empty
        raise PlanFormError({"quotas": N_("Say what is drawn, or what is always looked at.")}) from None


def _quota_from(reading: _Reading, number: int, form: QuotaForm, unit: str) -> Sampling | None:
    at = f"q{number}."
    numbers = {
        "per_agent": reading.whole(f"{at}per_agent", form.per_agent),
        "in_all": reading.whole(f"{at}in_all", form.in_all),
        "share": reading.share(f"{at}share", form.share),
        "confidence": reading.share(f"{at}confidence", form.confidence),
    }
    conditions = {
        "calls": reading.conditions(f"{at}calls", form.calls, form.kind),
        "who": reading.conditions(f"{at}who", form.who),
        "instead": reading.conditions(f"{at}instead", form.instead, form.instead_kind),
    }
    if all(value is None for value in numbers.values()):
        return None
    kept = _kept(form.kept)
    title = LocalText(zh=form.title, en=form.title)
    if kept is not None and form.title in (kept.title.zh, kept.title.en):
        title = kept.title
    every = kept.every if kept is not None and unit in kept.every else (unit,)
    try:
        told = {"title": title, **numbers, **conditions, "every": every, "repeats": kept.repeats if kept else None}
        return Sampling.model_validate(told)
    except ValidationError:
        reading.faults[f"{at}title"] = N_("This quota cannot be so.")
        return None


def _quota_form(quota: Sampling, language: str) -> QuotaForm:
    return QuotaForm(
        title=quota.title.in_language(language),
        per_agent="" if quota.per_agent is None else str(quota.per_agent),
        in_all="" if quota.in_all is None else str(quota.in_all),
        share="" if quota.share is None else _percent(quota.share),
        confidence="" if quota.confidence is None else _percent(quota.confidence),
        kind=_kind(quota.calls),
        calls=_text(quota.calls),
        who=_text(quota.who),
        instead_kind=_kind(quota.instead),
        instead=_text(quota.instead),
        kept=quota.model_dump_json(),
    )


def _kind(conditions: FactConditions) -> str:
    return next((name for name, value in KINDS.items() if value and conditions.get(OUTCOME) == value), "")


def _text(conditions: FactConditions) -> str:
    """Without the kind, where that has a field of its own."""
    kind = _kind(conditions)
    parts = (
        f"{name}={', '.join(_written(value) for value in values)}"
        for name, values in conditions.items()
        if not (name == OUTCOME and kind)
    )
    return "; ".join(parts)


def _value(text: str) -> JsonValue:
    """`7` is a number, `true` a truth, `"7"` and everything else a text."""
    try:
        found: JsonValue = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, bool | int | float | str) else text


def _written(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if _value(text) == value else json.dumps(value, ensure_ascii=False)


def _kept(text: str) -> Sampling | None:
    try:
        return Sampling.model_validate_json(text)
    except ValidationError:
        return None


def _listed(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in re.split(r"[,，、\n]", text) if part.strip()))


def _percent(share: float | Decimal) -> str:
    """`12.5` from 0.125."""
    return f"{(Decimal(str(share)) * 100).normalize():f}"
