"""What the service answers. A field that a newer service adds is passed over."""

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from callgrade.domain.calls import Facts, Party
from callgrade.domain.scorecards import Scorecard

T = TypeVar("T")
AT_WORK = frozenset({"queued", "transcribing", "judging", "parked"})
"""Statuses of an evaluation that the machine has still to deal with."""
COMING = frozenset({"receiving", "running"})
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


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Submitted(Shape):
    """`call_id` is your own id, `id` the service's. `evaluation_id` is None where no rubric was named."""

    call_id: str
    id: str
    evaluation_id: str | None


class RecordingMetadata(Shape):
    """What is said of a recording: a transcript's fields without turns. `agent_channel` is the agent's channel of a
    stereo recording. `call_id` is the recording's file name where it is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    call_id: str | None = Field(default=None, min_length=1, max_length=200)
    channel: str = "phone"
    language: str = "zh"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    agent: Party | None = None
    customer: Party | None = None
    queue: str | None = None
    facts: Facts = Field(default_factory=dict)
    agent_channel: Literal["0", "1", "auto"] = "auto"


class RemoteRecording(RecordingMetadata):
    """A recording where you keep it, as one line of a batch. `audio_url` may be signed: it is kept until the recording
    was fetched, and no longer. Of a higher `priority` (0 to 9) it is worked off sooner."""

    audio_url: str = Field(min_length=1, max_length=2000)
    call_id: str = Field(min_length=1, max_length=200)
    priority: int = Field(default=0, ge=0, le=9)


class Recording(Shape):
    """`size` in bytes."""

    sha256: str
    size: int
    media_type: str
    file_name: str
    agent_channel: str
    started_at: datetime | None = None
    ended_at: datetime | None = None


class Call(Shape):
    """`transcript_version` is None until there is a transcript."""

    id: str
    call_id: str
    channel: str
    language: str
    started_at: datetime | None
    agent: Party | None
    queue: str | None
    facts: dict[str, JsonValue]
    transcript_version: int | None
    recording: Recording | None
    created_at: datetime


class Erased(Shape):
    id: str


class RubricNamed(Shape):
    id: str
    version: str
    digest: str | None = None


class Total(Shape):
    """`value` is None while something that could move it is unknown; then it lies within [low, high]."""

    value: float | None
    low: float | None
    high: float | None


class Failure(Shape):
    """Why there is no scorecard. `retryable` says whether `evaluations.retry` may help."""

    type: str
    message: str
    retryable: bool = False


class EvaluationSummary(Shape):
    """`call` is the service's id of the call, `call_id` your own. `status` is one of queued, transcribing, judging,
    parked, proposed, in_review, published, failed, cancelled."""

    id: str
    call: str
    call_id: str
    rubric: RubricNamed
    release: str | None
    batch: str | None
    line: int | None
    status: str
    priority: int
    attempt: int
    agent: str | None
    team: str | None
    called_at: datetime
    total: Total | None
    passed: bool | None
    error: Failure | None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None

    @property
    def is_done(self) -> bool:
        """Whether the machine's part is over: there is a scorecard, or a reason why there is none."""
        return self.status not in AT_WORK


class Evaluation(EvaluationSummary):
    """`scorecard` is None until one is proposed, and after its call was erased."""

    scorecard: Scorecard | None


class BatchAccepted(Shape):
    """`total` lines came in."""

    batch_id: str
    total: int


class Batch(Shape):
    """`proposed`, `failed`, `cancelled` and `pending` add up to `total`; `faulty` of the failed lines were no calls,
    `parked` of the pending ones wait for a model that is down.

    `status` is one of receiving, running, done, cancelled, incomplete (its lines stopped coming in: submit it again).
    """

    id: str
    rubric: RubricNamed
    status: str
    total: int
    proposed: int
    failed: int
    cancelled: int = 0
    pending: int
    parked: int = 0
    faulty: int = 0
    created_at: datetime
    finished_at: datetime | None

    @property
    def is_done(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status not in COMING


class Result(Shape):
    """What came of one line of a batch, lines counted from 1. `call_id` is None where the line could not be read."""

    line: int
    call_id: str | None
    evaluation_id: str | None
    status: str
    scorecard: Scorecard | None
    error: Failure | None


class RubricExact(RubricNamed):
    digest: str


class Release(Shape):
    """By what calls are graded from `active_from` on: the client's (`client` is None: everybody's), or a team's. What
    is None is as the service is set up."""

    id: str
    client: str | None
    team: str | None
    rubric: RubricExact
    prompt: RubricExact | None
    model: str | None
    parameters: dict[str, JsonValue]
    recogniser: str | None
    redaction: str | None
    active_from: datetime
    created_at: datetime
    created_by: str


class Version(Shape):
    """Of a rubric or prompt. `status` is draft, published or retired."""

    id: str
    version: str
    status: str
    digest: str
    origin: str
    created_at: datetime


class BackTest(Shape):
    """A draft beside the version in use. `status` is under_way, stopped (`failure` says why) or done; `comparison` is
    `callgrade.calibration-comparison/1`, None for a first version."""

    reference: str
    digest: str
    status: str
    done: int
    wanted: int
    failure: str | None
    run: str | None
    against: str | None
    comparison: dict[str, JsonValue] | None
    cost: dict[str, JsonValue] | None


class GateDecision(Shape):
    """`status` is under_way, failed (`failure` says why) or decided; `outcome` is passed, stopped or
    insufficient_data, and `left` how often the holdout may still be read."""

    reference: str
    digest: str
    status: str
    failure: str | None
    id: str | None
    outcome: str | None
    result: dict[str, JsonValue] | None
    left: int | None


class Published(Shape):
    """`outcome`: what it got there by; `human_only`: criteria that people go on to decide each."""

    reference: str
    digest: str
    gate: str
    outcome: str
    reason: str
    human_only: tuple[str, ...]


class Webhook(Shape):
    id: str
    url: str
    events: tuple[str, ...]
    created_at: datetime
    disabled_at: datetime | None = None


class NewWebhook(Webhook):
    """`secret` checks what is sent (`callgrade.client.verify_event`). It is shown this once: keep it."""

    secret: str


class Delivery(Shape):
    """`status` is waiting, delivered or given_up; `answered` your last HTTP status, None where you did not answer."""

    id: str
    event_id: str
    event: str
    status: str
    attempts: int
    answered: int | None
    next_at: datetime | None
    created_at: datetime
    delivered_at: datetime | None


class Event(Shape):
    """What a webhook brings. The same `id` may come twice: pass over what you have."""

    id: str
    type: str
    timestamp: datetime
    data: dict[str, Any]


class Page(Shape, Generic[T]):
    items: tuple[T, ...]
    next_cursor: str | None = None
