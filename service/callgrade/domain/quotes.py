"""What a quote is made of: labels in front, lines, things left out."""

import re
from typing import NamedTuple

_SPEAKERS = "坐席|座席|客服|客户|顾客|用户|系统|agent|customer|system|unknown"
_LABEL = re.compile(  # blanks are bounded: unbounded ones in a row take forever on a page of blanks
    r"[\[(（【#]? ?(?:turn ?)?[0-9]{0,5} ?[\])）】.:：、]? ?"
    rf"(?:{_SPEAKERS}) ?[0-9]? ?[\])）】]? ?[:：] ?",
    re.IGNORECASE,
)
_LINE_BREAK = re.compile(r"[\r\n]+")
_ELLIPSIS = re.compile(r"[…⋯]+|\.{3,}|。{3,}")
_MOST_PARTS = 24


class Part(NamedTuple):
    text: str
    beside_ellipsis: bool
    """Something was left out next to it, so that a negation could have been."""


def without_label(quote: str) -> str:
    """`[7] 坐席：您好` → `您好`; a quote without a label stays as it is."""
    stripped = quote.lstrip()
    match = _LABEL.match(stripped)
    return stripped[match.end() :] if match else quote


def parts(quote: str) -> list[Part]:
    """The quote's lines, without labels, cut at ellipses. Parts without words are dropped; the 24th holds the rest."""
    found: list[Part] = []
    for line in _LINE_BREAK.split(quote):
        pieces = [piece.strip() for piece in _ELLIPSIS.split(without_label(line))]
        found.extend(Part(piece, len(pieces) > 1) for piece in pieces if any(c.isalnum() for c in piece))
    if len(found) > _MOST_PARTS:
        rest = "".join(part.text for part in found[_MOST_PARTS - 1 :])
        found[_MOST_PARTS - 1 :] = [Part(rest, beside_ellipsis=True)]
    return found
