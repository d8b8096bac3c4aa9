"""What a person decides about each criterion of a proposal, and what that makes of the scorecard.

The machine's row is never changed: decisions are rows beside it, an undo is one too, and the newest that was not undone
stands. Source: ux.md, "Decisions".
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, JsonValue, model_validator

from callgrade.domain.errors import JudgementError
from callgrade.domain.frozen import Frozen, Id
from callgrade.domain.judgements import EXCLUDED, Evidence, Judgement, cannot_assess
from callgrade.domain.outcomes import Outcome
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scales import BonusScale, ViolationScale
from callgrade.domain.scorecards import Scorecard, ScoredJudgement, score

Kind = Literal["approve", "override", "cannot_judge", "undo"]
WhyNot = Literal["hidden", "nothing_proposed", "unfounded_evidence", "no_confidence", "low_confidence", "red_line"]
"""Why a proposal cannot be approved as it is; the last three only keep it from being approved with others at once."""


class Decision(Frozen):
    """One row of a review's log. `version` counts the rows of its criterion from 1, undone ones too.

    `override` carries an outcome, or None for "not applicable". `by` is `user:<id>`.
    """

    criterion_id: Id
    version: Annotated[int, Field(ge=1)]
    kind: Kind
    outcome: Outcome | None = None
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()
    by: str
    at: AwareDatetime

    @model_validator(mode="after")
    def _only_an_override_judges(self) -> Self:
        if self.kind != "override" and (self.outcome is not None or self.evidence):
            raise ValueError(f"only an override has an outcome or evidence, not {self.kind}")
        if self.kind == "cannot_judge" and not self.reason.strip():
            raise ValueError("say why it cannot be judged")
        return self


def standing(decisions: Iterable[Decision]) -> dict[str, Decision]:
    """The decision that stands for each criterion that has one. An undo takes back the newest that still stood."""
    stacks: dict[str, list[Decision]] = {}
    for decision in sorted(decisions, key=lambda d: d.version):
        stack = stacks.setdefault(decision.criterion_id, [])
        if decision.kind != "undo":
            stack.append(decision)
        elif stack:
            stack.pop()
    return {id_: stack[-1] for id_, stack in stacks.items() if stack}


def why_not_approved(proposed: ScoredJudgement, *, blind: bool = False) -> WhyNot | None:
    """None where a person may approve the proposal as it is. Nobody approves what they were not shown, nor a quote
    that was not said."""
    if blind:
        return "hidden"
    if proposed.status not in ("judged", "not_applicable"):
        return "nothing_proposed"
    if any(not item.founded for item in proposed.evidence):
        return "unfounded_evidence"
    return None


def why_not_in_bulk(proposed: ScoredJudgement, criterion: Criterion, *, at_least: float) -> WhyNot | None:
    """None where it may be approved together with others: sure enough, and no red line. `at_least` is 0..1."""
    if why := why_not_approved(proposed):
        return why
    if is_red_line(proposed, criterion):
        return "red_line"
    if proposed.confidence is None:
        return "no_confidence"
    return "low_confidence" if proposed.confidence < at_least else None


def is_red_line(proposed: Judgement, criterion: Criterion) -> bool:
    """A violation, or a critical criterion not at its best: what always has a person's own look."""
    if proposed.status != "judged" or proposed.outcome is None:
        return False
    if isinstance(criterion.scale, ViolationScale):
        return any(criterion.scale.violations(proposed.outcome))
    if not criterion.critical or isinstance(criterion.scale, BonusScale):
        return False
    return criterion.scale.points(proposed.outcome) < criterion.scale.best


def undecided(proposal: Scorecard, decisions: Mapping[str, Decision]) -> tuple[str, ...]:
    """The criteria that keep a review from being finished, in the order of the form. What the call's facts exclude no
    rater can change."""
    open_ = (j.criterion_id for j in proposal.judgements if j.criterion_id not in decisions)
    excluded = {j.criterion_id for j in proposal.judgements if j.reason == EXCLUDED}
    return tuple(id_ for id_ in open_ if id_ not in excluded)


def decided(proposal: Scorecard, decisions: Mapping[str, Decision], *, blind: bool = False) -> dict[str, Judgement]:
    """The judgements as people left them, by criterion. What is undecided is as proposed, or unknown where the
    proposal is hidden: a running total must not tell what the cards withhold."""
    found = (_judgement(proposed, decisions.get(proposed.criterion_id), blind) for proposed in proposal.judgements)
    return {judgement.criterion_id: judgement for judgement in found}


def rescored(
    rubric: Rubric,
    proposal: Scorecard,
    decisions: Mapping[str, Decision],
    facts: Mapping[str, JsonValue],
    *,
    blind: bool = False,
) -> Scorecard:
    """The scorecard as people left it, by the one arithmetic. Keeps the proposal's provenance: it still says which
    machine the approved judgements come from. Raises JudgementError for an outcome that a scale does not take."""
    judgements = decided(proposal, decisions, blind=blind)
    card = score(rubric, judgements, facts, call_id=proposal.call_id, digest=proposal.rubric.digest)
    return card if blind else card.model_copy(update={"provenance": proposal.provenance})


def check_override(criterion: Criterion, outcome: Outcome | None) -> None:
    """Raises JudgementError where the scale does not take this outcome, or the criterion always applies."""
    if outcome is None:
        if criterion.not_applicable == "forbidden":
            raise JudgementError(criterion.id, "always applies: not_applicable is forbidden")
        return
    try:
        _ = criterion.scale.points(outcome)
    except ValueError as error:
        raise JudgementError(criterion.id, str(error)) from None


def _judgement(proposed: ScoredJudgement, decision: Decision | None, blind: bool) -> Judgement:
    id_ = proposed.criterion_id
    if decision is None and (blind and proposed.reason != EXCLUDED):
        return cannot_assess(id_, "human", "")
    if decision is None or decision.kind == "approve":
        return Judgement(**{name: getattr(proposed, name) for name in Judgement.model_fields})
    if decision.kind == "cannot_judge":
        return cannot_assess(id_, "human", decision.reason)
    return Judgement(
        criterion_id=id_,
        status="not_applicable" if decision.outcome is None else "judged",
        outcome=decision.outcome,
        reason=decision.reason,
        method="human",
        evidence=decision.evidence,
    )
