"""Eval suites and what came of them, for a terminal."""

from collections.abc import Iterable, Sequence

from rich.table import Table

from callgrade.calibration.suite_results import CaseResult, Comparison, EvalReport, Rate, SuiteResult
from callgrade.calibration.suite_verdicts import NOTHING_AT_STAKE
from callgrade.catalog.eval_suites import Suite
from callgrade.cli.eval_words import verdict_words, word
from callgrade.cli.output import console, emit


def show_suites(rows: Iterable[tuple[Suite, int, Sequence[str]]], language: str) -> None:
    """(suite, its cases, the judges that it has a baseline for)."""
    table = Table(box=None, pad_edge=False)
    for name in ("suite", "cases", "margin", "baseline"):
        table.add_column(word(name, language), justify="right" if name in ("cases", "margin") else "left")
    table.add_column("")
    for suite, cases, judges in rows:
        known = ", ".join(judges) or word("nothing", language)
        table.add_row(suite.id, str(cases), f"{suite.margin:g}", known, suite.title.in_language(language))
    console().print(table)


def show_suite(suite: Suite, groups: dict[str, int], language: str) -> None:
    out = console()
    out.print(f"{suite.id} · {suite.title.in_language(language)} · {suite.rubric}", style="bold", markup=False)
    out.print(suite.about.in_language(language), markup=False)
    table = Table(box=None, pad_edge=False)
    table.add_column(word("group", language))
    table.add_column(word("cases", language), justify="right")
    for group, cases in groups.items():
        table.add_row(group, str(cases))
    out.print(table)


def show_report(report: EvalReport, language: str) -> None:
    """Every suite with its groups; then what failed, case by case, and what was not judged."""
    for result in report.suites:
        _show_result(result, language)
    for comparison in report.comparisons:
        show_comparison(comparison, language)


def _show_result(result: SuiteResult, language: str) -> None:
    out = console()
    out.print(f"\n{result.suite} · {result.title.in_language(language)} · {result.judge}", style="bold", markup=False)
    table = Table(box=None, pad_edge=False)
    table.add_column(word("group", language))
    for name in ("cases", "passed", "failed", "not_judged", "rate"):
        table.add_column(word(name, language), justify="right")
    for group in result.groups:
        table.add_row(group.group, *_numbers(group.n, group.passed, group.not_judged, group.rate))
    table.add_row("=", *_numbers(result.n, result.passed, result.not_judged, result.rate), style="bold")
    out.print(table)
    if result.quotes.given:
        emit(word("quotes", language, given=result.quotes.given, founded=result.quotes.founded))
    for case in result.failures:
        emit(f"✗ {case.id}: {_differences(case, language)}")
    _show_unjudged(result, language)


def _show_unjudged(result: SuiteResult, language: str) -> None:
    unjudged = [case.why or "" for case in result.cases if case.outcome == "not_judged"]
    at_stake = unjudged.count(NOTHING_AT_STAKE)
    failing = sum(why.startswith("failed:") for why in unjudged)
    told = {"loud": len(unjudged) - at_stake - failing, "stakes": at_stake, "failing": failing}
    for name, number in told.items():
        if number:
            console().print(word(name, language, n=number), style="bold yellow", markup=False)
    if result.open_criteria:
        emit(word("open", language, ids=", ".join(result.open_criteria)))


def show_comparison(comparison: Comparison, language: str) -> None:
    name = "regressed" if comparison.regressed else "held"
    shares = {"before": _percent(comparison.before), "now": _percent(comparison.now)}
    line = word(name, language, suite=comparison.suite, margin=f"{comparison.margin:g}", **shares)
    console().print(line, style="bold red" if comparison.regressed else "green", markup=False)
    if comparison.newly_failed:
        emit(word("fell", language, ids=", ".join(comparison.newly_failed)))
    if comparison.newly_passed:
        emit(word("rose", language, ids=", ".join(comparison.newly_passed)))
    if comparison.stale:
        emit(word("stale", language, new=comparison.new, gone=comparison.gone))


def _differences(case: CaseResult, language: str) -> str:
    return "; ".join(
        f"{one.criterion or word('quote', language)} {word('expected', language)} "
        f"{verdict_words(one.expected, language)}, {word('came', language)} {verdict_words(one.came, language)}"
        for one in case.differences
    )


def _numbers(n: int, passed: int, not_judged: int, rate: Rate) -> tuple[str, ...]:
    share = "–" if rate.value is None else f"{_percent(rate.value)} ({_percent(rate.low)}-{_percent(rate.high)})"
    return (str(n), str(passed), str(n - passed - not_judged), str(not_judged or ""), share)


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"
