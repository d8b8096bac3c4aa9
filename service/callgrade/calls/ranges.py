"""Parts of a stored recording, so that a player can jump in it (RFC 9110, 14)."""

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from callgrade.domain.errors import RequestError

PIECE = 262_144
_ONE_RANGE = re.compile(r"bytes=(?P<first>[0-9]{0,18})-(?P<last>[0-9]{0,18})")


class RangeNotSatisfiableError(RequestError):
    status = 416

    def __init__(self, size: int):
        self.size = size
        super().__init__(f"the recording has {size} bytes; the range begins behind them")


class Span(NamedTuple):
    """Bytes [first, last], both counted."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def wanted_span(header: str | None, size: int) -> Span | None:
    """The range that is asked for; None for the whole. Several ranges, and what is no range, mean the whole.

    Raises RangeNotSatisfiableError for one that lies outside.
    """
    found = _ONE_RANGE.fullmatch(header.strip()) if header else None
    if found is None or not (found["first"] or found["last"]):
        return None
    if not found["first"]:
        length = min(int(found["last"]), size)
        if length == 0:
            raise RangeNotSatisfiableError(size)
        return Span(size - length, size - 1)
    first, last = int(found["first"]), int(found["last"] or size - 1)
    if found["last"] and last < first:
        return None
    if first >= size:
        raise RangeNotSatisfiableError(size)
    return Span(first, min(last, size - 1))


def pieces(stream: BinaryIO, span: Span) -> Iterator[bytes]:
    """The span's bytes. Closes the stream, also when the reader goes away."""
    with stream:
        stream.seek(span.first)
        left = span.length
        while left > 0 and (piece := stream.read(min(PIECE, left))):
            left -= len(piece)
            yield piece
