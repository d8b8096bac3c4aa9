"""What an endpoint has shown that it does not take. Learnt once, remembered for the process.

OpenAI-compatible endpoints differ in how JSON is asked for, in the name and the highest value of the length limit,
and in whether they take a temperature or a seed. Each refusal costs one request, once.
"""

import logging
from dataclasses import dataclass, replace
from typing import Any, Literal

from callgrade.adapters.llm.errors import Fault
from callgrade.domain.errors import BadAnswerError
from callgrade.settings import LLMSettings

Output = Literal["schema", "json_object", "text"]
IGNORED_AFTER = 3
"""Bad answers without a good one before an endpoint is taken to ignore schemas."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Dialect:
    """`schema`: a strict JSON schema. `json_object`: JSON mode, the schema stands in the prompt. `text`: not even
    that."""

    output: Output = "schema"
    length_field: Literal["max_tokens", "max_completion_tokens"] | None = "max_tokens"
    length_limit: int | None = None
    temperature: bool = True
    seed: bool = True
    logprobs: bool = True

    def parameters(self, settings: LLMSettings, *, sample: int, answer_tokens: int) -> dict[str, Any]:
        """Everything in a request body besides model, messages and response format."""
        parameters: dict[str, Any] = {}
        if self.length_field:
            parameters[self.length_field] = min(answer_tokens, self.length_limit or answer_tokens)
        if self.temperature:
            parameters["temperature"] = settings.temperature
        if self.seed and settings.seed is not None:
            # samples with one seed would all be the same answer
            parameters["seed"] = settings.seed + sample
        if self.logprobs and settings.logprobs and self.output == "schema":
            # elsewhere an answer is not the bare JSON whose tokens could be told apart
            parameters["logprobs"] = True
        return parameters


class Spoken:
    """The dialect of one endpoint, as far as it is known."""

    def __init__(self, settings: LLMSettings):
        self._may_leave_schema = settings.output == "auto"
        self.now = Dialect(output="json_object" if settings.output == "json" else "schema")
        self._bad_answers = 0
        self._understood = False
        self._before_trial: Dialect | None = None

    def answered(self) -> None:
        """An answer was as asked for: bad ones from now on are the model's, not the endpoint's."""
        self._understood = True

    def learn(self, used: Dialect, fault: Fault) -> bool:
        """True when asking again in `self.now` makes sense: it differs from what the refused request used."""
        if isinstance(fault.error, BadAnswerError):
            self._suspect(used)
            return False
        if fault.adapt is None:
            return False
        if used == self.now:
            adapted = self._adapted(used, fault)
            if adapted is None:
                return False
            _LOG.warning("the model's endpoint does not take the request's %s; going on without", _named(used, fault))
            self.now = adapted
        return True

    def _suspect(self, used: Dialect) -> None:
        """Some endpoints pass over the schema without a word: then no answer is ever as asked for. A few calls that no
        model answers well look the same, so plain JSON is on trial: it is given up, for good, if it does no better."""
        if self._understood or used != self.now:
            return
        self._bad_answers += 1
        if self._bad_answers < IGNORED_AFTER:
            return
        if self._before_trial is not None:
            _LOG.warning("plain JSON does no better; asking the model's endpoint with a JSON schema again")
            self.now, self._before_trial, self._may_leave_schema = self._before_trial, None, False
        elif used.output == "schema" and self._may_leave_schema:
            _LOG.warning("the model's endpoint seems to ignore JSON schemas; asking for plain JSON")
            self.now, self._before_trial = replace(used, output="json_object"), used
            self._bad_answers = 0

    def _adapted(self, used: Dialect, fault: Fault) -> Dialect | None:
        match fault.adapt:
            case "output" if used.output == "schema" and self._may_leave_schema:
                return replace(used, output="json_object")
            case "output" if used.output == "json_object":
                return replace(used, output="text")
            case "length" if fault.limit and fault.limit != used.length_limit and used.length_field:
                return replace(used, length_limit=fault.limit)
            case "length" if used.length_field == "max_tokens":
                return replace(used, length_field="max_completion_tokens")
            case "length" if used.length_field:
                return replace(used, length_field=None)
            case "temperature" if used.temperature:
                return replace(used, temperature=False)
            case "seed" if used.seed:
                return replace(used, seed=False)
            case "logprobs" if used.logprobs:
                return replace(used, logprobs=False)
            case _:
                return None


def _named(used: Dialect, fault: Fault) -> str:
    names = {
        "output": {"schema": "JSON schema"}.get(used.output, "JSON mode"),
        "length": used.length_field or "length limit",
    }
    return names.get(str(fault.adapt), str(fault.adapt))
