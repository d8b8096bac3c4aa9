"""What lists show beside their rows, on both databases."""

from callgrade.access import rows
from callgrade.access.permissions import ROLES
from callgrade.access.principals import Principal
from callgrade.db.tables import Batch, BatchFault
from callgrade.evaluations import lists, overviews
from callgrade.evaluations.lists import Filters
from tests.evaluations.made import CLIENT, FORM, begin, submit, transcript


def test_titles_come_without_the_rubrics(database):
    begin(database)
    with database.reading() as session:
        found = overviews.rubric_titles(session)
    assert {name: title.in_language("zh") for name, title in found.items()} == {
        f"{FORM.id}@{FORM.version}": FORM.title.in_language("zh")
    }


def test_batches_at_work_are_those_that_have_not_ended(database):
    begin(database)
    statuses = ("receiving", "running", "done", "cancelled", "incomplete")
    with database.writing() as session:
        for client, status in [(CLIENT, status) for status in statuses] + [("c2", "running")]:
            session.add(Batch(client_id=client, rubric_id=FORM.id, rubric_version="v1", status=status))
            session.flush()
    with database.reading() as session:
        assert [row.status for row in overviews.batches_at_work(session, CLIENT)] == ["running", "receiving"]


def test_faulty_lines_are_those_that_are_no_calls_the_first_of_them(database):
    begin(database)
    with database.writing() as session:
        row = Batch(client_id=CLIENT, rubric_id=FORM.id, rubric_version="v1", status="done", faulty=4)
        session.add(row)
        session.flush()
        session.add(BatchFault(batch_id=row.id, line=2, error={"type": "transcript", "message": "no JSON"}))
        session.add(BatchFault(batch_id=row.id, line=3, error={"evaluation_id": "e1"}))
        session.add(BatchFault(batch_id=row.id, line=5, error={"type": "transcript", "message": "no turns"}))
        session.add(BatchFault(batch_id=row.id, line=9, error={}))
    with database.reading() as session:
        assert overviews.faulty_lines(session, row.id, limit=2) == [(2, "no JSON"), (5, "no turns")]
        assert overviews.faulty_lines(session, row.id, limit=9)[2:] == [(9, "")]


def test_a_list_is_narrowed_to_what_somebody_reaches(database):
    version = begin(database)
    ours = submit(database, transcript("C-1", agent={"id": "1", "team": "a"}), version)
    submit(database, transcript("C-2", agent={"id": "2", "team": "b"}), version)
    lead = Principal(
        client_id=CLIENT, actor="user:u", user_id="u", role="qa_lead", scopes=ROLES["qa_lead"], teams=frozenset({"a"})
    )
    within = rows.evaluations_within(lead, "evaluations:read")
    with database.reading() as session:
        assert [row.id for row in lists.list_page(session, CLIENT, Filters(), within=within).items] == [ours.id]
        assert len(lists.list_page(session, CLIENT, Filters()).items) == 2
