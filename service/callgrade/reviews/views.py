"""What a reviewer is shown. A blind view has no place that could carry the proposal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from callgrade.domain.calls import Transcript
from callgrade.domain.frozen import LocalText
from callgrade.domain.judgements import EXCLUDED
from callgrade.domain.options import counts, options
from callgrade.domain.outcomes import Outcome
from callgrade.domain.reviews import (
    Decision,
    WhyNot,
    rescored,
    standing,
    undecided,
    why_not_approved,
    why_not_in_bulk,
)
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scorecards import Scorecard, ScoredJudgement
from callgrade.domain.second_opinion import Difference
from callgrade.evaluations.service import known_facts

SAMPLE = "sample"
"""The reason that a blind review gives, whatever it is."""
NOTHING: Mapping[str, LocalText] = MappingProxyType({})
NOBODY: Mapping[str, Difference] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class CriterionView:
    """One card. `version` is to be sent back with the next save; `options` are what the digits choose.

    `proposed` is None where it is hidden; then so are `why_not`, `in_bulk` and `automatic`. `excluded`: the call's
    facts leave no choice. `automatic` says why it goes through without a decision, which may be made all the same.
    """

    criterion: Criterion
    version: int
    options: tuple[Outcome | None, ...]
    counts: bool
    excluded: bool
    decision: Decision | None
    draft: dict[str, Any]
    proposed: ScoredJudgement | None
    why_not: WhyNot | None
    in_bulk: bool
    automatic: LocalText | None = None
    differs: Difference | None = None

    @property
    def to_decide(self) -> bool:
        return not self.excluded and (self.automatic is None or self.decision is not None)


@dataclass(frozen=True, slots=True)
class ReviewView:
    """`running` is the scorecard as it stands. `claimed_by` names a colleague who is at it, `done` whether it was
    submitted. `call_id` is the server's, `shown_call_id` the client's own.

    `newest_words` is the version of the transcript that a correction would be made to.

    `checks` is the published revision that a second check looks at in the proposal's stead; then `barred` says that it
    is not for the visitor, whose own judgement it checks.
    """

    id: str
    evaluation_id: str
    call_id: str
    shown_call_id: str
    rubric: Rubric
    transcript: Transcript
    newest_words: int
    state: str
    blind: bool
    why: str
    checks: int | None
    barred: bool
    due_at: datetime
    claimed_by: str | None
    claimed_until: datetime | None
    cards: tuple[CriterionView, ...]
    undecided: tuple[str, ...]
    running: Scorecard

    @property
    def done(self) -> bool:
        return self.state == "submitted"

    @property
    def decided(self) -> int:
        return sum(card.decision is not None for card in self.cards)

    @property
    def to_decide(self) -> int:
        return sum(card.to_decide for card in self.cards)

    def card(self, criterion_id: str) -> CriterionView:
        return next(card for card in self.cards if card.criterion.id == criterion_id)


def cards(
    rubric: Rubric,
    proposal: Scorecard,
    log: list[Decision],
    drafts: dict[str, dict[str, Any]],
    *,
    hidden: bool,
    at_least: float,
    automatic: Mapping[str, LocalText] = NOTHING,
    differs: Mapping[str, Difference] = NOBODY,
) -> tuple[CriterionView, ...]:
    """In the order of the form. `hidden`: the reviewer has not submitted what they think themselves; then nothing is
    `automatic`, whatever is said, and nothing `differs`."""
    stands = standing(log)
    versions = {id_: max((d.version for d in log if d.criterion_id == id_), default=0) for id_ in rubric.by_id}
    shown = []
    for proposed in proposal.judgements:
        criterion = rubric.by_id[proposed.criterion_id]
        by_itself = None if hidden else automatic.get(criterion.id)
        otherwise = None if hidden else differs.get(criterion.id)
        alone = by_itself is not None or otherwise is not None
        in_bulk = not (hidden or alone) and why_not_in_bulk(proposed, criterion, at_least=at_least) is None
        shown.append(
            CriterionView(
                criterion=criterion,
                version=versions[criterion.id],
                options=options(criterion),
                counts=counts(criterion),
                excluded=proposed.reason == EXCLUDED,
                decision=stands.get(criterion.id),
                draft=drafts.get(criterion.id, {}),
                proposed=None if hidden else proposed,
                why_not=None if hidden else why_not_approved(proposed),
                in_bulk=in_bulk,
                automatic=by_itself,
                differs=otherwise,
            )
        )
    return tuple(shown)


def running(
    rubric: Rubric, proposal: Scorecard, log: list[Decision], transcript: Transcript, *, hidden: bool
) -> Scorecard:
    if not log and not hidden:
        return proposal  # as it was scored; a page is opened more often than not before anybody has decided
    return rescored(rubric, proposal, standing(log), known_facts(transcript), blind=hidden)


def open_ones(
    proposal: Scorecard, log: list[Decision], automatic: Mapping[str, LocalText] = NOTHING
) -> tuple[str, ...]:
    """What is still to be decided: neither decided, nor excluded, nor `automatic`."""
    return tuple(id_ for id_ in undecided(proposal, standing(log)) if id_ not in automatic)
