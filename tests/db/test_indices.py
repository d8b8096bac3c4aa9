"""Lists that grow without end are answered from an index, in its order, without a sort. Those of evaluations are held
in tests/evaluations/test_lists."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Select, select, text, tuple_

from callgrade.db.session import Database
from callgrade.db.tables import metadata

T = metadata.tables
call, delivery = T["call"], T["delivery"]
JUNE = datetime(2026, 6, 1, tzinfo=UTC)

LISTS: dict[str, tuple[str, Select[Any]]] = {
    "calls behind a cursor": (
        "call_newest",
        select(call).where(call.c.client_id == "c", call.c.id < "x").order_by(call.c.id.desc()).limit(50),
    ),
    "deliveries that are due": (
        "delivery_due",
        select(delivery.c.id)
        .where(delivery.c.webhook_id == "w", delivery.c.status == "waiting", delivery.c.next_at <= JUNE)
        .order_by(delivery.c.next_at)
        .limit(50),
    ),
    "a webhook's deliveries behind a cursor": (
        "delivery_of_webhook",
        select(delivery)
        .where(delivery.c.webhook_id == "w", tuple_(delivery.c.created_at, delivery.c.id) < tuple_(JUNE, "x"))
        .order_by(delivery.c.created_at.desc(), delivery.c.id.desc())
        .limit(50),
    ),
    "what was sent about a call": (
        "ix_delivery_call_id",
        select(delivery.c.id).where(delivery.c.call_id == "c"),
    ),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_answered_from_its_index(database: Database, name: str) -> None:
    index, query = LISTS[name]
    with database.reading() as session:
        if database.dialect == "postgresql":
            # an empty table is read whole, whatever indices it has; and one client's rows are most of a small table
            session.execute(text("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"))
            session.execute(text("SET LOCAL enable_sort = off"))
        explain = "EXPLAIN QUERY PLAN " if database.dialect == "sqlite" else "EXPLAIN "
        compiled = query.compile(session.get_bind(), compile_kwargs={"literal_binds": True})
        plan = "\n".join(str(row[-1]) for row in session.connection().exec_driver_sql(f"{explain}{compiled}"))
    # PostgreSQL may as well walk the primary key where it thinks that every row is the client's
    assert index in plan or (database.dialect == "postgresql" and index.endswith("_newest") and "pk_" in plan), plan
    assert "TEMP B-TREE" not in plan, plan
    assert "Sort" not in plan, plan
