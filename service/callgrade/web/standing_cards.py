"""A scorecard that is only read, as its page shows it: why each criterion is as it is, and what was contested of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from callgrade.db.tables import Appeal
from callgrade.domain.frozen import LocalText
from callgrade.domain.judgements import EXCLUDED
from callgrade.domain.options import counts
from callgrade.domain.rubrics import Criterion
from callgrade.evaluations.report.cards import Card, make_card
from callgrade.evaluations.words import choice_in_words
from callgrade.reviews.repository import OUTCOME
from callgrade.reviews.standing import Standing
from callgrade.web.review_cards import Choice, choices_of, worth_of
from callgrade.web.words import N_

APPEAL_STATES: Mapping[str, tuple[str, str]] = {
    "open": ("open", N_("Appeal open")),
    "upheld": ("none", N_("Score upheld")),
    "accepted": ("good", N_("Appeal accepted")),
    "changed": ("partly", N_("Score changed")),
    "withdrawn": ("none", N_("Appeal withdrawn")),
}
"""How an appeal stands: how it looks, and how it reads."""


@dataclass(frozen=True, slots=True)
class ContestedCard:
    """An appeal beside its criterion. `wanted` and `given` are outcomes in words; `given` None: the score stands."""

    id: str
    state: str
    filed_at: datetime
    at_ms: int | None
    reason: str
    wanted: str
    decide_by: datetime | None
    decided_at: datetime | None
    decision: str | None
    given: str | None


@dataclass(frozen=True, slots=True)
class StandingCard:
    """`excluded`: the call's facts leave no choice. `choices` are what else it could be, for whoever may contest it."""

    number: int
    criterion: Criterion
    section: LocalText | None
    worth: str
    shown: Card
    excluded: bool
    counts: bool
    contested: tuple[ContestedCard, ...]
    choices: tuple[Choice, ...]

    @property
    def id(self) -> str:
        return self.criterion.id


def cards_of(standing: Standing, language: str) -> tuple[StandingCard, ...]:
    """In the order of the form; a section's title stands on its first card."""
    return tuple(_cards(standing, language))


def _cards(standing: Standing, language: str) -> Iterator[StandingCard]:
    rubric, before = standing.rubric, None
    titles = {section.id: section.title for section in rubric.sections}
    for number, judgement in enumerate(standing.card.judgements, 1):
        criterion = rubric.by_id[judgement.criterion_id]
        excluded = judgement.reason == EXCLUDED
        contested = contested_of(standing.appeals, criterion, language)
        may = standing.own and standing.is_newest and not excluded and not contested
        fixed = judgement.outcome if judgement.status in ("judged", "not_applicable") else ...
        yield StandingCard(
            number=number,
            criterion=criterion,
            section=titles.get(criterion.section) if criterion.section and criterion.section != before else None,
            worth=worth_of(criterion),
            shown=make_card(number, criterion, judgement, rubric, standing.transcript, language),
            excluded=excluded,
            counts=counts(criterion),
            contested=contested,
            # what it says already nobody can ask for
            choices=tuple(one for one in choices_of(criterion, language) if one.outcome != fixed) if may else (),
        )
        before = criterion.section


def contested_of(appeals: Sequence[Appeal], criterion: Criterion, language: str) -> tuple[ContestedCard, ...]:
    return tuple(contested(row, criterion, language) for row in appeals if row.criterion_id == criterion.id)


def contested(row: Appeal, criterion: Criterion, language: str) -> ContestedCard:
    return ContestedCard(
        id=row.id,
        state=row.state,
        filed_at=row.filed_at,
        at_ms=row.at_ms,
        reason=row.reason,
        wanted=in_words(row.wanted, criterion, language) or "",
        decide_by=row.decide_by,
        decided_at=row.decided_at,
        decision=row.decision,
        given=in_words(row.given, criterion, language),
    )


def in_words(stored: Mapping[str, Any] | None, criterion: Criterion, language: str) -> str | None:
    """An outcome as appeals keep it, `{"outcome": …}`; None where nothing is kept."""
    if not stored:
        return None
    outcome = None if stored["outcome"] is None else OUTCOME.validate_python(stored["outcome"])
    return choice_in_words(outcome, criterion, language)
