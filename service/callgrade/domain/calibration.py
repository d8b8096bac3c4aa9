"""Holding a judge against people: what an outcome is as a number on its scale, and the report of a calibration run.

The report holds figures, ids and places, and no words of a call. Undefined is None with a reason.
"""

from typing import Literal

from pydantic import AwareDatetime, Field, JsonValue

from callgrade.domain.frozen import Frozen, Id, LocalText
from callgrade.domain.outcomes import Answer, Count, Kinds, Level, Occurrences, Outcome, Score
from callgrade.domain.rubrics import Criterion
from callgrade.domain.scales import (
    Anchor,
    AnswerScale,
    BonusScale,
    DeductScale,
    LevelsScale,
    LikertScale,
    Scale,
    TiersScale,
    ViolationScale,
)

MOST_COUNTED = 2
"""Counts are told apart as none, one and more: rarely does anybody agree on whether it was four times or five."""
COUNTED = (0.0, 1.0, 2.0)
ANSWERED = (0.0, 1.0)

# outcomes as numbers


def rating_of(criterion: Criterion, outcome: Outcome | None) -> float | None:
    """Where an outcome stands on its criterion's scale, one of `categories_of`. None for none, and for an outcome of
    another kind of scale.

    Answer: yes 1, no 0. Levels and tiers: their points (levels of equal worth: their place in the file). Likert: the
    score. Deductions and violations: 0, 1, or 2 for more; a violation counts from its `at_least` on.
    """
    scale = criterion.scale
    match outcome:
        case Answer() if isinstance(scale, AnswerScale | BonusScale):
            return float(outcome.answer == "yes")
        case Level() if isinstance(scale, LevelsScale):
            return _levels(scale).get(outcome.level)
        case Score() if isinstance(scale, LikertScale):
            return float(outcome.score) if scale.min <= outcome.score <= scale.max else None
        case Occurrences() if isinstance(scale, ViolationScale):
            return float(min(MOST_COUNTED, sum(scale.violations(outcome))))
        case Occurrences() if isinstance(scale, DeductScale):
            return float(min(MOST_COUNTED, outcome.occurrences))
        case Count() | Kinds() if isinstance(scale, TiersScale) and isinstance(outcome, _counts_in(scale)):
            if _worth_the_same(scale):
                return float(min(MOST_COUNTED, _number(outcome)))
            return float(scale.points(outcome))
    return None


def categories_of(criterion: Criterion) -> tuple[float, ...]:
    """All ratings that the scale allows, rising, at least two; never those that happen to occur."""
    scale = criterion.scale
    match scale:
        case AnswerScale() | BonusScale():
            return ANSWERED
        case LevelsScale():
            return tuple(sorted(_levels(scale).values()))
        case LikertScale():
            return tuple(float(score) for score in range(scale.min, scale.max + 1))
        case ViolationScale() if scale.at_least > 1:
            return ANSWERED
        case TiersScale() if not _worth_the_same(scale):
            return tuple(sorted(_step_points(scale)))
        case _:
            return COUNTED


def is_violation(criterion: Criterion, outcome: Outcome | None) -> bool | None:
    """Whether the outcome finds fault: the yes or no that a miss is counted by. None without an outcome, and where the
    scale knows no fault (a bonus, an answer that is worth the same either way).

    Of grades that earn points only the worst is a fault, as scorecards name errors.
    """
    rating = rating_of(criterion, outcome)
    if rating is None or outcome is None:
        return None
    scale = criterion.scale
    match scale:
        case BonusScale():
            return None
        case AnswerScale():
            return None if scale.yes == scale.no else scale.points(outcome) < scale.best
        case LevelsScale() | LikertScale() if scale.best > 0:
            return None if scale.best == scale.worst else scale.points(outcome) == scale.worst
        case LevelsScale() | LikertScale() | TiersScale():
            return scale.points(outcome) < scale.best
        case _:
            return rating > 0


def rating_where_absent(criterion: Criterion) -> float | None:
    """What "does not apply" comes to: of what must not happen, that it did not; else None. So a judge who accuses where
    nothing applies is seen to be wrong, and one who finds nothing to apply agrees with one who found no fault."""
    return 0.0 if isinstance(criterion.scale, ViolationScale | DeductScale) else None


