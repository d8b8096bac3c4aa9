"""Second opinions as a person reads them in a terminal."""

from collections.abc import Mapping, Sequence

from rich.markup import escape
from rich.table import Table

from callgrade.calibration.second_opinion.standing import Standing
from callgrade.calibration.verdicts import interval
from callgrade.cli.output import console
from callgrade.cli.second_opinion_words import word
from callgrade.domain.second_opinion import Check, Opinion

COLOURS = {"on": "green", "insufficient_data": "yellow", "below": "red"}


def show(found: Sequence[Opinion], language: str) -> None:
    """Where they come from; then each criterion: its state, the reason, what to do next, and what it rests on."""
    out = console()
    for source in dict.fromkeys(_source(one, language) for one in found):
        out.print(escape(source))
    for one in found:
        gate = f"[{COLOURS[one.verdict.gate]}]{escape(word(one.verdict.gate, language))}[/]"
        why = f"{one.verdict.reason.in_language(language)} {one.verdict.action.in_language(language)}"
        out.print(f"[bold]{escape(one.criterion_id)}[/] {gate} · {escape(why)}")
        if one.check is not None and one.check.calls:
            out.print(f"  {escape(_figures(one, one.check, language))}", style="dim")


def show_faults(found: Sequence[Standing], language: str) -> None:
    for one in found:
        if one.fault is not None:
            told = f"{one.about.criterion_id} · {word('fault', language)}: {one.fault}"
            console().print(f"[red]{escape(told)}[/]")


def show_said(found: Sequence[Standing], said: Mapping[str, float], language: str) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("criterion", "probability", "gate"):
        table.add_column(word(name, language))
    gates = {one.about.criterion_id: one.about.verdict.gate for one in found}
    for id_, probability in sorted(said.items(), key=lambda one: -one[1]):
        table.add_row(escape(id_), f"{probability:.2f}", word(gates[id_], language))
    if said:
        console().print(table)


def _source(one: Opinion, language: str) -> str:
    source = one.source
    parts = [f"{one.rubric} · {word(source.kind, language)} {source.name}"]
    parts += [word("synthetic", language)] if source.synthetic else []
    parts += [word("by_models", language)] if source.by_models else []
    parts += [word("blind", language, n=source.blind)]
    return " · ".join([*parts, one.trained_at.isoformat(timespec="minutes")])


def _figures(one: Opinion, found: Check, language: str) -> str:
    brier = "–" if found.brier is None or found.base is None else f"{found.brier:.3f} ({found.base:.3f})"
    ece = "–" if found.ece is None else f"{found.ece:.3f}"
    firm = word("firm", language, firm=one.firm, n=found.firm_fault.said, m=found.firm_none.said)
    figures = [
        word("trained", language, calls=one.source.calls, faults=one.source.faults),
        word("checked", language, by=word(found.split, language), calls=found.calls, faults=found.faults),
        f"kappa {interval(found.kappa)}",
        f"AC1 {interval(found.ac)}",
        f"{word('recall', language)} {interval(found.recall)}",
        f"{word('precision', language)} {interval(found.precision)}",
        f"{word('brier', language)} {brier}",
        f"ECE {ece}",
        firm,
    ]
    return " · ".join(figures)
