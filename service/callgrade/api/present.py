"""Rows and domain objects in the shapes that leave."""

import json
from decimal import Decimal

from callgrade.api.schemas import (
    BatchShown,
    CallShown,
    DeliveryShown,
    EvaluationShown,
    FailureShown,
    PromptWhole,
    RecordingShown,
    ReleaseShown,
    RubricExact,
    RubricNamed,
    RubricShown,
    RubricWhole,
    TotalShown,
    VersionShown,
    WebhookShown,
)
from callgrade.calls.views import Beside
from callgrade.db.tables import Batch, Call, Delivery, Evaluation, PromptVersion, Release, RubricVersion, Webhook
from callgrade.domain.calls import Party
from callgrade.evaluations.results import Tally


def call_shown(row: Call, more: Beside) -> CallShown:
    sound = more.recording
    return CallShown(
        id=row.id,
        call_id=row.call_id,
        channel=row.channel,
        language=row.language,
        started_at=row.started_at,
        agent=Party(id=row.agent_id, team=row.team) if row.agent_id or row.team else None,
        queue=row.queue,
        facts=row.facts,
        transcript_version=more.transcript_version,
        recording=RecordingShown.model_validate(sound, from_attributes=True) if sound else None,
        created_at=row.created_at,
    )


def batch_shown(row: Batch, tally: Tally) -> BatchShown:
    return BatchShown(
        id=row.id,
        rubric=RubricNamed(id=row.rubric_id, version=row.rubric_version),
        status=row.status,
        **tally._asdict(),
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def evaluation_shown(row: Evaluation, call_id: str) -> EvaluationShown:
    """`call_id` is the caller's own."""
    return EvaluationShown(
        id=row.id,
        call=row.call_id,
        call_id=call_id,
        rubric=RubricExact(id=row.rubric_id, version=row.rubric_version, digest=row.rubric_digest),
        release=row.release_id,
        batch=row.batch_id,
        line=row.line,
        status=row.status,
        priority=row.priority,
        attempt=row.attempt,
        agent=row.agent_id,
        team=row.team,
        called_at=row.called_at,
        total=_total(row),
        passed=row.passed,
        error=FailureShown.model_validate(row.error) if row.error else None,
        created_at=row.created_at,
        updated_at=row.updated_at,
        finished_at=row.finished_at,
    )


def _total(row: Evaluation) -> TotalShown | None:
    if row.total is None and row.low is None and row.high is None:
        return None
    return TotalShown(value=_number(row.total), low=_number(row.low), high=_number(row.high))


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def version_shown(row: RubricVersion | PromptVersion) -> VersionShown:
    return VersionShown(
        id=row.id,
        version=row.version,
        status=row.status,
        digest=row.digest,
        origin=row.origin,
        created_at=row.created_at,
    )


def rubric_shown(row: RubricVersion) -> RubricShown:
    return RubricShown(**version_shown(row).model_dump(), title=row.content.get("title", {}))


def rubric_whole(row: RubricVersion) -> RubricWhole:
    return RubricWhole(**rubric_shown(row).model_dump(), content=row.content)


def prompt_whole(row: PromptVersion) -> PromptWhole:
    return PromptWhole(**version_shown(row).model_dump(), content=json.loads(row.content))


def release_shown(row: Release) -> ReleaseShown:
    return ReleaseShown(
        id=row.id,
        client=row.client_id,
        team=row.team,
        rubric=RubricExact(id=row.rubric_id, version=row.rubric_version, digest=row.rubric_digest),
        prompt=row.prompt,
        model=row.model,
        parameters=row.parameters,
        recogniser=row.recogniser,
        redaction=row.redaction,
        active_from=row.active_from,
        created_at=row.created_at,
        created_by=row.created_by,
    )


def webhook_shown(row: Webhook) -> WebhookShown:
    return WebhookShown(
        id=row.id, url=row.url, events=row.events, created_at=row.created_at, disabled_at=row.disabled_at
    )


def delivery_shown(row: Delivery) -> DeliveryShown:
    return DeliveryShown.model_validate(row, from_attributes=True)
