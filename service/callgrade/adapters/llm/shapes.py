"""What an answer to one criterion may hold, worked out from its scale.

A verdict is a word from a closed list. Scales that count answer `counted` beside a number. `not_applicable` is
offered where the rubric allows it, `cannot_assess` always.
"""

from decimal import Decimal
from typing import Literal, NamedTuple

from callgrade.domain.numbers import shown
from callgrade.domain.outcomes import Answer, Count, Kinds, Level, Occurrences, Outcome, Score
from callgrade.domain.rubrics import Criterion
from callgrade.domain.scales import (
    AnswerScale,
    BonusScale,
    DeductScale,
    LevelsScale,
    LikertScale,
    TiersScale,
    ViolationScale,
)

ABSTAIN = "cannot_assess"
NOT_APPLICABLE = "not_applicable"
COUNTED = "counted"
MOST = 99
"""The highest count a model may answer with: more is not a count any more."""

NumberName = Literal["occurrences", "count", "kinds"]


class Shape(NamedTuple):
    """The same for criteria that may be answered alike: they share one definition in the schema."""

    verdicts: tuple[str, ...]
    number: NumberName | None
    aggravated: bool
    evidence: bool


def shape_of(criterion: Criterion) -> Shape:
    scale = criterion.scale
    abstentions = (ABSTAIN,) if criterion.not_applicable == "forbidden" else (NOT_APPLICABLE, ABSTAIN)
    return Shape(
        verdicts=_words(criterion) + abstentions,
        number=_number(criterion),
        aggravated=isinstance(scale, DeductScale) and scale.aggravated > 1,
        evidence=criterion.evidence != "none",
    )


def outcome_of(criterion: Criterion, verdict: str, number: int, aggravated: int) -> Outcome | None:
    """None for an abstention. Raises ValueError for more aggravated occurrences than there are."""
    if verdict in (NOT_APPLICABLE, ABSTAIN):
        return None
    match criterion.scale:
        case AnswerScale() | BonusScale():
            return Answer(answer="yes" if verdict == "yes" else "no")
        case LevelsScale():
            return Level(level=verdict)
        case LikertScale():
            return Score(score=Decimal(verdict))
        case DeductScale() | ViolationScale():
            return Occurrences(occurrences=number, aggravated=aggravated)
        case TiersScale(by="count"):
            return Count(count=number)
        case _:
            return Kinds(kinds=number)


def scale_text(criterion: Criterion, language: str) -> str:
    """The scale in a line: the words a verdict may be, what each is worth, and what a level means."""
    scale = criterion.scale
    match scale:
        case AnswerScale():
            words = f"yes={_points(scale.yes)} / no={_points(scale.no)}" if scale.yes != scale.no else "yes / no"
        case BonusScale():
            words = f"yes=+{_points(scale.points_)} / no"
        case LevelsScale():
            words = " / ".join(
                f"{level.id}={_points(level.points)} {' '.join(level.title.in_language(language).split())}".rstrip()
                for level in scale.levels
            )
        case LikertScale():
            words = f"{scale.min}–{scale.max}"
        case DeductScale():
            words = _deduction(scale, language)
        case ViolationScale():
            words = "counted: occurrences 违规次数" if language == "zh" else "counted: occurrences"
        case TiersScale():
            words = (
                f"counted: {scale.by} " + {"count": "次数", "kinds": "不同种数"}[scale.by]
                if language == "zh"
                else f"counted: {scale.by}"
            )
    return words if criterion.not_applicable == "forbidden" else f"{words} / {NOT_APPLICABLE}"


def _deduction(scale: DeductScale, language: str) -> str:
    each = f"-{_points(scale.points_)}" if scale.points_ else ""
    if language == "zh":
        grave = "，其中情节严重的次数记入 aggravated" if scale.aggravated > 1 else ""
        return f"counted: occurrences 次数{f'，每次{each}' if each else ''}{grave}"
    grave = ", the grave ones among them in aggravated" if scale.aggravated > 1 else ""
    return f"counted: occurrences{f', {each} each' if each else ''}{grave}"


def _points(points: Decimal) -> str:
    return shown(points).removesuffix(".0")


def _words(criterion: Criterion) -> tuple[str, ...]:
    """Best first: a model in doubt between two words leans to the first, and should not lean to accusing."""
    match criterion.scale:
        case AnswerScale(yes=yes, no=no):
            return ("yes", "no") if yes >= no else ("no", "yes")
        case BonusScale():
            return ("yes", "no")
        case LevelsScale(levels=levels):
            return tuple(level.id for level in sorted(levels, key=lambda level: -level.points))
        case LikertScale(min=least, max=most):
            return tuple(str(score) for score in range(most, least - 1, -1))
        case _:
            return (COUNTED,)


def _number(criterion: Criterion) -> NumberName | None:
    match criterion.scale:
        case DeductScale() | ViolationScale():
            return "occurrences"
        case TiersScale(by=by):
            return by
        case _:
            return None
