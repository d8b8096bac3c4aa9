"""What raters said of one call, side by side: all of it once they have committed, and of the holdout nothing."""

import pytest

from callgrade.access.principals import system
from callgrade.calibration import golden, golden_repository
from callgrade.calibration.revealing import look
from callgrade.domain.errors import ConflictError
from tests.calibration.made import a_call, a_label, own_set
from tests.evaluations.made import CLIENT
from tests.reviews.made import registered

NO = {"warm": {"answer": "no"}, "bait": {"occurrences": 1}}
CALLS = (a_call("differ"), a_call("agree"), a_call("held-out", "holdout"), a_call("held-out-too", "holdout"))
LABELS = [
    *(a_label(name, "r1") for name in ("differ", "agree", "held-out", "held-out-too")),
    *(a_label(name, "r2", judgements=NO) for name in ("differ", "held-out")),
    *(a_label(name, "r2") for name in ("agree", "held-out-too")),
]


@pytest.fixture
def seen(database):
    """Looks at the call of this name."""
    us = system(CLIENT)
    registered(database)
    set_id = own_set(database, us)
    with database.writing() as session:
        golden.take_in(session, us, set_id, CALLS, LABELS)

    def looked(name):
        with database.reading() as session:
            row = golden_repository.find_call(session, set_id, name)
            return look(session, us, set_id, row.id)

    return looked


def test_both_stand_side_by_side_and_what_they_differ_on_is_open(seen):
    found = seen("differ")
    assert {label.rater for label in found.labels} == {"r1", "r2"}
    assert [line.criterion.id for line in found.open] == ["warm"]
    assert {one.judgement.outcome.answer for one in found.open[0].said} == {"yes", "no"}
    assert (found.waiting, found.version, seen("agree").open) == (False, 2, ())


def test_of_the_holdout_only_what_they_differ_on_is_named_and_nothing_that_they_said(seen):
    found = seen("held-out")
    assert (found.labels, [(line.criterion.id, line.said) for line in found.lines]) == ((), [("warm", ())])
    with pytest.raises(ConflictError, match="holdout"):
        seen("held-out-too")
