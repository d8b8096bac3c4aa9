"""What a rater can say of one criterion. Source of the shapes: contracts.md, "Judgements, in"."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from callgrade.domain.frozen import Frozen, Id
from callgrade.domain.numbers import Points

Count0 = Annotated[int, Field(ge=0, le=100_000, strict=True)]


class Answer(Frozen):
    answer: Literal["yes", "no"]


class Level(Frozen):
    level: Id


class Score(Frozen):
    score: Points


class Occurrences(Frozen):
    """How often a fault was found. The aggravated ones are among the occurrences."""

    occurrences: Count0
    aggravated: Count0 = 0

    @model_validator(mode="after")
    def _aggravated_are_among_them(self) -> Self:
        if self.aggravated > self.occurrences:
            raise ValueError(f"{self.aggravated} aggravated among only {self.occurrences} occurrences")
        return self


class Kinds(Frozen):
    """How many different kinds of a fault were found."""

    kinds: Count0


class Count(Frozen):
    count: Count0


Outcome = Answer | Level | Score | Occurrences | Kinds | Count
