"""What the calibration page shows, worked out before the template: rows, words, and places on charts."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from callgrade.calibration.report_words import needed, outcome_in_words, raters_title, say, why
from callgrade.calibration.verdicts import two_places
from callgrade.domain.calibration import CalibrationReport, CriterionReport, Disagreement, Figure, VerdictKind
from callgrade.evaluations.report.figures import clock, number, signed

TONES: dict[VerdictKind, str] = {
    "on_par": "good",
    "below": "bad",
    "undecided": "partly",
    "unclear": "partly",
    "insufficient_data": "open",
    "not_judged": "none",
    "unlabelled": "none",
}
SIGNS = {"good": "✓", "bad": "✗", "partly": "!", "open": "?", "none": "–"}
LEFT_END, WIDTH = -0.2, 240
"""A kappa chart shows -0.2 to 1 on so many units; what lies below is drawn at its edge."""
SHOWN = 200
"""Disagreements on the page; the JSON has all."""
Link = Callable[[str, int | None], str | None]
"""(golden call, turn) → where to look at the moment; None where there is no such page."""


class Forest(NamedTuple):
    """Places on the chart, None where there is nothing to draw. `goal` is the raters' kappa."""

    low: float | None
    high: float | None
    dot: float | None
    goal: float | None
    zero: float


class Line(NamedTuple):
    """A figure in a table: its name, value and interval as text, on how many, and what is to be said of it."""

    name: str
    value: str
    interval: str
    n: str
    note: str


class Cell(NamedTuple):
    number: int
    heat: int
    """0 to 4, by its share of the row; the diagonal and the rest have colours of their own."""
    right: bool


class ClassRow(NamedTuple):
    name: str
    true: int
    said: int
    recall: str
    precision: str
    recall_bar: float
    precision_bar: float


class Criterion(NamedTuple):
    found: CriterionReport
    number: int
    title: str
    tone: str
    verdict: str
    reason: str
    action: str
    needed: str
    needed_short: str
    forest: Forest
    lines: tuple[Line, ...]
    confusion: tuple[tuple[str, tuple[Cell, ...]], ...]
    names: tuple[str, ...]
    classes: tuple[ClassRow, ...]
    counts: tuple[tuple[str, str], ...]


class Row(NamedTuple):
    """A disagreement."""

    call: str
    criterion: str
    where: str
    link: str | None
    proposed: str
    right: str
    raters: str


class Page(NamedTuple):
    report: CalibrationReport
    language: str
    title: str
    about: tuple[tuple[str, str], ...]
    notices: tuple[tuple[str, str], ...]
    tally: tuple[tuple[str, str, int], ...]
    """Tone, verdict, how many criteria."""
    criteria: tuple[Criterion, ...]
    disagreements: tuple[Row, ...]
    more: int


def make_view(report: CalibrationReport, language: str, link: Link = lambda call, turn: None) -> Page:
    criteria = tuple(_criterion(place, one, language) for place, one in enumerate(report.criteria, start=1))
    counted = Counter(one.verdict.kind for one in report.criteria)
    titles = {one.criterion_id: one.title.in_language(language) for one in report.criteria}
    shown = report.disagreements[:SHOWN]
    return Page(
        report=report,
        language=language,
        title=report.judge.rubric_title.in_language(language) or report.judge.rubric,
        about=tuple(_about(report, language)),
        notices=tuple(notices(report, language)),
        tally=tuple((TONES[kind], say(kind, language), counted[kind]) for kind in TONES if counted[kind]),
        criteria=criteria,
        disagreements=tuple(_row(one, titles[one.criterion_id], language, link) for one in shown),
        more=len(report.disagreements) - len(shown),
    )


def notices(report: CalibrationReport, language: str) -> Iterator[tuple[str, str]]:
    """What must be known before any figure is read: (what, the sentence)."""
    if report.synthetic:
        yield say("synthetic", language), say("synthetic_note", language)
    if any(one.raters is not None and one.raters.kind != "person" for one in report.criteria):
        yield say("model_raters", language), say("model_raters_note", language)
    left = sum(one.verdict.kind == "not_judged" and one.calls > 0 for one in report.criteria)
    if left:
        yield say("not_judged", language), say("not_judged_note", language, number=left)
    if report.items < report.items_wanted:
        yield say("partial", language), say("partial_note", language, items=report.items, wanted=report.items_wanted)


def decimal(figure: Figure) -> str:
    return "–" if figure.value is None else two_places(figure.value).replace("-", "−")


def share(figure: Figure) -> str:
    return "–" if figure.value is None else f"{figure.value:.0%}"


def between(figure: Figure, text: Callable[[Figure], str] = decimal) -> str:
    """`0.74–0.89`."""
    if figure.low is None or figure.high is None:
        return "–"
    ends = [text(Figure(value=end)) for end in (figure.low, figure.high)]
    return (" … " if figure.low < 0 else "–").join(ends)


def _about(report: CalibrationReport, language: str) -> Iterator[tuple[str, str]]:
    judge, spent = report.judge, report.spent
    samples = f"{report.calls} × {report.samples}" if report.samples > 1 else str(report.calls)
    yield say("set", language), report.set_title
    yield say("split", language), say(f"split.{report.split}", language)
    yield say("calls", language), samples
    yield say("model", language), judge.model_reported or judge.model_asked or say("no_model", language)
    if judge.prompt:
        yield say("prompt", language), judge.prompt
    if judge.recogniser:
        yield say("recogniser", language), judge.recogniser
    if spent.requests or spent.cache_hits:
        cached = f" ({say('from_cache', language, number=spent.cache_hits)})" if spent.cache_hits else ""
        yield say("requests", language), f"{spent.requests}{cached}"
        yield say("tokens", language), f"{spent.prompt_tokens:,} / {spent.completion_tokens:,}"
        yield say("cost", language), say("cost_unknown", language) if spent.cost is None else f"${spent.cost:.4f}"
    if spent.median_ms is not None and spent.p95_ms is not None:
        yield say("latency", language), f"{spent.median_ms:,.0f} / {spent.p95_ms:,.0f} ms"
    if report.other_versions:
        yield say("other_versions", language), str(report.other_versions)
    yield say("made_at", language), f"{report.made_at:%Y-%m-%d %H:%M %Z}"
    yield say("run", language), report.run


