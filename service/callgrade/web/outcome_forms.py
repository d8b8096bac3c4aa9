"""Outcomes and moments as forms send them back."""

import re

from pydantic import ValidationError

from callgrade.domain.errors import InputError, JudgementError
from callgrade.domain.outcomes import Outcome
from callgrade.domain.rubrics import Criterion
from callgrade.domain.scales import outcome_type
from callgrade.reviews.repository import OUTCOME

TYPED = "typed"
"""The choice of a number that no digit stands for."""
_MOMENT = re.compile(r"(?:(?P<hours>\d{1,2}):)?(?P<minutes>\d{1,3}):(?P<seconds>\d{1,2})(?:[.,](?P<tenths>\d))?")


def outcome_in(criterion: Criterion, choice: str, number: str = "", aggravated: str = "") -> Outcome | None:
    """None is "not applicable". Raises JudgementError for a choice that is none."""
    try:
        if choice == TYPED:
            field = next(iter(outcome_type(criterion.scale).model_fields))
            counted = {field: int(number)}
            if field == "occurrences" and aggravated:
                counted["aggravated"] = int(aggravated)
            return OUTCOME.validate_python(counted)
        return None if choice == "null" else OUTCOME.validate_json(choice)
    except (ValidationError, ValueError):
        raise JudgementError(criterion.id, "choose one of the options") from None


def moment_in(text: str) -> int | None:
    """Milliseconds from `1:02.5` or `1:02:03.4`, as pages write a place in a call; None where nothing stands.

    Raises InputError for what is no such place.
    """
    text = text.strip().replace("：", ":")
    if not text:
        return None
    found = _MOMENT.fullmatch(text)
    if found is None or int(found["seconds"]) > 59:
        raise InputError("a moment reads like 1:02.5: minutes and seconds from the start of the call")
    minutes = int(found["hours"] or 0) * 60 + int(found["minutes"])
    return (minutes * 60 + int(found["seconds"])) * 1000 + int(found["tenths"] or 0) * 100
