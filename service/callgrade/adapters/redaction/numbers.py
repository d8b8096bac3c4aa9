"""Which runs of digits are somebody's number, whatever stands around them."""

import re
from functools import cache
from itertools import pairwise
from typing import Any

from callgrade.adapters.redaction import digits, tables
from callgrade.adapters.redaction.digits import Group
from callgrade.adapters.redaction.spans import OPAQUE, Span
from callgrade.adapters.redaction.tables import BANK_CARD, ID_CARD, NUMBER, PHONE
from callgrade.adapters.redaction.variants import both

LONG = 7
"""So many digits in a row are a number of somebody or something, if nothing says that they are an amount or a date."""
_LONGEST = 21

_MOBILE = re.compile(r"1[3-9]\d{9}")
_ABROAD_MOBILE = re.compile(r"(?:00)?86(?=1[3-9]\d{9}\Z)")
_LANDLINE = re.compile(r"0(?:10|2\d)\d{8}|0[3-9]\d{2}\d{7,8}")
_SERVICE = re.compile(r"[48]00\d{7}")
_CARD = re.compile(f"(?:{tables.CARD_PREFIX})\\d+")
_IDENTITY_CARD = re.compile(r"[1-8]\d{5}(?:18|19|20)\d\d[01]\d[0-3]\d{4}[\dX]")
_DATE = re.compile(r"(?:19|20)\d\d[-/._ ]?(?:0?[1-9]|1[0-2])[-/._ ]?(?:0?[1-9]|[12]\d|3[01])(?!\d)")
_ROUND = re.compile(r"[1-9]\d{0,3}0{4,}")
_YEAR = re.compile(r"(?:19|20)\d\d")
_TYPED_ONLY = re.compile(f"[{tables.TYPED_JOINTS}呃嗯啊额哦唔]*")
_LISTING = ",，、。"
_MISHEARD_MOBILE = re.compile(r"[3-9]\d{9}")
# a placeholder may stand where a unit stood, and redacting twice must change nothing
HARD_UNIT_AFTER = re.compile(f"{both(tables.UNIT)}|{OPAQUE}")
UNIT_AFTER = re.compile(f"{both(tables.UNIT)}|{both(tables.SOFT_UNIT)}|{OPAQUE}")
_BEFORE_AMOUNT = tables.BEFORE_AMOUNT + OPAQUE


def kind_of(number: str) -> str | None:
    """The kind that the digits themselves prove: by numbering plan, checksum or birth date."""
    size = len(number)
    if size == 11 and _MOBILE.fullmatch(number):
        return PHONE
    if size in (10, 11, 12) and (_LANDLINE.fullmatch(number) or _SERVICE.fullmatch(number)):
        return PHONE
    if size in (13, 15) and _ABROAD_MOBILE.match(number):
        return PHONE
    if size in (15, 18) and _is_identity_card(number):
        return ID_CARD
    if 15 <= size <= 19 and _CARD.fullmatch(number) and _is_luhn(number):
        return BANK_CARD
    return None


def proven(text: str, groups: list[Group]) -> tuple[list[Span], list[list[Group]]]:
    """The proven numbers among neighbouring groups, and the stretches of groups between them."""
    spans: list[Span] = []
    rest: list[list[Group]] = [[]]
    at = 0
    while at < len(groups):
        found = _longest_at(text, groups, at)
        if found is None:
            rest[-1].append(groups[at])
            at += 1
        else:
            span, at = found
            spans.append(span)
            rest.append([])
    return spans, [stretch for stretch in rest if stretch]


def _longest_at(text: str, groups: list[Group], at: int) -> tuple[Span, int] | None:
    number, found = "", None
    start = groups[at].start
    international = start > 0 and text[start - 1] in "+＋加"
    for after in range(at + 1, min(len(groups), at + _LONGEST) + 1):
        group = groups[after - 1]
        number += group.digits
        if len(number) > _LONGEST:
            break
        end, kind = group.end, kind_of(number)
        if kind is None and len(number) == 17 and (tail := digits.X_TAIL.match(text, end)):
            end, kind = tail.end(), kind_of(number + "X")
        if kind == ID_CARD and len(number) == 15 and not _grouped_as_one(groups[at:after]):
            kind = None
        if kind is None and _is_foreign(text, number, groups[at:after], international):
            kind = PHONE
        if kind is not None:
            begin = start
            if prefix := _ABROAD_MOBILE.match(number):
                # the country's code stays, so that the same mobile has one placeholder with and without it
                begin = _place_of(groups[at:after], prefix.end())
            found = Span(begin, end, kind, ""), after
            if kind == PHONE and after == at + 1 and not (after < len(groups) and groups[after].start == end):
                return found
    if found is None:
        return _misheard_mobile(text, groups, at)
    return found


def _grouped_as_one(groups: list[Group]) -> bool:
    """Few groups or single digits: an old identity card has no checksum, and a list of numbers may hold a date."""
    return len(groups) <= 5 or all(len(group.digits) == 1 for group in groups)


