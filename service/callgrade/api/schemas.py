"""The shapes of requests and answers (contracts.md, "HTTP"). Rows never leave; these do."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Path, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

from callgrade.api import examples
from callgrade.domain.calls import Party
from callgrade.domain.frozen import Frozen
from callgrade.domain.moments import Moment
from callgrade.domain.numbers import as_number
from callgrade.domain.scorecards import Scorecard
from callgrade.evaluations.outbox import EVENTS
from callgrade.evaluations.releases import Wanted
from callgrade.evaluations.statuses import Status

Reference = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*(@v[0-9]{1,6})?$", max_length=90),
]
"""A rubric: `id`, or `id@vN`."""


ServerId = Annotated[
    str, Path(alias="id", pattern=r"^[0-9a-f]{32}$", description="The server's id.", examples=[examples.ID])
]


QueryText = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]


def _plausible(moment: datetime) -> datetime:
    if not 1900 <= moment.year <= 9000:
        raise ValueError("must lie between the years 1900 and 9000")
    return moment


PlausibleMoment = Annotated[Moment, AfterValidator(_plausible)]


def example(value: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [value]})


class Submitted(BaseModel):
    """`call_id` is the caller's own id, `id` the server's. `evaluation_id` is null where no rubric was named."""

    model_config = example(
        {"call_id": "C-00001", "id": examples.ID, "evaluation_id": examples.EVALUATION_ID},
    )

    call_id: str
    id: str
    evaluation_id: str | None


class RecordingShown(BaseModel):
    """`size` in bytes. The sound itself: GET /v1/calls/{id}/audio."""

    sha256: str
    size: int
    media_type: str
    file_name: str
    agent_channel: Literal["0", "1", "auto"]
    started_at: datetime | None
    ended_at: datetime | None


class CallShown(BaseModel):
    """`transcript_version` is null until there is a transcript."""

    model_config = example(examples.CALL)

    id: str
    call_id: str
    channel: str
    language: str
    started_at: datetime | None
    agent: Party | None
    queue: str | None
    facts: dict[str, JsonValue]
    transcript_version: int | None
    recording: RecordingShown | None
    created_at: datetime


class ErasedShown(BaseModel):
    """What went. `scrubbed` false: the database's own log holds remains until its next cut."""

    model_config = example(
        {"id": examples.ID, "at": examples.MOMENT, "transcripts": 1, "recordings": 0, "scorecards": 1, "scrubbed": True}
    )

    id: str
    at: datetime
    transcripts: int
    recordings: int
    scorecards: int
    scrubbed: bool


class EvaluationWanted(Frozen):
    """`rubric` by id (its newest published version, or the client's release of it) or as id@vN. `release` by id."""

    model_config = ConfigDict(
        **Frozen.model_config,
        json_schema_extra={
            "examples": [{"rubric": examples.RUBRIC}],
            "anyOf": [{"required": [name], "properties": {name: {"type": "string"}}} for name in ("rubric", "release")],
        },
    )

    rubric: Reference | None = None
    release: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")] | None = None
    priority: Annotated[int, Field(ge=0, le=9, description="More is sooner."), as_number] = 0

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if self.rubric is None and self.release is None:
            raise ValueError("name a rubric, a release, or both")
        return self


class RubricNamed(BaseModel):
    id: str
    version: str


class RubricExact(RubricNamed):
    digest: str


class TotalShown(BaseModel):
    """`value` is null while something that could move it is unknown; then it lies within [low, high]."""

    value: float | None
    low: float | None
    high: float | None


class FailureShown(BaseModel):
    """`type` is stable and for machines; `retryable` says whether POST …/retry may help."""

    model_config = example({"type": "model-timeout", "message": "no answer within 120 s", "retryable": True})

    type: str
    message: str
    retryable: bool


class EvaluationShown(BaseModel):
    """`call` is the server's id of the call, `call_id` the caller's own."""

    model_config = example(examples.EVALUATION)

    id: str
    call: str
    call_id: str
    rubric: RubricExact
    release: str | None
    batch: str | None
    line: int | None
    status: Status
    priority: int
    attempt: int
    agent: str | None
    team: str | None
    called_at: datetime
    total: TotalShown | None
    passed: bool | None
    error: FailureShown | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None


class EvaluationWhole(EvaluationShown):
    """`scorecard` is null until one is proposed, and after its call was erased."""

    model_config = example({**examples.EVALUATION, "scorecard": examples.SCORECARD})

    scorecard: Scorecard | None


class BatchAccepted(BaseModel):
    """`total` lines came in."""

    model_config = example({"batch_id": examples.BATCH_ID, "total": 200})

    batch_id: str
    total: int


BatchStatus = Literal["receiving", "incomplete", "running", "done", "cancelled"]


class BatchShown(BaseModel):
    """`proposed`, `failed`, `cancelled` and `pending` add up to `total`. `faulty` of the failed lines are no calls;
    `parked` of the pending ones wait for a model that is down, and go on by themselves. A line whose call was evaluated
    before counts as what became of it then.

    `receiving`: its lines are still coming in. `incomplete`: they stopped coming; send the batch again, what was graded
    of it is not graded twice.
    """

    model_config = example(examples.BATCH)

    id: str
    rubric: RubricNamed
    status: BatchStatus
    total: int
    proposed: int
    failed: int
    cancelled: int
    pending: int
    parked: int
    faulty: int
    created_at: datetime
    finished_at: datetime | None


