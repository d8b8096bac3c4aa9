"""What single revisions do with rows that are there already."""

from sqlalchemy import text
from sqlmodel import select

from callgrade.db import migrate
from callgrade.db.session import Database
from callgrade.db.tables import Delivery
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
