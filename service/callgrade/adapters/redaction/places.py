"""Addresses, vehicle plates and mail."""

import re

from callgrade.adapters.redaction import digits, tables
from callgrade.adapters.redaction.digits import DIGIT
from callgrade.adapters.redaction.spans import Lines, Span, places
from callgrade.adapters.redaction.tables import ADDRESS, EMAIL, PLATE
from callgrade.adapters.redaction.variants import both

ANSWER_TURNS = 3
"""Turns after a question for the address in which even one part of an address is taken."""
BEFORE, AFTER = 24, 48
"""Characters looked at around what looks like a part of an address."""

_HAN = f"(?:(?![{tables.NOT_IN_PLACE}])[\u4e00-\u9fff])"
_NUMBER = f"(?:[\\d{digits.SPOKEN}十百]{{1,8}}|[甲乙丙丁A-Za-z])"
_UNITS = f"{tables.AREA_UNITS}|{tables.PART_UNITS}|{tables.ROAD_UNITS}"
_HOUSE = both(f"(?:[甲乙丙东西南北A-Za-z]?{_NUMBER}(?:[-－之]{_NUMBER})?(?:{tables.HOUSE_UNITS}))")
_NAMED = both(f"(?:(?:{_HAN}|[A-Za-z\\d]){{1,6}}?(?:{_UNITS}))")
_PART = f"(?:{_HOUSE}|{_NAMED})"
_JOINT = "[，,、 \u3000]?"
_ADDRESS = re.compile(f"{_PART}(?:{_JOINT}{_PART})*(?:{_JOINT}{_NUMBER}(?![\\d{digits.SPOKEN}元块月年天次]))?")
_PARTS = re.compile(f"(?P<house>{_HOUSE})|(?P<named>{_NAMED})")
_AREA = re.compile(both(f"(?:{tables.AREA_UNITS})\\Z"))
_SUBUNIT = re.compile(both("(?:号院|号楼|栋|幢|座|单元|楼|层|室|户|房)\\Z"))
# Two cheap looks for a part of an address, before the long pattern is tried around it. Each begins with one class,
# which the engine can skip to.
_HOUSE_HINT = re.compile(
    both(f"[\\d{digits.SPOKEN}十百A-Za-z](?:号院|号楼|栋|幢|单元|室|弄|座|号(?![线窗码卡机客坐座话])(?<![十月]号))")
)
_AREA_HINT = re.compile(both("[省市区县旗镇乡州][\u4e00-\u9fff]{1,8}?(?:区|县|镇|乡|路|街|道|村)"))
_CUE_BEFORE = re.compile(f"(?:{'|'.join(tables.ADDRESS_CUES)}){tables.ADDRESS_LINK}\\Z")


def find_addresses(text: str, lines: Lines) -> list[Span]:
    """Two parts or more, one of them finer than a county; after a cue or a question, one part is enough."""
    asked = lines.after((at for word in tables.ASKS_ADDRESS for at in places(text, word)), ANSWER_TURNS)
    hints = [match.span() for pattern in (_HOUSE_HINT, _AREA_HINT) for match in pattern.finditer(text)]
    hints += [(at, at + len(cue)) for cue in tables.ADDRESS_CUES for at in places(text, cue)]
    hints += [lines.bounds(line) for line in asked]
    spans: list[Span] = []
    done = seen = 0
    for start, end in sorted(hints):
        line = lines.number(start)
        low, high = lines.bounds(line)
        if start < done or end <= seen:
            continue
        last, high = high, min(high, end + AFTER)
        for match in _ADDRESS.finditer(text, max(low, done, start - BEFORE), high):
            cued = _CUE_BEFORE.search(text, max(low, match.start() - 8), match.start()) is not None
            if _is_address(match[0], cued, line in asked):
                spans.append(Span(match.start(), match.end(), ADDRESS, ""))
                done = match.end()
        seen = last if high == last else high - BEFORE
    return spans


def _is_address(surface: str, cued: bool, asked: bool) -> bool:
    areas = fine = houses = subunits = 0
    for part in _PARTS.finditer(surface):
        if part["house"]:
            houses += 1
            subunits += bool(_SUBUNIT.search(part[0]))
        elif part[0] in tables.NOT_PLACES or part[0][-2:] in tables.NOT_PLACES:
            continue
        elif _AREA.search(part[0]):
            areas += 1
        else:
            fine += 1
    if asked or (cued and (areas or fine)):
        return areas + fine + houses > 0
    return bool(
        (fine and (areas or houses or fine > 1))
        or (areas and houses)
        or (subunits > 1 and not re.search("[，,、]", surface))
    )


_PLATE = re.compile(
    f"[{tables.PLATE_PROVINCES}] ?[A-HJ-NP-Za-hj-np-zＡ-ＨＪ-ＮＰ-Ｚ][·•.\\- ]?"
    f"(?P<serial>(?:(?:{DIGIT}|[A-HJ-NP-Za-hj-np-zＡ-ＨＪ-ＮＰ-Ｚ挂学警港澳]) ?){{5,6}})(?![A-Za-z]|{DIGIT})"
)
_LOCAL = f"[A-Za-z0-9._%+\\-\\d{digits.SPOKEN}]"
_MAIL = re.compile(
    f"{_LOCAL}+(?:(?:点|(?i: dot )){_LOCAL}+)* ?(?:{tables.MAIL_AT}) ?"
    f"[A-Za-z0-9\\-\\d{digits.SPOKEN}]+(?:(?: ?(?:{tables.MAIL_DOT}) ?)[A-Za-z0-9\\-]+){{1,3}}"
)


def find_plates(text: str) -> list[Span]:
    """粤B12345 and its longer form for electric cars, spoken digits included. Three digits at least: 新APP is none."""
    return [
        Span(match.start(), match.start() + len(match[0].rstrip(" ")), PLATE, "")
        for match in _PLATE.finditer(text)
        if len(re.findall(DIGIT, match["serial"])) >= 3
    ]


def find_mail(text: str) -> list[Span]:
    """Written addresses, and dictated ones: 三七二一零五艾特某某点com."""
    if not ("@" in text or "＠" in text or "艾特" in text or " dot " in text):
        return []
    return [Span(match.start(), match.end(), EMAIL, "") for match in _MAIL.finditer(text)]
