"""What single revisions do with rows that are there already."""

import json
from decimal import Decimal

from sqlalchemy import text
from sqlmodel import select

from callgrade.db import migrate
from callgrade.db.session import Database
from callgrade.db.tables import Delivery, Evaluation, Review, StoredScorecard
from callgrade.db.types import now
from tests.db.rows import fill

AN_EVALUATION = {"id": "x", "data": {"evaluation_id": "e1", "call_id": "C-1", "attempt": 1}}


def delivery(id_: str, payload: dict[str, object], **more: object) -> Delivery:
    return Delivery(id=id_, webhook_id="w1", client_id="c1", event_id="e", event="x", payload=payload, **more)


def test_0005_finds_the_calls_that_deliveries_are_about_and_lets_each_be_due(database_url: str) -> None:
    database = Database(database_url)
    with database.writing() as session:
        fill(session)
        session.add_all(
            [
                delivery("about a call", AN_EVALUATION, call_id="call1"),
                delivery("of a batch", {"data": {"batch_id": "b1"}}),
                delivery("erased", {"erased": True}, status="delivered", next_at=None),
            ]
        )
    migrate.downgrade(database_url, to="0004")
    with migrate.changing(database.url) as connection:
        # as it was: nothing said when the first attempt is due
        connection.execute(text("UPDATE delivery SET next_at = NULL"))
    migrate.upgrade(database_url)
    assert migrate.differences(database_url) == []
    with database.reading() as session:
        rows = {row.id: row for row in session.exec(select(Delivery))}
    database.close()
    assert {id_: row.call_id for id_, row in rows.items() if row.call_id} == {"about a call": "call1"}
    assert rows["erased"].next_at is None
    waiting = [row for row in rows.values() if row.status == "waiting"]
    assert len(waiting) == 4
    assert all(row.next_at == row.created_at <= now() for row in waiting)


def test_0013_finds_what_was_proposed_and_which_evaluation_counts(database_url: str) -> None:
    database = Database(database_url)
    card = {"total": {"value": 81.5, "low": 81.5, "high": 81.5}, "passed": True}
    with database.writing() as session:
        fill(session)
        old = session.get_one(Evaluation, "e1")
        for id_, status in (("e2nd", "published"), ("e3rd", "proposed")):
            told = {**old.model_dump(), "id": id_, "dedupe": id_, "status": status, "batch_id": None, "line": None}
            session.add(Evaluation(**told))
            session.flush()
            session.add(Review(evaluation_id=id_, client_id="c1", attempt=1, why="corrected", due_at=now(),
                               rubric_id="r", called_at=now()))  # fmt: skip
        session.add(StoredScorecard(evaluation_id="e2nd", attempt=1, content=json.dumps(card)))
        session.get_one(Evaluation, "e2nd").total = Decimal(70)
    migrate.downgrade(database_url, to="0012")
    migrate.upgrade(database_url)
    with database.reading() as session:
        rows = {row.id: row for row in session.exec(select(Evaluation))}
    database.close()
    assert (rows["e2nd"].total, rows["e2nd"].proposed, rows["e2nd"].proposed_passed) == (70, Decimal("81.5"), True)
    # what is published counts until the next one is published too
    assert {id_: rows[id_].yields_to for id_ in ("e1", "e2nd", "e3rd")} == {"e1": "e2nd", "e2nd": None, "e3rd": "e2nd"}
    assert rows["e1"].proposed is None
