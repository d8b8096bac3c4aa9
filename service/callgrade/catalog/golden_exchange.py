"""Golden sets to carry about: JSON lines for calls and labels, CSV for the labels alone, each read back as it was.

A cell that begins like a formula would be one in a spreadsheet: it gets an apostrophe in front, and so does one that
begins with an apostrophe, so that reading can take it off again (OWASP, CSV injection).
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pydantic import Field, ValidationError

from callgrade.catalog.faults import Fault
from callgrade.catalog.golden_labels import SCHEMA, parse_labels, read_label, written
from callgrade.catalog.placing import readable
from callgrade.domain.errors import GoldenSetError
from callgrade.domain.golden import GoldenCall, Label

CALL_SCHEMA: Literal["callgrade.golden-call/1"] = "callgrade.golden-call/1"
COLUMNS = ("call", "rubric", "rater", "rater_kind", "kind", "blind", "at", "criterion", "outcome", "quotes", "note")
REST = "*"
"""In the column `criterion`: every other one."""
_UNSAFE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")
_SAID = COLUMNS[:7] + COLUMNS[10:]
"""What is the same in all rows of a label."""


class CallLine(GoldenCall):
    """A golden call as a line: with the name of its shape."""

    schema_: Literal["callgrade.golden-call/1"] = Field(CALL_SCHEMA, alias="schema")


def to_jsonl(calls: Iterable[GoldenCall], labels: Iterable[Label]) -> Iterator[str]:
    """Lines without their ends, the calls first."""
    for call in calls:
        content = call.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        yield json.dumps({"schema": CALL_SCHEMA, **content}, ensure_ascii=False)
    yield from map(written, labels)


def from_jsonl(text: str, source: str) -> tuple[list[GoldenCall], list[Label]]:
    """Raises GoldenSetError that names every fault with its line."""
    calls, labels, faults = [], [], []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if CALL_SCHEMA not in line[:100]:
            found, wrong = parse_labels(line, source, first_line=number)
            labels += [placed.label for placed in found]
            faults += wrong
            continue
        call, wrong = _call(line, source, number)
        faults += wrong
        calls += [call] if call is not None else []
    if faults:
        raise GoldenSetError(source, tuple(map(str, faults)))
    return calls, labels


def to_csv(labels: Iterable[Label]) -> bytes:
    """One row a label and criterion, with a byte-order mark, by which spreadsheets know UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for label in labels:
        writer.writerows([_safe(row[column]) for column in COLUMNS] for row in _rows(label))
    return text.getvalue().encode("utf-8-sig")


def from_csv(raw: bytes, source: str) -> list[Label]:
    """Labels by their rows, which stand together or not. Raises GoldenSetError with the line of each fault; a line is
    that of the last cell's end, where a note has several."""
    try:
        reader = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True)
        rows = [(reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error):
        raise GoldenSetError(source, (str(Fault(file=source, message="is no CSV in UTF-8")),)) from None
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        told = Fault(file=source, message=f"lacks the column(s) {', '.join(missing)}")
        raise GoldenSetError(source, (str(told),))
    gathered: dict[tuple[str, ...], tuple[int, dict[str, Any]]] = {}
    faults: list[Fault] = []
    for line, row in rows:
        try:
            cells = {column: _plain(row[column]) for column in COLUMNS}
            _gather(gathered.setdefault(tuple(cells[c] for c in _SAID), (line, _begun(cells)))[1], cells)
        except (ValueError, TypeError, KeyError):
            faults.append(
                Fault(file=source, line=line, message="is no label", suggestion="outcome and quotes are JSON")
            )
    labels = []
    for line, data in gathered.values():
        label, wrong = read_label(data, source, line)
        faults += wrong
        labels += [label] if label is not None else []
    if faults:
        raise GoldenSetError(source, tuple(map(str, sorted(faults, key=lambda fault: fault.line))))
    return labels


def _rows(label: Label) -> Iterator[dict[str, str]]:
    same = {
        "call": label.call,
        "rubric": label.rubric,
        "rater": label.rater,
        "rater_kind": label.rater_kind,
        "kind": label.kind,
        "blind": "yes" if label.blind else "no",
        "at": "" if label.at is None else label.model_dump(mode="json")["at"],
        "note": label.note,
    }
    said: dict[str, Any] = {**label.judgements, **({} if label.rest is None else {REST: label.rest})}
    named = dict.fromkeys([*said, *label.quotes]) or {"": None}
    for criterion in named:
        outcome = json.dumps(said[criterion], ensure_ascii=False) if criterion in said else ""
        quotes = json.dumps(label.quotes[criterion], ensure_ascii=False) if criterion in label.quotes else ""
        yield {**same, "criterion": criterion, "outcome": outcome, "quotes": quotes}


def _begun(cells: dict[str, str]) -> dict[str, Any]:
    blind = {"yes": True, "no": False}[cells["blind"]]
    named = {name: cells[name] for name in ("call", "rubric", "rater", "rater_kind", "kind", "note")}
    moment = {"at": cells["at"]} if cells["at"] else {}
    return {"schema": SCHEMA, **named, **moment, "blind": blind, "judgements": {}, "quotes": {}}


def _gather(label: dict[str, Any], cells: dict[str, str]) -> None:
    criterion = cells["criterion"]
    if cells["outcome"]:
        outcome = json.loads(cells["outcome"])
        if criterion == REST:
            label["rest"] = outcome
        elif criterion in label["judgements"]:
            raise ValueError("said twice")
        else:
            label["judgements"][criterion] = outcome
    if cells["quotes"]:
        label["quotes"][criterion] = json.loads(cells["quotes"])


def _call(line: str, source: str, number: int) -> tuple[GoldenCall | None, list[Fault]]:
    try:
        data: Any = json.loads(line)
    except (ValueError, RecursionError):
        return None, [Fault(file=source, line=number, message="is no JSON", suggestion="one call or label a line")]
    try:
        call = CallLine.model_validate(data)
    except ValidationError as error:
        # the place and the kind: what stands there may be somebody's words
        wrong = [(readable(tuple(one["loc"]), data), one["type"]) for one in error.errors(include_url=False)]
        return None, [Fault(file=source, line=number, path=at, message=told.replace("_", " ")) for at, told in wrong]
    return GoldenCall(**{name: getattr(call, name) for name in GoldenCall.model_fields}), []


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_UNSAFE) else cell


def _plain(cell: str | None) -> str:
    return (cell or "").removeprefix("'")
