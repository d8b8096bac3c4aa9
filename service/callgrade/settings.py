"""All settings, from the environment or from the file that `CALLGRADE_CONFIG` names (JSON or .env lines).

Shape: contracts.md, "Settings".
"""

import difflib
import os
import warnings
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from callgrade.domain.errors import SettingsError

PREFIX = "CALLGRADE_"


class Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class LLMSettings(Group):
    """Which model judges, and how hard it is driven."""

    model: str | None = None
    """Sent verbatim. `gguf:PATH` serves a file on this machine, `litellm:NAME` goes through litellm."""
    base_url: str | None = None
    """An OpenAI-compatible endpoint; None is the SDK's default."""
    api_key: SecretStr | None = None
    concurrency: Annotated[int, Field(ge=1, le=2000)] = 16
    timeout_s: Annotated[float, Field(gt=0, le=3600)] = 120.0
    attempts: Annotated[int, Field(ge=1, le=20)] = 5
    """Requests spent on one question before it counts as failed; the first is among them."""
    max_wait_s: Annotated[float, Field(ge=0, le=3600)] = 60.0
    """The longest pause before a retry, whatever Retry-After asks."""
    samples: Annotated[int, Field(ge=1, le=15)] = 1
    """How often critical criteria are asked; the majority decides, and its share is the confidence."""
    output: Literal["auto", "schema", "json"] = "auto"
    """`schema` asks with a strict JSON schema, `json` for plain JSON, `auto` falls back once an endpoint refuses."""
    context_tokens: Annotated[int, Field(ge=1024)] = 32_000
    """The model's window. A longer transcript is split at turn borders."""
    max_tokens: Annotated[int, Field(ge=64)] = 8_192
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.0
    seed: int | None = None
    cache: bool = True
    run_salt: str = ""
    """Another salt asks again instead of taking the cached answer."""


class ASRSettings(Group):
    """Which recogniser transcribes."""

    model: str = "paraformer-zh"
    """A model's name, a local directory, or `tiny` for the demo's own."""
    vad: str = "silero-vad"
    punctuation: str | None = None
    speakers: str | None = None
    device: str = "cpu"
    threads: Annotated[int, Field(ge=1, le=256)] = 2
    agent_channel: Literal["0", "1", "auto"] = "auto"
    max_minutes: Annotated[float, Field(gt=0, le=1440)] = 240.0


class RedactionSettings(Group):
    enabled: bool = True


class Settings(BaseSettings):
    """Everything that can be set. An unknown `CALLGRADE_X__Y` is an error."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="ignore", frozen=True, validate_default=True
    )

    llm: LLMSettings = LLMSettings()
    asr: ASRSettings = ASRSettings()
    redaction: RedactionSettings = RedactionSettings()
    data_dir: Path = Field(default_factory=lambda: user_data_path("callgrade"))
    timezone: str = "Asia/Shanghai"
    language: Literal["zh", "en"] = "zh"
