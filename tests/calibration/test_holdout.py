"""Every look at the holdout is on record with who and why, and there are only so many."""

import pytest

from callgrade.access.principals import Principal, system
from callgrade.calibration import golden, holdout
from callgrade.calibration.holdout import MOST_READINGS, HoldoutRetiredError, HoldoutWear, read_holdout
from callgrade.domain.errors import ForbiddenError, InputError, UnknownResourceError
from tests.calibration.made import RUBRIC, a_call, a_label, own_set
from tests.db.rows import everything
from tests.evaluations.made import CLIENT
from tests.reviews.made import person

WHY = "发布前的最后一道关"


@pytest.fixture
def lead(database):
    return person(database, "lead", "qa_lead")


@pytest.fixture
def id_(database, lead):
    made = own_set(database, lead)
    with database.writing() as session:
        calls = [a_call("g-1", "train"), a_call("g-2", "holdout")]
        golden.take_in(session, lead, made, calls, [a_label("g-1"), a_label("g-2")])
    return made


def rows(database, table):
    with database.reading() as session:
        return everything(session)[table]


def test_a_reading_gives_the_holdout_alone_and_is_on_record(database, lead, id_):
    read = read_holdout(database, lead, id_, RUBRIC, f"  {WHY}\n")
    assert [one.call.id for one in read.calls] == ["g-2"]
    assert read.labels == (a_label("g-2"),)
    (row,) = rows(database, "holdout_reading")
    assert (row["by"], row["why"], f"{row['rubric_id']}@{row['rubric_version']}") == (lead.actor, WHY, RUBRIC)
    assert row["id"] == read.reading_id
    assert [event["action"] for event in rows(database, "audit_event")][-1] == "holdout.read"


def test_after_so_many_it_is_retired_and_warns_before(database, lead, id_):
    warned = [read_holdout(database, lead, id_, RUBRIC, WHY).wear.warning for _ in range(MOST_READINGS)]
    assert [warning is None for warning in warned] == [True] * 14 + [False] * 6
    assert warned[-2] == "验证集还可读取 1 次 · the holdout may be read 1 more time(s)"
    assert "retired after 20 readings" in warned[-1]
    with pytest.raises(HoldoutRetiredError, match="read 20 times"):
        read_holdout(database, lead, id_, RUBRIC, WHY)
    assert len(rows(database, "holdout_reading")) == MOST_READINGS, "a refused one is none"


def test_versions_of_a_rubric_wear_it_out_together_and_other_rubrics_and_clients_by_themselves(database, lead):
    small = own_set(database, lead)
    rubric_id = RUBRIC.partition("@")[0]
    for version in ("v1", "v2", "v3"):
        read_holdout(database, lead, small, f"{rubric_id}@{version}", WHY)
    read_holdout(database, lead, small, "another@v1", WHY)
    with database.reading() as session:
        assert holdout.wear(session, lead, small, rubric_id) == HoldoutWear(readings=3, left=17)
        assert holdout.wear(session, system("c2"), small, rubric_id).readings == 0


@pytest.mark.parametrize(("rubric", "why"), [(RUBRIC, " "), (RUBRIC, "x" * 501), ("sales", WHY)])
def test_without_a_reason_or_a_version_nothing_is_read(database, lead, id_, rubric, why):
    with pytest.raises(InputError):
        read_holdout(database, lead, id_, rubric, why)
    assert rows(database, "holdout_reading") == []


def test_who_may_not_reads_nothing(database, lead, id_):
    reader = Principal(client_id=CLIENT, actor="key:k", scopes=frozenset({"calibrations:read"}), role="client")
    with pytest.raises(ForbiddenError):
        read_holdout(database, reader, id_, RUBRIC, WHY)
    with pytest.raises(UnknownResourceError):
        read_holdout(database, system("c2"), id_, RUBRIC, WHY)
    assert rows(database, "holdout_reading") == []
