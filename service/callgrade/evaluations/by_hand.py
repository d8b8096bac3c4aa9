"""Judgements made by a person or by hand, read from JSON. Shape: contracts.md, "Judgements, in"."""

from typing import Any

from pydantic import JsonValue, TypeAdapter, ValidationError

from callgrade.domain.errors import InputError, JudgementError
from callgrade.domain.judgements import Judgement
from callgrade.domain.outcomes import Outcome
from callgrade.domain.rubrics import Rubric

_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
_ABSTENTIONS = ("not_applicable", "cannot_assess")


def read_judgements(document: Any, rubric: Rubric) -> tuple[dict[str, Judgement], dict[str, JsonValue]]:
    """(judgements by criterion id, facts). Raises InputError or JudgementError naming what is wrong."""
    if not isinstance(document, dict) or not isinstance(document.get("judgements"), dict):
        raise InputError('judgements are one JSON object: {"rubric": …, "facts": {…}, "judgements": {…}}')
    unknown = document.keys() - {"rubric", "facts", "judgements"}
    if unknown:
        raise InputError(f"unknown field(s) {', '.join(sorted(unknown))}")
    named = document.get("rubric")
    if named not in (None, rubric.id, rubric.reference):
        raise InputError(f"these judgements are for {named}, not for {rubric.reference}")
    facts = document.get("facts") or {}
    if not isinstance(facts, dict):
        raise InputError("facts must be an object")
    return {id_: _judgement(id_, given, rubric) for id_, given in document["judgements"].items()}, facts


def _judgement(id_: str, given: Any, rubric: Rubric) -> Judgement:
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
