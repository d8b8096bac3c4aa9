"""The arithmetic of the audit chain: what a seal's hash covers, and what has changed where it does not fit. No I/O.

A seal covers a run of a client's events in the order of their ids. Its hash is the SHA-256 of lines, joined by line
feeds: first the seal itself (client, number, first and last event, how many, the hash before it, its moment), then one
line an event with all its columns. A line is canonical JSON: keys sorted, no blanks, UTF-8, moments in UTC to the
microsecond. The first seal has number 1 and "" before it.

After each seal comes its receipt: an event that holds the seal's hash and a short digest of each event in it. It is
sealed with the events that follow, and is there for two things: a last seal that is removed is missed (nothing else
points at it), and a hash that does not fit, which says only that something changed, can be traced to what changed.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from callgrade.domain.frozen import Frozen

RECEIPT = "audit.sealed"

Kind = Literal[
    "event_changed",
    "event_removed",
    "event_added",
    "event_moved",
    "seal_changed",
    "seal_removed",
    "seal_replaced",
    "receipt_removed",
]


class AuditFault(Frozen):
    """One thing that is not as it was sealed."""

    client_id: str
    kind: Kind
    seal: int | None = None
    """The seal's number."""
    event: int | None = None
    """The event's id."""
    message: str

    def __str__(self) -> str:
        return f"client {self.client_id}: {self.message}"


class AuditHead(Frozen):
    """The last seal of a chain. Noted where the database's owner cannot reach, it holds all that came before."""

    client_id: str
    number: int
    hash: str


class Event(NamedTuple):
    """`at` is None for a row that can no longer be read, which no sound row is."""

    id: int
    client_id: str
    at: datetime | None
    actor: str
    action: str
    subject: str
    facts: Any


class Seal(NamedTuple):
    """`row` is the database's own number of the seal. What can no longer be read is None."""

    row: int
    client_id: str
    number: int
    first_event: int
    last_event: int
    events: int
    previous: str
    hash: str
    sealed_at: datetime | None


class Receipt(NamedTuple):
    row: int
    number: int
    hash: str
    events: tuple[tuple[int, str], ...]
    """(id, digest) of each event, in order."""


class Link(NamedTuple):
    """Where the chain stands before the next seal."""

    number: int = 0
    hash: str = ""
    last_event: int = -(2**63)
    """Below any id there can be, so that no event put in front of the first one goes unseen."""


def canonical(value: Mapping[str, Any]) -> str:
    # bytes, say, come only out of a row that somebody changed by hand: they must not fit, and must not raise either
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=repr)


def seal_hash(seal: Seal, events: Sequence[Event]) -> str:
    """64 hexadecimal digits; the seal's own `hash` and `row` do not count."""
    head = {
        "client": seal.client_id,
        "number": seal.number,
        "first_event": seal.first_event,
        "last_event": seal.last_event,
        "events": seal.events,
        "previous": seal.previous,
        "sealed_at": _moment(seal.sealed_at),
    }
    return _sha256("\n".join([canonical(head), *(_line(event, with_id=True) for event in events)]))


def event_digest(event: Event) -> str:
    """16 hexadecimal digits over all but the id, so that an event is known again under another one."""
    return _sha256(_line(event, with_id=False))[:16]


def receipt_facts(seal: Seal, events: Sequence[Event]) -> dict[str, Any]:
    digests = [[event.id, event_digest(event)] for event in events]
    return {"seal": seal.number, "row": seal.row, "hash": seal.hash, "events": digests}


def parse_receipt(facts: Any) -> Receipt | None:
    """None for what is no receipt."""
    try:
        events = tuple((int(id_), str(digest)) for id_, digest in facts["events"])
        return Receipt(int(facts["row"]), int(facts["seal"]), str(facts["hash"]), events) if events else None
    except (KeyError, TypeError, ValueError):
        return None


def event_faults(seal: Seal, found: Sequence[Event], receipt: Receipt) -> Iterator[AuditFault]:
    """How the events in a seal's range differ from those that were sealed."""
    sealed = dict(receipt.events)
    here = {event.id: event_digest(event) for event in found}
    origin = {digest: id_ for id_, digest in receipt.events}

    def fault(kind: Kind, id_: int, message: str) -> AuditFault:
        return AuditFault(client_id=seal.client_id, kind=kind, seal=receipt.number, event=id_, message=message)

    for id_, digest in sealed.items():
        if id_ not in here:
            yield fault("event_removed", id_, f"event {id_}, sealed by seal {receipt.number}, is gone")
        elif here[id_] != digest and here[id_] in origin:
            other = origin[here[id_]]
            yield fault("event_moved", id_, f"event {id_} holds what seal {receipt.number} has as event {other}")
        elif here[id_] != digest:
            yield fault("event_changed", id_, f"event {id_} was changed after seal {receipt.number}")
    for id_ in here.keys() - sealed.keys():
        yield fault("event_added", id_, f"event {id_} was put among the events of seal {receipt.number} afterwards")


def seal_faults(seal: Seal, receipt: Receipt, before: Link | None) -> Iterator[AuditFault]:
    """Which columns of a seal are not as its receipt has them. `before` is None where the seal before is missing."""
    expected = {
        "first_event": receipt.events[0][0],
        "last_event": receipt.events[-1][0],
        "events": len(receipt.events),
        "hash": receipt.hash,
        "row": receipt.row,
    }
    if before is not None:
        expected["previous"] = before.hash
    for column, value in expected.items():
        if getattr(seal, column) != value:
            yield seal_changed(seal, f"its {column} is not what it was")


def seal_changed(seal: Seal, how: str) -> AuditFault:
    message = f"seal {seal.number} was changed: {how}"
    return AuditFault(client_id=seal.client_id, kind="seal_changed", seal=seal.number, message=message)


def _line(event: Event, *, with_id: bool) -> str:
    line = {
        "at": _moment(event.at),
        "client": event.client_id,
        "actor": event.actor,
        "action": event.action,
        "subject": event.subject,
        "facts": event.facts,
    }
    return canonical({"id": event.id, **line} if with_id else line)


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="microseconds") if at else None


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
