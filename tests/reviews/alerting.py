"""Evaluations, weeks of them, and a Notifier that keeps what it is told to send."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from callgrade.db.session import Database
from callgrade.db.tables import Alert, Evaluation
from callgrade.db.types import new_id
from callgrade.evaluations import repository as evaluations
from callgrade.ports import Note
from callgrade.reviews import alerts_repository
from callgrade.reviews.tables import REVIEW
from tests.evaluations.made import CLIENT, submit, transcript
from tests.reviews.made import _judged, proposal, registered

CLEAN = {
    "warm": _judged("warm", {"answer": "yes"}, confidence=0.9),
    "clear": _judged("clear", {"answer": "yes"}, confidence=0.9),
    "bait": _judged("bait", {"occurrences": 0}, confidence=0.9),
}


class Letterbox:
    """A Notifier. `fails` are errors, one an attempt; `later` are addresses that it puts off."""

    def __init__(self, *fails: Exception, later: Sequence[str] = ()):
        self.fails, self.later, self.got = list(fails), tuple(later), list[Note]()

    def send(self, note: Note) -> tuple[str, ...]:
        if self.fails:
            raise self.fails.pop(0)
        self.got.append(note)
        return self.later


def clean(database: Database, call_id: str, **more: Any) -> Evaluation:
    """A proposal that crosses no red line."""
    made = submit(database, transcript(call_id, **more), registered(database))
    with database.writing() as session:
        evaluations.begin(session, made.id, "judging")
        assert evaluations.store_scorecard(session, made.id, 1, proposal(call_id=call_id, **CLEAN))
        return evaluations.find(session, CLIENT, made.id)


def scored(database: Database, like: Evaluation, called_at: datetime, totals: Sequence[float], **more: Any) -> None:
    """Published evaluations with these totals, all of one moment."""
    fields = {"agent_id": "8031", "team": "north", "status": "published", **more}
    with database.writing() as session:
        for total in totals:
            told = {**like.model_dump(), "id": new_id(), "dedupe": new_id(), "called_at": called_at}
            session.add(Evaluation(**{**told, "total": Decimal(str(total)), **fields}))


def aged(database: Database, created_at: datetime, **values: Any) -> None:
    """All reviews were made at a moment."""
    with database.writing() as session:
        session.execute(REVIEW.update().values(created_at=created_at, **values))


def alerts(database: Database) -> list[Alert]:
    """The oldest first."""
    with database.reading() as session:
        statement = alerts_repository.select(Alert).order_by(alerts_repository.ALERT.c.id)
        return list(session.execute(statement).scalars())
