"""What a person can choose for a criterion with one key: the digits 1 to 9, in this order."""

from callgrade.domain.numbers import Exact
from callgrade.domain.outcomes import Answer, Count, Kinds, Level, Occurrences, Outcome, Score
from callgrade.domain.rubrics import Criterion
from callgrade.domain.scales import (
    AnswerScale,
    BonusScale,
    DeductScale,
    LevelsScale,
    LikertScale,
    Scale,
    TiersScale,
    ViolationScale,
)

DIGITS = 9
COUNTED = 3
"""Counts that stand as options of their own, at least; higher ones are typed in."""
MOST_KNOWN = 20_000
_KNOWN: dict[int, tuple[Scale, tuple[Outcome, ...]]] = {}
"""By `id` of a scale, which is held so that no other can have it."""


def options(criterion: Criterion) -> tuple[Outcome | None, ...]:
    """The best first, as far as the scale has an order; None, "not applicable", last and only where the form allows it.

    At most nine. What counts without end (a tenth occurrence) has no option, and is typed in: see `counts`.
    """
    room = DIGITS if criterion.not_applicable == "forbidden" else DIGITS - 1
    outcomes = _outcomes(criterion.scale)[:room]
    return outcomes if criterion.not_applicable == "forbidden" else (*outcomes, None)


def counts(criterion: Criterion) -> bool:
    """Whether a higher number than the options show may be typed in."""
    return isinstance(criterion.scale, DeductScale | TiersScale | ViolationScale)


def _outcomes(scale: Scale) -> tuple[Outcome, ...]:
    """Asked for every criterion of every page, of rubrics that are read once. A scale may hold facts in a dict, so it
    is known by being the very same one."""
    known = _KNOWN.get(id(scale))
    if known is None or known[0] is not scale:
        if len(_KNOWN) >= MOST_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[id(scale)] = (scale, _made(scale))
    return known[1]


def _made(scale: Scale) -> tuple[Outcome, ...]:
    match scale:
        case AnswerScale():
            answers: tuple[Outcome, ...] = (Answer(answer="yes"), Answer(answer="no"))
            return answers if scale.yes >= scale.no else answers[::-1]
        case BonusScale():
            return (Answer(answer="yes"), Answer(answer="no"))
        case LevelsScale():
            return tuple(Level(level=anchor.id) for anchor in scale.levels)
        case LikertScale():
            return tuple(Score.model_validate({"score": n}) for n in range(scale.max, scale.min - 1, -1))
        case DeductScale():
            return tuple(Occurrences(occurrences=n) for n in range(_until_nothing_is_left(scale) + 1))
        case TiersScale():
            last = max((step.up_to or 0 for step in scale.steps), default=0) + 1
            return tuple(Count(count=n) if scale.by == "count" else Kinds(kinds=n) for n in range(last + 1))
        case ViolationScale():
            plain: tuple[Outcome, ...] = (Occurrences(occurrences=0), Occurrences(occurrences=scale.at_least))
            grave = Occurrences(occurrences=1, aggravated=1)
            return plain if scale.aggravated is None else (*plain, grave)
    raise TypeError(f"{type(scale).__name__} is no scale")  # a new kind of scale has to say here what can be chosen


def _until_nothing_is_left(scale: DeductScale) -> int:
    """The number of occurrences from which one more changes nothing, as far as digits reach."""
    worst = scale.worst
    for number in range(1, DIGITS):
        points: Exact = scale.points(Occurrences(occurrences=number))
        if worst is not None and points <= worst and number >= scale.free + 1:
            return number
    return max(COUNTED, scale.free + COUNTED)
