"""A judgement that was written down by hand, as contracts.md has it ("Judgements, in"), as a domain type."""

from typing import Any

from pydantic import TypeAdapter, ValidationError

from callgrade.domain.errors import JudgementError
from callgrade.domain.judgements import Judgement
from callgrade.domain.outcomes import Outcome
from callgrade.domain.rubrics import Rubric

_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
_ABSTENTIONS = ("not_applicable", "cannot_assess")


def as_judgement(id_: str, given: Any, rubric: Rubric) -> Judgement:
    """A person's judgement of one criterion. Raises JudgementError for a criterion that the rubric has not, or what is
    no outcome at all; whether the scale takes it shows when it is scored.
    """
    criterion = rubric.by_id.get(id_)
    if criterion is None:
        raise JudgementError(id_, f"is not in {rubric.reference}")
    if isinstance(given, dict) and "status" in given:
        if given["status"] not in _ABSTENTIONS or given.keys() - {"status", "reason"}:
            raise JudgementError(id_, f"status must be one of {', '.join(_ABSTENTIONS)}, with a reason at most")
        reason = str(given.get("reason", ""))
        return Judgement(criterion_id=id_, status=given["status"], method="human", reason=reason)
    try:
        outcome = _OUTCOME.validate_python(given)
    except ValidationError:
        raise JudgementError(
            id_, f"{given!r:.80} is not an outcome that a {criterion.scale.kind} scale takes"
        ) from None
    return Judgement(criterion_id=id_, status="judged", outcome=outcome, method="human")
