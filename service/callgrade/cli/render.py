"""Scorecards, transcripts and rubrics as a person reads them in a terminal; plain text when piped."""

from collections.abc import Iterable

from rich.markup import escape
from rich.table import Table

from callgrade.cli.output import console
from callgrade.domain.calls import Transcript
from callgrade.domain.judgements import Evidence
from callgrade.domain.numbers import shown
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scorecards import Amount, Scorecard, ScoredJudgement
from callgrade.evaluations.words import outcome_in_words, reason_in_words, word

COLOURS = {"passed": "green", "failed": "red", "open": "yellow"}


def clock(milliseconds: int | None) -> str:
    """`0:41.2` from 41200; empty without a time."""
    if milliseconds is None:
        return ""
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes}:{rest / 1000:04.1f}"


def amount_in_words(amount: Amount | None) -> str:
    """`87.0 / 100.0`, `35.0–62.0 / 100.0` while it is open, `–` where there is none."""
    if amount is None or amount.high is None:
        return "–"
    low = "−∞" if amount.low is None else shown(amount.low)
    value = shown(amount.value) if amount.value is not None else f"{low}–{shown(amount.high)}"
    return f"{value} / {shown(amount.max)}"


def show_scorecard(card: Scorecard, rubric: Rubric, language: str) -> None:
    """Heading, one row a criterion with its quotes, then what needs a person."""
    out = console()
    out.print(f"[bold]{escape(card.call_id)}[/]  {escape(rubric.title.in_language(language))} ({rubric.reference})")
    out.print("  ".join(_headline(card, language)))
    table = Table(show_edge=False, pad_edge=False, header_style="bold")
    table.add_column(word("criterion", language), overflow="fold", ratio=3)
    table.add_column(word("verdict", language), overflow="fold", ratio=3)
    table.add_column(word("points", language), justify="right", no_wrap=True)
    table.add_column(word("evidence", language), overflow="fold", ratio=5)
    for judgement in card.judgements:
        criterion = rubric.by_id[judgement.criterion_id]
        table.add_row(*_row(criterion, judgement, language, counts=criterion.scale.kind != "violation"))
    out.print(table)
    out.print()


def _headline(card: Scorecard, language: str) -> Iterable[str]:
    assessed = card.assessed
    points = f"{shown(assessed.value)} / {shown(assessed.max)} " if card.total and assessed.value is not None else ""
    yield f"{word('assessed', language)} {points}({assessed.share:.0%})"
    if card.total is not None:
        yield f"{word('total', language)} [bold]{amount_in_words(card.total)}[/]"
    verdict = {True: "passed", False: "failed", None: "open"}[card.passed]
    if card.pass_line is not None or card.passed is not None:
        yield f"[{COLOURS[verdict]}]{word(verdict, language)}[/]"
    if card.violations:
        yield f"[bold red]{word('violations', language)}: {sum(found.count for found in card.violations)}[/]"


def _row(criterion: Criterion, judgement: ScoredJudgement, language: str, *, counts: bool) -> tuple[str, str, str, str]:
    points = "" if judgement.points is None or not counts else shown(judgement.points)
    verdict = outcome_in_words(judgement, criterion, language)
    quotes = "\n".join(_quote(item, language) for item in judgement.evidence)
    return (
        escape(criterion.title.in_language(language)),
        escape(verdict),
        points,
        quotes or f"[dim]{escape(reason_in_words(judgement, language))}[/]",
    )


def _quote(item: Evidence, language: str) -> str:
    if not item.founded:
        return f"[red]{word('unfounded', language)}[/] [dim]“{escape(item.quote)}”[/]"
    where = " ".join(part for part in (f"#{item.turn}", clock(item.start_ms)) if part)
    return f"[dim]{where}[/] “{escape(item.quote)}”"


def show_transcript(transcript: Transcript) -> None:
    out = console()
    out.print(f"[bold]{escape(transcript.call_id)}[/]")
    for note in transcript.notes:
        out.print(f"[yellow]{escape(note)}[/]")
    for number, turn in enumerate(transcript.turns):
        mood = f" [dim]({escape(turn.emotion)})[/]" if turn.emotion and turn.emotion != "neutral" else ""
        out.print(f"[dim]{number:>3} {clock(turn.start_ms):>7}[/] {turn.speaker}: {escape(turn.text)}{mood}")
    out.print()
