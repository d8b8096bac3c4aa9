"""The base of every domain type: immutable, and strict about unknown fields."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints


class Frozen(BaseModel):
    """Immutable, and an unknown field is an error: a misspelt field must never pass as an absent one."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
"""A rubric, section, criterion or level id: lower case with hyphens."""


class LocalText(Frozen):
    """A text for people, in Chinese and English. Transcripts are never translated; these are."""

    zh: str = ""
    en: str = ""

    def in_language(self, language: str) -> str:
        """The text in `language` (`zh` or `en`), or in the other one where it is missing."""
        return (self.zh or self.en) if language.startswith("zh") else (self.en or self.zh)
