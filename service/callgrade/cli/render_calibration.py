"""Calibration runs and reports as a person reads them in a terminal."""

from collections.abc import Sequence
from typing import Any, Self

from rich.markup import escape
from rich.table import Table

from callgrade.calibration.comparing import RunComparison
from callgrade.calibration.report_view import notices
from callgrade.calibration.report_words import needed, outcome_in_words, say, where
from callgrade.calibration.verdicts import interval
from callgrade.cli.output import console
from callgrade.db.tables import CalibrationRun
from callgrade.domain.calibration import CalibrationReport, CriterionReport
from callgrade.domain.frozen import Frozen

COLOURS = {"on_par": "green", "below": "red", "undecided": "yellow", "unclear": "yellow"}
SHOWN = 10
"""Disagreements and flips in a terminal; the page and the JSON have all."""


class RunLine(Frozen):
    """A run in a line of a list."""

    id: str
    rubric: str
    set_id: str
    split: str
    samples: int
    model: str | None
    status: str
    items: int
    created_at: str

    @classmethod
    def of(cls, row: CalibrationRun) -> Self:
        return cls(
            id=row.id,
            rubric=f"{row.rubric_id}@{row.rubric_version}",
            set_id=row.set_id,
            split=row.split,
            samples=row.samples,
            model=row.model_reported or row.model_asked,
            status=row.status,
            items=row.items,
            created_at=row.created_at.isoformat(),
        )


def show_runs(found: Sequence[RunLine], language: str) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("run", "rubric", "split", "model", "status", "made_at"):
        table.add_column(say(name, language), no_wrap=name == "run", overflow="fold")
    for one in found:
        split = say(f"split.{one.split}", language)
        table.add_row(one.id, one.rubric, split, one.model or "–", one.status, one.created_at[:16].replace("T", " "))
    console().print(table)


def show_report(report: CalibrationReport, language: str) -> None:
    """Each criterion begins with its verdict, the reason, the next action and the labels that are missing."""
    out = console()
    title = report.judge.rubric_title.in_language(language)
    out.print(f"[bold]{escape(say('title', language))} · {escape(title)}[/] {escape(report.judge.rubric)}")
    split = say(f"split.{report.split}", language)
    calls = f"{report.set_title} · {split} · {say('calls', language)} {report.calls} × {report.samples}"
    out.print(escape(f"{calls} · {report.judge.model_reported or say('no_model', language)}"))
    for what, sentence in notices(report, language):
        out.print(f"[yellow]{escape(f'{what}: {sentence}')}[/]")
    for found in report.criteria:
        out.print()
        _show_criterion(out, found, language)
    _show_disagreements(out, report, language)
    out.print(escape(say("method_note", language)), style="dim")


def _show_criterion(out: Any, found: CriterionReport, language: str) -> None:
    line = found.verdict
    colour = COLOURS.get(line.kind, "bold")
    title = escape(found.title.in_language(language))
    out.print(f"[{colour}]{escape(say(line.kind, language))}[/] [bold]{title}[/] [dim]{escape(found.criterion_id)}[/]")
    told = (line.reason.in_language(language), line.action.in_language(language), needed(line, language))
    out.print(f"  {escape(' → '.join(told))}")
    if found.model is None:
        return
    figures = [
        (say("kappa", language), found.model.kappa),
        ("AC", found.model.ac),
        (say("percent", language), found.model.percent),
        (say("bias", language), found.bias),
    ]
    if found.confusion and found.confusion.fault:
        fault = found.confusion.fault
        figures += [(say("recall", language), fault.recall), (say("precision", language), fault.precision)]
    shown = "  ".join(f"{name} {interval(figure)}" for name, figure in figures)
    out.print(f"  {escape(shown)}", style="dim")


def _show_disagreements(out: Any, report: CalibrationReport, language: str) -> None:
    if not report.disagreements:
        return
    out.print()
    out.print(f"[bold]{escape(say('disagreements', language))}[/] {len(report.disagreements)}")
    table = Table(box=None, pad_edge=False)
    for name in ("call", "criterion", "turn", "proposed", "right"):
        table.add_column(say(name, language), overflow="fold")
    for one in report.disagreements[:SHOWN]:
        sides = (outcome_in_words(one.proposed, language), outcome_in_words(one.truth, language))
        table.add_row(*map(escape, (one.call, one.criterion_id, where(one), *sides)))
    out.print(table)
    if len(report.disagreements) > SHOWN:
        out.print(escape(say("more", language, number=len(report.disagreements) - SHOWN)))


def show_comparison(found: RunComparison, language: str) -> None:
    out = console()
    out.print(f"[bold]{escape(found.a)} → {escape(found.b)}[/] {say('calls', language)} {found.calls}")
    table = Table(box=None, pad_edge=False)
    for name in ("criterion", "verdict", "kappa", "interval", "gained", "lost", "flips"):
        table.add_column(say(name, language), overflow="fold")
    table.add_column("p")
    for one in found.criteria:
        kappas = f"{interval(one.kappa_a)} → {interval(one.kappa_b)}"
        told = (one.title.in_language(language), say(one.change, language), kappas, interval(one.kappa))
        numbers = (one.gained, one.lost, one.flips, "–" if one.p is None else f"{one.p:.3f}")
        table.add_row(*map(escape, (*told, *map(str, numbers))))
    out.print(table)
    if not found.flips:
        return
    flips = Table(box=None, pad_edge=False)
    for name in ("call", "criterion", "before", "after", "right"):
        flips.add_column(say(name, language), overflow="fold")
    for flip in found.flips:
        truth = "–" if flip.truth is None else outcome_in_words(flip.truth, language)
        sides = (outcome_in_words(flip.before, language), outcome_in_words(flip.after, language))
        flips.add_row(*map(escape, (flip.call, flip.criterion_id, *sides, truth)))
    out.print(f"[bold]{escape(say('flips', language))}[/] {len(found.flips)}")
    out.print(flips)
