"""What can be measured about how sure a proposal is. A measurement is no probability by itself: calibration makes one
of it, and where nothing was measured there is none.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from callgrade.domain.calibration import is_violation
from callgrade.domain.frozen import Frozen
from callgrade.domain.judgements import Grounding, Judgement
from callgrade.domain.rubrics import Criterion, Rubric

Share = Annotated[float, Field(ge=0, le=1)]
Feature = Literal["repeat", "logprob", "grounding", "rules"]
FEATURES: tuple[Feature, ...] = ("repeat", "logprob", "grounding", "rules")
WORTH: dict[Grounding, float] = {"exact": 1.0, "normalised": 0.95, "approximate": 0.7, "unfounded": 0.0}
"""Of a quote, by how it was found: only the order matters, calibration does the rest."""


class Features(Frozen):
    """Each 0..1, None where it was not measured.

    `repeat`: the share of repeated samples that say the same. `logprob`: the probability that the model gave its own
    verdict, where the provider tells. `grounding`: how well the weakest quote was found. `rules`: 1 where the rules
    that look for the same named error agree that there is a fault or none, 0 where they do not (`agreement_of_rules`).
    """

    repeat: Share | None = None
    logprob: Share | None = None
    grounding: Share | None = None
    rules: Share | None = None

    @property
    def measured(self) -> tuple[Feature, ...]:
        return tuple(name for name in FEATURES if getattr(self, name) is not None)


def rules_beside(rubric: Rubric, criterion: Criterion) -> tuple[Criterion, ...]:
    """The criteria of the form that rules judge, and that look for one of the same named errors (`errors:`)."""
    if criterion.judge != "llm":
        return ()
    ours = set(criterion.errors)
    return tuple(one for one in rubric.criteria if one.judge == "rules" and ours & set(one.errors))


def agreement_of_rules(rubric: Rubric, judgement: Judgement, others: Mapping[str, Judgement]) -> float | None:
    """1 where the rules beside a criterion find a fault and so does the judge, or neither does; else 0. None without
    such rules, or where a side cannot tell. `others`: the same scorecard's judgements by criterion."""
    criterion = rubric.by_id[judgement.criterion_id]
    found = [_finds_fault(one, others[one.id]) for one in rules_beside(rubric, criterion) if one.id in others]
    mine = _finds_fault(criterion, judgement)
    if not found or mine is None or None in found:
        return None
    return float(any(found) == mine)


def features_of(judgement: Judgement, *, rules: float | None = None) -> Features:
    """Of a proposal as it stands. The judge's own confidence is the share of its samples that said the same."""
    if judgement.status not in ("judged", "not_applicable"):
        return Features()
    weakest = min((WORTH[item.grounding] for item in judgement.evidence), default=None)
    repeat = judgement.confidence if judgement.method == "llm" else None
    return Features(repeat=repeat, logprob=judgement.logprob, grounding=weakest, rules=rules)


def raw(features: Features, uses: tuple[Feature, ...]) -> float | None:
    """The geometric mean of what is used, 0..1; None where one of them was not measured, or none is used."""
    values = [getattr(features, name) for name in uses]
    if not values or None in values:
        return None
    product = 1.0
    for value in values:
        product *= value
    return float(product ** (1 / len(values)))


def _finds_fault(criterion: Criterion, judgement: Judgement) -> bool | None:
    if judgement.status == "not_applicable":
        return False
    return is_violation(criterion, judgement.outcome)
