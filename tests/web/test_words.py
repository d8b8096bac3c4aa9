"""Numbers, days and spans as each language writes them, in the call centre's own zone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from callgrade.web.words import Words

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.fixture
def zh() -> Words:
    return Words("zh", SHANGHAI, lambda: NOON)


@pytest.fixture
def en() -> Words:
    return Words("en", SHANGHAI, lambda: NOON)


def test_messages_carry_values(zh, en) -> None:
    assert zh.gettext("%(done)s of %(total)s", done=1, total=2) == "1 / 2"
    assert en.gettext("%(done)s of %(total)s", done=1, total=2) == "1 of 2"
    assert en.ngettext("%(num)s line is no call", "%(num)s lines are no calls", 1) == "1 line is no call"
    assert en.ngettext("%(num)s line is no call", "%(num)s lines are no calls", 1200) == "1,200 lines are no calls"
    assert zh.ngettext("%(num)s line is no call", "%(num)s lines are no calls", 1) == "有 1 行不是通话"


def test_numbers(zh, en) -> None:
    for words in (zh, en):
        assert words.number(1234567) == "1,234,567"
        assert words.number(-2.5) == "−2.5"
        assert words.points(Decimal("87.0000")) == "87"
        assert words.percent(0.4249) == "42%"
        assert words.percent(0.934, 1) == "93.4%"
        assert words.clock(41_250) == "0:41.2"


def test_a_day_begins_at_midnight_where_the_calls_are_taken(zh, en) -> None:
    late = datetime(2026, 11, 1, 16, 30, tzinfo=UTC)
    assert (zh.moment(late), en.moment(late)) == ("2026年11月2日 00:30", "2 Nov 2026 00:30")
    assert (zh.day(date(2026, 11, 1)), en.day(late)) == ("2026年11月1日", "2 Nov 2026")


def test_rows_say_no_more_than_is_needed_today(zh, en) -> None:
    assert zh.when(NOON - timedelta(hours=3)) == "09:00"
    assert (zh.when(NOON - timedelta(days=1)), en.when(NOON - timedelta(days=1))) == ("11月21日 12:00", "21 Nov 12:00")
    assert (zh.when(NOON - timedelta(days=400)), en.when(NOON - timedelta(days=400))) == (
        "2025年10月18日",
        "18 Oct 2025",
    )


def test_spans(zh, en) -> None:
    assert (zh.ago(NOON - timedelta(minutes=3)), en.ago(NOON + timedelta(hours=2))) == ("3分钟前", "in 2 hours")
    assert (zh.lasting(7200), en.lasting(timedelta(seconds=45))) == ("2小时", "45 seconds")
