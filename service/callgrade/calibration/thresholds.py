"""From which confidence on a criterion goes by itself: fixed before anybody looks at the evidence, named or chosen on
dev; the bound is then proven among what reaches it."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from callgrade.calibration.confidence import Example
from callgrade.db.tables import Autonomy
from callgrade.domain.autonomy import CALL_LEVEL
from callgrade.domain.errors import ConflictError, InputError
from callgrade.reviews.autonomy import confidence_of
from callgrade.reviews.confidence import Confidence
from callgrade.stats.results import Why

DEV: Literal["dev"] = "dev"
Threshold = float | Literal["dev"] | None
"""A confidence above 0 up to 1; `dev`: the lowest one that dev bears out; None: all proposals."""


class Fitted(NamedTuple):
    """A confidence, or why there is none, and what it was fitted on."""

    confidence: Confidence | Why
    examples: Sequence[Example]


class Sure(NamedTuple):
    """What of a criterion's proposals goes through: those of this confidence or more."""

    confidence: Confidence
    threshold: float


def fixed(asked: Threshold, criterion_id: str, fitted: Fitted | None, level: float) -> Sure | None:
    """None where none is asked for. Raises InputError for one that cannot be, ConflictError without a confidence that
    was calibrated, or where dev bears none out."""
    if asked is None:
        return None
    if criterion_id == CALL_LEVEL:
        raise InputError("threshold: the call's violations together have no confidence of their own")
    if fitted is None:
        raise InputError("threshold: name the run on dev that confidences are calibrated by")
    if asked != DEV and not 0 < asked <= 1:
        raise InputError("threshold: a confidence above 0, up to 1")
    if isinstance(fitted.confidence, Why):
        raise ConflictError(f"threshold: no confidence could be calibrated: {fitted.confidence.value}")
    return Sure(fitted.confidence, chosen(fitted.confidence, fitted.examples, level) if asked == DEV else asked)


def parse_threshold(text: str) -> Threshold:
    """As somebody typed it: `dev`, a number, or nothing. Raises InputError."""
    if text in ("", DEV):
        return DEV if text else None
    try:
        return float(text)
    except ValueError:
        raise InputError("threshold: a confidence above 0, up to 1, or dev") from None


def chosen(confidence: Confidence, examples: Sequence[Example], level: float) -> float:
    """The lowest confidence from which on at most `level` of the examples are wrong. They are those it was fitted on,
    so that it proves nothing; the evidence does. Raises ConflictError where there is none."""
    said = [(confidence.of(one.features), one.right) for one in examples]
    known = sorted(((p, right) for p, right in said if p is not None), reverse=True)
    lowest, wrong = None, 0
    for n, (p, right) in enumerate(known, 1):
        wrong += not right
        last_of_its_kind = n == len(known) or known[n][0] < p
        if last_of_its_kind and wrong <= level * n:
            lowest = p
    if lowest is None:
        raise ConflictError(f"threshold: on dev more than {level:.0%} are wrong, however sure")
    return lowest


def sure_of(row: Autonomy) -> Sure | None:
    """What goes through under a state that stands; None where that is everything."""
    confidence = confidence_of(row)
    return None if row.threshold is None or confidence is None else Sure(confidence, row.threshold)
