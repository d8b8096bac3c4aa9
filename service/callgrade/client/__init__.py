"""The client of the HTTP API, blocking and asynchronous.

    from callgrade.client import Client

    with Client("https://callgrade.example.com", "cg_…") as client:
        made = client.calls.submit_recording("C-00001.wav", rubric="telesales-misconduct")
        print(client.evaluations.wait(made.evaluation_id).scorecard)

Errors are those of `callgrade.domain.errors`, and UnreachableError and WaitTimeoutError from here.
"""

from callgrade.client.asynchronous import AsyncClient
from callgrade.client.errors import Problem, UnreachableError, WaitTimeoutError, problem_of
from callgrade.client.events import verify_event
from callgrade.client.models import (
    BackTest,
    Batch,
    BatchAccepted,
    Call,
    Delivery,
    Evaluation,
    EvaluationSummary,
    Event,
    GateDecision,
    Published,
    RecordingMetadata,
    Release,
    RemoteRecording,
    Result,
    Submitted,
    Version,
    Webhook,
)
from callgrade.client.sync import Client

__all__ = [
    "AsyncClient",
    "BackTest",
    "Batch",
    "BatchAccepted",
    "Call",
    "Client",
    "Delivery",
    "Evaluation",
    "EvaluationSummary",
    "Event",
    "GateDecision",
    "Problem",
    "Published",
    "RecordingMetadata",
    "Release",
    "RemoteRecording",
    "Result",
    "Submitted",
    "UnreachableError",
    "Version",
    "WaitTimeoutError",
    "Webhook",
    "problem_of",
    "verify_event",
]