class ResultLine(BaseModel):
    """One line of the results. `call_id` is null where the line could not be read that far."""

    model_config = example(
        {
            "line": 1,
            "call_id": "C-00001",
            "evaluation_id": examples.EVALUATION_ID,
            "status": "proposed",
            "scorecard": examples.SCORECARD,
            "error": None,
        }
    )

    line: int
    call_id: str | None
    evaluation_id: str | None
    status: Status
    scorecard: Scorecard | None
    error: FailureShown | None


class VersionShown(BaseModel):
    """A version of a rubric or prompt. `origin` is `shipped` or the id of the user who wrote it."""

    id: str
    version: str
    status: str
    digest: str
    origin: str
    created_at: datetime


class RubricShown(VersionShown):
    title: dict[str, str]


class RubricWhole(RubricShown):
    """`content` is the resolved rubric, as `callgrade rubric show --json` prints it."""

    content: dict[str, JsonValue]


class PromptWhole(VersionShown):
    content: dict[str, JsonValue]


class ReleaseWanted(Wanted):
    """`rubric` and `prompt` by `id` (the newest version) or `id@vN`. What is left out is as the service is set up.

    `model` is one that the service's endpoint serves. `recogniser` and `redaction` change nothing: where the service's
    are others, the evaluation fails and says so. `active_from` is now where it is left out, and never in the past.
    """

    model_config = ConfigDict(**Wanted.model_config, json_schema_extra={"examples": [examples.RELEASE_WANTED]})

    rubric: Reference
    prompt: Reference | None = None
    active_from: PlausibleMoment | None = None


class ReleaseShown(BaseModel):
    """`client` is null for a release that is everybody's."""

    model_config = example(examples.RELEASE)

    id: str
    client: str | None
    team: str | None
    rubric: RubricExact
    prompt: dict[str, JsonValue] | None
    model: str | None
    parameters: dict[str, JsonValue]
    recogniser: str | None
    redaction: str | None
    active_from: datetime
    created_at: datetime
    created_by: str


EventName = Literal[
    "evaluation.proposed",
    "evaluation.published",
    "evaluation.failed",
    "batch.done",
    "appeal.filed",
    "appeal.decided",
    "appeal.withdrawn",
    "alert.raised",
]


class WebhookWanted(Frozen):
    model_config = ConfigDict(
        **Frozen.model_config,
        json_schema_extra={"examples": [{"url": "https://crm.example.com/hooks/callgrade", "events": list(EVENTS)}]},
    )

    url: Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^\s\x00-\x1f\x7f]+$")]
    events: Annotated[tuple[EventName, ...], Field(min_length=1, max_length=10)] = ("evaluation.proposed",)


class WebhookShown(BaseModel):
    model_config = example(
        {
            "id": examples.WEBHOOK_ID,
            "url": "https://crm.example.com/hooks/callgrade",
            "events": list(EVENTS),
            "created_at": examples.MOMENT,
            "disabled_at": None,
        }
    )

    id: str
    url: str
    events: list[str]
    created_at: datetime
    disabled_at: datetime | None


class WebhookMade(WebhookShown):
    """`secret` signs what is sent (Standard Webhooks). It is shown this once."""

    model_config = example(
        {
            "id": examples.WEBHOOK_ID,
            "url": "https://crm.example.com/hooks/callgrade",
            "events": list(EVENTS),
            "created_at": examples.MOMENT,
            "disabled_at": None,
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=",
        }
    )

    secret: str


class Redelivery(Frozen):
    model_config = ConfigDict(
        **Frozen.model_config, json_schema_extra={"examples": [{"delivery_id": examples.DELIVERY_ID}]}
    )

    delivery_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class DeliveryShown(BaseModel):
    """`answered` is the last HTTP status, null where nobody answered. `event_id` repeats when it is sent again."""

    id: str
    event_id: str
    event: str
    status: Literal["waiting", "delivered", "given_up"]
    attempts: int
    answered: int | None
    next_at: datetime | None
    created_at: datetime
    delivered_at: datetime | None


class Readiness(BaseModel):
    model_config = example({"ready": True, "checks": {"database": "ok", "engine": "ok", "disk": "ok", "model": "ok"}})

    ready: bool
    checks: dict[str, str]


OneLine = Annotated[
    str,
    StringConstraints(
        max_length=200, pattern=r"^[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?$"
    ),
]
"""Without blanks at its ends."""


class AgentWanted(Frozen):
    """`agent_id` is the caller's own, as calls carry it. What is left out is not known any more."""

    agent_id: OneLine = Field(examples=["8031"])
    name: OneLine | None = None
    team: OneLine | None = Field(default=None, examples=["sales-2"])
    left: Annotated[bool, Field(strict=True, description="Takes no calls any more. Their results stay.")] = False


class AgentsWanted(Frozen):
    """Each is made or replaced; whoever is not among them stays as they are."""

    model_config = ConfigDict(
        **Frozen.model_config,
        json_schema_extra={"examples": [{"agents": [{"agent_id": "8031", "name": "李敏", "team": "sales-2"}]}]},
    )

    agents: Annotated[tuple[AgentWanted, ...], Field(max_length=1_000)]


class AgentsPut(BaseModel):
    model_config = example({"made": 1, "changed": 0})

    made: int
    changed: int


class AgentShown(BaseModel):
    """`team` is today's; a call keeps the one of its day."""

    model_config = example({"agent_id": "8031", "name": "李敏", "team": "sales-2", "left_at": None})

    agent_id: str
    name: str | None
    team: str | None
    left_at: datetime | None
