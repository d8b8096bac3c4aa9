"""What a standard says around its form, in words: sampling, appeals, reports, targets, consequences."""

import json
from collections.abc import Iterator

from callgrade.domain.frozen import Frozen, LocalText
from callgrade.domain.programme import (
    Appeals,
    Consequence,
    Mending,
    Period,
    Programme,
    Report,
    Sampling,
    Target,
    Within,
)
from callgrade.evaluations.rubric_page.outline import Line
from callgrade.evaluations.rubric_page.say import Say, percent, plain

IN_MS = "_ms"
"""Facts so named are times in milliseconds."""


def programme_lines(programme: Programme, say: Say) -> Iterator[Line]:
    """One line for every part that is there. A part nobody has written words for yet is shown as it is."""
    for name in type(programme).model_fields:
        part = getattr(programme, name)
        if not part:
            continue
        label = say.known(f"programme.{name}", name)
        if isinstance(part, tuple):
            yield Line(name, label, "", tuple(_in_words(item, say) for item in part))
        else:
            yield Line(name, label, _in_words(part, say))


def _in_words(part: object, say: Say) -> str:
    match part:
        case Period():
            parts = _period(part, say)
        case Sampling():
            parts = _sampling(part, say)
        case Appeals():
            parts = _appeals(part, say)
        case Report():
            parts = _report(part, say)
        case Target():
            parts = _target(part, say)
        case Mending():
            parts = _mending(part, say)
        case Consequence():
            parts = iter([say("form.labelled", label=say(f"programme.on.{part.on}"), text=say.text(part.title))])
        case _:
            return _anything(part, say)
    return say.listed(parts, "form.semicolon")


def _anything(part: object, say: Say) -> str:
    if isinstance(part, LocalText):
        return say.text(part)
    return json.dumps(part.model_dump(mode="json") if isinstance(part, Frozen) else part, ensure_ascii=False)


def _every(unit: str, say: Say) -> str:
    return say("programme.every", unit=say(f"unit.{unit}"))


def _period(period: Period, say: Say) -> Iterator[str]:
    yield _every(period.unit, say)
    if period.first_day != 1:
        yield say("programme.from_day", first=period.first_day, last=period.first_day - 1)


def _sampling(sampling: Sampling, say: Say) -> Iterator[str]:
    what = say("programme.of", what=say(f"programme.of.{sampling.of}"))
    title = say.text(sampling.title)
    yield say("form.labelled", label=title, text=what) if title else what
    if sampling.who:
        yield say("programme.who", conditions=say.conditions(sampling.who))
    if sampling.calls:
        yield say("programme.calls", conditions=say.conditions(sampling.calls))
    for name in ("per_agent", "in_all"):
        if (number := getattr(sampling, name)) is not None:
            yield say(f"programme.{name}", number=number)
    for name in ("share", "confidence"):
        if (share := getattr(sampling, name)) is not None:
            yield say(f"programme.{name}", share=percent(share))
    yield say.listed((_every(unit, say) for unit in sampling.every), "condition.or")
    if sampling.instead:
        yield say("programme.instead", conditions=say.conditions(sampling.instead))
    if sampling.repeats:
        yield say(f"programme.repeats.{sampling.repeats}")


def _within(within: Within | str | None, say: Say) -> str:
    if not isinstance(within, Within):
        return say.known(f"programme.within.{within}", str(within))
    return say("programme.days", number=within.days) if within.days else say("programme.same_day")


def _appeals(appeals: Appeals, say: Say) -> Iterator[str]:
    yield say("programme.file_within", when=_within(appeals.file_within, say))
    if appeals.decide_within is not None:
        yield say("programme.decide_within", when=_within(appeals.decide_within, say))
    yield say(f"programme.late.{appeals.late}")


def _report(report: Report, say: Say) -> Iterator[str]:
    yield say("form.labelled", label=say.text(report.title), text=_every(report.every, say))
    yield say.listed(report.shows)


def _target(target: Target, say: Say) -> Iterator[str]:
    limits = []
    for name in ("at_least", "at_most"):
        if (limit := getattr(target, name)) is not None:
            in_ms = target.fact.endswith(IN_MS)
            number = say("unit.ms", number=plain(limit / 1000)) if in_ms else plain(limit)
            limits.append(say(f"programme.{name}", number=number))
    label = say.both(say.text(target.title, target.fact), target.fact)
    yield say("form.labelled", label=label, text=say.listed(limits, "form.comma"))
    if target.every is not None:
        yield _every(target.every, say)


def _mending(mending: Mending, say: Say) -> Iterator[str]:
    yield say(
        "programme.mended",
        severity=say.known(f"severity.{mending.severity}", mending.severity),
        by=say.known(f"programme.by.{mending.by}", mending.by),
        when=_within(mending.within, say),
        becomes=say.known(f"severity.{mending.becomes}", mending.becomes),
    )
