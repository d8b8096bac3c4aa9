"""A grant that calibrates confidences by a run on dev, and checks them on the holdout; on SQLite and PostgreSQL."""

import pytest

from callgrade.calibration import autonomy, confidence, golden
from callgrade.calibration.autonomy import grant
from callgrade.calibration.golden_repository import calls
from callgrade.calibration.holdout import wear
from callgrade.db.tables import CalibrationItem, CalibrationRun
from callgrade.domain.errors import ConflictError
from callgrade.reviews.autonomy import confidence_of
from callgrade.reviews.service import ReviewDesk
from tests.calibration.autonomy_runs import run as holdout_run
from tests.calibration.made import a_call, a_label, own_set
from tests.reviews.autonomous import FORM, card, checked, drawing, propose, registered
from tests.reviews.made import person, review

EACH = 12


@pytest.fixture
def lead(database, monkeypatch):
    monkeypatch.setattr(confidence, "FEWEST", 10)
    monkeypatch.setattr(autonomy, "LEVELS", (0.7,))
    registered(database)
    return person(database, "lead", "qa_lead")


def judged_set(database, lead, split):
    """A set of the lead's own, and a run over it: of a dozen calls the judge is wrong about one."""
    set_id = own_set(database, lead, f"set-{split}")
    names = [f"{split}-{number}" for number in range(EACH)]
    labels = [
        a_label(
            name, judgements={"warm": {"answer": "no" if name.endswith("-0") else "yes"}, "bait": {"occurrences": 0}}
        )
        for name in names
    ]
    with database.writing() as session:
        golden.take_in(session, lead, set_id, [a_call(name, split) for name in names], labels)
        told = {"set_id": set_id, "prompt_digest": "sha256:p1", "model_reported": "made-up-model-1"}
        told |= {"recogniser": "made-up-recogniser", "samples": 1}
        matrix = ((0, 1), (0, EACH - 1))
        row = holdout_run(FORM, criterion="warm", matrix=matrix, split=split)
        for name, value in told.items():
            setattr(row, name, value)
        session.add(row)
        session.flush()
        for stored in calls(session, set_id, [split]):
            shown = card(call_id=stored.call.id).model_dump_json(by_alias=True)
            session.add(CalibrationItem(run_id=row.id, golden_call_id=stored.id, sample=0, scorecard=shown))
        return set_id, row.id


def test_the_state_carries_what_was_fitted_and_proposals_show_it(database, lead):
    _, dev = judged_set(database, lead, "dev")
    li = person(database, "li")
    drawn = drawing(database, lead)
    for number in range(3):
        checked(database, li, drawn, f"C-{number}")
    row = grant(database, lead, FORM.id, "warm", level=0.7, wanted="assisted", fit_run=dev)
    fitted = confidence_of(row)
    assert (row.state, fitted.uses, fitted.n, fitted.fitted_on, fitted.checked) == (
        "assisted",
        ("grounding",),
        EACH,
        dev,
        None,
    )
    made = propose(database, "C-9")
    view = ReviewDesk(database, bulk_confidence=0.8).open(li, review(database, made, reviewer_id=li.user_id))
    assert view.card("warm").proposed.confidence == pytest.approx(11 / 12, abs=0.06)
    assert view.card("warm").in_bulk, "assisted: sure enough to be agreed with together"
    assert view.card("bait").proposed.confidence is None
    blind = review(database, made, reviewer_id=li.user_id, blind=True, slot=1)
    assert all(one.proposed is None for one in ReviewDesk(database).open(li, blind).cards)


def test_it_is_checked_on_the_holdout_which_is_on_record(database, lead):
    _, dev = judged_set(database, lead, "dev")
    held_out, gate = judged_set(database, lead, "holdout")
    row = grant(database, lead, FORM.id, "warm", level=0.7, run_id=gate, fit_run=dev)
    assert confidence_of(row).checked.n == EACH
    with database.reading() as session:
        assert wear(session, lead, held_out, FORM.id).readings == 1


def test_nothing_is_fitted_on_the_holdout_nor_by_another_judge(database, lead):
    propose(database)
    _, gate = judged_set(database, lead, "holdout")
    with pytest.raises(ConflictError):
        grant(database, lead, FORM.id, "warm", level=0.7, fit_run=gate)
    _, dev = judged_set(database, lead, "dev")
    with database.writing() as session:
        session.get(CalibrationRun, dev).model_reported = "made-up-model-2"
    with pytest.raises(ConflictError):
        grant(database, lead, FORM.id, "warm", level=0.7, fit_run=dev)


def test_too_few_labels_give_a_reason_in_the_place_of_a_confidence(database, lead, monkeypatch):
    monkeypatch.setattr(confidence, "FEWEST", 100)
    propose(database)
    _, dev = judged_set(database, lead, "dev")
    row = grant(database, lead, FORM.id, "warm", level=0.7, fit_run=dev)
    assert confidence_of(row) is None
    assert row.evidence["no_confidence"].startswith("too few")