def _misheard_mobile(text: str, groups: list[Group], at: int) -> tuple[Span, int] | None:
    start = groups[at].start
    if start == 0 or text[start - 1] not in tables.MISHEARD_ONE:
        return None
    number = ""
    for after in range(at + 1, len(groups) + 1):
        number += groups[after - 1].digits
        if len(number) >= 10:
            matched = _MISHEARD_MOBILE.fullmatch(number)
            return (Span(start - 1, groups[after - 1].end, PHONE, ""), after) if matched else None
    return None


def _place_of(groups: list[Group], count: int) -> int:
    """The offset of digit number `count`."""
    for group in groups:
        if count < len(group.digits):
            return group.start + count
        count -= len(group.digits)
    return groups[-1].end


def unproven(text: str, stretch: list[Group]) -> tuple[list[Span], list[list[Group]]]:
    """Numbers that are merely long (a misheard digit spoils every checksum), and the pieces that are not even that."""
    if _long_when_joined(text, stretch):
        return [Span(stretch[0].start, _with_x(text, stretch), NUMBER, "")], []
    spans: list[Span] = []
    pieces: list[list[Group]] = [[]]
    for glued in _glued(stretch):
        if _is_long(text, glued):
            spans.append(Span(glued[0].start, _with_x(text, glued), NUMBER, ""))
            pieces.append([])
        else:
            pieces[-1].extend(glued)
    return spans, [piece for piece in pieces if piece]


def _with_x(text: str, groups: list[Group]) -> int:
    """The end of the groups, and of the X behind seventeen digits: an identity card, if a misheard one."""
    tail = digits.X_TAIL.match(text, groups[-1].end)
    return tail.end() if tail and sum(len(group.digits) for group in groups) == 17 else groups[-1].end


def _glued(stretch: list[Group]) -> list[list[Group]]:
    """Groups without a joint between them belong together: 138零零13."""
    out: list[list[Group]] = []
    for group in stretch:
        if out and out[-1][-1].end == group.start:
            out[-1].append(group)
        else:
            out.append([group])
    return out


def _is_long(text: str, glued: list[Group]) -> bool:
    number = "".join(group.digits for group in glued)
    if len(number) < LONG or is_amount(text, glued[0].start, glued[-1].end):
        return False
    typed = not any(group.spoken for group in glued)
    return not (typed and (_ROUND.fullmatch(number) or _DATE.fullmatch(number)))


def _long_when_joined(text: str, stretch: list[Group]) -> bool:
    """An identity card or bank card with a wrong digit, in groups. Lists of prices, years and dates are none."""
    size = sum(len(group.digits) for group in stretch)
    start, end = stretch[0].start, stretch[-1].end
    if len(stretch) < 2 or size < 11 or size > 2 * _LONGEST or is_amount(text, start, end):
        return False
    if all(group.spoken for group in stretch):
        return size >= 13
    joints = [text[a.end : b.start] for a, b in pairwise(stretch)]
    if not all(_TYPED_ONLY.fullmatch(joint) for joint in joints) or _DATE.search(text[start:end]):
        return False
    plain = all(group.digits.endswith("00") or _YEAR.fullmatch(group.digits) for group in stretch)
    return not plain and any(len(group.digits) >= 4 for group in stretch)


def is_amount(text: str, start: int, end: int) -> bool:
    """Whether what stands beside [start, end) makes its digits a sum, a time, a count, a decimal or an ordinal."""
    return UNIT_AFTER.match(text, end) is not None or follows_currency(text, start)


def follows_currency(text: str, start: int) -> bool:
    """Whether the character before `start` makes the digits a sum, a decimal or an ordinal: ￥, 第, 点, 百."""
    return start > 0 and text[start - 1] in _BEFORE_AMOUNT


# The libraries load slowly (stdnum 90 ms, phonenumbers 50 ms) and most calls hold no such number.
@cache
def _libraries() -> tuple[Any, Any]:
    from stdnum import luhn
    from stdnum.cn import ric

    return luhn, ric


def _is_luhn(number: str) -> bool:
    return bool(_libraries()[0].is_valid(number))


def _is_identity_card(number: str) -> bool:
    """18 characters with their checksum, or the 15 digits used before 1999, which lack century and checksum.

    Not `ric.is_valid`: that also looks the county up, and raises KeyError for a prefix it knows in part (stdnum 2.2).
    """
    old = len(number) == 15
    if old:
        number = f"{number[:6]}19{number[6:]}0"
    if not _IDENTITY_CARD.fullmatch(number):
        return False
    _, ric = _libraries()
    try:
        ric.get_birth_date(number)
    except ValueError:
        return False
    return old or bool(number[-1] == ric.calc_check_digit(number))


def _is_foreign(text: str, number: str, groups: list[Group], international: bool) -> bool:
    """A number with a plus sign that can be one, or a North American one in its usual groups that is valid."""
    national = [len(group.digits) for group in groups] in ([3, 3, 4], [1, 3, 3, 4]) and not any(
        group.spoken for group in groups
    )
    if national and not international:
        surface = text[groups[0].start : groups[-1].end]
        national = not any(mark in surface for mark in _LISTING)
    if not national and not (international and 8 <= len(number) <= 15):
        return False
    import phonenumbers

    try:
        parsed = phonenumbers.parse(f"+{number}" if international else number, None if international else "US")
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_possible_number(parsed) if international else phonenumbers.is_valid_number(parsed))
