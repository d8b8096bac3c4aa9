"""Has something shifted? A two-sided CUSUM over the differences between model and people (Page 1954).

Tuned for a shift of 0.2 points at 50 double-graded calls a week. By simulation (tests/stats/test_drift.py) with
differences of standard deviation 1 it is found after 4.4 weeks on average (median 3.8), with 0.7 after 2.5 (2.1), with
0.5 after 1.4; without a shift there are two years between two false alarms, on average.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from callgrade.stats.deferred import optimize
from callgrade.stats.ratings import Array
from callgrade.stats.results import WrongRatings

A_WEEK = 50
SHIFT = 0.2
BETWEEN_ALARMS = 104 * A_WEEK
"""Calls between two false alarms: two years."""
OVERSHOOT = 1.166
"""Siegmund (1985): by how many standard deviations a sum overshoots its limit."""


@dataclass(frozen=True, slots=True)
class Plan:
    """In points of the scale: the difference when all is well, the part of each difference that is forgiven, and the
    sum at which an alarm is raised."""

    reference: float
    slack: float
    limit: float


@dataclass(frozen=True, slots=True)
class Drift:
    """`up` and `down`: …×n sums, each 0 or more. `alarm`: the index of the call at which the limit was first passed."""

    up: Array
    down: Array
    alarm: int | None
    direction: Literal["up", "down"] | None


def tuned(
    spread: float, *, reference: float = 0.0, shift: float = SHIFT, between_alarms: float = BETWEEN_ALARMS
) -> Plan:
    """The plan that finds `shift` soonest, false alarms being `between_alarms` calls apart. `spread`: standard
    deviation of the differences while all is well. Siegmund's approximation to the run length, solved for the limit."""
    if spread <= 0 or shift <= 0 or between_alarms <= 1:
        raise WrongRatings("spread and shift are above 0, and false alarms more than a call apart")
    slack = shift / spread / 2
    # two sides alarm twice as often as one
    beyond = optimize.brentq(lambda h: run_length(h, -slack) - 2 * between_alarms, 0.0, 50.0 / slack)
    return Plan(reference, shift / 2, float(beyond) * spread)


def run_length(limit: float, move: float) -> float:
    """Calls until a one-sided sum passes `limit`, on average, when each moves it by `move` (both in standard
    deviations). Siegmund (1985), Sequential Analysis."""
    reach = limit + OVERSHOOT
    if abs(move) < 1e-9:
        return reach**2
    return (math.exp(min(-2 * move * reach, 700)) + 2 * move * reach - 1) / (2 * move**2)


def cusum(values: ArrayLike, plan: Plan) -> Drift:
    """`values`: n differences in the order of time, in points, without nan."""
    apart = np.asarray(values, np.float64) - plan.reference
    if np.isnan(apart).any():
        raise WrongRatings("a difference is missing: leave the call out")
    up, down = rises(apart - plan.slack), rises(-apart - plan.slack)
    passed = (up > plan.limit) | (down > plan.limit)
    if not passed.any():
        return Drift(up, down, None, None)
    at = int(np.argmax(passed))
    return Drift(up, down, at, "up" if up[at] > plan.limit else "down")


def rises(steps: Array) -> Array:
    """Sums that start anew at 0 where they fall below it, along the last axis: s = max(0, s + step)."""
    total = np.cumsum(steps, axis=-1)
    return np.asarray(total - np.minimum(np.minimum.accumulate(total, axis=-1), 0))
