"""Labels out of reviews say whose they are and whether they were blind; nobody's show before both have committed."""

import pytest

from callgrade.access.principals import system
from callgrade.adapters.blobs import FsspecBlobs
from callgrade.calibration import golden
from callgrade.calibration.from_reviews import add_reviewed, collect
from callgrade.calls.erasure import erase
from callgrade.db.tables import Evaluation
from callgrade.domain.outcomes import Occurrences
from callgrade.reviews.service import ReviewDesk
from tests.calibration.made import RUBRIC, grade, own_set, reviewed
from tests.db.rows import everything
from tests.evaluations.made import CLIENT
from tests.reviews.made import SAID, person, proposed, review


@pytest.fixture
def li(database):
    return person(database, "li")


@pytest.fixture
def wang(database):
    return person(database, "wang")


@pytest.fixture
def boss(database, li):
    return system(CLIENT)


def add(database, who, set_id, *evaluations):
    with database.writing() as session:
        return add_reviewed(session, who, set_id, evaluations)


def labels(database, who, set_id):
    with database.reading() as session:
        return golden.labels(session, who, set_id, splits=("train", "dev"))


def test_a_reviewed_call_comes_with_the_label_of_its_review(database, boss, li):
    id_ = own_set(database, boss)
    made = proposed(database, agent={"id": "8031"}, customer={"id": "甲"})
    one = review(database, made, reviewer_id=li.user_id)
    desk = ReviewDesk(database)
    desk.decide(li, one, "warm", "approve", expected=0)
    desk.decide(li, one, "clear", "cannot_judge", reason="听不清", expected=0)
    desk.decide(li, one, "slips", "override", outcome=Occurrences(occurrences=2), reason="两次", expected=0)
    desk.decide(li, one, "bait", "override", outcome=Occurrences(occurrences=0), reason="没有", expected=0)
    desk.finish(li, one)
    added = add(database, boss, id_, made.id)
    assert (added.calls, added.labels, added.refused) == (1, 1, {})
    with database.reading() as session:
        (stored,) = golden.calls(session, boss, id_)
    assert (stored.call.id, stored.call.agent, stored.call.synthetic) == ("C-1", "8031", False)
    assert stored.call.transcript.turns[0].text == "不满意随时取消"
    (label,) = labels(database, boss, id_)
    assert (label.rater, label.rater_kind, label.blind, label.rubric) == (f"user:{li.user_id}", "person", False, RUBRIC)
    assert label.at is not None
    assert label.judgements == {
        "warm": {"answer": "yes"},
        "clear": {"status": "cannot_assess", "reason": "听不清"},
        "slips": {"occurrences": 2, "aggravated": 0},
        "bait": {"occurrences": 0, "aggravated": 0},
    }
    assert label.quotes == {"warm": (SAID,)}, "what was approved with the proposal's quote"


def test_a_second_blind_review_is_another_label_and_says_so(database, boss, li, wang):
    id_ = own_set(database, boss)
    made = reviewed(database, li)
    add(database, boss, id_, made)
    second = review(database, _evaluation(database, made), slot=1, blind=True, reviewer_id=wang.user_id)
    with database.writing() as session:
        assert collect(session, boss, id_) == 0
    grade(database, wang, second, warm="no")
    with database.writing() as session:
        assert (collect(session, boss, id_), collect(session, boss, id_)) == (1, 0)
    assert [(one.rater, one.blind, one.judgements["warm"]) for one in labels(database, boss, id_)] == [
        (f"user:{li.user_id}", False, {"answer": "yes"}),
        (f"user:{wang.user_id}", True, {"answer": "no"}),
    ]


def _evaluation(database, id_):
    with database.reading() as session:
        return session.get(Evaluation, id_)


def test_what_is_not_published_or_still_graded_is_refused_by_name(database, boss, li, wang):
    id_ = own_set(database, boss)
    open_ = proposed(database, "C-1")
    done = reviewed(database, li, "C-2")
    review(database, _evaluation(database, done), slot=1, blind=True, reviewer_id=wang.user_id)
    added = add(database, boss, id_, open_.id, done, "nobody's")
    assert (added.calls, added.labels) == (0, 0)
    assert set(added.refused) == {open_.id, done, "nobody's"}


def test_what_could_be_added_is_published_and_within_reach_and_not_there_yet(database, boss, li):
    id_ = own_set(database, boss)
    lead = person(database, "lead", "qa_lead", leads=("sales",))
    proposed(database, "C-1")
    ours = reviewed(database, li, "C-2", agent={"id": "1", "team": "sales"})
    other = reviewed(database, li, "C-3", agent={"id": "2", "team": "care"})

    def found(who):
        with database.reading() as session:
            return golden.repository.reviewable(session, who, id_, RUBRIC.partition("@")[0], 10)

    assert found(boss) == [(other, "C-3"), (ours, "C-2")]
    assert found(lead) == [(ours, "C-2")]
    add(database, boss, id_, ours)
    assert found(boss) == [(other, "C-3")]


def test_who_has_still_to_grade_a_call_blind_sees_no_label_of_it(database, boss, li):
    id_ = own_set(database, boss)
    lead = person(database, "lead", "qa_lead")
    made = reviewed(database, li)
    add(database, boss, id_, made)
    assert len(labels(database, lead, id_)) == 1
    review(database, _evaluation(database, made), slot=1, blind=True, reviewer_id=lead.user_id)
    assert labels(database, lead, id_) == ()
    assert len(labels(database, boss, id_)) == 1


def test_a_lead_takes_in_reviews_of_their_own_teams_alone(database, boss, li):
    lead = person(database, "lead", "qa_lead", leads=("sales",))
    id_ = own_set(database, lead)
    ours = reviewed(database, li, "C-1", agent={"id": "1", "team": "sales"})
    theirs = reviewed(database, li, "C-2", agent={"id": "2", "team": "care"})
    added = add(database, lead, id_, ours, theirs)
    assert (added.calls, set(added.refused)) == (1, {theirs})


def test_the_calls_of_one_agent_stand_on_one_side(database, boss, li):
    id_ = own_set(database, boss)
    made = [reviewed(database, li, f"C-{n}", agent={"id": "8031"}, customer={"id": f"k{n}"}) for n in range(5)]
    add(database, boss, id_, *made)
    with database.reading() as session:
        (row,) = golden.list_sets(session, boss)
    assert list(row.calls.values()) == [5]


def test_erasing_the_call_leaves_nothing_of_its_words_in_the_set(database, boss, li, tmp_path):
    id_ = own_set(database, boss)
    made = reviewed(database, li)
    add(database, boss, id_, made)
    call_id = _evaluation(database, made).call_id
    erase(database, FsspecBlobs(str(tmp_path)), boss, call_id, "客户要求")
    with database.reading() as session:
        assert golden.calls(session, boss, id_) == ()
        assert "随时取消" not in str([everything(session)[name] for name in ("golden_call", "golden_label")])
    assert add(database, boss, id_, made).calls == 0, "it does not come back"
