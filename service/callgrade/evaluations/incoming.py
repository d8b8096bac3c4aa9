"""A body as the lines of a batch: NDJSON as it is, CSV row by row as the NDJSON it means. In constant memory.

Numbers are the body's own, from 1, so that whoever sent it finds the line; a CSV file's header is one of them.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from callgrade.calls.manifest import Entry, Fault, Line, read_csv
from callgrade.calls.urls import Sources
from callgrade.domain.errors import InputError, TranscriptError

LONGEST_LINE = 10_000_000
Pull = Callable[[], bytes]
"""The next piece of the body; empty at its end."""


Lines = Iterable[tuple[int, bytes | InputError]]
"""(number, the line without its end, or what is wrong with it). Blank lines are left out."""


class Incoming(NamedTuple):
    """`lines` from the number `first` on."""

    first: int
    lines: Lines


Reads = Callable[[Pull], Incoming]


def read_ndjson(pull: Pull) -> Incoming:
    """Lines are not looked into: what is wrong with one is found when it is worked off."""
    return Incoming(1, (_held(line) for line in lines_of(pull)))


def csv_reader_of(sources: Sources) -> Reads:
    """Of a list of recordings: see calls.manifest. A row is read as it comes in, since it needs the header."""

    def read(pull: Pull) -> Incoming:
        """Raises ManifestError at once for a header that makes no sense of any row."""
        header_at, rows = read_csv(lines_of(pull), sources)
        return Incoming(header_at + 1, (_as_json(row) for row in rows))

    return read


def lines_of(pull: Pull, *, longest: int = LONGEST_LINE) -> Iterator[Line]:
    """(line number from 1, line without its end); None in the place of a line of more than `longest` bytes.

    Blank lines are passed over and counted. Memory stays below two pieces and one line.
    """
    number, parts, size = 1, list[bytes](), 0
    while piece := pull():
        begin = 0
        while (end := piece.find(b"\n", begin)) >= 0:
            size += end - begin
            line = None if size > longest else b"".join((*parts, piece[begin:end])).strip()
            if line != b"":
                yield number, line
            number, parts, size, begin = number + 1, [], 0, end + 1
        size += len(piece) - begin
        parts = [] if size > longest else [*parts, piece[begin:]]
    line = None if size > longest else b"".join(parts).strip()
    if line != b"":
        yield number, line


def _held(numbered: Line) -> tuple[int, bytes | InputError]:
    number, line = numbered
    if line is not None:
        return number, line
    return number, TranscriptError(f"is longer than {LONGEST_LINE} bytes", source=f"line {number}")


def _as_json(row: Entry | Fault) -> tuple[int, bytes | InputError]:
    if isinstance(row, Fault):
        return row.line, row.error
    return row.line, row.entry.model_dump_json(by_alias=True, exclude_unset=True).encode()
