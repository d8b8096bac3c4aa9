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
    Batch,
    BatchAccepted,
    Call,
    Delivery,
    Evaluation,
    EvaluationSummary,
    Event,
    RecordingMetadata,
    Release,
    RemoteRecording,
    Result,
    Submitted,
    Webhook,
)
from callgrade.client.sync import Client

__all__ = [
    "AsyncClient",
    "Batch",
    "BatchAccepted",
    "Call",
    "Client",
    "Delivery",
    "Evaluation",
    "EvaluationSummary",
    "Event",
    "Problem",
    "RecordingMetadata",
    "Release",
    "RemoteRecording",
    "Result",
    "Submitted",
    "UnreachableError",
    "WaitTimeoutError",
    "Webhook",
    "problem_of",
    "verify_event",
]
