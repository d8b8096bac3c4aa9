"""The shapes of calibration runs. A report is `callgrade.calibration/1`."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from callgrade.api import examples
from callgrade.api.schemas import example


class CalibrationShown(BaseModel):
    """One judge over one split of one golden set, each call judged `samples` times. `model_reported` is what the
    provider says answered. `items` is how many judgements of calls there will be. `cost` is in the unit of the prices
    that are set, null where none is."""

    model_config = example(examples.CALIBRATION)

    id: str
    set_id: str
    split: str
    rubric_id: str
    rubric_version: str
    rubric_digest: str
    prompt_id: str | None
    prompt_version: str | None
    model_asked: str | None
    model_reported: str | None
    recogniser: str | None
    samples: int
    status: Literal["queued", "running", "done", "failed", "cancelled"]
    items: int
    cost: float | None
    begun_at: datetime | None
    ended_at: datetime | None
    created_at: datetime


class CalibrationWhole(CalibrationShown):
    model_config = example({**examples.CALIBRATION, "report": None})

    report: dict[str, Any] | None
    """`callgrade.calibration/1`; null until there is one."""