def _criterion(place: int, found: CriterionReport, language: str) -> Criterion:
    line = found.verdict
    return Criterion(
        found=found,
        number=place,
        title=found.title.in_language(language),
        tone=TONES[line.kind],
        verdict=say(line.kind, language),
        reason=line.reason.in_language(language),
        action=line.action.in_language(language),
        needed=needed(line, language),
        needed_short=_short(found, language),
        forest=_forest(found),
        lines=tuple(_lines(found, language)),
        confusion=_matrix(found, language),
        names=tuple(name.in_language(language) for name in found.category_names),
        classes=tuple(_classes(found, language)),
        counts=tuple(_counts(found, language)),
    )


def _short(found: CriterionReport, language: str) -> str:
    line = found.verdict
    if not line.labels_needed:
        return "–" if line.labels_needed is None else "0"
    return say(f"short_{line.needed_of}", language, number=line.labels_needed)


def _forest(found: CriterionReport) -> Forest:
    kappa = found.model.kappa if found.model else Figure()
    goal = found.raters.kappa.value if found.raters else None
    return Forest(_x(kappa.low), _x(kappa.high), _x(kappa.value), _x(goal), _x(0.0) or 0.0)


def _x(value: float | None) -> float | None:
    if value is None:
        return None
    return round((max(LEFT_END, min(1.0, value)) - LEFT_END) / (1 - LEFT_END) * WIDTH, 1)


def _lines(found: CriterionReport, language: str) -> Iterator[Line]:
    for title, told in ((say("against_truth", language), found.model), (raters_title(found, language), found.raters)):
        if told is not None:
            kappa = say("weighted_kappa" if told.weights else "kappa", language)
            yield _line(f"{title}: {kappa}", told.kappa, language)
            yield _line(f"{title}: {say('ac', language)}", told.ac, language)
            yield _line(f"{title}: {say('percent', language)}", told.percent, language, share)
    if found.raters is not None and found.model is not None:
        yield _line(say("with_raters", language), found.with_raters, language)
    yield _line(say("prevalence", language), found.prevalence, language, share)
    if found.model is not None:
        yield _line(say("bias", language), found.bias, language, _signed)
    if found.calls > found.not_judged:
        yield _line(say("abstained", language), found.abstained, language, share)
    if found.evidence is not None:
        yield _line(say("founded", language), found.evidence.founded, language, share)
        yield _line(say("overlap", language), found.evidence.overlap, language, share)
    if found.repeatability is not None:
        title = say("repeatability", language, samples=found.repeatability.samples)
        yield _line(title, found.repeatability.percent, language, share)
        yield _line(f"{title}: {say('kappa', language)}", found.repeatability.kappa, language)


def _line(name: str, figure: Figure, language: str, text: Callable[[Figure], str] = decimal) -> Line:
    return Line(name, text(figure), between(figure, text), str(figure.n), why(figure, language))


def _signed(figure: Figure) -> str:
    return "–" if figure.value is None else signed(figure.value)


def _matrix(found: CriterionReport, language: str) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
    if found.confusion is None:
        return ()
    rows = []
    for at, cells in enumerate(found.confusion.matrix):
        total = sum(cells)
        shades = tuple(
            Cell(cell, round(4 * cell / total) if total else 0, right=at == place) for place, cell in enumerate(cells)
        )
        rows.append((found.category_names[at].in_language(language), shades))
    return tuple(rows)


def _classes(found: CriterionReport, language: str) -> Iterator[ClassRow]:
    if found.confusion is None:
        return
    names = [name.in_language(language) for name in found.category_names]
    told = [*zip(names, found.confusion.classes, strict=True)]
    if found.confusion.fault is not None and len(names) > 2:
        told.append((say("faults", language), found.confusion.fault))
    for name, one in told:
        recall, precision = (f"{share(each)} ({between(each, share)})" for each in (one.recall, one.precision))
        bars = (round(100 * (each.value or 0), 1) for each in (one.recall, one.precision))
        yield ClassRow(name, one.true, one.said, recall, precision, *bars)


def _counts(found: CriterionReport, language: str) -> Iterator[tuple[str, str]]:
    told = say("compared_of", language, compared=found.compared, calls=found.calls, agents=found.agents)
    yield say("compared", language), told
    sources = ", ".join(say(f"truth.{source}", language, number=n) for source, n in found.truth.items())
    if sources:
        yield say("truth", language), sources
    for name, value in (
        ("contested", found.contested),
        ("applicability", found.applicability),
        ("failed", found.failed),
    ):
        if value:
            yield say(name, language), number(value)


def _row(one: Disagreement, title: str, language: str, link: Link) -> Row:
    at = "" if one.turn is None else f"#{one.turn}" + ("" if one.start_ms is None else f" · {clock(one.start_ms)}")
    raters = "; ".join(f"{name}: {outcome_in_words(said, language)}" for name, said in one.raters.items())
    sides = (outcome_in_words(one.proposed, language), outcome_in_words(one.truth, language))
    return Row(one.call, title, at, link(one.call, one.turn), *sides, raters)
