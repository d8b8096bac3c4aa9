"""A grant that calibrates confidences by a run on dev, and checks them on the holdout; on SQLite and PostgreSQL."""

import pytest

from callgrade.calibration import autonomy, confidence, golden
from callgrade.calibration.autonomy import grant
from callgrade.calibration.confidence import Example, fit
from callgrade.calibration.golden_repository import calls
from callgrade.calibration.holdout import wear
from callgrade.calibration.thresholds import Fitted, chosen, fixed, parse_threshold
from callgrade.db.tables import CalibrationItem, CalibrationRun
from callgrade.domain.autonomy import CALL_LEVEL
from callgrade.domain.confidence import Features
from callgrade.domain.errors import ConflictError, InputError
from callgrade.reviews.autonomy import confidence_of, evidence_of, pass_of, text_of
from callgrade.reviews.service import ReviewDesk
from callgrade.stats.results import Why
from tests.calibration.autonomy_runs import run as holdout_run
from tests.calibration.made import a_call, a_label, own_set
from tests.evaluations.made import CLIENT
from tests.reviews.autonomous import FORM, card, checked, drawing, propose, registered
from tests.reviews.made import person, review

EACH = 12


@pytest.fixture
def lead(database, monkeypatch):
    monkeypatch.setattr(confidence, "FEWEST", 10)
    monkeypatch.setattr(autonomy, "LEVELS", (0.7,))
    registered(database)
    return person(database, "lead", "qa_lead")


def _number(name):
    return int(name.split("-")[1])


def judged_set(database, lead, split, doubtful=0, wrong=(0,)):
    """A set of the lead's own, and a run over it: of a dozen calls the judge is wrong about one. Quotes of the first
    `doubtful` calls were found only nearly."""
    set_id = own_set(database, lead, f"set-{split}")
    names = [f"{split}-{number}" for number in range(EACH)]
    labels = [
        a_label(
            name,
            judgements={
                "warm": {"answer": "no" if int(name.split("-")[1]) in wrong else "yes"},
                "bait": {"occurrences": 0},
            },
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
            made = card(call_id=stored.call.id)
            shown = (nearly(made) if _number(stored.call.id) < doubtful else made).model_dump_json(by_alias=True)
            session.add(CalibrationItem(run_id=row.id, golden_call_id=stored.id, sample=0, scorecard=shown))
        return set_id, row.id


def nearly(made):
    """Whose quotes were found only nearly, so that less is to be said for it."""
    judgements = tuple(
        one.model_copy(
            update={"evidence": tuple(e.model_copy(update={"grounding": "approximate"}) for e in one.evidence)}
        )
        for one in made.judgements
    )
    return made.model_copy(update={"judgements": judgements})


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


# thresholds


def doubts(database, lead):
    """On dev the judge is wrong about half of what was found nearly, and about nothing else; on the holdout, too."""
    _, dev = judged_set(database, lead, "dev", doubtful=6, wrong=(0, 1, 2))
    _, gate = judged_set(database, lead, "holdout", doubtful=6, wrong=(0, 1, 2))
    return dev, gate


def test_only_what_is_sure_enough_goes_through_and_only_that_counts(database, lead, monkeypatch):
    monkeypatch.setattr(autonomy, "LEVELS", (0.4,))
    dev, gate = doubts(database, lead)
    row = grant(database, lead, FORM.id, "warm", level=0.4, run_id=gate, fit_run=dev, threshold=0.75)
    found = evidence_of(row)
    assert (row.state, found.reviewed, found.misses) == ("automatic", 6, 0)
    assert row.threshold == found.threshold == 0.75
    assert "of confidence 0.75 or more" in text_of(row.reason).en
    with database.reading() as session:
        sure, unsure = (pass_of(session, CLIENT, FORM, one) for one in (card(), nearly(card())))
    assert (set(sure.automatic), set(unsure.automatic)) == ({"warm"}, set())


def test_reviewed_calls_below_the_threshold_prove_nothing(database, lead):
    dev, _ = doubts(database, lead)
    li, drawn = person(database, "li"), drawing(database, lead)
    for number in range(4):
        shown = card(call_id=f"C-{number}")
        checked(database, li, drawn, f"C-{number}", shown=shown if number % 2 else nearly(shown))
    row = grant(database, lead, FORM.id, "warm", level=0.7, fit_run=dev, threshold=0.75, looks=2)
    assert (evidence_of(row).reviewed, row.state) == (2, "human_only")
    with pytest.raises(ConflictError, match="fixed at the first"):
        grant(database, lead, FORM.id, "warm", level=0.7, fit_run=dev, threshold=0.1)
    with pytest.raises(ConflictError, match="fixed at the first"):
        grant(database, lead, FORM.id, "warm", level=0.7)
    assert evidence_of(grant(database, lead, FORM.id, "warm", level=0.7, fit_run=dev, threshold=0.75)).look == 2


def test_what_cannot_be_a_threshold(database, lead):
    propose(database)
    dev, _ = doubts(database, lead)
    told = {"level": 0.7}
    for wrong in (0, 1.01, -1):
        with pytest.raises(InputError, match="above 0"):
            grant(database, lead, FORM.id, "warm", threshold=wrong, fit_run=dev, **told)
    with pytest.raises(InputError, match="run on dev"):
        grant(database, lead, FORM.id, "warm", threshold=0.9, **told)
    with pytest.raises(InputError, match="no confidence of their own"):
        fixed(0.9, CALL_LEVEL, None, 0.05)
    with pytest.raises(ConflictError, match="too few"):
        fixed(0.9, "warm", Fitted(Why.TOO_FEW, []), 0.05)
    with pytest.raises(InputError, match="or dev"):
        parse_threshold("sure")
    assert [parse_threshold(text) for text in ("", "dev", "0.9")] == [None, "dev", 0.9]


def test_dev_bears_out_the_lowest_confidence_that_keeps_the_level():
    found = [Example(Features(grounding=1.0 if n % 2 else 0.7), n % 2 == 1 or n % 4 == 0) for n in range(200)]
    fitted = fit(found, fitted_on="r")
    low, high = (fitted.of(Features(grounding=worth)) for worth in (0.7, 1.0))
    assert chosen(fitted, found, 0.05) == high
    assert fixed("dev", "warm", Fitted(fitted, found), 0.05) == (fitted, high)
    assert chosen(fitted, found, 0.25) == low, "a quarter of all are wrong"
    with pytest.raises(ConflictError):
        chosen(fitted, [Example(one.features, False) for one in found], 0.05)
