"""Two grade blind, a third decides: never before both have committed, and never one of the two."""

import pytest

from callgrade.access.permissions import ROLES
from callgrade.access.principals import Principal, system
from callgrade.calibration import golden
from callgrade.calibration.double_grading import adjudicate, hand_out_twice
from callgrade.calibration.from_reviews import add_reviewed
from callgrade.db.tables import Review
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError, JudgementError
from callgrade.reviews.repository import REVIEW, select
from tests.calibration.made import RUBRIC, a_call, grade, own_set, reviewed
from tests.evaluations.made import CLIENT
from tests.reviews.made import DUE, person

RIGHT = {"warm": {"answer": "no"}, "bait": {"occurrences": 1}}


@pytest.fixture
def people(database):
    """(who reviewed the call, two graders, the lead)"""
    graders = [person(database, login) for login in ("li", "wang", "zhao")]
    return (*graders, person(database, "lead", "qa_lead"))


@pytest.fixture
def id_(database, people):
    boss = system(CLIENT)
    made = own_set(database, boss)
    done = reviewed(database, people[0], agent={"id": "8031"})
    with database.writing() as session:
        assert add_reviewed(session, boss, made, [done]).calls == 1
    return made


def hand_out(database, id_, *names, **more):
    with database.writing() as session:
        return hand_out_twice(session, system(CLIENT), id_, names or ("C-1",), DUE, **more)


def blind_reviews(database):
    statement = select(Review).where(REVIEW.c.blind.is_(True)).order_by(REVIEW.c.slot)
    with database.reading() as session:
        return [(row.id, row.reviewer_id) for row in session.execute(statement).scalars()]


def decide(database, who, id_, judgements=None):
    return adjudicate(
        database, who, id_, "C-1", RUBRIC, judgements or RIGHT, quotes={"bait": ["随时取消"]}, note="听了两遍"
    )


def test_two_who_have_not_seen_it_get_a_blind_review_each(database, people, id_):
    done = hand_out(database, id_)
    assert (done.reviews, done.pooled, done.refused) == (2, 0, {})
    assert {who for _, who in blind_reviews(database)} == {people[1].user_id, people[2].user_id}
    assert "already" in hand_out(database, id_).refused["C-1"]


def test_named_graders_are_two_and_have_not_looked_at_it(database, people, id_):
    li, wang, zhao, _ = (who.user_id for who in people)
    for graders in ([wang], [wang, wang], [wang, zhao, li]):
        with pytest.raises(InputError):
            hand_out(database, id_, graders=graders)
    with pytest.raises(ConflictError, match="another review"):
        hand_out(database, id_, graders=[wang, li])
    assert blind_reviews(database) == [], "neither, where one of the two may not"
    hand_out(database, id_, graders=[zhao, wang])
    assert [who for _, who in blind_reviews(database)] == [zhao, wang]


def test_a_call_that_came_from_no_review_cannot_be_handed_out(database, people, id_):
    with database.writing() as session:
        golden.take_in(session, system(CLIENT), id_, [a_call()], [])
    assert "import labels" in hand_out(database, id_, "g-1").refused["g-1"]


def test_what_is_right_is_decided_once_both_have_committed(database, people, id_):
    lead = people[3]
    hand_out(database, id_)
    graders = {who.user_id: who for who in people}
    for number, (review_id, who) in enumerate(blind_reviews(database)):
        with pytest.raises(ConflictError, match="committed"):
            decide(database, lead, id_)
        grade(database, graders[who], review_id, bait=number)
    label = decide(database, lead, id_)
    assert (label.kind, label.blind, label.rater, label.judgements) == (
        "adjudicated",
        False,
        f"user:{lead.user_id}",
        RIGHT,
    )
    with database.reading() as session:
        found = golden.labels(session, system(CLIENT), id_, RUBRIC, ("train", "dev"))
    assert [(one.kind, one.blind) for one in found] == [
        ("rating", False),
        ("rating", True),
        ("rating", True),
        ("adjudicated", False),
    ]
    assert [one.judgements["bait"]["occurrences"] for one in found] == [0, 0, 1, 1]


def test_none_of_the_raters_decides_nor_a_key_nor_the_agent(database, people, id_):
    hand_out(database, id_)
    graders = {who.user_id: who for who in people}
    for review_id, who in blind_reviews(database):
        grade(database, graders[who], review_id)
    scopes = {"scopes": ROLES["admin"], "role": "admin"}
    rater = people[1].model_copy(update=scopes)
    first = people[0].model_copy(update=scopes)
    key = Principal(client_id=CLIENT, actor="key:k", scopes=ROLES["client"], role="client")
    agent = people[3].model_copy(update={"agent_id": "8031"})
    for who, told in ((rater, "you rated"), (first, "you rated"), (key, "only a person"), (agent, "took themselves")):
        with pytest.raises(ForbiddenError, match=told):
            decide(database, who, id_)
    with pytest.raises(ForbiddenError, match="calibrations:write"):
        decide(database, people[1], id_)


def test_without_two_blind_ratings_there_is_nothing_to_decide(database, people, id_):
    with pytest.raises(ConflictError, match="0 of 2 blind ratings"):
        decide(database, people[3], id_)


def test_a_decision_fits_the_rubric(database, people, id_):
    hand_out(database, id_)
    graders = {who.user_id: who for who in people}
    for review_id, who in blind_reviews(database):
        grade(database, graders[who], review_id)
    with pytest.raises(JudgementError):
        decide(database, people[3], id_, {"warm": {"occurrences": 3}})
