"""A list of recordings by URL: NDJSON, or CSV with a header. Each line is an entry or a fault, and stops no other.

    {"audio_url": "https://storage.example/C-00001.wav", "call_id": "C-00001", "agent": {"id": "8031"}, …}

    audio_url,call_id,started_at,agent.id,agent.team,facts.direction
    https://storage.example/C-00001.wav,C-00001,2026-11-01T09:30:00+08:00,8031,sales-2,outbound

An entry is one line, in CSV too: no field holds a line break. So a quote that is never closed spoils its own line only,
and a million lines are read one at a time. Lines count from 1, the header's among them.
"""

import csv
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import Field, JsonValue, StringConstraints, ValidationError

from callgrade.calls.metadata import RecordingMetadata, require_storable
from callgrade.calls.texts import may_hold_unstorable, require_whole
from callgrade.calls.urls import LONGEST_URL, Sources, UrlRefusedError, file_name_of
from callgrade.domain.errors import InputError, TranscriptError

Line = tuple[int, bytes | None]
"""Its number, and its bytes without the line's end; None in the place of one that is too long."""
ANY_PUBLIC = Sources()
DELIMITERS = ",;\t"
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "audio_url": ("audio_url",),
    "call_id": ("call_id",),
    "channel": ("channel",),
    "language": ("language",),
    "started_at": ("started_at",),
    "ended_at": ("ended_at",),
    "agent.id": ("agent", "id"),
    "agent_id": ("agent", "id"),
    "agent.team": ("agent", "team"),
    "team": ("agent", "team"),
    "customer.id": ("customer", "id"),
    "customer_id": ("customer", "id"),
    "queue": ("queue",),
    "agent_channel": ("agent_channel",),
    "priority": ("priority",),
}
"""And `facts.<name>` for any fact: true, false, a number or a JSON list where it reads as one, else text."""


class ManifestError(InputError):
    """A line of a manifest that is none. Its message repeats no value."""


_COLUMNS = ("call_id", "channel", "language", "started_at", "ended_at", "queue", "facts")


class ManifestEntry(RecordingMetadata):
    """A recording to be fetched, and what is said of its call: a transcript's fields without turns."""

    audio_url: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_URL)]
    priority: Annotated[int, Field(ge=0, le=9)] = 0
    """More is sooner."""

    @property
    def columns(self) -> dict[str, Any]:
        """What a database will be given."""
        parties = {
            f"{side}.{name}": value
            for side, party in (("agent", self.agent), ("customer", self.customer))
            if party
            for name, value in (("id", party.id), ("team", party.team))
        }
        return {**{name: getattr(self, name) for name in _COLUMNS}, **parties}

    @property
    def metadata(self) -> RecordingMetadata:
        """What `calls.service.submit_recording` is given; called as in the URL where it has no name of its own."""
        fields = {name: getattr(self, name) for name in RecordingMetadata.model_fields}
        return RecordingMetadata.model_construct(
            **{**fields, "file_name": self.file_name or file_name_of(self.audio_url)}
        )


class Entry(NamedTuple):
    line: int
    entry: ManifestEntry


class Fault(NamedTuple):
    line: int
    error: InputError


def read_csv(lines: Iterable[Line], sources: Sources = ANY_PUBLIC) -> tuple[int, Iterator[Entry | Fault]]:
    """(the header's number, every line below it as it comes). Blank lines are passed over.

    Raises ManifestError at once for a header that makes no sense of any line.
    """
    numbered = ((number, line) for number, line in lines if line is None or line.strip())
    header_at, header = next(numbered, (0, b""))
    read = csv_reader(header)
    return header_at, (read_line(number, line, sources, read) for number, line in numbered)


