"""Means over all calls from few that people reviewed: what they cover, and of which calls they speak."""

import math
import random
from statistics import fmean

import pytest

from callgrade.domain.estimates import mean
from callgrade.reviews.averages import Counted, passed, sampled, score
from callgrade.reviews.averages_repository import Drawn, Proposed, Published

CALLS, SEEDS = 1500, 1000


def drawn(number, label, proposed, chance, *, reviewed=True, stratum="all", key="8031", **more):
    verdict = (None, None) if label is None else (label >= 60, proposed >= 60)
    made = Drawn(str(number), 0, key, ("run", stratum), chance, reviewed, label, verdict[0], proposed, verdict[1])
    return made._replace(**more)


def centre(rng):
    """A machine that is too kind to two calls in five, and kinder to bad ones; worse calls are likelier to be drawn."""
    truth = [max(0, min(100, 5 * round(rng.gauss(78, 12) / 5))) for _ in range(CALLS)]
    proposed = [
        min(100, score_ + rng.choice((5, 10, 15) if score_ < 75 else (5, 5, 10)))
        if rng.random() < (0.6 if score_ < 75 else 0.35)
        else score_
        for score_ in truth
    ]
    return truth, proposed


def counted(proposed, labels):
    done = Published(len(labels), sum(labels), sum(x * x for x in labels), sum(x >= 60 for x in labels), len(labels))
    return Counted(done, Proposed(len(proposed), sum(proposed), sum(x >= 60 for x in proposed), len(proposed)))


def one_month(seed):
    """(the true mean, what is said of it, the proposals alone, the reviewed ones unweighted). Four in five of what was
    drawn are reviewed by now."""
    rng = random.Random(seed)
    truth, proposed = centre(rng)
    rows = []
    for number, (label, said) in enumerate(zip(truth, proposed, strict=True)):
        stratum, chance = ("poor", 0.25) if said < 75 else ("good", 0.06)
        if rng.random() < chance:
            reviewed = rng.random() < 0.8
            rows.append(drawn(number, label, said, chance, reviewed=reviewed, stratum=stratum))
    labels = [row.total for row in rows if row.reviewed]
    found = score(counted(proposed, labels), sampled(rows)[1][0, None])
    plain = mean(len(labels), sum(labels), sum(x * x for x in labels))
    alone = mean(CALLS, sum(proposed), sum(x * x for x in proposed))
    return fmean(truth), found, alone, plain


def test_the_interval_covers_where_proposals_and_plain_means_do_not():
    months = [one_month(seed) for seed in range(SEEDS)]
    held = [fmean(one[which].low <= one[0] <= one[which].high for one in months) for which in (1, 2, 3)]
    assert {one[1].method for one in months} == {"combined"}
    assert 0.93 <= held[0] <= 0.97
    assert held[1] < 0.05
    assert held[2] < 0.05
    assert fmean(one[1].value - one[0] for one in months) == pytest.approx(0, abs=0.15)
    # and it is narrower than what people alone would have had to say of all calls
    rows = months[0][1]
    assert rows.high - rows.low < 2 * 1.96 * 12 / math.sqrt(rows.n)


def test_where_people_changed_little_their_own_mean_is_shown():
    rows = [drawn(n, 80 - n, 80 - n if n < 9 else 90, 0.1) for n in range(10)]
    found = score(counted([75.0] * 100, [row.total for row in rows]), sampled(rows)[1][0, None])
    assert (found.method, found.why, found.n, found.proposed) == ("drawn", "few_changed", 10, 100)
    assert found.value == pytest.approx(75.5)
    assert found.low < 75.5 < found.high


def test_who_fails_is_too_rare_to_combine_below_a_hundred_labels():
    rows = [drawn(n, 50 if n % 10 == 0 else 90, 90, 0.2) for n in range(120)]

    def of(n):
        labels = [row.total for row in rows[:n]]
        return passed(counted([90.0] * 600, labels), sampled(rows[:n])[1][0, None])

    few, enough = of(99), of(120)
    assert (few.method, few.why, few.n) == ("drawn", "few_labelled", 99)
    assert few.value == pytest.approx(89 / 99)
    assert few.low < 89 / 99 < few.high
    assert (enough.method, enough.why, enough.value) == ("combined", None, pytest.approx(0.9))
    assert 0 <= enough.low < enough.high <= 1


def test_without_a_drawing_a_figure_speaks_of_what_was_published_alone():
    found = score(counted([70.0] * 50, [80, 90, 85, 95, 60]), None)
    assert (found.method, found.n, found.value, found.proposed) == ("published", 5, 82, 50)
    assert found.why is None


def test_what_was_picked_for_a_reason_is_left_out_and_counted():
    rows = [drawn(n, 80 - 5 * (n % 2), 85, 0.2) for n in range(10)]
    picked = [0.0] * 6
    found = score(counted([85.0] * 100, [*(row.total for row in rows), *picked]), sampled(rows)[1][0, None])
    assert (found.method, found.n, found.left_out) == ("combined", 10, 6)
    assert found.value == pytest.approx(77.5)


def test_what_is_always_taken_stands_for_itself_alone():
    """Ten certain calls that were scored 40, ten of ninety others, scored 80: the mean of all is 76."""
    rows = [drawn(n, 40, 50, 1.0, stratum="unusual") for n in range(10)]
    rows += [drawn(10 + n, 80, 90, 1 / 9, stratum="all") for n in range(10)]
    found = score(counted([50.0] * 10 + [90.0] * 90, [row.total for row in rows]), sampled(rows)[1][0, None])
    assert (found.method, found.value) == ("drawn", pytest.approx(76))
    # every one was put right by as much, so how far it may be off cannot be told from that; people's own mean can


def test_a_call_that_two_plans_drew_is_one_and_likelier():
    rows = [drawn(n, 70 + n, 90, 0.5) for n in range(8)]
    again = [row._replace(stratum=("other", "all")) for row in rows]
    lines, whole = sampled([*rows, *again])
    assert lines[0, "8031"].scores.chances == whole[0, None].scores.chances == [0.75] * 8


def test_what_is_not_reviewed_yet_makes_the_rest_less_likely():
    rows = [drawn(n, 70, 90, 1.0, reviewed=n < 5) for n in range(10)]
    (found,) = sampled(rows)[0].values()
    assert found.scores.chances == [0.5] * 5


def test_calls_without_a_score_or_a_proposal_tell_nothing():
    rows = [drawn(0, None, 80, 0.5), drawn(1, 80, 80, 0.5)._replace(proposed=None)]
    assert sampled(rows)[0][0, "8031"].scores.labels == []
    assert score(Counted(), None).value is None
