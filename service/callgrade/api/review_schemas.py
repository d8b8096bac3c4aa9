"""The shapes of reviews and appeals. A blind review has no place that could carry its proposal."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from callgrade.api import examples
from callgrade.api.schemas import PlausibleMoment, example
from callgrade.domain.appeals import Ruling
from callgrade.domain.frozen import Frozen
from callgrade.domain.outcomes import Outcome

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
CriterionId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=90)]
Login = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\s\x00-\x1f\x7f]+$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=r"^[^\x00]*$")]
ReviewState = Literal["open", "submitted", "withdrawn"]
AppealState = Literal["open", "upheld", "accepted", "changed", "withdrawn"]
Why = Literal[
    "sample", "unusual", "red_line", "low_confidence", "flagged", "watched_agent", "topic", "complaint", "double",
    "picked", "corrected", "audit", "second_opinion",
]  # fmt: skip


class NotApplicable(Frozen):
    status: Literal["not_applicable"]


Wanted = Outcome | NotApplicable


def outcome_of(wanted: Wanted) -> Outcome | None:
    return None if isinstance(wanted, NotApplicable) else wanted


class ReviewWanted(Frozen):
    """`picked` asks for the review that a proposal is published by; `complaint` has a published score checked again, by
    somebody who had no part in it. `reviewer` is a login; left out, it goes to whoever has the least to do, or with
    `to_pool` to whoever takes it. Due at the end of the third day where `due_at` is left out."""

    model_config = ConfigDict(**Frozen.model_config, json_schema_extra={"examples": [examples.REVIEW_WANTED]})

    evaluation: Id
    why: Literal["picked", "complaint"]
    reviewer: Login | None = None
    to_pool: bool = False
    due_at: PlausibleMoment | None = None


class ReviewShown(BaseModel):
    """`slot` 0 is the review that is published; later ones are second looks. `why` of a blind review is `sample`,
    whatever it is. `total` is what the reviewer made of it, once it is submitted."""

    model_config = example(examples.REVIEW)

    id: str
    evaluation: str
    call: str
    call_id: str
    rubric: str
    attempt: int
    slot: int
    state: ReviewState
    why: Why
    blind: bool
    reviewer: str | None
    agent: str | None
    team: str | None
    total: float | None
    due_at: datetime
    created_at: datetime
    submitted_at: datetime | None


class DecisionShown(BaseModel):
    """`outcome` of an override; null there is "not applicable". `by` is a login."""

    criterion: str
    version: int
    kind: Literal["approve", "override", "cannot_judge", "undo"]
    outcome: dict[str, Any] | None
    reason: str
    by: str | None
    at: datetime


class ReviewWhole(ReviewShown):
    """With the log of its decisions, in which an undo is a row too."""

    model_config = example({**examples.REVIEW, "decisions": [examples.DECISION]})

    decisions: list[DecisionShown]


class AppealWanted(Frozen):
    """`by` is the login of the agent whose appeal it is. `wanted` is what the criterion should be, `at_ms` the moment
    in the call that shows it."""

    model_config = ConfigDict(**Frozen.model_config, json_schema_extra={"examples": [examples.APPEAL_WANTED]})

    by: Login
    evaluation: Id
    criterion: CriterionId
    wanted: Wanted
    reason: Words
    at_ms: Annotated[int, Field(ge=0, le=1_000_000_000)] | None = None


class AppealWithdrawn(Frozen):
    model_config = ConfigDict(**Frozen.model_config, json_schema_extra={"examples": [examples.APPEAL_WITHDRAWN]})

    by: Login


class AppealDecided(Frozen):
    """`by` is the login of whoever decides; `words` are for the agent. `changed` needs an `outcome`."""

    model_config = ConfigDict(**Frozen.model_config, json_schema_extra={"examples": [examples.APPEAL_DECIDED]})

    by: Login
    ruling: Ruling
    words: Words
    outcome: Wanted | None = None


class AppealShown(BaseModel):
    """Filed within `file_by`, to be decided by `decide_by`; `revision` of the scorecard is contested. `given` is what
    was decided where the score does not stand."""

    model_config = example(examples.APPEAL)

    id: str
    evaluation: str
    call: str
    call_id: str
    rubric: str
    criterion: str
    revision: int
    agent: str | None
    team: str | None
    state: AppealState
    reason: str
    at_ms: int | None
    wanted: dict[str, Any]
    filed_at: datetime
    file_by: datetime
    decide_by: datetime | None
    overdue: bool
    decided_at: datetime | None
    decision: str | None
    given: dict[str, Any] | None
