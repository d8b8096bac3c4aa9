from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite

from callgrade.domain.errors import InputError
from callgrade.domain.outcomes import Answer
from callgrade.reviews import queue
from callgrade.reviews.queue import QueueFilters, neighbours, page, tiles
from callgrade.reviews.service import ReviewDesk
from tests.reviews.made import DUE, Clock, person, proposed, review

AT = Clock().at


@pytest.fixture
def centre(database):
    """Nine reviews: three of li's, three in the pool of sales, three in that of support."""
    li, wang = person(database, "li", team="sales"), person(database, "wang", team="support")
    ids = {}
    for n in range(9):
        team = "support" if n >= 6 else "sales"
        made = proposed(database, f"C-{n}", agent={"id": f"80{n}", "team": team})
        mine = {"reviewer_id": li.user_id} if n < 3 else {}
        ids[n] = review(database, made, due_at=DUE - timedelta(days=n), **mine)
    return li, wang, ids


def shown(database, who, **more):
    at = more.pop("at", AT)
    with database.reading() as session:
        return page(session, who, QueueFilters(**more), at=at)


def calls(found):
    return [row.shown_call_id for row in found.rows]


def test_what_is_due_first_comes_first_and_others_work_is_not_shown(database, centre):
    li, wang, _ = centre
    assert calls(shown(database, li)) == ["C-5", "C-4", "C-3", "C-2", "C-1", "C-0"]
    assert calls(shown(database, li, whose="mine")) == ["C-2", "C-1", "C-0"]
    assert calls(shown(database, li, whose="pool")) == ["C-5", "C-4", "C-3"]
    assert calls(shown(database, wang)) == ["C-8", "C-7", "C-6"]


def test_who_is_of_no_team_reviews_for_all(database, centre):
    assert len(shown(database, person(database, "free")).rows) == 6


def test_a_lead_sees_each_review_of_their_teams_once(database, centre):
    lead = person(database, "lead", "qa_lead", leads=("sales", "support"))
    assert sorted(calls(shown(database, lead))) == [f"C-{n}" for n in range(9)]
    assert calls(shown(database, person(database, "one", "qa_lead", leads=("support",)))) == ["C-8", "C-7", "C-6"]
    assert calls(shown(database, person(database, "none", "qa_lead"))) == []
    assert len(shown(database, person(database, "boss", "admin")).rows) == 9


def test_nobodys_own_calls_are_in_their_queue(database, centre):
    taker = person(database, "taker", team="support", agent_id="807")
    assert calls(shown(database, taker)) == ["C-8", "C-6"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"agent": "804"}, ["C-4"]),
        ({"team": "support", "whose": "pool"}, []),
        ({"rubric": "test"}, ["C-5", "C-4", "C-3", "C-2", "C-1", "C-0"]),
        ({"rubric": "other"}, []),
        ({"due_before": DUE - timedelta(days=4)}, ["C-5", "C-4"]),
        ({"state": "submitted"}, []),
    ],
)
def test_filters(database, centre, filters, expected):
    assert calls(shown(database, centre[0], **filters)) == expected


def test_pages_join_without_gap_or_overlap(database, centre):
    boss = person(database, "boss", "admin")
    seen, cursor = [], None
    while True:
        with database.reading() as session:
            found = page(session, boss, QueueFilters(), at=AT, cursor=cursor, limit=2)
        seen += calls(found)
        cursor = found.next_cursor
        if cursor is None:
            break
    assert seen == [f"C-{n}" for n in range(8, -1, -1)]
    with database.reading() as session, pytest.raises(InputError, match="cursor"):
        page(session, boss, QueueFilters(), at=AT, cursor="nonsense")


def test_the_next_call_and_the_one_before(database, centre):
    li, _, ids = centre
    with database.reading() as session:
        assert neighbours(session, li, QueueFilters(), ids[3]) == (ids[4], ids[2])
        assert neighbours(session, li, QueueFilters(), ids[5]) == (None, ids[4])
        assert neighbours(session, li, QueueFilters(whose="mine"), ids[0]) == (ids[1], None)
        assert neighbours(session, li, QueueFilters(), "unheard-of") == (None, None)


def test_a_blind_review_reads_sample_wherever_it_is_listed(database, centre):
    li, _, _ = centre
    made = proposed(database, "C-blind", agent={"id": "900", "team": "sales"})
    blind = review(database, made, blind=True, why="low_confidence", reviewer_id=li.user_id)
    row = next(row for row in shown(database, li).rows if row.review_id == blind)
    assert (row.why, row.total) == ("sample", None)
    assert calls(shown(database, li, why="sample")) == ["C-blind"]
    assert "C-blind" not in calls(shown(database, li, why="low_confidence"))


def test_tiles_count_what_there_is_to_do(database, centre):
    li, _, ids = centre
    desk = ReviewDesk(database)
    desk.draft(li, ids[1], "warm", {"reason": "x"})
    with database.reading() as session:
        at = DUE - timedelta(days=3, hours=1)
        found = tiles(session, li, at=at, end_of_day=at + timedelta(hours=2))
    assert found == (6, 3, 2, 1)


def test_a_row_says_who_is_at_it_and_whether_it_was_begun(database, centre):
    li, _, ids = centre
    clock = Clock()
    desk = ReviewDesk(database, clock=clock)
    chen = person(database, "chen", name="陈", team="sales")
    desk.open(chen, ids[5])
    desk.decide(chen, ids[5], "clear", "override", outcome=Answer(answer="yes"), reason="x", expected=0)
    row = shown(database, li, at=clock.at).rows[0]
    assert (row.claimed_by, row.begun, row.has_draft, row.pooled) == ("陈", True, False, True)
    assert shown(database, chen, at=clock.at).rows[0].claimed_by is None
    clock.later(minutes=20)
    assert shown(database, li, at=clock.at).rows[0].claimed_by is None


@pytest.mark.parametrize("role", ["reviewer", "qa_lead", "admin"])
def test_every_leg_reads_an_index_in_order(database, role):
    who = person(database, "li", role, leads=("sales", "support") if role == "qa_lead" else ())
    dialect = postgresql if database.dialect == "postgresql" else sqlite
    for where in queue._legs(who, QueueFilters()):
        leg = queue._leg(who, where, QueueFilters(), None, 51)
        sql = str(leg.compile(dialect=dialect.dialect(), compile_kwargs={"literal_binds": True}))
        with database.writing() as session:
            if database.dialect == "postgresql":
                session.execute(text("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off"))
                plan = "\n".join(session.execute(text(f"EXPLAIN {sql}")).scalars())
                assert "Sort" not in plan
            else:
                plan = "\n".join(row.detail for row in session.execute(text(f"EXPLAIN QUERY PLAN {sql}")))
                assert "TEMP B-TREE" not in plan
        assert "review_" in plan
        assert "INDEX" in plan.upper()
