"""A sampling plan in words: what it draws each period, what is always looked at, and who does it when."""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from callgrade.domain.conditions import FactConditions
from callgrade.domain.plans import Always, Plan
from callgrade.domain.programme import Period, Sampling
from callgrade.web.words import N_, Words

UNITS: Mapping[str, str] = {
    "day": N_("every day"),
    "week": N_("every week"),
    "month": N_("every month"),
    "quarter": N_("every quarter"),
    "half-year": N_("every half-year"),
    "year": N_("every year"),
}
"""The periods that a plan may draw by, and how they read. A project has no end of its own."""
CLOSED, UNCLOSED = ("closed",), ("open",)
_STRATUM = re.compile(r"(?:quota (?P<number>\d+) |(?P<title>.+) )?(?:all|agent:(?P<agent>.+))", re.DOTALL)
OUTCOME = "outcome"
"""The fact that says whether a call ended in a deal."""


def period_in_words(period: Period, words: Words) -> str:
    _ = words.gettext
    if period.unit == "month" and period.first_day != 1:
        return _("every month, from day %(first)s to day %(last)s", first=period.first_day, last=period.first_day - 1)
    return _(UNITS.get(period.unit, period.unit))


def quotas_in_words(plan: Plan, words: Words) -> list[str]:
    return [_quota(quota, plan.margin, words) for quota in plan.quotas]


def always_in_words(plan: Plan, words: Words) -> list[str]:
    """Reasons to look at a call whatever is drawn."""
    return [
        *_always(plan.always, words),
        *([words.gettext("unusually short or long")] if plan.unusual_durations else []),
    ]


def manner_in_words(plan: Plan, words: Words) -> list[str]:
    """Who looks at what was drawn, how, and until when."""
    return list(_manner(plan, words))


def stratum_in_words(name: str, words: Words) -> str:
    """`quota 2 agent:8031` and its like, as drawings name them; a quota's own title stays as it is."""
    _ = words.gettext
    found = _STRATUM.fullmatch(name)
    if found is None:
        return {"long calls": _("unusually long"), "short calls": _("unusually short")}.get(name, name)
    title = found["title"] or ""
    if found["number"]:
        title = _("Quota %(number)s", number=found["number"])
    who = _("all") if found["agent"] is None else _("agent %(agent)s", agent=found["agent"])
    return f"{title} · {who}" if title else who


def _quota(quota: Sampling, margin: float, words: Words) -> str:
    _ = words.gettext
    said = _numbers(quota, margin, words)
    if kinds := [*_kinds(quota.calls, words), *_others(quota.calls), *_others(quota.who)]:
        said = _("%(quota)s (%(kinds)s)", quota=said, kinds=", ".join(kinds))
    if other := [*_kinds(quota.instead, words), *_others(quota.instead)]:
        said = _("%(quota)s, made up with %(kinds)s where there are too few", quota=said, kinds=", ".join(other))
    return said


def _numbers(quota: Sampling, margin: float, words: Words) -> str:
    _, parts = words.gettext, []
    if quota.per_agent is not None:
        parts.append(words.ngettext("a call of each agent", "%(num)s calls of each agent", quota.per_agent))
    if quota.in_all is not None:
        parts.append(words.ngettext("at least a call in all", "at least %(num)s calls in all", quota.in_all))
    if quota.share is not None:
        parts.append(_("%(share)s of the calls", share=words.percent(float(quota.share), _places(quota.share))))
    if quota.confidence is not None:
        sure, near = words.percent(float(quota.confidence)), words.percent(margin, 1 if margin * 100 % 1 else 0)
        parts.append(_("so many that a share is known to ±%(margin)s at %(confidence)s", margin=near, confidence=sure))
    return ", ".join(parts)


def _kinds(conditions: FactConditions, words: Words) -> Iterator[str]:
    kind = conditions.get(OUTCOME)
    if kind == CLOSED:
        yield words.gettext("closed")
    elif kind == UNCLOSED:
        yield words.gettext("unclosed")
    elif kind is not None:
        yield f"{OUTCOME}={', '.join(map(str, kind))}"


def _others(conditions: FactConditions) -> Iterator[str]:
    for name, values in conditions.items():
        if name != OUTCOME:
            yield f"{name}={', '.join(map(str, values))}"


def _always(always: Always, words: Words) -> Iterator[str]:
    _ = words.gettext
    if always.red_lines:
        yield _("red lines")
    if always.below_confidence is not None:
        yield _("confidence below %(share)s", share=words.percent(always.below_confidence))
    if always.flags:
        yield _("flagged: %(flags)s", flags=", ".join(words.word(f"flag.{flag}") for flag in always.flags))
    if always.topic:
        yield _("somebody says: %(words)s", words=", ".join(always.topic))
    if always.agents:
        yield _("agents under watch: %(agents)s", agents=", ".join(always.agents))


def _manner(plan: Plan, words: Words) -> Iterator[str]:
    _ = words.gettext
    if plan.teams:
        yield _("of the teams %(teams)s", teams=", ".join(plan.teams))
    yield _("to whoever has the least to do") if plan.hand_out else _("to the pool")
    if plan.due_days == 0:
        yield _("due on the same day")
    else:
        yield words.ngettext("due within a day", "due within %(num)s days", plan.due_days)
    if plan.blind:
        yield _("blind")
    if plan.double:
        yield _("%(share)s by a second person, blind", share=words.percent(plan.double))


def _places(share: Decimal) -> int:
    return 1 if share * 100 % 1 else 0
