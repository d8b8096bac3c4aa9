"""Everything the page shows, worked out before the template sees it: the template only places it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from callgrade.domain.calls import Speaker, Transcript
from callgrade.domain.rubrics import Criterion, Rubric, Section
from callgrade.domain.scorecards import Provenance, Scorecard
from callgrade.evaluations.report.cards import Card, Local, local, make_card
from callgrade.evaluations.report.figures import Bar, amount_in_words, bar, clock
from callgrade.evaluations.report.marks import Citation, Piece, pieces
from callgrade.evaluations.report.player import Player, make_player
from callgrade.evaluations.report.sound import LeftOut, Sound
from callgrade.evaluations.report.summary import Figure, Verdict, Violation, figures, verdict_of, violations
from callgrade.evaluations.words import flag_in_words, known_word, word

SILENCE_MS = 3_000
"""A pause between turns from which on the page names it."""


@dataclass(frozen=True, slots=True)
class Group:
    """A section with its criteria. `depth` counts from 0; `title` is None for a form without sections."""

    title: Local | None
    depth: int
    amount: str | None
    bar: Bar | None
    verdict: Verdict | None
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One turn. `silence` names the pause before it."""

    number: int
    speaker: Speaker
    start_ms: int | None
    end_ms: int | None
    emotion: str | None
    pieces: tuple[Piece, ...]
    silence: str | None


@dataclass(frozen=True, slots=True)
class Page:
    call_id: str
    title: Local
    version: str
    about: tuple[tuple[str, str], ...]
    facts: tuple[tuple[str, str], ...]
    figures: tuple[Figure, ...]
    violations: tuple[Violation, ...]
    flags: tuple[str, ...]
    groups: tuple[Group, ...]
    lines: tuple[Line, ...]
    spoken_in: str
    notes: tuple[str, ...]
    has_unsure_words: bool
    player: Player | None
    left_out: str | None
    made_by: tuple[tuple[str, str], ...]
    synthetic: bool

    @property
    def cards(self) -> tuple[Card, ...]:
        return tuple(card for group in self.groups for card in group.cards)


def make_page(
    card: Scorecard,
    transcript: Transcript,
    rubric: Rubric,
    language: str,
    sound: Sound | LeftOut | None,
    *,
    synthetic: bool,
) -> Page:
    groups = tuple(_groups(card, rubric, transcript, language))
    cards = [shown for group in groups for shown in group.cards]
    lines = tuple(lines_of(transcript, cards, language))
    return Page(
        call_id=card.call_id or transcript.call_id,
        title=local(rubric.title, language),
        version=f"{card.rubric.id}@{card.rubric.version}",
        about=tuple(_about(transcript, sound, language)),
        facts=tuple((name, _compact(value)) for name, value in transcript.facts.items()),
        figures=tuple(figures(card, rubric, language)),
        violations=tuple(violations(card, cards, rubric, language)),
        flags=tuple(flag_in_words(flag, language) for flag in card.flags),
        groups=groups,
        lines=lines,
        spoken_in=transcript.language,
        notes=transcript.notes,
        has_unsure_words=any(piece.unsure for line in lines for piece in line.pieces),
        player=make_player(sound, transcript, cards) if isinstance(sound, Sound) else None,
        left_out=_left_out(sound, language) if isinstance(sound, LeftOut) else None,
        made_by=tuple(_made_by(card.provenance, card, language)),
        synthetic=synthetic,
    )


def _left_out(sound: LeftOut, language: str) -> str:
    values = {"size": sound.size, "limit": sound.limit} if sound.why == "too_large" else {}
    return word(f"sound.{sound.why}", language, **values)


def _about(transcript: Transcript, sound: Sound | LeftOut | None, language: str) -> Iterator[tuple[str, str]]:
    if transcript.started_at is not None:
        yield word("started_at", language), transcript.started_at.isoformat(" ", "minutes")
    known = sound.duration_ms if isinstance(sound, Sound) else None
    ends = [turn.end_ms for turn in transcript.turns if turn.end_ms is not None]
    duration = known if known is not None else max(ends, default=None)
    if duration is not None:
        yield word("duration", language), clock(duration)
    party = transcript.agent
    if party is not None and party.id is not None:
        yield word("agent", language), party.id
    if party is not None and party.team is not None:
        yield word("team", language), party.team
    if transcript.queue is not None:
        yield word("queue", language), transcript.queue


