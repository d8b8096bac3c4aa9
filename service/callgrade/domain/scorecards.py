"""The scorecard, and `score()`: the only arithmetic from judgements to points.

Shape: contracts.md, "Scorecard, out". Rules of the arithmetic: design.md, "Arithmetic".
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from pydantic import Field, JsonValue

from callgrade.domain.errors import JudgementError
from callgrade.domain.form import Part, build
from callgrade.domain.frozen import Frozen
from callgrade.domain.identity import ByIdentity
from callgrade.domain.intervals import Unbounded
from callgrade.domain.judgements import AWAITING_HUMAN, EXCLUDED, Judgement, cannot_assess
from callgrade.domain.numbers import Exact, exact
from callgrade.domain.outcomes import Count, Kinds, Occurrences
from callgrade.domain.reckoning import Standings, Worth, reckon, zeroing
from callgrade.domain.rubrics import Criterion, Rubric
from callgrade.domain.scales import Aggravation, BonusScale, CountsAs, LevelsScale, LikertScale, ViolationScale
from callgrade.domain.standing import INFINITE, Standing, standings

NOTHING_APPLIES = "nothing_applicable"


class Amount(Frozen):
    """Points out of `max`. `value` is None while it is not settled; then it lies within [low, high].

    `low` is None where nothing bounds it from below; all three are None where nothing applies (`reason` says so).
    """

    value: float | None
    low: float | None
    high: float | None
    max: float
    reason: str | None = None


class Assessed(Frozen):
    """What is known so far, as if the form had only the criteria decided: `value` of `max`; `share` of its criteria."""

    value: float | None
    max: float
    share: float


class SectionScore(Amount):
    id: str
    pass_line: float | None = None
    passed: bool | None = None


class RubricReference(Frozen):
    id: str
    version: str
    digest: str


class ScoredJudgement(Judgement):
    """A judgement and what it is worth. `max_points` is the best its scale allows."""

    points: float | None
    max_points: float


class ViolationFound(Frozen):
    """`count` violations of one kind. Aggravated ones stand in an entry of their own, with their own severity."""

    criterion_id: str
    severity: str
    effect: str
    count: int = 1


class ErrorFound(Frozen):
    """A named error (its number in the taxonomy), and how often the criteria that point to it were found at fault."""

    number: int
    count: int
    criteria: tuple[str, ...]


class Provenance(Frozen):
    """What made this scorecard: ids, versions and digests, never paths."""

    release: str | None = None
    rubric: str | None = None
    prompt: JsonValue = None
    repair_prompt: JsonValue = None
    lists: dict[str, str] | None = None
    model_requested: str | None = None
    model_reported: str | tuple[str, ...] | None = None
    """Several where an endpoint answered under more than one name."""
    parameters: JsonValue = None
    recogniser: str | None = None
    redaction: str | None = None
    callgrade: str | None = None
    requests: int = 0
    repairs: int = 0
    retries: int = 0
    cache_hits: int = 0
    tokens: dict[str, int] = Field(default_factory=dict)
    cost: float | None = None


class Scorecard(Frozen):
    """The form filled in for one call."""

    schema_: Literal["callgrade.scorecard/1"] = Field("callgrade.scorecard/1", alias="schema")
    call_id: str
    rubric: RubricReference
    total: Amount | None
    assessed: Assessed
    pass_line: float | None
    passed: bool | None
    grade: str | None
    critical: Amount | None
    sections: tuple[SectionScore, ...]
    judgements: tuple[ScoredJudgement, ...]
    violations: tuple[ViolationFound, ...]
    errors: tuple[ErrorFound, ...] = ()
    flags: tuple[str, ...]
    provenance: Provenance = Field(default_factory=Provenance)  # as a plain default it would be copied, deep, each time


def score(
    rubric: Rubric,
    judgements: Mapping[str, Judgement],
    facts: Mapping[str, JsonValue],
    *,
    call_id: str = "",
    digest: str = "",
) -> Scorecard:
    """Turn judgements into a scorecard. Pure and total for judgements that fit the rubric.

    A criterion without a judgement counts as `cannot_assess`. `facts` decide what applies. Raises JudgementError
    for an unknown criterion, an outcome its scale does not take, or a forbidden `not_applicable`.
    """
    for id_ in judgements.keys() - rubric.by_id.keys():
        raise JudgementError(id_, f"is not in {rubric.reference}")
    standing = standings(rubric, judgements, facts)
    form = _form(ByIdentity(rubric), None)
    worths = reckon(form, standing)
    return Scorecard(
        call_id=call_id,
        rubric=RubricReference(id=rubric.id, version=rubric.version, digest=digest),
        total=None if rubric.total is None else _amount(form, worths[None], standing),
        assessed=_assessed(rubric, standing),
        pass_line=_pass_line(rubric),
        passed=_passed(rubric, worths, standing),
        grade=_grade(rubric, worths[None]),
        critical=_critical(rubric, standing),
        sections=tuple(_section_score(part, worths[part.id], rubric) for part in _in_file_order(form, rubric)),
        judgements=tuple(_scored(c, judgements.get(c.id), standing[c.id]) for c in rubric.criteria),
        violations=tuple(_violations(rubric, standing)),
        errors=_errors(rubric, judgements, standing),
        flags=_flags(rubric, judgements, standing),
    )


@lru_cache(maxsize=512)
def _form(rubric: ByIdentity[Rubric], keep: frozenset[str] | None) -> Part:
    return build(rubric.it, keep)


def _number(value: Exact | Unbounded | Decimal) -> float | None:
    return None if value == -INFINITE else float(value)


def _amount(form: Part, worth: Worth, standing: Standings) -> Amount:
    top = float(form.max)
    if worth.absent:
        return Amount(value=None, low=None, high=None, max=top, reason=NOTHING_APPLIES)
    settled = worth.low == worth.high and not worth.optional
    return Amount(
        value=_number(worth.low) if settled else None,
        low=_number(worth.low),
        high=_number(worth.high),
        max=top,
        reason=None if worth.low != -INFINITE else "unbounded_below",
    )


def _assessed(rubric: Rubric, standing: dict[str, Standing]) -> Assessed:
    decided = frozenset(id_ for id_, s in standing.items() if _decided(s, standing))
    relevant = [s for s in standing.values() if s.state != "absent"]
    share = sum(s.criterion.id in decided for s in relevant) / len(relevant) if relevant else 0.0
    if not decided:
        return Assessed(value=None, max=0.0, share=share)
    form = _form(ByIdentity(rubric), decided)
    worth = reckon(form, {id_: standing[id_] for id_ in decided})[None]
    return Assessed(value=None if worth.absent else _number(worth.high), max=float(form.max), share=share)


def _decided(standing: Standing, everything: Standings) -> bool:
    if standing.state == "unknown":
        return False
    scale = standing.criterion.scale
    if isinstance(scale, BonusScale) and standing.high:
        return all(everything[id_].clean is not None for id_ in scale.requires_clean)
    return True


def _critical(rubric: Rubric, standing: Standings) -> Amount | None:
    critical = frozenset(c.id for c in rubric.criteria if c.critical)
    if not critical or rubric.total is None:
        return None
    form = _form(ByIdentity(rubric), critical)
    chosen = {id_: standing[id_] for id_ in rubric.by_id if id_ in critical}
    return _amount(form, reckon(form, chosen)[None], chosen)


def _pass_line(rubric: Rubric) -> float | None:
    return None if rubric.total is None or rubric.total.pass_line is None else float(rubric.total.pass_line)


def _passed(rubric: Rubric, worths: Mapping[str | None, Worth], standing: Standings) -> bool | None:
    """All lines met and nothing that fails the call; None where that is open or where there is no line."""
    failing = zeroing(standing, "fail_call")
    if failing == "certain":
        return False
    lines: list[tuple[str | None, Decimal | None]] = [(section.id, section.pass_line) for section in rubric.sections]
    lines.append((None, rubric.total.pass_line if rubric.total else None))
    drawn = [(worths[id_], line) for id_, line in lines if line is not None and id_ in worths]
    verdicts = [_meets(worth, line) for worth, line in drawn if not worth.absent]
    if False in verdicts:
        return False
    if failing or None in verdicts:
        return None
    # a form without a line is passed when it could fail the call and did not
    return True if verdicts or (rubric.can_fail_a_call and not drawn) else None


def _meets(worth: Worth, line: Decimal) -> bool | None:
    if worth.low >= exact(line):
        return True
    return False if worth.high < exact(line) and not worth.optional else None


def _grade(rubric: Rubric, worth: Worth) -> str | None:
    if rubric.total is None or worth.absent or worth.optional:
        return None
    reached = [
        next((g.id for g in rubric.total.grades_best_first if end >= exact(g.at_least)), None)
        for end in (worth.low, worth.high)
    ]
    return reached[0] if reached[0] == reached[1] else None


def _in_file_order(form: Part, rubric: Rubric) -> list[Part]:
    found: dict[str | None, Part] = {}

    def walk(part: Part) -> None:
        found[part.id] = part
        for below in part.parts:
            walk(below)

    walk(form)
    return [found[section.id] for section in rubric.sections if section.id in found]


def _section_score(part: Part, worth: Worth, rubric: Rubric) -> SectionScore:
    line = next(section.pass_line for section in rubric.sections if section.id == part.id)
    amount = _amount(part, worth, {})
    passed = None if line is None or worth.absent else _meets(worth, line)
    shown = None if line is None else float(line)
    return SectionScore(id=str(part.id), pass_line=shown, passed=passed, **vars(amount))


def _scored(criterion: Criterion, judgement: Judgement | None, standing: Standing) -> ScoredJudgement:
    if judgement is None:
        reason = AWAITING_HUMAN if criterion.judge == "human" else "not judged"
        judgement = cannot_assess(criterion.id, criterion.judge, reason)
    if standing.state == "absent" and judgement.status != "not_applicable":
        judgement = judgement.model_copy(
            update={
                "status": "not_applicable",
                "outcome": None,
                "error": None,
                "reason": EXCLUDED,
            }
        )
    known = standing.state == "known"
    return ScoredJudgement(
        **vars(judgement),
        points=_number(standing.high) if known else None,
        max_points=float(criterion.scale.best),
    )


def _violations(rubric: Rubric, standing: Standings) -> Iterator[ViolationFound]:
    for criterion in rubric.criteria:
        scale, found = criterion.scale, standing[criterion.id]
        if not isinstance(scale, ViolationScale):
            continue
        if plain := found.fewest - found.grave_fewest:
            yield _violation(criterion, scale, plain)
        if scale.aggravated is not None and found.grave_fewest:
            yield _violation(criterion, scale.aggravated, found.grave_fewest)


def _violation(criterion: Criterion, kind: ViolationScale | Aggravation, count: int) -> ViolationFound:
    effect = f"counts_as: {kind.effect.counts_as}" if isinstance(kind.effect, CountsAs) else kind.effect
    return ViolationFound(criterion_id=criterion.id, severity=kind.severity, effect=effect, count=count)


def _errors(rubric: Rubric, judgements: Mapping[str, Judgement], standing: Standings) -> tuple[ErrorFound, ...]:
    """A fault counts under every name that its criterion gives it; what is only suspected counts nowhere."""
    found: dict[int, list[tuple[str, int]]] = {}
    for criterion in rubric.criteria:
        judgement = judgements.get(criterion.id)
        if criterion.errors and judgement is not None and standing[criterion.id].state != "absent":
            times = _times_at_fault(criterion, judgement, standing[criterion.id])
            for number in criterion.errors if times else ():
                found.setdefault(number, []).append((criterion.id, times))
    return tuple(
        ErrorFound(number=number, count=sum(t for _, t in where), criteria=tuple(id_ for id_, _ in where))
        for number, where in sorted(found.items())
    )


def _times_at_fault(criterion: Criterion, judgement: Judgement, standing: Standing) -> int:
    """Occurrences where the scale counts them; else once if points were lost.

    Of grades that earn points only the worst is a fault: a call that is merely not the best (4 of 5) has none.
    """
    outcome = judgement.outcome
    if judgement.status != "judged" or outcome is None:
        return 0
    if isinstance(criterion.scale, ViolationScale):
        return sum(criterion.scale.violations(outcome))
    match outcome:
        case Occurrences():
            return outcome.occurrences
        case Count():
            return outcome.count
        case Kinds():
            return outcome.kinds
        case _:
            scale = criterion.scale
            graded = isinstance(scale, LevelsScale | LikertScale) and scale.best > 0
            lost = standing.high == scale.worst if graded else standing.high < scale.best
            return int(lost and not isinstance(scale, BonusScale))


def _flags(rubric: Rubric, judgements: Mapping[str, Judgement], standing: Standings) -> tuple[str, ...]:
    flags = {
        "incomplete": any(s.state == "unknown" for s in standing.values()),
        "violation": any(s.fewest and isinstance(s.criterion.scale, ViolationScale) for s in standing.values()),
        "judge_failed": any(j.status == "failed" for j in judgements.values()),
        "unfounded_evidence": any(not e.founded for j in judgements.values() for e in j.evidence),
        "awaiting_human": any(_awaits_a_person(c, judgements.get(c.id)) for c in rubric.criteria),
    }
    raised = [name for name, is_raised in flags.items() if is_raised]
    return ("needs_review", *raised) if raised else ()


def _awaits_a_person(criterion: Criterion, judgement: Judgement | None) -> bool:
    return criterion.judge == "human" and (judgement is None or judgement.reason == AWAITING_HUMAN)
