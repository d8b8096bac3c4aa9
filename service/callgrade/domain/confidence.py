"""What can be measured about how sure a proposal is. A measurement is no probability by itself: calibration makes one
of it, and where nothing was measured there is none."""

from typing import Annotated, Literal

from pydantic import Field

from callgrade.domain.frozen import Frozen
from callgrade.domain.judgements import Grounding, Judgement

Share = Annotated[float, Field(ge=0, le=1)]
Feature = Literal["repeat", "logprob", "grounding", "rules"]
FEATURES: tuple[Feature, ...] = ("repeat", "logprob", "grounding", "rules")
WORTH: dict[Grounding, float] = {"exact": 1.0, "normalised": 0.95, "approximate": 0.7, "unfounded": 0.0}
"""Of a quote, by how it was found: only the order matters, calibration does the rest."""


class Features(Frozen):
    """Each 0..1, None where it was not measured.

    `repeat`: the share of repeated samples that say the same. `logprob`: the probability that the model gave its own
    verdict, where the provider tells. `grounding`: how well the weakest quote was found. `rules`: 1 where a rule that
    looks for the same agrees, 0 where it does not.
    """

    repeat: Share | None = None
    logprob: Share | None = None
    grounding: Share | None = None
    rules: Share | None = None

    @property
    def measured(self) -> tuple[Feature, ...]:
        return tuple(name for name in FEATURES if getattr(self, name) is not None)


def features_of(judgement: Judgement, *, logprob: float | None = None, rule: Judgement | None = None) -> Features:
    """Of a proposal as it stands. The judge's own confidence is the share of its samples that said the same. `rule` is
    what a rule said that looks for the same thing on the same scale."""
    if judgement.status not in ("judged", "not_applicable"):
        return Features()
    agrees = None
    if rule is not None and rule.status == "judged" and judgement.status == "judged":
        agrees = float(rule.outcome == judgement.outcome)
    weakest = min((WORTH[item.grounding] for item in judgement.evidence), default=None)
    repeat = judgement.confidence if judgement.method == "llm" else None
    return Features(repeat=repeat, logprob=logprob, grounding=weakest, rules=agrees)


def raw(features: Features, uses: tuple[Feature, ...]) -> float | None:
    """The geometric mean of what is used, 0..1; None where one of them was not measured, or none is used."""
    values = [getattr(features, name) for name in uses]
    if not values or None in values:
        return None
    product = 1.0
    for value in values:
        product *= value
    return float(product ** (1 / len(values)))