def read_line(
    number: int, line: bytes | None, sources: Sources = ANY_PUBLIC, read: "Callable[[str], Any] | None" = None
) -> Entry | Fault:
    """One line; `read` takes it apart (`csv_reader(header)`), by default as JSON.

    Names are not resolved here: a host that turns out to be private is refused when it is connected to.
    """
    try:
        fields = (read or _fields_of_json)(_text(line))
        if may_hold_unstorable(line or b""):
            require_whole(fields)
        entry = ManifestEntry.model_validate(fields)
        sources.target(entry.audio_url)
        require_storable(entry.columns)
    except ValidationError as error:
        return Fault(number, ManifestError(_explain(error)))
    except UrlRefusedError as error:
        return Fault(number, UrlRefusedError(f"audio_url: {error}"))
    except (ManifestError, TranscriptError) as error:
        return Fault(number, error)
    return Entry(number, entry)


def csv_reader(header: bytes | None) -> Callable[[str], dict[str, Any]]:
    """What takes apart the lines below `header`. Raises ManifestError for a header without audio_url and call_id, with
    a column that means nothing, or with one twice."""
    text = _text(header)
    delimiter = max(DELIMITERS, key=text.count)
    names = [name.strip().lower() if not _is_fact(name) else name.strip() for name in _cells(text, delimiter)]
    places = [_place(name) for name in names]
    for needed in ("audio_url", "call_id"):
        if (needed,) not in places:
            raise ManifestError(f"the header names no column {needed}; it is the first line: audio_url,call_id,…")
    if len(set(places)) < len(places):
        raise ManifestError("the header names a column twice")

    def read(line: str) -> dict[str, Any]:
        cells = _cells(line, delimiter)
        if len(cells) != len(places):
            raise ManifestError(f"has {len(cells)} fields, and the header {len(places)}")
        return _placed(places, cells)

    return read


def _is_fact(name: str) -> bool:
    return name.strip().lower().startswith("facts.")


def _place(name: str) -> tuple[str, ...]:
    if _is_fact(name) and (fact := name[len("facts.") :]):
        return ("facts", fact)
    if name not in COLUMNS:
        known = ", ".join(COLUMNS)
        raise ManifestError(f"the header names a column that means nothing here; there are {known} and facts.<name>")
    return COLUMNS[name]


def _placed(places: list[tuple[str, ...]], cells: list[str]) -> dict[str, Any]:
    """An empty cell is a field left out."""
    fields: dict[str, Any] = {}
    for place, cell in zip(places, (cell.strip() for cell in cells), strict=True):
        if not cell:
            continue
        if place[0] == "facts":
            fields.setdefault("facts", {})[place[1]] = _fact(cell)
        elif len(place) == 2:
            fields.setdefault(place[0], {})[place[1]] = cell
        else:
            fields[place[0]] = cell
    return fields


def _fact(cell: str) -> JsonValue:
    if cell.lower() in ("true", "false"):
        return cell.lower() == "true"
    try:
        value: JsonValue = _json(cell)
    except (ValueError, RecursionError):
        return cell
    return value


def _json(text: str) -> Any:
    """Raises ValueError for what is no JSON, numbers beyond all bounds included: Python would read them as infinite."""
    return json.loads(text, parse_constant=_finite, parse_float=_finite)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        raise ManifestError("is no line of CSV: a quote is not closed, or stands where none may") from None


def _fields_of_json(text: str) -> Any:
    try:
        fields = _json(text)
    except (ValueError, RecursionError):
        raise ManifestError("is no JSON") from None
    if not isinstance(fields, dict):
        raise ManifestError("is no JSON object")
    return fields


def _text(line: bytes | None) -> str:
    if line is None:
        raise ManifestError("is too long")
    try:
        return line.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        raise ManifestError("is not UTF-8 text; save the file as UTF-8") from None


def _explain(error: ValidationError) -> str:
    faults = error.errors(include_url=False, include_input=False, include_context=False)
    # an unknown field's name is the sender's own text: it may be anything
    told = [
        "has a field that means nothing here"
        if fault["type"] == "extra_forbidden"
        else f"{'.'.join(str(part) for part in fault['loc'] if part in _FIELDS) or 'entry'}: {fault['msg']}"
        for fault in faults[:5]
    ]
    more = len(faults) - len(told)
    return "; ".join(dict.fromkeys(told)) + (f"; and {more} more" if more > 0 else "")


_FIELDS = frozenset(ManifestEntry.model_fields) | {"id", "team"}
