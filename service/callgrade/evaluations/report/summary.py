"""The head of the page: what is known, the total, the verdict, and what was violated."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from callgrade.domain.rubrics import Grade, Rubric
from callgrade.domain.scorecards import Assessed, Scorecard
from callgrade.evaluations.report.cards import Card, Local
from callgrade.evaluations.report.figures import Bar, amount_in_words, bar, filled, number, percent
from callgrade.evaluations.report.marks import Tone
from callgrade.evaluations.words import effect_in_words, known_word, word


@dataclass(frozen=True, slots=True)
class Verdict:
    """Passed, failed or open, as a word, a sign and a tone."""

    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Figure:
    """One tile of the summary. `line` is the pass line's place on the bar, in per cent."""

    label: str
    value: str
    note: str = ""
    tone: Tone = "none"
    bar: Bar | None = None
    line: float | None = None


@dataclass(frozen=True, slots=True)
class Violation:
    number: int
    title: Local
    note: str
    count: int = 1


def verdict_of(passed: bool | None, language: str) -> Verdict:
    if passed is None:
        return Verdict(word("open", language), "open")
    return Verdict(word("passed" if passed else "failed", language), "good" if passed else "bad")


def figures(card: Scorecard, rubric: Rubric, language: str) -> Iterator[Figure]:
    """What is known comes first, as the contract asks."""
    yield _assessed(card.assessed, language)
    yield _total(card, language)
    yield _outcome(card, rubric, language)
    if card.grade is not None:
        title = next((g.title.in_language(language) for g in _grades(rubric) if g.id == card.grade), "")
        yield Figure(word("grade", language), title or card.grade)
    critical = card.critical
    if critical is not None and (critical.max or critical.low or critical.high):
        yield Figure(word("critical_score", language), amount_in_words(critical, language), bar=bar(critical))


def _assessed(assessed: Assessed, language: str) -> Figure:
    label, share = word("assessed", language), percent(assessed.share)
    if not assessed.max:
        # a form that only counts, or nothing decided yet: the share says it all
        return Figure(label, share, word("assessed_criteria", language), bar=filled(assessed.share, 1.0))
    value = "–" if assessed.value is None else f"{number(assessed.value)} / {number(assessed.max)}"
    note = word("assessed_share", language, share=share)
    return Figure(label, value, note, bar=filled(assessed.value, assessed.max))


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
    label = word("verdict", language)
    has_line = card.pass_line is not None or any(section.pass_line is not None for section in rubric.sections)
    if card.passed is None and not has_line and not rubric.can_fail_a_call:
        return Figure(label, "–", word("no_pass_line", language))
    notes = [] if card.pass_line is None else [f"{word('pass_line', language)} {number(card.pass_line)}"]
    if any(found.effect == "fail_call" for found in card.violations):
        notes.append(word("failed_by_violation", language))
    verdict = verdict_of(card.passed, language)
    return Figure(label, verdict.text, " · ".join(notes), verdict.tone)


def violations(card: Scorecard, cards: Iterable[Card], rubric: Rubric, language: str) -> Iterator[Violation]:
    by_id = {shown.id: shown for shown in cards}
    for found in card.violations:
        shown = by_id[found.criterion_id]
        severity = known_word(f"severity.{found.severity}", language, found.severity)
        parts = [severity, effect_in_words(found.effect, rubric.by_id, language)]
        parts += [f"× {found.count}"] if found.count > 1 else []
        yield Violation(shown.number, shown.title, " · ".join(parts), found.count)
