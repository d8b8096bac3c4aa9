"""The shapes of a draft's way to be published."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, StringConstraints, model_validator

from callgrade.api import examples
from callgrade.api.schemas import Reference, example
from callgrade.calibration.drafted import Standing
from callgrade.domain.gates import GateResult
from callgrade.reviews.drafts import LONGEST

Outcome = Literal["passed", "stopped", "insufficient_data", "overridden"]
NoNul = r"^[^\x00]*$"
Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST, pattern=NoNul),
    Field(description="The whole text of its file, as `callgrade rubric export` or the repository has it."),
]
Login = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NoNul)]


def _says_something(text: str) -> str:
    if not text.strip():
        raise ValueError("say why")
    return text


Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NoNul), AfterValidator(_says_something)]


class DraftTried(BaseModel):
    """`set`: `golden` is the one that ships; or a set of your own, by its name. `again`: go on with what
    stopped."""

    model_config = ConfigDict(extra="forbid", **example(examples.DRAFT_TRIED))

    draft: Text
    set_: Annotated[str, StringConstraints(max_length=80, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$"), Field(alias="set")] = (
        "golden"
    )
    again: Annotated[bool, Strict()] = False

    @property
    def on(self) -> str:
        return ""


class PromptTried(DraftTried):
    """`rubric`: the form that it is tried on."""

    model_config = ConfigDict(extra="forbid", **example(examples.PROMPT_TRIED))

    rubric: Reference

    @property
    def on(self) -> str:
        return self.rubric


class RubricPublished(BaseModel):
    """`override` publishes in spite of the gate, and says why; it is somebody's by name. `by`: the login of whoever
    publishes it; without one the key does."""

    model_config = ConfigDict(extra="forbid", **example(examples.RUBRIC_PUBLISHED))

    draft: Text
    override: Reason | None = None
    by: Login | None = None

    @model_validator(mode="after")
    def _is_somebodys(self) -> Self:
        if self.override is not None and self.by is None:
            raise ValueError("an override is somebody's by name: say whose in `by`")
        return self

    @property
    def on(self) -> str:
        return ""


class PromptPublished(RubricPublished):
    """`rubric`: the form that it was tried on."""

    model_config = ConfigDict(extra="forbid", **example(examples.PROMPT_PUBLISHED))

    rubric: Reference

    @property
    def on(self) -> str:
        return self.rubric


class Retired(BaseModel):
    """`by`: the login of whoever does it; without one the key does."""

    model_config = ConfigDict(extra="forbid", **example(examples.RETIRED))

    by: Login | None = None


class BackTestShown(BaseModel):
    """`done` of `wanted` judgements are there. `run` and `against` are calibration runs, of the draft and of the
    version in use (null where there is none). `comparison` is `callgrade.calibration-comparison/1`, null until it is
    done and for a first version. `failure`: why it stopped."""

    model_config = example(examples.BACK_TEST)

    reference: str
    digest: str
    status: Literal["under_way", "stopped", "done"]
    done: int
    wanted: int
    failure: str | None
    run: str | None
    against: str | None
    comparison: dict[str, Any] | None
    cost: dict[str, Any] | None
    """Per call, the draft less the version in use, with its interval."""

    @classmethod
    def of(cls, stands: Standing) -> Self:
        found, opened = stands.found, stands.opened
        compared = None if found is None or found.comparison is None else found.comparison
        state = "stopped" if stands.state == "none" and stands.failure else stands.state
        return cls.model_validate(
            {
                "reference": stands.contest.reference,
                "digest": stands.contest.digest,
                "status": "under_way" if state == "none" else state,
                "done": stands.done,
                "wanted": stands.wanted,
                "failure": (stands.failure or None) if state == "stopped" else None,
                "run": opened and opened.run_id,
                "against": opened and opened.against,
                "comparison": compared and compared.model_dump(mode="json", by_alias=True),
                "cost": found and found.cost.model_dump(mode="json"),
            }
        )


class GateShown(BaseModel):
    """`result`: per criterion the outcome and its reasons, the suites, and what people go on to decide. `left`: how
    often the holdout may still be read for this rubric."""

    model_config = example(examples.GATE)

    reference: str
    digest: str
    status: Literal["under_way", "failed", "decided"]
    failure: str | None
    id: str | None
    outcome: Outcome | None
    result: dict[str, Any] | None
    left: int | None

    @classmethod
    def of(cls, stands: Standing, result: GateResult | None) -> Self:
        gate = stands.gate
        failed = gate is None and not stands.at_gate and bool(stands.failure)
        return cls.model_validate(
            {
                "reference": stands.contest.reference,
                "digest": stands.contest.digest,
                "status": "decided" if gate else "failed" if failed else "under_way",
                "failure": stands.failure if failed else None,
                "id": gate and gate.id,
                "outcome": gate and gate.outcome,
                "result": result and result.model_dump(mode="json"),
                "left": gate and (gate.details.get("wear") or {}).get("left"),
            }
        )


class PublishedShown(BaseModel):
    """`outcome`: what it got there by. `reason`: of an override. `human_only`: criteria with too little to show."""

    model_config = example(examples.PUBLISHED)

    reference: str
    digest: str
    gate: str
    outcome: Outcome
    reason: str
    human_only: list[str]