def is_ordered(scale: Scale) -> bool:
    """Whether near misses are better than far ones: then kappa is weighted."""
    return not isinstance(scale, AnswerScale | BonusScale) and not (
        isinstance(scale, ViolationScale) and scale.at_least > 1
    )


def category_names(criterion: Criterion) -> tuple[LocalText, ...]:
    """What each of `categories_of` is called."""
    scale, categories = criterion.scale, categories_of(criterion)
    if isinstance(scale, AnswerScale | BonusScale):
        return (LocalText(zh="否", en="no"), LocalText(zh="是", en="yes"))
    if isinstance(scale, LevelsScale):
        by_rating = {rating: scale.levels[place] for place, rating in enumerate(_levels(scale).values())}
        return tuple(_level_name(by_rating[category]) for category in categories)
    counted = categories == COUNTED and not isinstance(scale, LikertScale)
    plain = [LocalText(zh=f"{category:g}", en=f"{category:g}") for category in categories]
    return (*plain[:-1], LocalText(zh="2 及以上", en="2 or more")) if counted else tuple(plain)


def _level_name(level: Anchor) -> LocalText:
    return level.title if level.title.zh or level.title.en else LocalText(zh=level.id, en=level.id)


def _levels(scale: LevelsScale) -> dict[str, float]:
    points = [float(level.points) for level in scale.levels]
    if len(set(points)) < len(points):
        points = [float(place) for place in range(len(points))]
    return {level.id: worth for level, worth in zip(scale.levels, points, strict=True)}


def _counts_in(scale: TiersScale) -> type[Count] | type[Kinds]:
    return Count if scale.by == "count" else Kinds


def _number(outcome: Count | Kinds) -> int:
    return outcome.count if isinstance(outcome, Count) else outcome.kinds


def _step_points(scale: TiersScale) -> set[float]:
    return {float(step.points) for step in scale.steps} | {float(scale.worst)}


def _worth_the_same(scale: TiersScale) -> bool:
    return len(_step_points(scale)) < 2


# the report

RaterKinds = Literal["person", "model", "mixed"]
VerdictKind = Literal["on_par", "below", "undecided", "unclear", "insufficient_data", "not_judged", "unlabelled"]
"""`on_par`: as near to what is right as the raters are to each other, within the margin, with 95 % confidence;
`below`: it is not; `undecided`: the interval allows both; `unclear`: the raters do not agree themselves;
`insufficient_data`: too few labels, or too few of the rarer kind, for any verdict; `not_judged`: no judge answered;
`unlabelled`: no label says what is right."""
Truth = Literal["adjudicated", "unanimous", "single"]
"""Where what is right comes from: a third rater who saw the others; raters who all say the same; the only one."""


class Figure(Frozen):
    """`value` within [low, high] with 95 % confidence, on `n` items. `why` (the English text of `stats.results.Why`)
    where the value or its interval is missing, or where calls were drawn for it because agents are too few."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    why: str | None = None


class Agreement(Frozen):
    """Of two sides or more on the same items. `weights` None: a category is met or missed; `linear`: the nearer the
    better. `coefficient`: Cohen's for two sides, Fleiss' for more raters or for such as did not all rate everything."""

    coefficient: Literal["cohen_kappa", "fleiss_kappa"]
    weights: Literal["linear"] | None = None
    kappa: Figure
    ac: Figure
    """Gwet's AC1, or AC2 with the same weights."""
    percent: Figure


class Raters(Agreement):
    """How far those who rated blind agree with each other, on the items that the judge is held against."""

    names: tuple[str, ...]
    kind: RaterKinds
    """`model`: the raters were models, and it is no human–human figure."""


class ClassFigures(Frozen):
    """One category, or `None` for "any fault at all"."""

    category: float | None
    true: int
    said: int
    recall: Figure
    precision: Figure


class ConfusionTable(Frozen):
    """`matrix`: rows what is right, columns what was proposed, both in the order of `categories`."""

    categories: tuple[float, ...]
    matrix: tuple[tuple[int, ...], ...]
    classes: tuple[ClassFigures, ...]
    fault: ClassFigures | None = None


class EvidenceFidelity(Frozen):
    """`founded`: of all quotes, those that stand in the call. `overlap`: of the founded quotes of faults that are right
    and for which a rater quoted something, those that share words with one of these quotes."""

    quotes: int
    founded: Figure
    overlap: Figure


