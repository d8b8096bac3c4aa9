"""Days, weeks, months (also from the 21st to the 20th), quarters, half-years and years, in the call centre's own time.

Source: the standards' programmes (`domain/programme.py`); the catalogue's `periods-and-levels`.
"""

from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime

from callgrade.domain.frozen import Frozen
from callgrade.domain.programme import Period

MONTHS: dict[str, int] = {"month": 1, "quarter": 3, "half-year": 6, "year": 12}


class Span(Frozen):
    """From `since`, up to but without `until`. `first` and `last` are the days of both ends, `last` included."""

    since: AwareDatetime
    until: AwareDatetime
    first: date
    last: date

    def __contains__(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


def span_of(period: Period, moment: datetime, zone: ZoneInfo) -> Span:
    """The period in which a moment lies. A project has no end of its own: raises ValueError for one."""
    day = moment.astimezone(zone).date()
    return between(*_days(period, day), zone)


def previous(period: Period, span: Span, zone: ZoneInfo) -> Span:
    """The period just before."""
    return between(*_days(period, span.first - timedelta(days=1)), zone)


def between(first: date, last: date, zone: ZoneInfo) -> Span:
    """All of the days from `first` to `last`, both included. Raises ValueError where they stand the wrong way round."""
    if last < first:
        raise ValueError(f"{last} lies before {first}")
    return Span(since=_midnight(first, zone), until=_midnight(last + timedelta(days=1), zone), first=first, last=last)


def deadline(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The end of the day that lies `days` after the moment's: 0 is the same day, to midnight in `zone`."""
    return _midnight(moment.astimezone(zone).date() + timedelta(days=days + 1), zone)


def _days(period: Period, day: date) -> tuple[date, date]:
    unit: Literal["day", "week", "month", "quarter", "half-year", "year", "project"] = period.unit
    if unit == "day":
        return day, day
    if unit == "week":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    if unit not in MONTHS:
        raise ValueError("a project has no period of its own: name its first and last day")
    # a day before the first one belongs to the month before
    month = _months_later(day.replace(day=1), 0 if day.day >= period.first_day else -1)
    month = _months_later(month, -((month.month - 1) % MONTHS[unit]))
    first = month.replace(day=period.first_day)
    return first, _months_later(first, MONTHS[unit]) - timedelta(days=1)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return day.replace(year=year, month=month + 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
