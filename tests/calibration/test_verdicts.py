"""The first line of each criterion: verdict, reason, next action, labels that are missing."""

import random

import pytest

from callgrade.calibration.verdicts import FAULTS_NEEDED, MARGIN
from tests.calibration.judged import card, judgement, label, of_pairs, report


def pairs(n, hit, share=0.4):
    """(right, proposed): the judge says what is right in `hit` of cases."""
    rng = random.Random(f"{n} {hit}")
    right = [int(rng.random() < share) for _ in range(n)]
    return [(one, one if rng.random() < hit else 1 - one) for one in right]


def cells(n, wrong):
    """Every other call has it, and of these many the second side says otherwise, by turns."""
    return [(at % 2, at % 2 if at % (n // wrong) else 1 - at % 2) for at in range(n)]


def test_as_good_as_the_raters():
    found = of_pairs(pairs(400, 0.97), raters=pairs(400, 0.96))
    assert found.verdict.kind == "on_par"
    assert found.beside_raters.low >= -MARGIN
    assert found.verdict.labels_needed == 0
    assert f"{found.raters.kappa.value:.2f}" in found.verdict.reason.en


def test_surely_worse_than_the_raters():
    found = of_pairs(pairs(300, 0.75), raters=pairs(300, 0.98))
    assert found.verdict.kind == "below"
    assert "surely below" in found.verdict.reason.en
    assert "区间上限低于" in found.verdict.reason.zh


def test_the_interval_may_allow_both():
    found = of_pairs(pairs(110, 0.88), raters=pairs(110, 0.93))
    assert found.verdict.kind == "undecided"
    assert found.verdict.labels_needed > 100


def test_raters_who_do_not_agree_themselves_come_first():
    found = of_pairs(pairs(300, 0.97), raters=pairs(300, 0.55))
    assert found.verdict.kind == "unclear"
    assert found.verdict.labels_needed is None


def test_where_it_is_uncertain_how_well_people_agree_nothing_is_certain_of_the_judge_beside_them():
    # the judge's own interval lies above what the raters reach less the margin, and theirs reaches up to 0.8
    found = of_pairs(cells(120, 15), raters=cells(120, 24))
    assert found.model.kappa.low >= found.raters.kappa.value - MARGIN
    assert found.verdict.kind == "undecided"
    assert found.verdict.labels_needed >= 100
    assert f"{found.beside_raters.low:+.2f}" in found.verdict.reason.en


def test_a_judge_and_raters_without_a_fault_are_apart_by_no_more_than_what_was_not_seen():
    found = of_pairs(pairs(300, 1.0), raters=pairs(300, 1.0))
    assert found.verdict.kind == "undecided" or found.beside_raters.low >= -MARGIN
    assert found.beside_raters.value == 0
    assert found.beside_raters.low < 0 < found.beside_raters.high


def test_few_calls_rated_twice_tell_nothing_of_the_raters():
    found = of_pairs(pairs(300, 0.97), raters=pairs(60, 0.8))
    assert found.verdict.kind == "on_par"
    assert found.beside_raters.n == 60
    assert "60 calls were rated twice" in found.verdict.reason.en
    assert "60 通" in found.verdict.reason.zh


def test_without_second_raters_a_common_line_must_do():
    assert "nobody rated twice" in of_pairs(pairs(300, 0.97)).verdict.reason.en


@pytest.mark.parametrize("n", [99, 100])
def test_below_a_hundred_there_is_an_interval_and_no_verdict(n):
    found = of_pairs(pairs(n, 0.99), raters=pairs(n, 0.97))
    assert (found.verdict.kind == "insufficient_data") is (n < 100)
    assert found.model.kappa.low is not None
    assert f"[{found.model.kappa.low:.2f}" in found.verdict.reason.zh


def test_few_agents_allow_no_verdict():
    line = of_pairs(pairs(300, 0.99), agents=9).verdict
    assert line.kind == "insufficient_data"
    assert "9 agents" in line.reason.en


def test_of_what_is_rare_recall_and_precision_are_told():
    rare = [(1, 1)] * 4 + [(0, 0)] * 196
    line = of_pairs(rare).verdict
    assert (line.kind, line.labels_needed, line.needed_of) == ("insufficient_data", FAULTS_NEEDED - 4, "faults")
    assert "recall 1.00" in line.reason.en
    assert "κ" not in line.reason.en


def test_that_a_rare_one_is_missed_is_sure_early_and_that_it_is_found_is_sure_late():
    assert of_pairs([(1, 0)] * 8 + [(0, 0)] * 192).verdict.kind == "below"
    assert of_pairs([(1, 1)] * 70 + [(0, 0)] * 1420).verdict.kind == "on_par"
    assert of_pairs([(1, 1)] * 60 + [(1, 0)] * 12 + [(0, 0)] * 1420).verdict.kind == "undecided"


def test_nothing_that_occurred_is_no_proof():
    line = of_pairs([(0, 0)] * 300).verdict
    assert (line.kind, line.labels_needed) == ("insufficient_data", FAULTS_NEEDED)


def test_nobody_judged_or_nobody_labelled():
    silent = judgement("warm", "cannot_assess", reason="no_model")
    found = report(
        {("g-1", 0): card("g-1", warm=silent, bait={"occurrences": 0})}, [label("g-1", warm={"answer": "yes"})]
    )
    assert found.by_id["warm"].verdict.kind == "not_judged"
    assert "CALLGRADE_LLM__MODEL" in found.by_id["warm"].verdict.action.zh
    assert found.by_id["bait"].verdict.kind == "unlabelled"
    assert found.by_id["bait"].verdict.labels_needed >= 100
    for one in found.criteria:
        assert one.verdict.reason.zh
        assert one.verdict.reason.en
        assert one.verdict.action.zh
        assert one.verdict.action.en
