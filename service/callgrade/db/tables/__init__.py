"""Every table. Rows are storage for the domain's types and never leave a repository.

SQLModel does not validate a row on construction; whatever goes in comes from a validated domain type.
"""

from callgrade.db.naming import metadata
from callgrade.db.tables.access import ApiKey, Client, User
from callgrade.db.tables.audit import AuditEvent, AuditSeal
from callgrade.db.tables.batches import Batch, BatchChunk, BatchFault
from callgrade.db.tables.calls import Call, Recording, TranscriptVersion
from callgrade.db.tables.evaluations import Evaluation, EvaluationFlag, StoredScorecard
from callgrade.db.tables.registry import PromptVersion, Release, RubricVersion
from callgrade.db.tables.requests import IdempotentRequest, RateSecond
from callgrade.db.tables.retention import RetentionRule
from callgrade.db.tables.webhooks import Delivery, Webhook

__all__ = [
    "ApiKey",
    "AuditEvent",
    "AuditSeal",
    "Batch",
    "BatchChunk",
    "BatchFault",
    "Call",
    "Client",
    "Delivery",
    "Evaluation",
    "EvaluationFlag",
    "IdempotentRequest",
    "PromptVersion",
    "RateSecond",
    "Recording",
    "Release",
    "RetentionRule",
    "RubricVersion",
    "StoredScorecard",
    "TranscriptVersion",
    "User",
    "Webhook",
    "metadata",
]
