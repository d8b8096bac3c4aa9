"""Judgements made by a person or by hand, read from JSON. Shape: contracts.md, "Judgements, in"."""

from typing import Any

from pydantic import JsonValue

from callgrade.domain.errors import InputError
from callgrade.domain.given import as_judgement
from callgrade.domain.judgements import Judgement
from callgrade.domain.rubrics import Rubric


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
    return {id_: as_judgement(id_, given, rubric) for id_, given in document["judgements"].items()}, facts
