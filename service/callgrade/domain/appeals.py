"""Until when a score can be contested, until when it is looked at again, and what a decision makes of it.

Source: the catalogue's `appeals`; a rubric's own deadlines stand in its programme.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from callgrade.domain.judgements import Judgement
from callgrade.domain.outcomes import Outcome
from callgrade.domain.periods import deadline
from callgrade.domain.programme import Appeals, Within
from callgrade.domain.reviews import check_override
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard, score

Ruling = Literal["upheld", "accepted", "changed"]
"""The score stands; the agent is right; or neither was, and a third value is."""
DEFAULT = Appeals(file_within=Within(days=3), decide_within=Within(days=3))
"""Ours, for a rubric that says nothing of appeals."""


def rule_of(rubric: Rubric, default: Appeals = DEFAULT) -> Appeals:
    return (rubric.programme.appeals if rubric.programme else None) or default


def file_by(rule: Appeals, published_at: datetime, zone: ZoneInfo) -> datetime:
    """The end of the last day on which a score published then can be contested."""
    return deadline(published_at, rule.file_within.days, zone)


def decide_by(rule: Appeals, filed_at: datetime, zone: ZoneInfo) -> datetime | None:
    """The end of the last day for a decision; None where the rule sets none."""
    return None if rule.decide_within is None else deadline(filed_at, rule.decide_within.days, zone)


def is_late(rule: Appeals, published_at: datetime, at: datetime, zone: ZoneInfo) -> bool:
    """Whether it is too late to contest. A rule that accepts late ones knows no "too late"."""
    return rule.late == "refused" and at >= file_by(rule, published_at, zone)


def corrected(
    rubric: Rubric,
    card: Scorecard,
    criterion_id: str,
    outcome: Outcome | None,
    reason: str,
    facts: Mapping[str, JsonValue],
) -> Scorecard:
    """The scorecard with one criterion judged anew by a person; outcome None is "not applicable". The evidence goes:
    it stood for the judgement that fell. Raises JudgementError for an outcome that the scale does not take."""
    check_override(rubric.by_id[criterion_id], outcome)
    judgements = {
        j.criterion_id: Judgement(**{name: getattr(j, name) for name in Judgement.model_fields})
        for j in card.judgements
    }
    judgements[criterion_id] = Judgement(
        criterion_id=criterion_id,
        status="not_applicable" if outcome is None else "judged",
        outcome=outcome,
        reason=reason,
        method="human",
    )
    anew = score(rubric, judgements, facts, call_id=card.call_id, digest=card.rubric.digest)
    return anew.model_copy(update={"provenance": card.provenance})
