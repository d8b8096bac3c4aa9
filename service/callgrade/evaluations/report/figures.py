"""Numbers and moments as people read them on a page."""

from typing import NamedTuple

from callgrade.domain.numbers import shown
from callgrade.domain.scorecards import Amount
from callgrade.evaluations.words import word


def number(value: float) -> str:
    """`87` from 87.0, `−2.5` from -2.5: two places at most, and a real minus sign."""
    text = shown(value).removesuffix(".0").replace("-", "−")
    return "0" if text == "−0" else text


def signed(value: float) -> str:
    """`+10`, `−2.5`, `0`."""
    return f"+{number(value)}" if value > 0 else number(value)


def percent(share: float) -> str:
    return f"{share:.0%}"


def clock(milliseconds: int) -> str:
    """`0:41.2` from 41200, `1:02:03.4` past the hour. Cut off, not rounded: a time never points past its moment."""
    tenths = milliseconds // 100
    hours, minutes, seconds = tenths // 36_000, tenths // 600 % 60, tenths % 600
    end = f"{seconds // 10:02d}.{seconds % 10}"
    return f"{hours}:{minutes:02d}:{end}" if hours else f"{minutes}:{end}"


def amount_in_words(amount: Amount, language: str) -> str:
    """`87 / 100`; `35–62 / 100` while it is open; `at most 62 / 100` where nothing bounds it; why there is none."""
    if amount.high is None:
        return word(f"amount.{amount.reason or 'nothing_applicable'}", language)
    value = _value(amount, amount.high, language)
    return f"{value} / {number(amount.max)}" if amount.max else value


def _value(amount: Amount, high: float, language: str) -> str:
    if amount.value is not None:
        return number(amount.value)
    if amount.low is None:
        return word("at_most", language, high=number(high))
    # a dash after a minus sign reads as another minus sign
    dash = "–" if amount.low >= 0 else " … "
    return number(high) if amount.low == high else f"{number(amount.low)}{dash}{number(high)}"


class Bar(NamedTuple):
    """The filled part of a bar in per cent of its width, and whether it stands for one value or for an interval."""

    start: float
    length: float
    settled: bool


def bar(amount: Amount) -> Bar | None:
    """A settled value fills from the left, an interval between its ends; None where there is nothing to fill."""
    if amount.value is not None:
        return filled(amount.value, amount.max)
    if amount.high is None or amount.max <= 0:
        return None
    start = _within(amount.low or 0.0, amount.max)
    return Bar(round(start, 2), round(_within(amount.high, amount.max) - start, 2), settled=False)


def filled(value: float | None, full: float) -> Bar | None:
    return None if value is None or full <= 0 else Bar(0.0, round(_within(value, full), 2), settled=True)


def _within(value: float, full: float) -> float:
    return min(100.0, max(0.0, 100.0 * value / full))
