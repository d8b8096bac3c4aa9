"""By what a call is graded: a rubric, and what a release of it asks of the host that grades."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

from pydantic import Field, ValidationError

from callgrade.catalog.prompts import Prompt
from callgrade.domain.errors import ConfigurationError
from callgrade.domain.frozen import Frozen
from callgrade.domain.numbers import as_number
from callgrade.evaluations.failures import WAITING_HELPS, NoOutage, Outage
from callgrade.ports import Judge
from callgrade.settings import AnswerTokens, ContextTokens, Output, Samples, Temperature


class Parameters(Frozen):
    """How the model is asked. What is left out is as the host is set up (CALLGRADE_LLM__…); there are no others.

    `samples`: how often critical criteria are asked. `context_tokens`: the model's window, to be given with a model
    whose window is another than that of the host's own.
    """

    temperature: Annotated[Temperature, as_number] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1), as_number] | None = None
    samples: Annotated[Samples, as_number] | None = None
    max_tokens: Annotated[AnswerTokens, as_number] | None = None
    context_tokens: Annotated[ContextTokens, as_number] | None = None
    output: Output | None = None

    def given(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class PromptNamed(Frozen):
    id: str
    version: str
    digest: str

    @property
    def reference(self) -> str:
        return f"{self.id}@{self.version}"


class Terms(Frozen):
    """What a release asks of the host. What is None is as the host is set up."""

    prompt: PromptNamed | None = None
    model: str | None = None
    parameters: Parameters = Parameters()
    recogniser: str | None = None
    redaction: str | None = None


def read_terms(release_id: str, told: Mapping[str, Any]) -> Terms:
    """A release as it is stored. Raises ConfigurationError for one that a newer callgrade made."""
    try:
        return Terms.model_validate({name: value for name, value in told.items() if value is not None})
    except ValidationError:
        raise ConfigurationError(
            f"release {release_id} asks for what this version of callgrade does not know; upgrade this host"
        ) from None


class Graded(Frozen):
    """A rubric version, and the release of it where there is one."""

    rubric_id: str
    rubric_version: str
    rubric_digest: str
    release_id: str | None = None
    terms: Terms = Terms()


class Asking(NamedTuple):
    """What judges are opened for: `Terms`, with the prompt itself."""

    terms: Terms = Terms()
    prompt: Prompt | None = None


class Bench(NamedTuple):
    """Judges, whether the model that they ask is there, and which of its failures are worth waiting for."""

    judges: Sequence[Judge]
    outage: Outage = NoOutage()
    waiting_helps: frozenset[str] = WAITING_HELPS


def recogniser_name(described: str) -> str:
    """`paraformer-zh` of what a recogniser says of itself: its name, a colon and a note, and after a semicolon its
    versions."""
    return described.partition(";")[0].partition(":")[0].strip()
