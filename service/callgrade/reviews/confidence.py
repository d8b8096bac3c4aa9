"""A calibrated confidence as it is stored with a state of autonomy, and as it is given to proposals. How one is fitted
stands in the room of calibration."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import Field

from callgrade.domain.confidence import Feature, Features, features_of, raw
from callgrade.domain.frozen import Frozen
from callgrade.domain.scorecards import Scorecard


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
    n: int
    checked: Checked | None = None

    def of(self, features: Features) -> float | None:
        """The probability that a proposal of these features is right; None where one that is used is missing."""
        from callgrade.stats.reliability import Calibrator

        value = raw(features, self.uses)
        return None if value is None else float(Calibrator.from_dict(self.calibrator)(value))


def with_confidence(card: Scorecard, fitted: Mapping[str, Confidence]) -> Scorecard:
    """The proposal with the probability that each judgement is right, where that was calibrated and can be measured
    here; nothing else changes. What the judge says of itself does not stand in for it."""
    if not fitted:
        return card
    judgements = tuple(
        one.model_copy(update={"confidence": fitted[one.criterion_id].of(features_of(one))})
        if one.criterion_id in fitted
        else one
        for one in card.judgements
    )
    return card.model_copy(update={"judgements": judgements})
