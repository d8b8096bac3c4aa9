"""How the states of an evaluation read, and how they look."""

from collections.abc import Mapping
from typing import NamedTuple

from callgrade.evaluations.statuses import Status
from callgrade.web.words import N_


class State(NamedTuple):
    tone: str
    text: str


STATES: Mapping[Status, State] = {
    "queued": State("none", N_("Waiting")),
    "transcribing": State("none", N_("Being transcribed")),
    "judging": State("none", N_("Being judged")),
    "parked": State("none", N_("Waiting for the model")),
    "proposed": State("open", N_("Proposed")),
    "in_review": State("open", N_("In review")),
    "published": State("good", N_("Published")),
    "failed": State("bad", N_("Not graded")),
    "cancelled": State("none", N_("Cancelled")),
}
