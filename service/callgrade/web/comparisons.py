"""Two judges over the same calls, as pages show them: what flipped, and how far apart they are."""

from typing import NamedTuple

from callgrade.calibration.comparing import CriterionChange, Flip, RunComparison
from callgrade.calibration.report_words import outcome_in_words
from callgrade.domain.calibration import Figure
from callgrade.settings import Language


class Flipped(NamedTuple):
    """A call whose verdict changed, in words. `now`: right, wrong, or nobody knows."""

    call: str
    turn: int | None
    before: str
    after: str
    truth: str | None
    now: bool | None

    @classmethod
    def of(cls, flip: Flip, language: Language) -> "Flipped":
        before, after = (outcome_in_words(one, language) for one in (flip.before, flip.after))
        truth = None if flip.truth is None else outcome_in_words(flip.truth, language)
        return cls(flip.call, flip.turn, before, after, truth, flip.now_right)


class Changed(NamedTuple):
    """A criterion of which any verdict flipped."""

    change: CriterionChange
    apart: str
    flips: list[Flipped]


def changes_of(found: RunComparison | None, language: Language) -> list[Changed]:
    if found is None:
        return []
    flips: dict[str, list[Flipped]] = {}
    for flip in found.flips:
        flips.setdefault(flip.criterion_id, []).append(Flipped.of(flip, language))
    changes = found.criteria
    return [Changed(one, signed(one.kappa), flips[one.criterion_id]) for one in changes if one.criterion_id in flips]


def signed(figure: Figure) -> str:
    if figure.value is None:
        return "–"
    ends = "" if figure.low is None or figure.high is None else f" [{figure.low:+.2f}, {figure.high:+.2f}]"
    return f"{figure.value:+.2f}{ends}"
