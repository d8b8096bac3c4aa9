"""The head of the page: what is known, the total, the verdict, and what was violated."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from callgrade.domain.rubrics import Grade, Rubric
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.report.cards import Card, Local
from callgrade.evaluations.report.figures import amount_in_words, bar, filled, number, percent
from callgrade.evaluations.report.marks import Tone
from callgrade.evaluations.words import effect_in_words, known_word, word


@dataclass(frozen=True, slots=True)
class Verdict:
    """Passed, failed or open, as a word, a sign and a tone."""

    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Figure:
    """One tile of the summary. `bar` is (start, length) in per cent, `line` the pass line's place on it."""

    label: str
    value: str
    note: str = ""
    tone: Tone = "none"
    bar: tuple[float, float] | None = None
    line: float | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    number: int
    title: Local
    note: str


def verdict_of(passed: bool | None, language: str) -> Verdict:
    if passed is None:
        return Verdict(word("open", language), "open")
    return Verdict(word("passed" if passed else "failed", language), "good" if passed else "bad")


def figures(card: Scorecard, rubric: Rubric, language: str) -> Iterator[Figure]:
    """What is known comes first, as the contract asks."""
    assessed = card.assessed
    value = "–" if assessed.value is None else f"{number(assessed.value)} / {number(assessed.max)}"
    share = word("assessed_share", language, share=percent(assessed.share))
    yield Figure(word("assessed", language), value, share, bar=filled(assessed.value, assessed.max))
    yield _total(card, language)
    yield _outcome(card, rubric, language)
    if card.grade is not None:
        title = next((g.title.in_language(language) for g in _grades(rubric) if g.id == card.grade), "")
        yield Figure(word("grade", language), title or card.grade)
    if card.critical is not None:
        critical = card.critical
        yield Figure(word("critical_score", language), amount_in_words(critical, language), bar=bar(critical))


def _grades(rubric: Rubric) -> tuple[Grade, ...]:
    return rubric.total.grades if rubric.total else ()


def _total(card: Scorecard, language: str) -> Figure:
    if card.total is None:
        return Figure(word("total", language), "–", word("no_total", language))
    total = card.total
    is_open = total.value is None and total.high is not None
    line = None
    if card.pass_line is not None and total.max > 0 and 0 <= card.pass_line <= total.max:
        line = round(100 * card.pass_line / total.max, 2)
    return Figure(
        word("total", language),
        amount_in_words(total, language),
        word("total_open", language) if is_open else "",
        bar=bar(total),
        line=line,
    )


def _outcome(card: Scorecard, rubric: Rubric, language: str) -> Figure:
    has_line = card.pass_line is not None or any(section.pass_line is not None for section in rubric.sections)
    note = word("no_pass_line", language)
    if card.pass_line is not None:
        note = f"{word('pass_line', language)} {number(card.pass_line)}"
    elif has_line:
        note = ""
    if card.passed is None and not has_line:
        return Figure(word("verdict", language), "–", note)
    verdict = verdict_of(card.passed, language)
    return Figure(word("verdict", language), verdict.text, note, verdict.tone)


def violations(card: Scorecard, cards: Iterable[Card], rubric: Rubric, language: str) -> Iterator[Violation]:
    by_id = {shown.id: shown for shown in cards}
    for found in card.violations:
        shown = by_id[found.criterion_id]
        severity = known_word(f"severity.{found.severity}", language, found.severity)
        yield Violation(
            shown.number, shown.title, f"{severity} · {effect_in_words(found.effect, rubric.by_id, language)}"
        )
