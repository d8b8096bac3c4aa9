"""Golden calls: calls that people (or whoever it says) have judged, to hold a judge against.

A label is one rater's view of one call under one rubric. Labels are only ever added. An `adjudicated` one is given by a
third rater who has seen the others, and is what counts as right; the ratings beside it say how far right is a matter of
opinion.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, JsonValue, StringConstraints

from callgrade.domain.calls import Transcript
from callgrade.domain.frozen import Frozen, Id

Split = Literal["train", "dev", "holdout"]
SPLITS: tuple[Split, ...] = ("train", "dev", "holdout")
RaterKind = Literal["person", "model"]
RaterName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\s\x00-\x1f\x7f]+$")]


class About(Frozen):
    """What the author of a made-up call had in mind. It is an intention and no label."""

    criterion: Id
    side: Literal["over", "under"]
    """Of the line: a case that counts, or one that looks like it and does not."""
    why: str = ""


class GoldenCall(Frozen):
    """`agent` and `customer` group the splits: nobody's calls stand on two sides."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    synthetic: bool
    written_by: str
    """Who made the call up, or where it comes from."""
    split: Split
    agent: str | None = None
    customer: str | None = None
    about: tuple[About, ...] = ()
    transcript: Transcript


class Label(Frozen):
    """One rater's outcomes under one rubric version: by criterion id, each as contracts.md has judgements
    (`{"answer": "yes"}`, `{"status": "not_applicable"}`, `{"status": "cannot_assess", "reason": "…"}`). What every
    criterion that is not named comes to is `rest`; None: nothing was said of it."""

    call: str
    rubric: str
    """`id@version`."""
    rater: RaterName
    rater_kind: RaterKind
    kind: Literal["rating", "adjudicated"] = "rating"
    blind: bool
    """Whether the rater saw neither a proposal nor another label."""
    at: AwareDatetime | None = None
    judgements: dict[Id, dict[str, JsonValue]] = Field(default_factory=dict)
    rest: dict[str, JsonValue] | None = None
    quotes: dict[Id, tuple[str, ...]] = Field(default_factory=dict)
    note: str = ""

    def said_of(self, criterion_id: str) -> dict[str, Any] | None:
        """As contracts.md has judgements; None where nothing was said."""
        return self.judgements.get(criterion_id, self.rest)


class GoldenSet(Frozen):
    id: Id
    title: str
    synthetic: bool
    made_at: datetime | None = None
    calls: tuple[GoldenCall, ...]
    labels: tuple[Label, ...] = ()
