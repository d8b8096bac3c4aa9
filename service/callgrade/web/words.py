"""Words, numbers and moments in the reader's language and the call centre's time zone.

Messages in templates and code are English; `locale/zh_CN.po` holds the Chinese and is read when it is first needed. Why
no compiled catalogue: reading this one takes some 20 ms once, and a file that nobody edits cannot be forgotten.
"""

import gettext as stdlib
import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from callgrade.db.types import now
from callgrade.evaluations.report import figures
from callgrade.evaluations.words import word
from callgrade.settings import Language

CATALOGUE = Path(__file__).parent / "locale" / "zh_CN.po"
LANGUAGES: dict[Language, str] = {"zh": "中文", "en": "English"}
"""Each by its own name, as people look for it."""
_LOCALES: dict[Language, str] = {"zh": "zh_Hans_CN", "en": "en_GB"}  # en_GB: days before months, 24 hours


def N_(message: str) -> str:  # noqa: N802
    """Marks a message for the catalogue that is translated later, where a reader is known."""
    return message


@lru_cache
def translations(language: Language) -> stdlib.NullTranslations:
    """What the catalogue says; English messages stand for themselves."""
    if language == "en":
        return stdlib.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="zh_CN")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return stdlib.GNUTranslations(compiled)


class Words:
    """One reader's. `zone` is where days begin and end; `clock` says what "ago" counts from."""

    def __init__(self, language: Language, zone: ZoneInfo, clock: Callable[[], datetime] = now):
        from babel import Locale

        self.language: Language = language
        self.zone, self._clock = zone, clock
        self.catalogue = translations(language)
        self._locale = Locale.parse(_LOCALES[language])

    def gettext(self, message: str, **values: object) -> str:
        """`_("%(n)s calls", n=3)`."""
        said = self.catalogue.gettext(message)
        return said % values if values else said

    def ngettext(self, one: str, many: str, number: int, **values: object) -> str:
        """`%(num)s` is the number."""
        return self.catalogue.ngettext(one, many, number) % {"num": self.number(number), **values}

    def word(self, key: str, **values: object) -> str:
        """A word that pages share with the command line: `evaluations.words`."""
        return word(key, self.language, **values)

    def number(self, value: Any) -> str:
        """`1,234.5`: three places at most, and a real minus sign."""
        from babel.numbers import format_decimal

        text: str = format_decimal(value, locale=self._locale)
        return text.replace("-", "−")

    def points(self, value: Any) -> str:
        """`87`, `−2.5`: two places at most."""
        return figures.number(float(value))

    def percent(self, share: float, places: int = 0) -> str:
        """`42%` from 0.42."""
        from babel.numbers import format_percent

        text: str = format_percent(share, f"#,##0{'.' if places else ''}{'0' * places}%", locale=self._locale)
        return text

    def day(self, moment: date | datetime) -> str:
        """`2026年11月1日`, `1 Nov 2026`."""
        return _day(moment.astimezone(self.zone).date() if isinstance(moment, datetime) else moment, self.language)

    def moment(self, moment: datetime) -> str:
        """`2026年11月1日 09:30`: in full, for titles and single facts."""
        return f"{self.day(moment)} {self.time(moment)}"

    def time(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%H:%M}"

    def when(self, moment: datetime) -> str:
        """As short as it can be understood today, for rows: `09:30`, `11月1日 09:30`, `2025年11月1日`."""
        local, here = moment.astimezone(self.zone), self._clock().astimezone(self.zone)
        if local.date() == here.date():
            return self.time(moment)
        if local.year == here.year:
            return f"{_day_of_the_year(local.date(), self.language)} {self.time(moment)}"
        return self.day(moment)

    def ago(self, moment: datetime) -> str:
        """`3分钟前`, `in 2 hours`: the largest unit only."""
        from babel.dates import format_timedelta

        passed = moment - self._clock()
        return str(format_timedelta(passed, add_direction=True, threshold=1.2, locale=self._locale))

    def lasting(self, span: timedelta | float) -> str:
        """`2小时`, `45 seconds`, from a span or from seconds: the largest unit only."""
        from babel.dates import format_timedelta

        span = span if isinstance(span, timedelta) else timedelta(seconds=span)
        return str(format_timedelta(span, threshold=1.2, locale=self._locale))

    def clock(self, milliseconds: int) -> str:
        """`0:41.2`: a place in a call, the same in all languages."""
        return figures.clock(milliseconds)


@lru_cache(maxsize=4096)
def _day(day: date, language: Language) -> str:
    # a page of fifty rows says a hundred of them, most of them the same few
    from babel.dates import format_date

    return str(format_date(day, "medium", locale=_LOCALES[language]))


@lru_cache(maxsize=4096)
def _day_of_the_year(day: date, language: Language) -> str:
    from babel.dates import format_skeleton

    return str(format_skeleton("MMMd", day, locale=_LOCALES[language]))


@lru_cache
def words_in(language: Language, zone: str) -> Words:
    """Made once a language: its tables are read from files."""
    return Words(language, ZoneInfo(zone))
