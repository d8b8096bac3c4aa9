"""A rubric: sections, criteria with their scales, and who judges them. Source of the shape: contracts.md, "Rubric, in".

This file says what a rubric *is*. What makes a valid one *good* (points that add up, guidance for every judge) is
checked in `catalog`, which knows the file and the line.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from callgrade.domain.conditions import FactConditions
from callgrade.domain.frozen import Frozen, Id, LocalText
from callgrade.domain.numbers import Points
from callgrade.domain.outcomes import Outcome
from callgrade.domain.programme import Programme
from callgrade.domain.scales import BonusScale, Scale, ViolationScale


class Phrases(Frozen):
    """Words to look for in turns: literal phrases, named lists under `rubrics/lists/`, and regular expressions.

    Matching ignores what grounding ignores (width, case, punctuation, simplified/traditional). A match inside one
    of `unless` does not count (喂养 for 喂; `…` stands for up to eight characters); with `negation: drop` neither
    does one that a negation word governs (不能保证收益 for 保证收益).
    """

    phrases: tuple[str, ...] = ()
    lists: tuple[Id, ...] = ()
    patterns: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    negation: Literal["keep", "drop"] = "keep"

    @model_validator(mode="after")
    def _looks_for_something(self) -> Self:
        if not (self.phrases or self.lists or self.patterns):
            raise ValueError("nothing to look for: give phrases, lists or patterns")
        return self


class Trigger(Frozen):
    """A moment in the call: the turn in which `find` was said for the `at_least`-th time by `side`."""

    side: Literal["agent", "customer", "any"] = "customer"
    find: Phrases
    at_least: Annotated[int, Field(ge=1)] = 1


class Position(Frozen):
    """Which of the side's own turns are searched: its first or last `turns`."""

    at: Literal["start", "end"]
    turns: Annotated[int, Field(ge=1)] = 1


class PhraseRule(Frozen):
    """Decided by words. `found` and `missing` give the outcome; the scale says what it is worth.

    `count` says what is counted for outcomes that count: every match, turns with a match, different phrases, or
    at most one. Only turns after `after` and before `before` are searched. A `before` that never happens bounds
    nothing; an `after` that never happens leaves nothing to search, and the criterion is judged as `missing`
    (or as not applicable, where `missing` is).
    """

    find: Phrases
    position: Position | None = None
    after: Trigger | None = None
    before: Trigger | None = None
    count: Literal["matches", "turns", "kinds", "once"] = "turns"
    found: Outcome | Literal["count"] = "count"
    missing: Outcome | Literal["count", "not_applicable"] = "count"
    only_if: tuple[Trigger, ...] = ()
    """Unless all of these moments came, the criterion does not apply (`not_applicable`)."""


class Band(Frozen):
    """Values up to and including `up_to` have this outcome; the last band has no `up_to`."""

    up_to: float | None = None
    outcome: Outcome


OF_THE_CALL = "call."
"""Begins the name of a fact that the call brings with it, where a measured one has none."""


