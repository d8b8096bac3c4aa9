"""A review as its page shows it, worked out before the template sees it.

Of a blind review nothing is worked out from the proposal: `ReviewView` carries none, and each card is made from the
form and the decision of the reviewer alone.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from callgrade.domain.frozen import LocalText
from callgrade.domain.identity import ByIdentity
from callgrade.domain.options import options
from callgrade.domain.outcomes import Outcome
from callgrade.domain.reviews import Decision, is_red_line
from callgrade.domain.rubrics import Criterion
from callgrade.evaluations.report.cards import Card, make_card, tone_of
from callgrade.evaluations.report.figures import amount_in_words, signed
from callgrade.evaluations.report.marks import Tone
from callgrade.evaluations.report.player import Player, make_player
from callgrade.evaluations.report.sound import Sound
from callgrade.evaluations.report.view import Line, lines_of
from callgrade.evaluations.words import choice_in_words
from callgrade.reviews.views import CriterionView, ReviewView


@dataclass(frozen=True, slots=True)
class Choice:
    """What one digit chooses. `value` is sent back: the outcome as JSON, `null` for "not applicable"."""

    digit: int
    outcome: Outcome | None
    value: str
    text: str
    points: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What stands. `tone` and `text` are those of the outcome; `kind` of the decision."""

    kind: str
    text: str
    tone: Tone
    reason: str


@dataclass(frozen=True, slots=True)
class ReviewCard:
    """`proposed` is None where it is hidden or there is nothing to show; `red_line` then is False."""

    number: int
    view: CriterionView
    title: LocalText
    guidance: LocalText
    worth: str
    section: LocalText | None
    proposed: Card | None
    red_line: bool
    decided: Decided | None
    choices: tuple[Choice, ...]
    draft_reason: str
    draft_choice: str | None

    @property
    def id(self) -> str:
        return self.view.criterion.id


@dataclass(frozen=True, slots=True)
class Progress:
    """The head of the cards: how many are decided of how many, and what the score comes to as it stands."""

    decided: int
    to_decide: int
    total: str | None
    passed: bool | None
    in_bulk: int

    @property
    def complete(self) -> bool:
        return self.decided >= self.to_decide


def cards_of(view: ReviewView, language: str) -> tuple[ReviewCard, ...]:
    """In the order of the form; a section's title stands on its first card."""
    return tuple(_cards(view, language))


def card_of(view: ReviewView, criterion_id: str, language: str) -> ReviewCard:
    place = next(n for n, card in enumerate(view.cards) if card.criterion.id == criterion_id)
    before = view.cards[place - 1].criterion.section if place else None
    return _card(view, place + 1, view.cards[place], before, language)


def progress_of(view: ReviewView, language: str) -> Progress:
    # while anything is open in a blind review its total is open too, and tells nothing
    total = view.running.total
    return Progress(
        decided=sum(card.decision is not None and not card.excluded for card in view.cards),
        to_decide=view.to_decide,
        total=None if total is None else amount_in_words(total, language),
        passed=view.running.passed,
        in_bulk=sum(card.in_bulk and card.decision is None for card in view.cards),
    )


def transcript_of(view: ReviewView, cards: tuple[ReviewCard, ...], language: str) -> tuple[Line, ...]:
    return tuple(lines_of(view.transcript, [card.proposed for card in cards if card.proposed], language))


def player_of(view: ReviewView, cards: tuple[ReviewCard, ...], sound: Sound | None) -> Player | None:
    shown = [card.proposed for card in cards if card.proposed]
    return None if sound is None else make_player(sound, view.transcript, shown)


def _cards(view: ReviewView, language: str) -> Iterator[ReviewCard]:
    before: str | None = None
    for number, card in enumerate(view.cards, 1):
        yield _card(view, number, card, before, language)
        before = card.criterion.section


def _card(view: ReviewView, number: int, card: CriterionView, before: str | None, language: str) -> ReviewCard:
    criterion = card.criterion
    proposed = None
    if card.proposed is not None and not card.excluded:
        proposed = make_card(number, criterion, card.proposed, view.rubric, view.transcript, language)
    section = None
    if criterion.section is not None and criterion.section != before:
        section = next(s.title for s in view.rubric.sections if s.id == criterion.section)
    return ReviewCard(
        number=number,
        view=card,
        title=criterion.title,
        guidance=criterion.guidance,
        worth=worth_of(criterion),
        section=section,
        proposed=proposed,
        red_line=card.proposed is not None and is_red_line(card.proposed, criterion),
        decided=None if card.decision is None else _decided(view, card, card.decision, language),
        choices=choices_of(criterion, language),
        draft_reason=str(card.draft.get("reason", "")),
        draft_choice=card.draft.get("outcome"),
    )


def choices_of(criterion: Criterion, language: str) -> tuple[Choice, ...]:
    """What the digits choose. Of the same criterion the very same tuple."""
    return _choices(ByIdentity(criterion), language)


@lru_cache(maxsize=8192)
def _choices(criterion: ByIdentity[Criterion], language: str) -> tuple[Choice, ...]:
    return tuple(
        Choice(
            digit=digit,
            outcome=outcome,
            value=written(outcome),
            text=choice_in_words(outcome, criterion.it, language),
            points=_points(criterion.it, outcome),
        )
        for digit, outcome in enumerate(options(criterion.it), 1)
    )


@lru_cache(maxsize=4096)
def written(outcome: Outcome | None) -> str:
    """An outcome as a form sends it back."""
    return "null" if outcome is None else json.dumps(outcome.model_dump(mode="json"), separators=(",", ":"))


def _points(criterion: Criterion, outcome: Outcome | None) -> str:
    if outcome is None or criterion.scale.kind == "violation":
        return ""
    return signed(float(criterion.scale.points(outcome)))


def _decided(view: ReviewView, card: CriterionView, decision: Decision, language: str) -> Decided:
    judgement = next(j for j in view.running.judgements if j.criterion_id == card.criterion.id)
    said = "" if decision.kind == "cannot_judge" else choice_in_words(judgement.outcome, card.criterion, language)
    return Decided(decision.kind, said, tone_of(judgement, card.criterion), decision.reason)


def worth_of(criterion: Criterion) -> str:
    """`15` points to earn, `−2` to lose each time; nothing where there is an effect instead."""
    scale = criterion.scale
    if scale.kind == "violation":
        return ""
    if scale.kind == "deduct":
        return signed(-float(scale.points_))
    return signed(float(scale.best)).removeprefix("+") if scale.best else signed(float(scale.worst or 0))
