"""Every table. Rows are storage for the domain's types and never leave a repository.

SQLModel does not validate a row on construction; whatever goes in comes from a validated domain type.
"""

from callgrade.db.naming import metadata
from callgrade.db.tables.access import ApiKey, Client
from callgrade.db.tables.audit import AuditEvent, AuditSeal
from callgrade.db.tables.batches import Batch, BatchChunk, BatchFault
from callgrade.db.tables.calibration import (
    Autonomy,
    BlindLook,
    CalibrationItem,
    CalibrationRun,
    Gate,
    GoldenCall,
    GoldenLabel,
    GoldenSet,
    HoldoutReading,
)
from callgrade.db.tables.calls import AwaitedRecording, Call, Recording, TranscriptVersion
from callgrade.db.tables.desk import Alert, AlertRule, Draft, Outline
from callgrade.db.tables.evaluations import Evaluation, EvaluationFlag, StoredScorecard
from callgrade.db.tables.people import Agent, BegunSignIn, LedTeam, SignIn, SignInFailures, User
from callgrade.db.tables.registry import PromptVersion, Release, RubricVersion
from callgrade.db.tables.requests import IdempotentRequest, RateSecond
from callgrade.db.tables.retention import RetentionRule
from callgrade.db.tables.reviews import (
    Acknowledgement,
    Appeal,
    Finding,
    PublishedScorecard,
    Review,
    ReviewDecision,
    ReviewDraft,
    UnreadDecision,
)
from callgrade.db.tables.sampling import SampledCall, SamplingPlan, SamplingRun
from callgrade.db.tables.second_opinions import SecondLook, SecondOpinion
from callgrade.db.tables.webhooks import Delivery, Webhook

__all__ = [
    "Acknowledgement",
    "Agent",
    "Alert",
    "AlertRule",
    "ApiKey",
    "Appeal",
    "AuditEvent",
    "AuditSeal",
    "Autonomy",
    "AwaitedRecording",
    "Batch",
    "BatchChunk",
    "BatchFault",
    "BegunSignIn",
    "BlindLook",
    "CalibrationItem",
    "CalibrationRun",
    "Call",
    "Client",
    "Delivery",
    "Draft",
    "Evaluation",
    "EvaluationFlag",
    "Finding",
    "Gate",
    "GoldenCall",
    "GoldenLabel",
    "GoldenSet",
    "HoldoutReading",
    "IdempotentRequest",
    "LedTeam",
    "Outline",
    "PromptVersion",
    "PublishedScorecard",
    "RateSecond",
    "Recording",
    "Release",
    "RetentionRule",
    "Review",
    "ReviewDecision",
    "ReviewDraft",
    "RubricVersion",
    "SampledCall",
    "SamplingPlan",
    "SamplingRun",
    "SecondLook",
    "SecondOpinion",
    "SignIn",
    "SignInFailures",
    "StoredScorecard",
    "TranscriptVersion",
    "UnreadDecision",
    "User",
    "Webhook",
    "metadata",
]
