import numpy as np
import pytest

from callgrade.stats.drift import A_WEEK, BETWEEN_ALARMS, Plan, cusum, rises, run_length, tuned
from callgrade.stats.results import WrongRatings

RUNS = 400


def first_alarms(plan, shift, spread, calls):
    values = np.random.default_rng(7).normal(shift, spread, (RUNS, calls))
    up, down = rises(values - plan.reference - plan.slack), rises(plan.reference - values - plan.slack)
    passed = (up > plan.limit) | (down > plan.limit)
    return np.where(passed.any(axis=1), passed.argmax(axis=1) + 1, calls)


def test_sums_start_anew_below_zero():
    steps = np.random.default_rng(1).normal(0, 1, 500)
    one, by_hand = 0.0, []
    for step in steps:
        one = max(0.0, one + step)
        by_hand.append(one)
    assert rises(steps) == pytest.approx(by_hand)


@pytest.mark.parametrize(("spread", "weeks"), [(0.5, 2), (0.7, 3), (1.0, 5)])
@pytest.mark.parametrize("direction", [1, -1])
def test_a_drift_of_a_fifth_of_a_point_is_found_in_about_four_weeks(spread, weeks, direction):
    found = first_alarms(tuned(spread), 0.2 * direction, spread, 40 * A_WEEK) / A_WEEK
    assert found.mean() <= weeks
    assert np.median(found) <= 4.2


@pytest.mark.parametrize("spread", [0.5, 1.0])
def test_false_alarms_are_two_years_apart(spread):
    found = first_alarms(tuned(spread), 0.0, spread, 6 * BETWEEN_ALARMS)
    assert found.mean() == pytest.approx(BETWEEN_ALARMS, rel=0.2)


def test_the_first_call_over_the_limit_and_its_direction():
    plan = Plan(reference=0.1, slack=0.1, limit=1.0)
    found = cusum([0.1, 0.1, 0.8, 0.8, 0.8], plan)
    assert (found.alarm, found.direction) == (3, "up")
    assert found.up.tolist() == pytest.approx([0, 0, 0.6, 1.2, 1.8])
    assert cusum([-0.9, -0.9], plan).direction == "down"
    calm = cusum([], plan)
    assert (calm.alarm, calm.direction) == (None, None)


def test_no_shift_at_all_is_the_limit_of_small_ones():
    assert run_length(5, 0) == pytest.approx(run_length(5, 1e-4), rel=0.01)


def test_what_cannot_be_is_refused():
    with pytest.raises(WrongRatings):
        tuned(0)
    with pytest.raises(WrongRatings):
        cusum([float("nan")], Plan(0, 0.1, 1))
