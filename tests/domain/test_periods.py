from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callgrade.domain.periods import between, deadline, previous, span_of
from callgrade.domain.programme import Period

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
UNITS = ["day", "week", "month", "quarter", "half-year", "year"]
MOMENTS = st.integers(10**9, 4 * 10**9).map(lambda second: datetime.fromtimestamp(second, UTC))


@pytest.mark.parametrize(
    ("unit", "first_day", "day", "first", "last"),
    [
        ("day", 1, date(2026, 11, 22), date(2026, 11, 22), date(2026, 11, 22)),
        ("week", 1, date(2026, 11, 22), date(2026, 11, 16), date(2026, 11, 22)),
        ("month", 1, date(2024, 2, 29), date(2024, 2, 1), date(2024, 2, 29)),
        ("month", 21, date(2026, 11, 20), date(2026, 10, 21), date(2026, 11, 20)),
        ("month", 21, date(2026, 11, 21), date(2026, 11, 21), date(2026, 12, 20)),
        ("month", 21, date(2026, 1, 5), date(2025, 12, 21), date(2026, 1, 20)),
        ("quarter", 1, date(2026, 5, 31), date(2026, 4, 1), date(2026, 6, 30)),
        ("half-year", 1, date(2026, 7, 1), date(2026, 7, 1), date(2026, 12, 31)),
        ("year", 1, date(2026, 12, 31), date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_the_period_of_a_day(unit, first_day, day, first, last):
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=SHANGHAI)
    span = span_of(Period(unit=unit, first_day=first_day), noon, SHANGHAI)
    assert (span.first, span.last) == (first, last)
    assert noon in span


def test_a_day_begins_at_the_call_centres_midnight():
    # half past midnight in Shanghai is still the day before in UTC
    moment = datetime(2026, 10, 31, 16, 30, tzinfo=UTC)
    assert span_of(Period(unit="month"), moment, SHANGHAI).first == date(2026, 11, 1)
    assert span_of(Period(unit="month"), moment, ZoneInfo("UTC")).first == date(2026, 10, 1)


@given(MOMENTS, st.sampled_from(UNITS))
def test_periods_leave_no_gap_and_do_not_overlap(moment, unit):
    period = Period(unit=unit, first_day=21 if unit == "month" else 1)
    span = span_of(period, moment, BERLIN)
    assert moment in span
    assert span.until not in span
    before = previous(period, span, BERLIN)
    assert before.until == span.since
    assert span_of(period, span.until, BERLIN).since == span.until


def test_a_day_of_twenty_five_hours_is_one_day():
    span = between(date(2026, 10, 25), date(2026, 10, 25), BERLIN)
    assert span.until.astimezone(UTC) - span.since.astimezone(UTC) == timedelta(hours=25)


@pytest.mark.parametrize(
    ("days", "until"), [(0, datetime(2026, 11, 22, tzinfo=SHANGHAI)), (3, datetime(2026, 11, 25, tzinfo=SHANGHAI))]
)
def test_a_deadline_is_the_end_of_its_day(days, until):
    assert deadline(datetime(2026, 11, 21, 23, 59, tzinfo=SHANGHAI), days, SHANGHAI) == until


def test_what_is_no_period_is_refused():
    with pytest.raises(ValueError, match="project"):
        span_of(Period(unit="project"), datetime(2026, 1, 1, tzinfo=UTC), SHANGHAI)
    with pytest.raises(ValueError, match="before"):
        between(date(2026, 1, 2), date(2026, 1, 1), SHANGHAI)
