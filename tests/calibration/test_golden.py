"""Golden sets in a database: the shipped one for everybody, a client's own for nobody else, and nobody on two sides."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from callgrade.access.principals import Principal, system
from callgrade.calibration import golden
from callgrade.calibration import golden_repository as repository
from callgrade.catalog import golden as catalog
from callgrade.db.tables import GoldenCall
from callgrade.domain.errors import ConflictError, ForbiddenError, InputError, JudgementError, UnknownResourceError
from callgrade.domain.golden import GoldenSet
from tests.calibration.made import RUBRIC, a_call, a_label, own_set
from tests.db.rows import everything
from tests.evaluations.made import CLIENT
from tests.reviews.made import person, registered

SMALL = GoldenSet(
    id="shipped",
    title="小",
    synthetic=True,
    calls=(a_call("g-1", "train"), a_call("g-2"), a_call("g-3", "holdout")),
    labels=(a_label(), a_label(rater="r2", kind="adjudicated", blind=False), a_label("g-3")),
)


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(catalog, "load", lambda folder=None: SMALL)


@pytest.fixture
def lead(database):
    return person(database, "lead", "qa_lead", leads=("sales",))


def test_the_shipped_set_comes_in_once_and_as_it_is(database, lead, small):
    id_ = golden.shipped(database)
    assert golden.shipped(database) == id_
    with database.reading() as session:
        found = golden.calls(session, lead, id_)
        assert [one.call for one in found] == [SMALL.calls[0], SMALL.calls[1]]
        assert len({one.id for one in found}) == 2
        assert golden.labels(session, lead, id_) == (a_label(), SMALL.labels[1])
        assert len(everything(session)["golden_set"]) == 1


def test_many_who_use_the_shipped_set_first_bring_it_in_once(database, lead, small):
    with ThreadPoolExecutor(4) as many:
        assert len(set(many.map(lambda _: golden.shipped(database), range(8)))) == 1
    with database.reading() as session:
        rows = everything(session)
    assert [len(rows[name]) for name in ("golden_set", "golden_call", "golden_label")] == [1, 3, 3]


def test_every_client_reads_the_shipped_set_and_nobody_adds_to_it(database, lead, small):
    id_ = golden.shipped(database)
    with database.writing() as session:
        assert len(golden.calls(session, system("c2"), id_)) == 2
        with pytest.raises(UnknownResourceError):
            golden.take_in(session, lead, id_, [a_call("mine")], [])


def test_another_state_of_the_files_is_another_set(database, lead, small, monkeypatch):
    first = golden.shipped(database)
    monkeypatch.setattr(catalog, "load", lambda folder=None: SMALL.model_copy(update={"labels": ()}))
    second = golden.shipped(database)
    with database.reading() as session:
        rows = golden.list_sets(session, lead)
        assert golden.labels(session, lead, first)
        assert not golden.labels(session, lead, second)
    assert [row.set.id for row in rows] == [second, first]
    assert rows[1].calls == {"train": 1, "dev": 1, "holdout": 1}
    assert (rows[0].labels, rows[1].labels) == (0, 3)


def test_the_holdout_is_not_for_looking_at(database, lead, small):
    id_ = golden.shipped(database)
    with database.reading() as session:
        for look in (golden.calls, golden.labels):
            with pytest.raises(ConflictError, match="holdout"):
                look(session, lead, id_, splits=("dev", "holdout"))


def test_the_real_shipped_set_fits_in(database, lead):
    id_ = golden.shipped(database)
    with database.reading() as session:
        found = {one.call.id: one.call for one in golden.calls(session, lead, id_)}
    shipped = {call.id: call for call in catalog.load().calls if call.split != "holdout"}
    assert found == shipped


@pytest.mark.parametrize(("name", "title"), [("Sales", "x"), ("", "x"), ("shipped", "x"), ("sales", " ")])
def test_a_set_that_cannot_be_is_an_error(database, lead, name, title):
    with database.writing() as session, pytest.raises(InputError):
        golden.create(session, lead, name, title)


def test_a_name_is_taken_once_a_client(database, lead):
    own_set(database, lead)
    own_set(database, system("c2"))
    with pytest.raises(ConflictError, match="already"):
        own_set(database, lead)


def test_a_set_of_another_client_is_unknown(database, lead):
    theirs = own_set(database, system("c2") if registered(database) else lead)
    with database.reading() as session, pytest.raises(UnknownResourceError):
        golden.calls(session, lead, theirs)


def test_who_may_not_calibrate_sees_no_set(database, lead):
    id_ = own_set(database, lead)
    reviewer = person(database, "li")
    reader = Principal(client_id=CLIENT, actor="key:k", scopes=frozenset({"calibrations:read"}), role="client")
    with database.writing() as session:
        for ask in (
            lambda: golden.list_sets(session, reviewer),
            lambda: golden.calls(session, reviewer, id_),
            lambda: golden.take_in(session, reader, id_, [a_call()], []),
        ):
            with pytest.raises(ForbiddenError, match="calibrations:"):
                ask()
        assert golden.calls(session, reader, id_) == ()


def take_in(database, lead, id_, calls, labels=()):
    with database.writing() as session:
        return golden.take_in(session, lead, id_, calls, list(labels))


def test_calls_and_labels_are_taken_in_once_however_often_they_come(database, lead):
    id_ = own_set(database, lead)
    calls, labels = [a_call("g-1"), a_call("g-2", "train")], [a_label(at=datetime(2026, 11, 1, tzinfo=UTC))]
    assert (take_in(database, lead, id_, calls, labels).calls, take_in(database, lead, id_, calls, labels).labels) == (
        2,
        0,
    )
    with database.reading() as session:
        assert [one.call for one in golden.calls(session, lead, id_)] == calls
        assert golden.labels(session, lead, id_, RUBRIC) == tuple(labels)
        assert golden.labels(session, lead, id_, "another") == ()


def test_a_call_whose_people_stand_elsewhere_is_refused_and_the_rest_is_not(database, lead):
    id_ = own_set(database, lead)
    added = take_in(
        database,
        lead,
        id_,
        [a_call("g-1", "train", agent="8031"), a_call("g-2", "dev", agent="8031"), a_call("g-3", "dev")],
        [a_label("g-2"), a_label("g-3"), a_label("g-9")],
    )
    assert (added.calls, added.labels) == (2, 1)
    assert added.refused == {
        "g-2": "its agent's or customer's calls stand on train",
        "g-9": "is labelled, and is no call of the set",
    }


def test_a_label_that_its_rubric_does_not_take_keeps_everything_out(database, lead):
    id_ = own_set(database, lead)
    for wrong in ({"cold": {"answer": "yes"}}, {"warm": {"level": "full"}}, {"clear": {"status": "not_applicable"}}):
        with pytest.raises(JudgementError):
            take_in(database, lead, id_, [a_call()], [a_label(judgements=wrong)])
    with database.reading() as session:
        assert golden.calls(session, lead, id_) == ()


def test_of_two_labels_by_one_rater_the_later_counts_and_both_stay(database, lead):
    id_ = own_set(database, lead)
    first, second = a_label(), a_label(judgements={"warm": {"answer": "no"}})
    take_in(database, lead, id_, [a_call()], [first])
    take_in(database, lead, id_, [], [second])
    with database.reading() as session:
        found = golden.labels(session, lead, id_)
    assert found == (first, second)
    assert list(golden.newest(found).values()) == [second]


def test_a_new_call_goes_with_its_people_or_where_most_is_missing(database, lead):
    id_ = own_set(database, lead)
    take_in(database, lead, id_, [a_call(f"t-{n}", "train") for n in range(4)] + [a_call("d", "dev", agent="8031")])
    with database.reading() as session:
        row = golden.find(session, lead, id_)
        assert golden.side_of(session, row, ("8031", "new")) == "dev"
        assert golden.side_of(session, row, ("new", "new")) == "holdout"
        with pytest.raises(ConflictError, match="dev and train"):
            golden.side_of(session, row, ("8031", "customer of t-1"))


def test_what_was_imported_can_be_erased_and_leaves_no_words(database, lead):
    id_ = own_set(database, lead)
    words = a_label(quotes={"bait": ("随时取消",)}, note="随时取消")
    take_in(database, lead, id_, [a_call("g-1"), a_call("g-2")], [words])
    with database.writing() as session:
        with pytest.raises(ForbiddenError, match="calls:erase"):
            golden.erase(session, lead, id_, "g-1")
        golden.erase(session, system(CLIENT), id_, "g-1")
    with database.reading() as session:
        assert [one.call.id for one in golden.calls(session, lead, id_)] == ["g-2"]
        rows = everything(session)
        assert "随时取消" not in str([rows["golden_label"], [r for r in rows["golden_call"] if r["name"] == "g-1"]])
    assert take_in(database, lead, id_, [a_call("g-1")]).calls == 0, "it does not come back under its name"


def test_an_erased_call_is_not_among_them_and_its_people_stay_where_they_are(database, lead):
    id_ = own_set(database, lead)
    take_in(database, lead, id_, [a_call("g-1", "train")], [a_label()])
    with database.writing() as session:
        row = repository.call_named(session, id_, "g-1")
        assert isinstance(row, GoldenCall)
        row.content, row.erased_at = "", datetime.now(UTC)
        session.add(row)
    with database.reading() as session:
        assert (golden.calls(session, lead, id_), golden.labels(session, lead, id_)) == ((), ())
        assert golden.side_of(session, golden.find(session, lead, id_), ("agent of g-1", None)) == "train"
        with pytest.raises(UnknownResourceError):
            repository.find_call(session, id_, "g-1")
