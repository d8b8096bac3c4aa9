"""A plan: which calls of a rubric people look at. Some are drawn by chance each period, some always for what they are.

Source: the catalogue's `sampling` and `monitoring-modes`; a rubric's own quotas stand in its programme.
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, model_validator

from callgrade.domain.calls import Transcript
from callgrade.domain.frozen import Frozen
from callgrade.domain.judgements import Judgement
from callgrade.domain.programme import Period, Sampling
from callgrade.domain.reviews import is_red_line
from callgrade.domain.rubrics import Rubric
from callgrade.domain.scorecards import Scorecard

Fraction = Annotated[float, Field(ge=0, le=1)]


class Always(Frozen):
    """What is looked at whatever is drawn. `below_confidence` is 0..1; `topic` are words of which one must be said;
    `flags` are those of scorecards; `agents` are under watch (new ones, say)."""

    red_lines: bool = True
    below_confidence: Fraction | None = None
    flags: tuple[str, ...] = ()
    topic: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()


class Plan(Frozen):
    """`margin` goes with quotas that ask for a confidence. `double` is the share of drawn calls that two people review,
    the second one blind; `blind` hides the proposal from the first one too. `due_days` counts from the drawing.

    `teams`: of their calls alone; empty is of all.
    """

    period: Period = Period(unit="month")
    quotas: tuple[Sampling, ...] = ()
    always: Always = Always()
    unusual_durations: bool = False
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.05
    double: Fraction = 0.0
    blind: bool = False
    due_days: Annotated[int, Field(ge=0, le=365)] = 3
    teams: tuple[str, ...] = ()
    hand_out: bool = True
    """To the reviewer with the least to do; otherwise what is drawn waits in the pool."""

    @model_validator(mode="after")
    def _chooses_something(self) -> "Plan":
        chosen = self.always != Always(red_lines=False) or self.unusual_durations or self.quotas
        if not chosen:
            raise ValueError("a plan that draws nothing: give quotas, or say what is always looked at")
        return self


def plan_of(rubric: Rubric) -> Plan:
    """What a rubric's file says of itself: its quotas of calls, in its own period; by the month where that is a
    project, which has no end of its own."""
    programme = rubric.programme
    if programme is None:
        return Plan()
    quotas = tuple(quota for quota in programme.sampling if quota.of == "calls")
    period = programme.period
    return Plan(period=Period(unit="month") if period is None or period.unit == "project" else period, quotas=quotas)


def why_always(always: Always, rubric: Rubric, card: Scorecard, transcript: Transcript) -> str | None:
    """The first reason to look at this call whatever is drawn, a word of Review.why; None where there is none."""
    return next(_reasons(always, rubric, card, transcript), None)


def _reasons(always: Always, rubric: Rubric, card: Scorecard, transcript: Transcript) -> Iterator[str]:
    if always.red_lines and any(is_red_line(j, rubric.by_id[j.criterion_id]) for j in card.judgements):
        yield "red_line"
    if always.below_confidence is not None and any(_unsure(j, always.below_confidence) for j in card.judgements):
        yield "low_confidence"
    if set(always.flags) & set(card.flags):
        yield "flagged"
    if transcript.agent is not None and transcript.agent.id in always.agents:
        yield "watched_agent"
    if any(word in turn.text for word in always.topic for turn in transcript.turns):
        yield "topic"


def _unsure(judgement: Judgement, below: float) -> bool:
    return judgement.confidence is not None and judgement.confidence < below
