"""Numbers and moments in words."""

import pytest

from callgrade.domain.scorecards import Amount
from callgrade.evaluations.report.figures import amount_in_words, bar, clock, number, signed


@pytest.mark.parametrize(
    ("value", "text"), [(87.0, "87"), (87.5, "87.5"), (33.335, "33.34"), (-10.0, "−10"), (0.0, "0"), (-0.0, "0")]
)
def test_numbers(value, text):
    assert number(value) == text


def test_signs():
    assert [signed(value) for value in (10.0, 0.0, -2.5)] == ["+10", "0", "−2.5"]


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0, "0:00.0"), (41_299, "0:41.2"), (61_050, "1:01.0"), (3_723_400, "1:02:03.4")]
)
def test_clock(milliseconds, text):
    assert clock(milliseconds) == text


def amount(value, low, high, full=100.0, reason=None):
    return Amount(value=value, low=low, high=high, max=full, reason=reason)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (amount(87.0, 87.0, 87.0), "87 / 100"),
        (amount(None, 35.0, 62.0), "35–62 / 100"),
        (amount(None, -5.0, 62.0), "−5 … 62 / 100"),
        (amount(None, None, 62.0, reason="unbounded_below"), "at most 62 / 100"),
        (amount(None, None, None, reason="nothing_applicable"), "nothing applies to this call"),
        # may still turn out not to apply at all, but is worth 5 if it does
        (amount(None, 5.0, 5.0, 5.0), "5 / 5"),
        (amount(-10.0, -10.0, -10.0, 0.0), "−10"),
    ],
)
def test_amounts(given, text):
    assert amount_in_words(given, "en") == text


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (amount(87.0, 87.0, 87.0), (0, 87, True)),
        (amount(None, 35.0, 62.0), (35, 27, False)),
        (amount(None, -20.0, 130.0), (0, 100, False)),
        (amount(None, None, 50.0), (0, 50, False)),
        (amount(-5.0, -5.0, -5.0), (0, 0, True)),
        (amount(0.0, 0.0, 0.0, 0.0), None),
        (amount(None, None, None), None),
    ],
)
def test_bars_stay_inside(given, expected):
    assert bar(given) == expected
