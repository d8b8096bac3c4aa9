"""A calibrated confidence as it is stored with a state of autonomy, and as it is given to proposals. How one is fitted
stands in the room of calibration."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import Field

from callgrade.domain.autonomy import criterion_digests
from callgrade.domain.confidence import Feature, Features, agreement_of_rules, features_of, raw, rules_beside
from callgrade.domain.frozen import Frozen
from callgrade.domain.identity import ByIdentity
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scorecards import Scorecard, ScoredJudgement


class Bin(NamedTuple):
    """One bar of a reliability diagram: n calls of mean `confidence`, and the share of them that was right, with
    Wilson's interval."""

    n: int
    confidence: float
    right: float
    low: float
    high: float


class Checked(Frozen):
    """How the confidences did on calls that they were not fitted on. Brier: 0 is perfect; `base` is what one gets who
    always says the share that is right. ECE is rather too large for few calls."""

    n: int
    brier: float
    base: float
    ece: float
    bins: tuple[Bin, ...]


class Confidence(Frozen):
    """A fitted map from what is measured to how often it is right. Stored with the state that it serves."""

    schema_: Literal["callgrade.confidence/1"] = Field("callgrade.confidence/1", alias="schema")
    uses: tuple[Feature, ...]
    calibrator: dict[str, Any]
    fitted_on: str
    """Which run."""
    rules: str = ""
    """The digest of the rules that it was fitted beside, where their agreement is used."""
    n: int
    checked: Checked | None = None

    def of(self, features: Features) -> float | None:
        """The probability that a proposal of these features is right; None where one that is used is missing."""
        from callgrade.stats.reliability import Calibrator

        value = raw(features, self.uses)
        return None if value is None else float(Calibrator.from_dict(self.calibrator)(value))


def rules_digest(rubric: Rubric, criterion: Criterion) -> str:
    """Of the rules that look for the same as a criterion; another one of them, and their agreement means another thing.
    Empty without any."""
    digests = criterion_digests(ByIdentity(rubric))
    return ",".join(sorted(digests[one.id] for one in rules_beside(rubric, criterion)))


def with_confidence(card: Scorecard, fitted: Mapping[str, Confidence], rubric: Rubric) -> Scorecard:
    """The proposal with the probability that each judgement is right, where that was calibrated and can be measured
    here; nothing else changes. What the judge says of itself does not stand in for it."""
    if not fitted:
        return card
    others = {one.criterion_id: one for one in card.judgements}

    def sure(one: ScoredJudgement, by: Confidence) -> float | None:
        same = by.rules == rules_digest(rubric, rubric.by_id[one.criterion_id])
        agrees = agreement_of_rules(rubric, one, others) if same else None
        return by.of(features_of(one, rules=agrees))

    judgements = tuple(
        one.model_copy(update={"confidence": sure(one, fitted[one.criterion_id])})
        if one.criterion_id in fitted
        else one
        for one in card.judgements
    )
    return card.model_copy(update={"judgements": judgements})