class Repeatability(Frozen):
    """Agreement of the k samples of a call with each other."""

    samples: int
    percent: Figure
    kappa: Figure


class VerdictLine(Frozen):
    """The first line of a criterion: verdict, reason, what to do next, how many labelled calls are still needed; of
    what is rare, calls in which it occurs. None where no number would help."""

    kind: VerdictKind
    reason: LocalText
    action: LocalText
    labels_needed: int | None = None
    needed_of: Literal["calls", "faults"] = "calls"


class CriterionReport(Frozen):
    """One criterion. `calls` were judged; `compared` of them have a rating of both sides and make up the figures."""

    criterion_id: Id
    title: LocalText
    judge: str
    scale: str
    categories: tuple[float, ...]
    category_names: tuple[LocalText, ...]
    """As people call them, in the order of `categories`."""
    verdict: VerdictLine
    calls: int
    compared: int
    agents: int
    """Different ones among those compared."""
    truth: dict[Truth, int] = Field(default_factory=dict)
    contested: int = 0
    """Calls that raters see differently and nobody adjudicated: they are in no figure."""
    raters: Raters | None = None
    model: Agreement | None = None
    with_raters: Figure = Figure()
    """The judge's kappa with each blind rater, the mean: what `raters` is like for like. With what was adjudicated
    everybody agrees more than with somebody else."""
    beside_raters: Figure = Figure()
    """`model` less `raters` on the calls that two raters and the judge rated, drawn together: what a verdict and a gate
    go by. Undefined without such calls."""
    prevalence: Figure = Figure()
    """The share of faults among what is right; where the scale knows none, of its highest category."""
    bias: Figure = Figure()
    """Proposed less right, in the scale's own units: above 0 it rates higher (of counts: it accuses more)."""
    confusion: ConfusionTable | None = None
    abstained: Figure = Figure()
    """Of the calls whose criterion the judge was asked for, those it could not assess."""
    applicability: int = 0
    """Calls for which one side says that it does not apply, and the other judges it."""
    failed: int = 0
    not_judged: int = 0
    """No judge answered: no model is set up, or only people judge it."""
    evidence: EvidenceFidelity | None = None
    repeatability: Repeatability | None = None


class Disagreement(Frozen):
    """Ranked: missed and invented faults first, then by distance on the scale. Outcomes are as contracts.md has
    judgements, without their reasons. `turn` counts from 0: where to look first, by the quote of whoever found it."""

    call: str
    criterion_id: Id
    proposed: dict[str, JsonValue]
    truth: dict[str, JsonValue]
    raters: dict[str, dict[str, JsonValue]] = Field(default_factory=dict)
    distance: float
    """Share of the scale's width, 0..1; 1 where only one side has a rating."""
    turn: int | None = None
    start_ms: int | None = None
    confidence: float | None = None


class Spent(Frozen):
    """Of all items. `cost` is None where no price is known; milliseconds are per call asked anew (the cache apart)."""

    requests: int = 0
    cache_hits: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    median_ms: float | None = None
    p95_ms: float | None = None


class JudgeUnderTest(Frozen):
    """What was run: ids and digests."""

    rubric: str
    rubric_digest: str
    rubric_title: LocalText = LocalText()
    prompt: str | None = None
    prompt_digest: str | None = None
    model_asked: str | None = None
    model_reported: str | None = None
    recogniser: str | None = None
    redaction: str | None = None


class CalibrationReport(Frozen):
    """How a judge did on one split of a golden set. `disagreements` is empty for the holdout, always."""

    schema_: Literal["callgrade.calibration/1"] = Field("callgrade.calibration/1", alias="schema")
    run: str
    made_at: AwareDatetime
    set_id: str
    set_name: str
    set_title: str
    synthetic: bool
    split: str
    judge: JudgeUnderTest
    samples: int
    calls: int
    items: int
    """Calls × samples that came out."""
    items_wanted: int
    failed_items: int = 0
    """Calls that nothing came of at all."""
    other_versions: int = 0
    """Labels that were given by another version of the rubric and fit this one."""
    criteria: tuple[CriterionReport, ...]
    disagreements: tuple[Disagreement, ...] = ()
    spent: Spent = Spent()

    @property
    def by_id(self) -> dict[str, CriterionReport]:
        return {one.criterion_id: one for one in self.criteria}