class SpeechRule(Frozen):
    """Decided by one number, by bands of its value: a speech fact (`domain/speech.py`), or `call.<name>`, which is
    the call's own fact of that name (`call.answer_wait_ms`, from the telephone system)."""

    fact: str
    bands: Annotated[tuple[Band, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _bands_rise(self) -> Self:
        limits = [band.up_to for band in self.bands]
        if limits[-1] is not None or None in limits[:-1]:
            raise ValueError("every band but the last needs up_to, and the last must have none")
        known = [limit for limit in limits if limit is not None]
        if known != sorted(set(known)):
            raise ValueError("bands must have rising up_to")
        return self


class Criterion(Frozen):
    """One line of the form."""

    id: Id
    section: Id | None = None
    title: LocalText
    guidance: LocalText = LocalText()
    judge: Literal["rules", "speech", "llm", "human"]
    side: Literal["agent", "customer", "any"] = "agent"
    evidence: Literal["required", "optional", "none"] = "required"
    critical: bool = False
    not_applicable: Literal["rescale", "full", "forbidden"] = "rescale"
    when: FactConditions = Field(default_factory=dict)
    errors: tuple[int, ...] = ()
    scale: Scale
    rule: PhraseRule | None = None
    speech: SpeechRule | None = None

    @model_validator(mode="after")
    def _has_what_its_judge_needs(self) -> Self:
        if (self.judge == "rules") != (self.rule is not None):
            raise ValueError("`rule:` goes with `judge: rules`, and only with it")
        if (self.judge == "speech") != (self.speech is not None):
            raise ValueError("`speech:` goes with `judge: speech`, and only with it")
        return self


Combine = Literal["sum", "mean"]


class Section(Frozen):
    """A part of the form. `max` is worked out from its items when it is left out.

    `combine: mean` takes the mean of what applies instead of the sum; all items must then have the same best.

    `start` is what the section holds before anything is judged. Left out, it is what its items do not earn
    themselves: all of `max` for a section of deductions, nothing for a section of items that earn points.
    """

    id: Id
    title: LocalText
    max: Points | None = None
    start: Points | None = None
    floor: Points | None = None
    weight: Points = Field(default=1, validate_default=True)
    parent: Id | None = None
    pass_line: Points | None = None
    combine: Combine = "sum"


class Grade(Frozen):
    id: Id
    at_least: Points
    title: LocalText = LocalText()


class Total(Frozen):
    """How the sections make a total: start + the sum of weight × section, within [floor, max].

    `combine: mean` makes it their mean by weight; all sections must then have the same maximum.
    """

    start: Points = Field(default=0, validate_default=True)
    max: Points | None = None
    floor: Points | None = None
    pass_line: Points | None = None
    grades: tuple[Grade, ...] = ()
    combine: Combine = "sum"

    @cached_property
    def grades_best_first(self) -> tuple[Grade, ...]:
        return tuple(sorted(self.grades, key=lambda grade: grade.at_least, reverse=True))


class Source(Frozen):
    document: str
    heading: str = ""


class Rubric(Frozen):
    """A scoring form. Order in the file is order on the page. `total` is None for a taxonomy, which only counts."""

    schema_: Literal["callgrade.rubric/1"] = Field(alias="schema")
    id: Id
    version: Annotated[str, Field(pattern=r"^v[1-9][0-9]*$")]
    status: Literal["draft", "published", "retired"] = "draft"
    title: LocalText
    source: Source | tuple[Source, ...] | None = None
    source_notes: tuple[str, ...] = ()
    applies_when: FactConditions = Field(default_factory=dict)
    total: Total | None = Total()
    sections: tuple[Section, ...] = ()
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    programme: Programme | None = None
    phrase_lists: dict[Id, Phrases] = Field(default_factory=dict)
    """The lists that criteria name, resolved in by `catalog`; part of the digest, absent from the file."""
    error_names: dict[int, LocalText] = Field(default_factory=dict)
    """The named errors that criteria point to, by number; resolved and absent from the file as the lists are."""

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        faults = tuple(structural_faults(self))
        if faults:
            raise ValueError("; ".join(faults))
        return self

    @property
    def reference(self) -> str:
        return f"{self.id}@{self.version}"

    @cached_property
    def by_id(self) -> dict[str, Criterion]:
        return {criterion.id: criterion for criterion in self.criteria}

    @cached_property
    def can_fail_a_call(self) -> bool:
        """Whether a violation can fail a call, whatever its points."""
        scales = [c.scale for c in self.criteria if isinstance(c.scale, ViolationScale)]
        return any("fail_call" in (s.effect, s.aggravated and s.aggravated.effect) for s in scales)

    def judged_by(self, judge: str) -> tuple[Criterion, ...]:
        return tuple(criterion for criterion in self.criteria if criterion.judge == judge)


def structural_faults(rubric: Rubric) -> Iterator[str]:
    """What would make the arithmetic meaningless: ids used twice, references into nothing, circles."""
    sections = {section.id: section.parent for section in rubric.sections}
    criteria = {criterion.id for criterion in rubric.criteria}
    for kind, ids in (("section", [s.id for s in rubric.sections]), ("criterion", [c.id for c in rubric.criteria])):
        yield from (f"{kind} {id_!r} stands twice" for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1}))
    for section in rubric.sections:
        if section.parent is not None and section.parent not in sections:
            yield f"section {section.id!r} has the unknown parent {section.parent!r}"
    counts_as: dict[str, tuple[str, ...]] = {}
    for criterion in rubric.criteria:
        if criterion.section is not None and criterion.section not in sections:
            yield f"criterion {criterion.id!r} is in the unknown section {criterion.section!r}"
        targets: tuple[str, ...] = ()
        if isinstance(criterion.scale, BonusScale):
            targets = criterion.scale.requires_clean
        if isinstance(criterion.scale, ViolationScale):
            counts_as[criterion.id] = targets = criterion.scale.counts_as
        yield from (
            f"criterion {criterion.id!r} names the unknown criterion {t!r}" for t in targets if t not in criteria
        )
    parents = {id_: () if parent is None else (parent,) for id_, parent in sections.items()}
    yield from (f"section {id_!r} lies inside itself" for id_ in sections if _in_a_circle(id_, parents))
    yield from (f"criterion {id_!r} counts as itself" for id_ in counts_as if _in_a_circle(id_, counts_as))


def _in_a_circle(start: str, follow: Mapping[str, tuple[str, ...]]) -> bool:
    seen: set[str] = set()
    ahead = list(follow.get(start, ()))
    while ahead:
        here = ahead.pop()
        if here == start:
            return True
        if here not in seen:
            seen.add(here)
            ahead += follow.get(here, ())
    return False
