"""It learns what can be learnt from the wording, says so in calibrated probabilities, and is off where it cannot."""

import random

import numpy as np
import pytest
from sqlmodel import select

from callgrade.access.principals import system
from callgrade.calibration import golden
from callgrade.calibration.second_opinion import stored
from callgrade.calibration.second_opinion.features import features
from callgrade.calibration.second_opinion.fitting import Line, fit
from callgrade.calibration.second_opinion.material import of_reviews
from callgrade.calibration.second_opinion.standing import on_holdout, opened
from callgrade.calibration.second_opinion.training import retire, train
from callgrade.db.tables import AuditEvent, HoldoutReading, SecondOpinion
from callgrade.domain.errors import ConflictError
from callgrade.domain.second_opinion import FEWEST_TO_TRAIN
from callgrade.stats.results import Why
from tests.calibration.made import RUBRIC, a_call, a_label, own_set, reviewed
from tests.calibration.second_opinion.made import calls, material, trained, words
from tests.evaluations.made import CLIENT
from tests.reviews.autonomous import FORM, registered
from tests.reviews.made import FORM as REVIEWED
from tests.reviews.made import person

US = system(CLIENT)


def test_who_said_it_is_learnt_and_the_probabilities_mean_what_they_say():
    one = trained()["bait"].about
    assert (one.verdict.gate, one.verdict.needed) == ("on", 0)
    assert one.check.kappa.value > 0.95
    assert one.check.recall.value > 0.95
    assert one.check.brier < 0.05 < one.check.base
    assert one.check.ece < 0.15
    assert one.check.firm_fault.said > 10
    assert one.check.firm_fault.right.value == 1
    _, line = stored.read(trained()["bait"].content)
    rng = random.Random(1)
    said = line.probabilities(features([words("x", True, rng), words("x", False, rng)]))
    assert said[0] > 0.9 > 0.1 > said[1]


def test_where_the_wording_tells_nothing_it_is_off():
    one = trained("nothing")["bait"].about
    assert one.verdict.gate == "below"
    assert abs(one.check.kappa.value) < 0.3
    assert "kappa" in one.verdict.reason.zh
    assert "0.4" in one.verdict.reason.en
    assert one.check.brier > one.check.base - 0.03, "and claims to know nothing"


def test_too_few_of_one_kind_is_said_with_what_is_missing():
    one = trained()["warm"]
    assert (one.about.verdict.gate, one.content, one.about.check) == ("insufficient_data", b"", None)
    assert one.about.verdict.needed == FEWEST_TO_TRAIN
    assert one.about.verdict.reason.en == "0 labelled calls with the fault to train on; it takes 20."
    assert one.about.verdict.action.zh == "再标注 20 通有此问题的通话"


def test_the_same_labels_give_the_same_line_and_folds_keep_people_together():
    side = material().train
    places, fault = side.of("bait")
    found = features(side.transcripts)[places]
    first, second = (fit(found, fault, side.group) for _ in range(2))
    assert isinstance(first, Line)
    assert np.array_equal(first.slope.weights, second.slope.weights)
    assert first.calibrator == second.calibrator
    assert fit(found, fault, [0] * len(fault)) == Why.TOO_FEW_GROUPS
    assert fit(found, [True] * len(fault), side.group) == Why.ONE_CLASS


def filled(database, *, train_=120, dev=60, holdout=60):
    with database.writing() as session:
        id_ = golden.create(session, US, "made-up", "虚构").id
        for split, number in (("train", train_), ("dev", dev), ("holdout", holdout)):
            assert golden.take_in(session, US, id_, *calls(split, number)).refused == {}
    return id_


def test_a_golden_set_trains_on_train_is_checked_by_dev_and_never_reads_the_holdout(database):
    registered(database)
    id_ = filled(database)
    seen = []
    made = {
        one.criterion_id: one for one in train(database, US, FORM, set_id=id_, progress=lambda *at: seen.append(at))
    }
    assert seen == [(0, 2), (1, 2), (2, 2)]
    bait = made["bait"]
    assert (bait.source.kind, bait.source.name, bait.source.synthetic, bait.source.calls) == (
        "golden",
        "made-up",
        True,
        120,
    )
    assert (bait.source.agents, bait.source.blind, bait.check.split, bait.check.calls) == (12, 120, "dev", 60)
    with database.reading() as session:
        assert session.exec(select(HoldoutReading)).all() == []
        rows = session.exec(select(SecondOpinion)).all()
        assert {row.criterion_id: row.gate for row in rows} == {"bait": "on", "warm": "insufficient_data"}
        told = [event for event in session.exec(select(AuditEvent)).all() if event.action == "second_opinion.trained"]
    assert len(told) == 2
    found = opened(database, US, FORM)
    held = on_holdout(database, US, FORM, found, id_, "last look")
    assert held.checks["bait"].kappa.value > 0.9
    assert held.checks["bait"].split == "holdout"
    with database.reading() as session:
        assert [one.why for one in session.exec(select(HoldoutReading)).all()] == ["last look"]


def test_what_is_trained_anew_takes_the_place_of_what_stood_until_it_is_retired(database):
    registered(database)
    id_ = filled(database, train_=60, dev=30, holdout=0)
    train(database, US, FORM, set_id=id_)
    train(database, US, FORM, set_id=id_)
    with database.reading() as session:
        rows = session.exec(select(SecondOpinion)).all()
    assert [row.ended_at is None for row in sorted(rows, key=lambda row: row.id)] == [False, False, True, True]
    assert len(retire(database, US, FORM.id, "bait")) == 1
    assert [one.about.criterion_id for one in opened(database, US, FORM)] == ["warm"]
    with pytest.raises(ConflictError, match="no second opinion stands for bait"):
        retire(database, US, FORM.id, "bait")


def test_reviewed_calls_teach_but_nobody_who_stands_in_a_holdout(database):
    li = person(database, "li")
    for number in range(6):
        told = {"agent": {"id": f"a{number}"}, "customer": {"id": f"k{number}"}}
        reviewed(database, li, f"C-{number}", **told)
    with database.reading() as session:
        whole = of_reviews(session, US, REVIEWED)
    assert len(whole.train.transcripts) + len(whole.check.transcripts) == 6
    assert not set(whole.train.agents) & set(whole.check.agents)
    assert whole.source.blind == 0
    assert set(whole.train.faults) >= {"warm", "bait"}
    id_ = own_set(database, US)
    with database.writing() as session:
        kept = [a_call("h-1", "holdout", agent="a0"), a_call("h-2", "holdout", customer="k1")]
        golden.take_in(session, US, id_, kept, [a_label("h-1")])
    with database.reading() as session:
        left = of_reviews(session, US, REVIEWED)
    assert sorted([*left.train.agents, *left.check.agents]) == ["a2", "a3", "a4", "a5"]
    assert left.source.digest != whole.source.digest


def test_without_a_label_there_is_nothing_to_train_on(database):
    person(database, "li")
    with pytest.raises(ConflictError, match="nobody has labelled"):
        train(database, US, REVIEWED)
    assert REVIEWED.reference == RUBRIC
