"""The golden set: sample calls with their recordings, their truth, and what was planted in them."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from callgrade.catalog.resources import resource_folder
from callgrade.catalog.yaml_source import read_yaml
from callgrade.domain.calls import Speaker
from callgrade.domain.errors import ConfigurationError
from callgrade.domain.frozen import Frozen, LocalText


class Planted(Frozen):
    """Words that were put into a call on purpose, and when they are heard (milliseconds)."""

    what: str
    kind: str
    turn: int
    quote: str
    speaker: Speaker
    start: int
    end: int
    start_ms: int
    end_ms: int
    note: str = ""


class SampleCall(Frozen):
    """One sample call. `recording` and `transcript` are paths inside the golden set's folder."""

    id: str
    title: LocalText
    recording: str
    agent_channel: Annotated[int, Field(ge=0, le=1)]
    transcript: str
    synthetic: bool
    variants: tuple[str, ...] = ()
    planted: tuple[Planted, ...] = ()
    seconds: float
    characters: int
    script: str = ""
    written_by: str = ""

    def recording_path(self) -> Path:
        return resource_folder("golden_set") / self.recording

    def transcript_path(self) -> Path:
        return resource_folder("golden_set") / self.transcript


_CALLS: TypeAdapter[tuple[SampleCall, ...]] = TypeAdapter(tuple[SampleCall, ...])


def sample_calls() -> tuple[SampleCall, ...]:
    """Every call of the golden set's manifest, in its order."""
    data: Any = read_yaml(resource_folder("golden_set") / "manifest.yaml").data
    if not isinstance(data, dict) or data.get("schema") != "callgrade.golden-set/1":
        raise ConfigurationError("golden_set/manifest.yaml is not a callgrade.golden-set/1")
    return _CALLS.validate_python(data["calls"])
