"""What is on record of a recording, and what a database can keep of a call at all."""

import json
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from callgrade.calls.texts import UNSTORABLE, is_whole
from callgrade.domain.calls import CallId, Facts, Party
from callgrade.domain.errors import TranscriptError
from callgrade.domain.frozen import Frozen
from callgrade.domain.moments import Moment
from callgrade.ports import AgentChannel

LONGEST = 200
"""Characters of an id or a name. PostgreSQL refuses what does not fit into an index."""
_YEARS = range(1900, 10_000)  # with a zone's hours added a moment must still be one


class RecordingMetadata(Frozen):
    """A transcript's fields without turns, with what a recording needs.

    When it began and ended and who the two parties were, by name or number, belongs on record with every recording
    (catalogue, `recording-governance`); `missing` says what is not there. The end may come later, from the recording.
    """

    schema_: Literal["callgrade.transcript/1"] = Field("callgrade.transcript/1", alias="schema")
    call_id: CallId
    channel: str = "phone"
    language: str = "zh"
    started_at: Moment | None = None
    ended_at: Moment | None = None
    agent: Party | None = None
    customer: Party | None = None
    queue: str | None = None
    facts: Facts = Field(default_factory=dict)
    notes: tuple[str, ...] = ()
    agent_channel: AgentChannel = "auto"
    file_name: str = Field("", max_length=LONGEST)
    media_type: str = Field("application/octet-stream", max_length=LONGEST)

    @model_validator(mode="after")
    def _it_ends_after_it_began(self) -> Self:
        if self.started_at and self.ended_at and self.ended_at < self.started_at:
            raise ValueError("ended_at lies before started_at")
        return self

    @property
    def missing(self) -> tuple[str, ...]:
        """What should be on record and is not, of started_at, ended_at, agent, customer."""
        known = {
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "agent": self.agent and self.agent.id,
            "customer": self.customer and self.customer.id,
        }
        return tuple(name for name, value in known.items() if not value)


def require_storable(columns: Mapping[str, Any]) -> None:
    """Raises TranscriptError that names the field and not its value: for text that no database or index takes (longer
    than 200 characters, NUL, half a character), numbers that are none, and moments before 1900.
    """
    for name, value in columns.items():
        if isinstance(value, str):
            _require_text(name, value)
        elif isinstance(value, dict):
            _require_json(name, value)
        elif hasattr(value, "year") and value.year not in _YEARS:
            raise TranscriptError(f"{name}: must lie between the years 1900 and 9999")


def _require_text(name: str, text: str) -> None:
    if len(text) > LONGEST:
        raise TranscriptError(f"{name}: has more than {LONGEST} characters")
    if not is_whole(text):
        raise TranscriptError(f"{name}: {UNSTORABLE}")


def _require_json(name: str, value: dict[str, Any]) -> None:
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    except ValueError:
        raise TranscriptError(f"{name}: holds a number that is none (infinite, or not a number)") from None
    except RecursionError:
        raise TranscriptError(f"{name}: is nested too deeply") from None
    if "\\u0000" in text or not is_whole(text):
        raise TranscriptError(f"{name}: {UNSTORABLE}")
