"""What stands of a call for whoever reads it, on SQLite and PostgreSQL. All of it is made up."""

import pytest

from callgrade.domain.errors import UnknownResourceError
from callgrade.domain.outcomes import Answer, Occurrences
from callgrade.reviews import standing, standing_repository
from callgrade.reviews.appeals import AppealDesk
from callgrade.reviews.asking import ask
from callgrade.reviews.service import ReviewDesk
from tests.reviews.made import DUE, person, proposed, review
from tests.reviews.test_appeals import SHANGHAI


@pytest.fixture
def people(database):
    """(the agent, the reviewer, a colleague, the lead)"""
    return (
        person(database, "agent", "agent", agent_id="8031"),
        person(database, "li", name="李"),
        person(database, "wang"),
        person(database, "lead", "qa_lead", leads=("sales",)),
    )


@pytest.fixture
def appeals(database):
    return AppealDesk(database, zone=SHANGHAI)


def publish(database, who, made, id_):
    desk = ReviewDesk(database)
    for criterion in ("warm", "clear", "slips"):
        desk.decide(who, id_, criterion, "approve", expected=0)
    desk.decide(who, id_, "bait", "override", outcome=Occurrences(occurrences=0), reason="没有", expected=0)
    desk.finish(who, id_)
    return made


@pytest.fixture
def made(database, people):
    made = proposed(database, agent={"id": "8031", "team": "sales"})
    return publish(database, people[1], made, review(database, made, reviewer_id=people[1].user_id))


def look(database, who, appeals, made, **more):
    with database.reading() as session:
        return standing.look(session, who, appeals, made.call_id, **more)


def test_each_revision_names_what_it_came_of(database, people, appeals, made):
    agent, li, wang, lead = people
    contested = appeals.file(agent, made.id, "warm", reason="不对", wanted=Answer(answer="no"))
    appeals.decide(wang, contested.id, "accepted", words="对")
    with database.writing() as session:
        check = ask(session, lead, made.id, why="complaint", due_at=DUE, reviewer_id=wang.user_id)
    publish(database, wang, made, check.id)
    seen = look(database, lead, appeals, made)
    assert [(one.number, one.cause) for one in seen.history] == [(3, "check"), (2, "appeal"), (1, "review")]
    assert [one.by for one in seen.history] == ["wang", "wang", "李"]
    assert (seen.revision, seen.own, seen.window, seen.is_newest) == (3, False, None, True)
    before = look(database, lead, appeals, made, revision=1)
    assert (before.revision, before.is_newest) == (1, False)
    assert {j.criterion_id: j.outcome for j in before.card.judgements}["warm"] == Answer(answer="yes")
    assert li.user_id


def test_an_agent_has_a_window_and_what_they_have_seen_is_known(database, people, appeals, made):
    agent = people[0]
    seen = look(database, agent, appeals, made)
    assert (seen.own, seen.window.over, seen.acknowledged) == (True, False, False)
    with database.reading() as session:
        assert standing_repository.unseen(session, agent.client_id, "8031", agent.user_id) == 1
    appeals.acknowledge(agent, made.id)
    assert look(database, agent, appeals, made).acknowledged
    contested = appeals.file(agent, made.id, "warm", reason="不对", wanted=Answer(answer="no"))
    with database.reading() as session:
        assert standing_repository.unseen(session, agent.client_id, "8031", agent.user_id) == 0
        marks = standing_repository.marks(session, [made.id], agent.user_id)
    assert (marks[made.id].revision, marks[made.id].acknowledged, marks[made.id].appeals) == (1, True, ("open",))
    # a new revision is news again
    appeals.decide(people[2], contested.id, "accepted", words="对")
    with database.reading() as session:
        assert standing_repository.unseen(session, agent.client_id, "8031", agent.user_id) == 1
        assert not standing_repository.marks(session, [made.id], agent.user_id)[made.id].acknowledged


def test_nobody_reads_beyond_their_reach(database, people, appeals, made):
    lead = people[3]
    other = proposed(database, "C-2", agent={"id": "8032", "team": "support"})
    mine = proposed(database, "C-3", agent={"id": "8031", "team": "sales"})
    assert look(database, lead, appeals, mine).revision is None
    review(database, mine, blind=True)
    for who, evaluation in ((lead, other), (lead, mine), (people[0], mine), (people[0], other)):
        with pytest.raises(UnknownResourceError):
            look(database, who, appeals, evaluation)
    with pytest.raises(UnknownResourceError):
        look(database, lead, appeals, made, revision=9)
