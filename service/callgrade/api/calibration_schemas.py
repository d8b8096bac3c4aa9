"""The shapes of calibration runs. A report is `callgrade.calibration/1`."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints, model_validator

from callgrade.api import examples
from callgrade.api.schemas import Reference, example
from callgrade.calibration.golden_figures import SetFigures
from callgrade.calibration.running import MOST_SAMPLES


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


class CalibrationWanted(BaseModel):
    """`set`: `golden` is the one that ships; or a set of your own, by its name. `judge`: `rules` asks no model. The
    holdout is read for a reason, `why`, by somebody who says how often it was read for the rubric so far, `readings`:
    each reading is on record, and wears it out."""

    model_config = ConfigDict(extra="forbid", **example(examples.CALIBRATION_WANTED))

    rubric: Reference
    set_: Annotated[str, StringConstraints(max_length=80, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$"), Field(alias="set")] = (
        "golden"
    )
    split: Literal["train", "dev", "train+dev", "holdout"] = "dev"
    samples: Annotated[int, Field(ge=1, le=MOST_SAMPLES), Strict()] = 1
    prompt: Reference | None = None
    judge: Literal["auto", "rules"] = "auto"
    why: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)] | None = None
    readings: Annotated[int, Field(ge=0, le=1_000), Strict()] | None = None

    @model_validator(mode="after")
    def _holdout_is_read_for_a_reason(self) -> Self:
        if (self.split == "holdout") != (self.why is not None and self.readings is not None):
            raise ValueError("why and readings go with the holdout, and only with it")
        return self


class RaterShown(BaseModel):
    """`blind` and `decided` (as a third opinion) are among `labels`. `last`: null where no moment was written down."""

    rater: str
    kind: Literal["person", "model"]
    labels: int
    blind: int
    decided: int
    last: datetime | None


class GoldenSetShown(BaseModel):
    """A golden set in figures. `calls` by split; `holdout_readings`: how often you have read it, by rubric. `digest` is
    of the set that ships; one of your own grows. What was said of the holdout's calls is never given."""

    model_config = example(examples.GOLDEN_SET)

    id: str
    name: str
    title: str
    synthetic: bool
    digest: str | None
    calls: dict[str, int]
    labels: int
    raters: list[RaterShown]
    holdout_readings: dict[str, int]
    retired: bool
    created_at: datetime

    @classmethod
    def of(cls, found: SetFigures) -> Self:
        row = found.set
        return cls(
            **{name: getattr(row, name) for name in ("id", "name", "title", "synthetic", "digest", "created_at")},
            calls=found.calls,
            labels=found.labels,
            raters=[RaterShown(**rater._asdict()) for rater in found.raters],
            holdout_readings=found.readings,
            retired=row.retired_at is not None,
        )
