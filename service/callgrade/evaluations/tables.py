"""The tables as SQLAlchemy Core sees them: bulk scoring moves rows by the dozen, and needs no object for each."""

from callgrade.db import tables
from callgrade.db.tables.core import table_of

AWAITED = table_of(tables.AwaitedRecording)
BATCH = table_of(tables.Batch)
BATCH_CHUNK = table_of(tables.BatchChunk)
BATCH_FAULT = table_of(tables.BatchFault)
CALL = table_of(tables.Call)
CLIENT = table_of(tables.Client)
DELIVERY = table_of(tables.Delivery)
EVALUATION = table_of(tables.Evaluation)
FLAG = table_of(tables.EvaluationFlag)
PROMPT_VERSION = table_of(tables.PromptVersion)
RECORDING = table_of(tables.Recording)
RELEASE = table_of(tables.Release)
RUBRIC_VERSION = table_of(tables.RubricVersion)
SCORECARD = table_of(tables.StoredScorecard)
TRANSCRIPT = table_of(tables.TranscriptVersion)
WEBHOOK = table_of(tables.Webhook)

STANDS = EVALUATION.c.yields_to.is_(None)
"""Counts for its call: a correction of the words leaves one evaluation in place of another, and both are kept."""
