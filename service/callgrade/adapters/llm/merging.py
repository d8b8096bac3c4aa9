"""One judgement from the judgements of a long call's parts. The rules are for the worst case, and never accuse
without words:

- a part that failed: the criterion failed, for what it would have said is unknown;
- counts add up; different kinds do not, since two parts may have met the same one: the largest number stands;
- a bonus is earned where any part earned it; any other verdict is the one that costs most;
- a part that could not tell (`cannot_assess`) gives way to one that could, unless it accused without founded words
  and no part has found any: then the whole cannot be assessed;
- not applicable only where no part says anything else.

Evidence is that of all parts, confidence the lowest.
"""

from collections.abc import Sequence

from callgrade.adapters.llm.wording import said
from callgrade.domain.judgements import Judgement, cannot_assess
from callgrade.domain.outcomes import Count, Kinds, Occurrences
from callgrade.domain.rubrics import Criterion
from callgrade.domain.scales import BonusScale


def merge(criterion: Criterion, parts: Sequence[Judgement], language: str) -> Judgement:
    """`parts` are of one criterion, in the order of the call. Unfounded accusations are the abstentions with
    unfounded evidence."""
    if len(parts) == 1:
        return parts[0]
    if failed := next((part for part in parts if part.status == "failed"), None):
        return failed
    judged = [part for part in parts if part.status == "judged"]
    evidence = tuple(dict.fromkeys(item for part in parts for item in part.evidence))
    note = said("parts", language, n=len(parts))
    if not judged:
        leading = next((part for part in parts if part.status == "cannot_assess"), parts[0])
        return leading.model_copy(update={"evidence": evidence, "reason": f"{leading.reason}{note}"})
    merged = _merged(criterion, judged)
    accused = [part for part in parts if part.status == "cannot_assess" and any(not e.founded for e in part.evidence)]
    if accused and not any(item.founded for item in merged.evidence):
        return cannot_assess(criterion.id, "llm", f"{accused[0].reason}{note}", evidence)
    confidences = [part.confidence for part in judged if part.confidence is not None]
    told = [part.logprob for part in judged]
    update = {
        "evidence": evidence,
        "reason": f"{merged.reason}{note}",
        "confidence": min(confidences, default=None),
        "logprob": None if None in told else min(one for one in told if one is not None),
    }
    return merged.model_copy(update=update)


def _merged(criterion: Criterion, judged: Sequence[Judgement]) -> Judgement:
    outcomes = [part.outcome for part in judged]
    counted = [outcome for outcome in outcomes if isinstance(outcome, Occurrences)]
    if counted:
        total = Occurrences(
            occurrences=sum(outcome.occurrences for outcome in counted),
            aggravated=sum(outcome.aggravated for outcome in counted),
        )
        return _worst(judged, criterion).model_copy(update={"outcome": total})
    counts = [outcome.count for outcome in outcomes if isinstance(outcome, Count)]
    if counts:
        return _worst(judged, criterion).model_copy(update={"outcome": Count(count=sum(counts))})
    kinds = [outcome.kinds for outcome in outcomes if isinstance(outcome, Kinds)]
    if kinds:
        return _worst(judged, criterion).model_copy(update={"outcome": Kinds(kinds=max(kinds))})
    return _worst(judged, criterion)


def _worst(judged: Sequence[Judgement], criterion: Criterion) -> Judgement:
    """The one that costs most, and of those that cost the same the first; of a bonus the best."""

    def worth(part: Judgement) -> tuple[object, int]:
        assert part.outcome is not None
        points = criterion.scale.points(part.outcome)
        faults = part.outcome.occurrences if isinstance(part.outcome, Occurrences) else 0
        return (-points if isinstance(criterion.scale, BonusScale) else points, -faults)

    return min(judged, key=worth)
