"""A call and what was said in it. Source of the shape: contracts.md, "Transcript, in"."""

from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, JsonValue, Strict, StringConstraints, field_validator, model_validator

from callgrade.domain.frozen import Frozen
from callgrade.domain.moments import Moment
from callgrade.domain.numbers import as_number

Milliseconds = Annotated[int, Field(ge=0, le=86_400_000), as_number]
CallId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Facts = dict[str, JsonValue]
"""What is known of a call besides its words (direction, outcome, complaint, hold_ms…). Open."""


class Speaker(StrEnum):
    AGENT = "agent"
    CUSTOMER = "customer"
    SYSTEM = "system"
    UNKNOWN = "unknown"


class Token(NamedTuple):
    """Characters [start, end) of a turn's text, spoken in [start_ms, end_ms) of the call.

    `confidence` comes from the recogniser's posteriors (0..1) or is None; it is never invented.
    """

    start: Annotated[int, Strict()]
    end: Annotated[int, Strict()]
    start_ms: Annotated[int, Strict()]
    end_ms: Annotated[int, Strict()]
    confidence: Annotated[float, Strict()] | None = None


class Turn(Frozen):
    """One speaker's uninterrupted words. Times are null for chats and imports that carry none."""

    speaker: Speaker
    text: str
    start_ms: Milliseconds | None = None
    end_ms: Milliseconds | None = None
    emotion: str | None = None
    tokens: tuple[Token, ...] = ()

    @field_validator("tokens", mode="before")
    @classmethod
    def _confidence_may_be_absent(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        return tuple((*item, None) if isinstance(item, list | tuple) and len(item) == 4 else item for item in value)

    @model_validator(mode="after")
    def _spans_lie_inside(self) -> Self:
        if self.start_ms is not None and self.end_ms is not None and self.end_ms < self.start_ms:
            raise ValueError(f"end_ms {self.end_ms} lies before start_ms {self.start_ms}")
        for token in self.tokens:
            if not 0 <= token.start <= token.end <= len(self.text):
                raise ValueError(f"token [{token.start}, {token.end}) lies outside a text of {len(self.text)}")
        return self


class Party(Frozen):
    """Who spoke, for people and reports only: never shown to a judge."""

    id: str | None = None
    team: str | None = None


class Transcript(Frozen):
    """A call as turns, in the order they began."""

    schema_: Literal["callgrade.transcript/1"] = Field("callgrade.transcript/1", alias="schema")
    call_id: CallId
    channel: str = "phone"
    language: str = "zh"
    started_at: Moment | None = None
    agent: Party | None = None
    customer: Party | None = None
    queue: str | None = None
    turns: tuple[Turn, ...] = ()
    facts: Facts = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    """What the makers of this transcript want people to know: `silence`, `roles inferred`…"""
    recogniser: str | None = None

    def said_by(self, speaker: Speaker) -> tuple[tuple[int, Turn], ...]:
        """(turn number from 0, turn) of every turn of one speaker, in order."""
        return tuple((i, turn) for i, turn in enumerate(self.turns) if turn.speaker is speaker)
