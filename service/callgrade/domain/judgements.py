"""One rater's verdict on one criterion, and the evidence for it."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from callgrade.domain.calls import Milliseconds, Speaker
from callgrade.domain.frozen import Frozen
from callgrade.domain.outcomes import Outcome

Grounding = Literal["exact", "normalised", "approximate", "unfounded"]
WhyUnfounded = Literal["not_found", "wrong_side", "ambiguous", "too_short"]
Method = Literal["rules", "speech", "llm", "human"]

AWAITING_HUMAN = "awaiting_human"
NO_MODEL = "no_model"
EXCLUDED = "excluded by the call's facts"
"""Reasons that are fixed words."""


class Evidence(Frozen):
    """A quote and the place where it was said.

    `start` and `end` are code points into the turn's original text, which sliced there is exactly `quote`, unless
    the grounding is `unfounded`; then turn, speaker, start and end are None and `why` says what is wrong. The times
    are milliseconds from the start of the call: `exact` from the recogniser's tokens, `estimated` by interpolation
    inside the turn, None where the turn has none.
    """

    quote: str
    grounding: Grounding
    turn: int | None = None
    speaker: Speaker | None = None
    start: int | None = None
    end: int | None = None
    start_ms: Milliseconds | None = None
    end_ms: Milliseconds | None = None
    time: Literal["exact", "estimated"] | None = None
    turn_corrected: bool = False
    why: WhyUnfounded | None = None

    @property
    def founded(self) -> bool:
        return self.grounding != "unfounded"


class JudgeFailure(Frozen):
    """Why a judge call gave no verdict. `message` holds no quote and no key."""

    type: str
    message: str
    retryable: bool


class Judgement(Frozen):
    """`judged` has an outcome; `not_applicable` and `cannot_assess` have none; `failed` has an error instead.

    `confidence` is 0..1 or None where nothing measures it. `logprob`: the probability that the model gave its own
    verdict, as its provider tells; it is no confidence before it was calibrated, and left out where it is unknown.
    """

    criterion_id: str
    status: Literal["judged", "not_applicable", "cannot_assess", "failed"]
    outcome: Outcome | None = None
    reason: str = ""
    method: Method
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    logprob: Annotated[float, Field(ge=0, le=1)] | None = Field(default=None, exclude_if=lambda value: value is None)
    error: JudgeFailure | None = None
    evidence: tuple[Evidence, ...] = ()

    @model_validator(mode="after")
    def _status_and_outcome_agree(self) -> Self:
        if (self.status == "judged") != (self.outcome is not None):
            raise ValueError("a judged criterion has an outcome, and no other has one")
        if (self.status == "failed") != (self.error is not None):
            raise ValueError("a failed judgement has an error, and no other has one")
        return self


def cannot_assess(criterion_id: str, method: Method, reason: str, evidence: tuple[Evidence, ...] = ()) -> Judgement:
    """An abstention. `reason` is a sentence or one of the fixed words `awaiting_human`, `no_model`."""
    return Judgement(criterion_id=criterion_id, status="cannot_assess", method=method, reason=reason, evidence=evidence)
