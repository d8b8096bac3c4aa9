"""The pages that must stay quick at a million scorecards: what `lists` really asks is answered from one index, in its
order. How long that takes is for `evals.bench.lists` to say."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import Session

from callgrade.db.session import Database
from callgrade.db.tables import Evaluation
from callgrade.evaluations.lists import Filters, _encoded, _keys, list_page

MAY, JUNE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
IN_A_RANGE: dict[str, Any] = {"flag": "needs_review", "lowest": Decimal(20), "highest": Decimal(60)}
ASKED: dict[str, tuple[str, Filters]] = {
    "one agent in a month": ("evaluation_by_agent", Filters(agent="8031", since=MAY, until=JUNE)),
    "a flag within a range of totals, newest first": ("flag_newest", Filters(**IN_A_RANGE)),
    "a flag within a range of totals, lowest first": ("flag_by_total", Filters(**IN_A_RANGE, order="lowest")),
    "a team's unreviewed by age": (
        "evaluation_by_team",
        Filters(team="sales-2", status="proposed", order="oldest"),
    ),
    "everything, newest first": ("evaluation_newest", Filters()),
}
PLANNER = ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin", "material")
"""What PostgreSQL would do instead with a table as small as a test's."""


def plan_of(session: Session, filters: Filters, cursor: str | None) -> str:
    """Of the statement that the page is read with."""
    asked: list[tuple[str, Any]] = []

    def remember(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    connection = session.connection()
    if connection.dialect.name == "postgresql":
        for way in PLANNER:
            connection.execute(text(f"SET LOCAL enable_{way} = off"))
    event.listen(connection, "before_cursor_execute", remember)
    list_page(session, "c", filters, cursor=cursor)
    event.remove(connection, "before_cursor_execute", remember)
    ((statement, parameters),) = asked
    explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + statement, parameters))


def cursor_of(filters: Filters) -> str:
    """As `list_page` would give it behind a row in the middle."""
    return _encoded(Evaluation(id="x" * 32, total=Decimal(30), called_at=MAY), _keys(filters))


@pytest.mark.parametrize("deep", [False, True], ids=["the first page", "behind a cursor"])
@pytest.mark.parametrize("name", ASKED)
def test_a_page_is_read_from_its_index(database: Database, name: str, deep: bool) -> None:
    index, filters = ASKED[name]
    with database.reading() as session:
        plan = plan_of(session, filters, cursor_of(filters) if deep else None)
    # PostgreSQL may as well walk the primary key where it thinks that every row is the client's
    assert index in plan or (database.dialect == "postgresql" and index.endswith("_newest") and "pk_" in plan), plan
    assert "TEMP B-TREE" not in plan, plan
    assert "Sort" not in plan, plan
