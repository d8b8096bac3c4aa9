"""The tables as SQLAlchemy Core sees them: bulk scoring moves rows by the dozen, and needs no object for each."""

from typing import cast

from sqlalchemy import Table

from callgrade.db import tables


def _core(model: type) -> Table:
    return cast("Table", model.__table__)  # type: ignore[attr-defined]


BATCH = _core(tables.Batch)
BATCH_CHUNK = _core(tables.BatchChunk)
BATCH_FAULT = _core(tables.BatchFault)
CALL = _core(tables.Call)
DELIVERY = _core(tables.Delivery)
EVALUATION = _core(tables.Evaluation)
FLAG = _core(tables.EvaluationFlag)
PROMPT_VERSION = _core(tables.PromptVersion)
RECORDING = _core(tables.Recording)
RELEASE = _core(tables.Release)
RUBRIC_VERSION = _core(tables.RubricVersion)
SCORECARD = _core(tables.StoredScorecard)
TRANSCRIPT = _core(tables.TranscriptVersion)
WEBHOOK = _core(tables.Webhook)
