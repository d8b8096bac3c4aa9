"""One criterion as a card: what was decided, how, why, and the words that prove it."""

from collections.abc import Iterator
from dataclasses import dataclass

from callgrade.domain.calls import Speaker, Transcript
from callgrade.domain.frozen import LocalText
from callgrade.domain.judgements import Evidence
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scales import BonusScale, DeductScale, ViolationScale
from callgrade.domain.scorecards import ScoredJudgement
from callgrade.evaluations.report.figures import number, percent, signed
from callgrade.evaluations.report.marks import Citation, Tone
from callgrade.evaluations.words import (
    effect_in_words,
    known_word,
    outcome_in_words,
    reason_in_words,
    status_key,
    word,
)


@dataclass(frozen=True, slots=True)
class Local:
    """A rubric's text. `language` is set where it is not the page's, because there is no translation."""

    text: str
    language: str | None = None


def local(text: LocalText, language: str) -> Local:
    wanted, other = (text.zh, "en") if language.startswith("zh") else (text.en, "zh")
    return Local(wanted) if wanted else Local(text.in_language(language), other)


@dataclass(frozen=True, slots=True)
class Quote:
    """A piece of evidence. `turn` counts from 0. What was not found has neither turn, time nor citation."""

    id: str
    text: str
    turn: int | None
    speaker: Speaker
    start_ms: int | None
    founded: bool
    remarks: tuple[str, ...]
    citation: Citation | None


@dataclass(frozen=True, slots=True)
class Card:
    number: int
    id: str
    title: Local
    guidance: Local
    critical: bool
    tone: Tone
    verdict: str
    outcome: str
    """In words; empty where `verdict` says it all."""
    points: str
    kind: str
    """What the points are, where they are not simply earned: a deduction, a bonus, a violation and its effect."""
    method: str
    method_name: str
    confidence: str | None
    reason: str
    quotes: tuple[Quote, ...]

    @property
    def facts(self) -> tuple[str, ...]:
        """What stands beside the verdict."""
        return tuple(filter(None, (self.outcome, self.points, self.kind)))


def make_card(
    number_: int,
    criterion: Criterion,
    judgement: ScoredJudgement,
    rubric: Rubric,
    transcript: Transcript,
    language: str,
) -> Card:
    tone = tone_of(judgement, criterion)
    judged = judgement.status == "judged"
    return Card(
        number=number_,
        id=criterion.id,
        title=local(criterion.title, language),
        guidance=local(criterion.guidance, language),
        critical=criterion.critical,
        tone=tone,
        verdict=word(_verdict_key(judgement, criterion, tone), language),
        outcome=outcome_in_words(judgement, criterion, language) if judged else "",
        points=_points(judgement, criterion),
        kind=_kind(criterion, rubric, language),
        method=judgement.method,
        method_name=word(f"method.{judgement.method}", language),
        confidence=None if judgement.confidence is None else percent(judgement.confidence),
        reason=reason_in_words(judgement, language),
        quotes=tuple(_quotes(number_, judgement, tone, transcript, language)),
    )


def tone_of(judgement: ScoredJudgement, criterion: Criterion) -> Tone:
    """How the verdict looks. A deduction that costs anything is bad, other scales are partly met in between."""
    if judgement.status == "not_applicable":
        return "none"
    if judgement.status != "judged" or judgement.points is None:
        return "open"
    if isinstance(criterion.scale, ViolationScale):
        found = getattr(judgement.outcome, "occurrences", 0)
        # what is only flagged is a clue for people, and must not look like a conviction
        return ("partly" if criterion.scale.effect == "flag" else "bad") if found else "good"
    if isinstance(criterion.scale, BonusScale):
        return "good" if judgement.points > 0 else "none"
    if judgement.points >= judgement.max_points:
        return "good"
    worst = criterion.scale.worst
    at_worst = worst is None or judgement.points <= worst or isinstance(criterion.scale, DeductScale)
    return "bad" if at_worst else "partly"


def _verdict_key(judgement: ScoredJudgement, criterion: Criterion, tone: Tone) -> str:
    if judgement.status != "judged" or tone == "open":
        return status_key(judgement)
    if isinstance(criterion.scale, ViolationScale):
        return "not_found" if tone == "good" else "found"
    if isinstance(criterion.scale, BonusScale):
        return "earned" if tone == "good" else "not_earned"
    return {"good": "met", "partly": "partly_met"}.get(tone, "not_met")


def _points(judgement: ScoredJudgement, criterion: Criterion) -> str:
    if isinstance(criterion.scale, ViolationScale) or judgement.status == "not_applicable":
        return ""
    points = None if judgement.points is None else judgement.points
    if isinstance(criterion.scale, BonusScale) or not judgement.max_points:
        return "–" if points is None else signed(points)
    return f"{'–' if points is None else number(points)} / {number(judgement.max_points)}"


def _kind(criterion: Criterion, rubric: Rubric, language: str) -> str:
    scale = criterion.scale
    if isinstance(scale, ViolationScale):
        effect = scale.effect if isinstance(scale.effect, str) else f"counts_as: {scale.effect.counts_as}"
        severity = known_word(f"severity.{scale.severity}", language, scale.severity)
        parts = (word("violation", language), severity, effect_in_words(effect, rubric.by_id, language))
        return " · ".join(parts)
    if isinstance(scale, BonusScale):
        return word("bonus", language)
    return word("deduction", language) if not scale.best else ""


def _quotes(
    number_: int, judgement: ScoredJudgement, tone: Tone, transcript: Transcript, language: str
) -> Iterator[Quote]:
    for index, item in enumerate(judgement.evidence, 1):
        turn = item.turn if item.turn is not None and 0 <= item.turn < len(transcript.turns) else None
        # evidence of another transcript proves nothing here, whatever it says of itself
        founded = item.founded and turn is not None
        id_ = f"c{number_}-q{index}"
        citation = None
        if turn is not None and item.start is not None and item.end is not None:
            citation = Citation(id_, number_, item.start, item.end, tone)
        yield Quote(
            id=id_,
            text=item.quote,
            turn=turn,
            speaker=item.speaker or Speaker.UNKNOWN,
            start_ms=item.start_ms if founded else None,
            founded=founded,
            remarks=tuple(_remarks(item, language)) if founded else (word(f"why.{item.why or 'not_found'}", language),),
            citation=citation if founded else None,
        )


def _remarks(item: Evidence, language: str) -> Iterator[str]:
    """What a reader must know of a quote that is not simply verbatim, in its place and at its time."""
    if item.grounding != "exact":
        yield word(f"grounding.{item.grounding}", language)
    if item.turn_corrected:
        yield word("turn_corrected", language)
    if item.time == "estimated":
        yield word("time_estimated", language)
