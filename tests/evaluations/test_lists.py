"""The pages that must stay quick at a million scorecards: what `lists` really asks is answered from one index, in its
order. How long that takes is for `evals.bench.lists` to say."""

from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from evals.bench.seeding import seed
from sqlalchemy import event, select, text
from sqlmodel import Session, col

from callgrade.db.session import Database
from callgrade.db.tables import Evaluation, EvaluationFlag
from callgrade.evaluations import lists
from callgrade.evaluations.lists import Filters, list_page

SINCE, UNTIL = datetime(2025, 11, 5, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)
ASKED: dict[str, tuple[str, Filters]] = {
    "one agent in a span": ("evaluation_by_agent", Filters(agent="8031", since=SINCE, until=UNTIL)),
    "a flag within a range of totals, newest first": (
        "flag_newest",
        Filters(flag="needs_review", lowest=Decimal(50), highest=Decimal(95)),
    ),
    "a flag within a range of totals, lowest first": (
        "flag_by_total",
        Filters(flag="needs_review", lowest=Decimal(50), highest=Decimal(95), order="lowest"),
    ),
    "a team's unreviewed by age": ("evaluation_by_team", Filters(team="team-6", status="proposed", order="oldest")),
    "a team, newest first": ("evaluation_of_team", Filters(team="team-6")),
    "a span, newest first": ("evaluation_by_moment", Filters(since=SINCE, until=UNTIL)),
    "everything, newest first": ("evaluation_newest", Filters()),
    "what has one status": ("evaluation_by_status", Filters(status="failed")),
}
OTHER_WAYS = ("seqscan", "bitmapscan", "sort", "incremental_sort", "hashjoin", "mergejoin")
"""What PostgreSQL would do instead with tables as small as a test's."""
SCORECARDS = 2_000


def plan_of(session: Session, client_id: str, filters: Filters, cursor: str | None) -> str:
    """Of the statement that the page is read with."""
    asked: list[tuple[str, Any]] = []

    def remember(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", remember)
    list_page(session, client_id, filters, cursor=cursor)
    event.remove(connection, "before_cursor_execute", remember)
    # where a range is asked for, what is in it is looked at before
    statement, parameters = asked[-1]
    explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(explain + statement, parameters))


def misread(database: Database, client_id: str) -> dict[str, str]:
    """The pages that are not read from their index in its order, with their plans: the first ones, and late ones."""
    found = {}
    with database.reading() as session:
        if database.dialect == "postgresql":
            for way in OTHER_WAYS:
                session.execute(text(f"SET LOCAL enable_{way} = off"))
        for name, (index, filters) in ASKED.items():
            second = list_page(session, client_id, filters, limit=1).next_cursor
            assert second is not None, name
            for cursor in (None, second):
                plan = plan_of(session, client_id, filters, cursor)
                # PostgreSQL may as well walk the primary key where nearly every row is one of the list
                walked = index in plan or (index.endswith("_newest") and "using pk_evaluation" in plan)
                if not walked or "TEMP B-TREE" in plan or "Sort" in plan:
                    found[f"{name}, {'late' if cursor else 'first'}"] = plan
    return found


@pytest.mark.parametrize("analysed", [False, True], ids=["as it is", "with statistics"])
def test_pages_are_read_from_their_indices(database_url: str, monkeypatch: pytest.MonkeyPatch, analysed: bool) -> None:
    """PostgreSQL gathers statistics by itself, SQLite only where somebody has it do so."""
    monkeypatch.setattr(lists, "FEW", 50)
    made = seed(database_url, SCORECARDS)
    if analysed:
        with closing(Database(database_url)) as database, database.writing() as session:
            session.execute(text("ANALYZE"))
    with closing(Database(database_url)) as database:
        assert misread(database, made.client_id) == {}


@pytest.mark.parametrize("few", [0, 500], ids=["much in the range", "little in the range"])
@pytest.mark.parametrize("order", ["newest", "oldest", "lowest"])
@pytest.mark.parametrize("ends", [(60, 80), (None, 70), (85, None)], ids=str)
def test_both_ways_through_a_range_find_the_same(
    database_url: str, monkeypatch: pytest.MonkeyPatch, few: int, order: Any, ends: tuple[int | None, int | None]
) -> None:
    monkeypatch.setattr(lists, "FEW", few)
    made = seed(database_url, 300)
    low, high = (end if end is None else Decimal(end) for end in ends)
    filters = Filters(flag="needs_review", lowest=low, highest=high, order=order)
    with closing(Database(database_url)) as database, database.reading() as session:
        flagged = select(Evaluation).join(EvaluationFlag, col(EvaluationFlag.evaluation_id) == Evaluation.id)
        flagged = flagged.where(EvaluationFlag.client_id == made.client_id, EvaluationFlag.flag == "needs_review")
        rows = [(row.id, row.total) for row in session.execute(flagged).scalars() if row.total is not None]
        wanted = [(id_, total) for id_, total in rows if (low or 0) <= total <= (high or 100)]
        pages = [list_page(session, made.client_id, filters, limit=7)]
        while pages[-1].next_cursor is not None:
            pages.append(list_page(session, made.client_id, filters, cursor=pages[-1].next_cursor, limit=7))
    by = {"newest": lambda row: row[0], "oldest": lambda row: row[0], "lowest": lambda row: row[::-1]}
    assert len(wanted) > 14
    assert [row.id for page in pages for row in page.items] == [
        id_ for id_, _ in sorted(wanted, key=by[order], reverse=order == "newest")
    ]