def _compact(value: object) -> str:
    """`id: judge · version: v1` for a flat mapping; JSON for what is nested deeper."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(part, str) for part in value):
        return " · ".join(value)
    if isinstance(value, dict) and not any(isinstance(part, dict | list | tuple) for part in value.values()):
        return " · ".join(f"{name}: {_compact(part)}" for name, part in value.items())
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _groups(card: Scorecard, rubric: Rubric, transcript: Transcript, language: str) -> Iterator[Group]:
    """Sections in file order, each followed by those inside it; then what lies in none."""
    amounts = {section.id: section for section in card.sections}
    judged = {judgement.criterion_id: judgement for judgement in card.judgements}
    by_section: dict[str | None, list[Criterion]] = {}
    for criterion in rubric.criteria:
        by_section.setdefault(criterion.section, []).append(criterion)
    numbers = iter(range(1, len(rubric.criteria) + 1))

    def cards_of(section: str | None) -> tuple[Card, ...]:
        criteria = [c for c in by_section.get(section, ()) if c.id in judged]
        return tuple(make_card(next(numbers), c, judged[c.id], rubric, transcript, language) for c in criteria)

    for section, depth in _nested(rubric.sections, None, 0):
        amount = amounts.get(section.id)
        if amount is None:
            continue
        verdict = None if section.pass_line is None else verdict_of(amount.passed, language)
        # a section of violations only has no points to show
        text = amount_in_words(amount, language) if amount.max or amount.low or amount.high else None
        yield Group(local(section.title, language), depth, text, bar(amount), verdict, cards_of(section.id))
    rest = cards_of(None)
    if rest:
        other = word("other_criteria", language)
        yield Group(Local(other) if rubric.sections else None, 0, None, None, None, rest)


def _nested(sections: Sequence[Section], parent: str | None, depth: int) -> Iterator[tuple[Section, int]]:
    for section in sections:
        if section.parent == parent:
            yield section, depth
            yield from _nested(sections, section.id, depth + 1)


def lines_of(transcript: Transcript, cards: Iterable[Card], language: str) -> Iterator[Line]:
    """The turns, with what the cards quote marked in them."""
    cited: dict[int, list[Citation]] = {}
    for card in cards:
        for quote in card.quotes:
            if quote.turn is not None and quote.citation is not None:
                cited.setdefault(quote.turn, []).append(quote.citation)
    heard_until: int | None = None
    for index, turn in enumerate(transcript.turns):
        pause = turn.start_ms - heard_until if turn.start_ms is not None and heard_until is not None else 0
        silence = word("silence", language, seconds=f"{pause / 1000:.1f}") if pause >= SILENCE_MS else None
        feeling = None
        if turn.emotion not in (None, "", "neutral"):
            feeling = known_word(f"emotion.{turn.emotion}", language, str(turn.emotion))
        parts = pieces(turn, cited.get(index, ()))
        yield Line(index, turn.speaker, turn.start_ms, turn.end_ms, feeling, parts, silence)
        if turn.end_ms is not None:
            heard_until = max(heard_until or 0, turn.end_ms)


def _made_by(made: Provenance, card: Scorecard, language: str) -> Iterator[tuple[str, str]]:
    reference = f"{card.rubric.id}@{card.rubric.version} {card.rubric.digest}".strip()
    counted = (_tokens(name, amount, language) for name, amount in made.tokens.items() if amount)
    shown = {"rubric": made.rubric or reference, "tokens": " · ".join(counted)}
    fields: Mapping[str, JsonValue] = made.model_dump() | shown
    for name, value in fields.items():
        if value not in (None, 0, {}, (), ""):
            yield known_word(f"made_by.{name}", language, name), _compact(value)


def _tokens(name: str, amount: int, language: str) -> str:
    key = f"tokens.{name}"
    if key not in ("tokens.prompt", "tokens.cached", "tokens.completion"):
        return word("tokens.other", language, name=name, number=amount)
    return word(key, language, number=amount)
