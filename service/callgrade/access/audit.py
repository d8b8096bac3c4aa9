"""The record of what was done, by whom, to what; and the chain that shows where it was changed.

`record` adds an event to the caller's transaction: what was done and its record are stored together or not at all.
`seal` chains what was recorded, client by client, and is to be called every minute or so, on as many hosts as one
likes. `verify` names everything that is no longer as it was sealed. How: see `chain`.

What it proves: any change of sealed rows that does not also rebuild all seals and receipts from there to the end. Who
can write to the whole database can rebuild a chain; so note `heads` outside it now and then, and hand them to `verify`:
then everything up to them is proved. What was never sealed is not: the last minute's events.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlmodel import Session

from callgrade.access import audit_repository as repository
from callgrade.access import chain
from callgrade.access.chain import RECEIPT, AuditFault, AuditHead, Event, Link, Receipt, Seal
from callgrade.access.facts import Fact, check_action, check_facts, check_subject
from callgrade.access.principals import Principal, system
from callgrade.db.types import now

__all__ = ["AuditFault", "AuditHead", "heads", "record", "seal", "verify"]

SEAL_SIZE = 500
"""Events in one seal: a receipt of 13 KB or so."""
AT_ONCE = 20
"""Seals of one client in one session, which on SQLite keeps all other writers waiting."""
PATIENCE_S = 2.0
FEW = 10_000


def record(
    session: Session,
    principal: Principal,
    action: str,
    subject: str,
    facts: Mapping[str, Fact] | None = None,
    *,
    at: datetime | None = None,
) -> None:
    """Append an event to the caller's transaction: `record(session, principal, "call.erased", call.id, {…})`.

    `action` is a word, `subject` the server's id of what it was done to, facts are ids, digests, versions, numbers,
    moments and short words (see `facts`). Raises ValueError or TypeError for anything else, which is a bug of the
    caller's: a chained event can never be taken back, so nothing may come in that would have to be.
    """
    if action == RECEIPT:
        raise ValueError(f"{RECEIPT} is what `seal` records")
    values = {"action": check_action(action), "subject": check_subject(subject), "facts": check_facts(facts or {})}
    repository.append(
        session, {"client_id": principal.client_id, "at": at or now(), "actor": principal.actor, **values}
    )


def seal(session: Session, client_id: str | None = None, *, patience_s: float = PATIENCE_S) -> int:
    """Chain what was recorded for a client, or for every client, and say how many events that were.

    0 may also mean that another host is at it, or that writers took longer than `patience_s` seconds to end their
    transactions (see `audit_repository.settled`): the next time will do. At most AT_ONCE * SEAL_SIZE a client at once.
    """
    waiting = repository.clients_to_seal(session, client_id)
    last = repository.settled(session, patience_s) if waiting else None
    if last is None:
        return 0
    return sum(_seal_client(session, client, last) for client in waiting)


def _seal_client(session: Session, client_id: str, last: int) -> int:
    if not repository.lock_chain(session, client_id):
        return 0
    sealed = 0
    for _ in range(AT_ONCE):
        link = repository.last_link(session, client_id)
        if not repository.has_unsealed(session, client_id, link, last):
            break  # receipts alone wait for company: otherwise each seal would call for another
        events = repository.events_between(session, client_id, link.last_event, last, limit=SEAL_SIZE)
        if not _add_seal(session, client_id, link, events):
            break
        sealed += len(events)
    return sealed


def _add_seal(session: Session, client_id: str, link: Link, events: Sequence[Event]) -> bool:
    new = Seal(
        row=0,
        client_id=client_id,
        number=link.number + 1,
        first_event=events[0].id,
        last_event=events[-1].id,
        events=len(events),
        previous=link.hash,
        hash="",
        sealed_at=now(),
    )
    made = repository.add_seal(session, new._replace(hash=chain.seal_hash(new, events)))
    if made is None:
        return False
    receipt = {"action": RECEIPT, "subject": made.hash, "facts": chain.receipt_facts(made, events)}
    repository.append(session, {"client_id": client_id, "at": now(), "actor": system(client_id).actor, **receipt})
    return True


def heads(session: Session, client_id: str | None = None) -> list[AuditHead]:
    """The last seal of each chain, to be noted outside the database. A client without seals has none."""
    links = [(client, repository.last_link(session, client)) for client in repository.clients(session, client_id)]
    return [AuditHead(client_id=client, number=link.number, hash=link.hash) for client, link in links if link.number]


def number_unsealed(session: Session, client_id: str | None = None) -> int:
    """Of events that no seal covers yet, so that nobody could tell whether they were changed."""
    return repository.number_unsealed(session, client_id)


def verify(session: Session, client_id: str | None = None, noted: Iterable[AuditHead] = ()) -> list[AuditFault]:
    """Everything about a client's events and seals, or everybody's, that is not as it was sealed.

    `noted` are heads from earlier: each must still stand in its chain. An empty list means that nothing was found.
    Takes time in proportion to all events; memory for one seal's.
    """
    faults = [fault for client in repository.clients(session, client_id) for fault in _Walk(session, client).faults()]
    return faults + [fault for head in noted for fault in _missing_head(session, head)]


def _missing_head(session: Session, head: AuditHead) -> Iterator[AuditFault]:
    found = repository.seal_numbered(session, head.client_id, head.number)
    if found is None:
        message = f"seal {head.number}, noted earlier, is gone"
        yield AuditFault(client_id=head.client_id, kind="seal_removed", seal=head.number, message=message)
    elif found.hash != head.hash:
        message = f"seal {head.number} is another one than was noted earlier: the chain was rebuilt up to it"
        yield AuditFault(client_id=head.client_id, kind="seal_replaced", seal=head.number, message=message)


class _Walk:
    """Along one client's chain. A fault is told once: what follows is measured by what the receipts say was there."""

    def __init__(self, session: Session, client_id: str):
        self._session = session
        self._client = client_id
        self._link = Link()
        self._told: set[int] = set()

    def faults(self) -> Iterator[AuditFault]:
        for found in repository.seals(self._session, self._client):
            if not _is_number(found.number):
                yield self._fault("seal_changed", None, f"the seal in row {found.row} was changed: its number is none")
                continue
            yield from self._gap(found)
            yield from self._seal(found)
        yield from self._tail()

    def _gap(self, found: Seal) -> Iterator[AuditFault]:
        first, last = self._link.number + 1, found.number - 1
        if first <= last:
            self._told.update(range(first, min(last + 1, first + FEW)))
            which = f"seal {first} is" if first == last else f"seals {first} to {last} are"
            yield self._fault("seal_removed", first, f"{which} gone")

    def _seal(self, found: Seal) -> Iterator[AuditFault]:
        before = self._link if found.number == self._link.number + 1 else None
        events = self._events(found, before)
        if chain.seal_hash(found, events) == found.hash:
            if before and found.previous != before.hash:
                self._told.add(found.number)
                message = f"seal {found.number} does not follow seal {before.number} as it stands: one was replaced"
                yield self._fault("seal_replaced", found.number, message)
            self._link = Link(found.number, found.hash, found.last_event)
        else:
            self._told.add(found.number)
            events = yield from self._trace(found, before)
        for event in events:
            if event.action == RECEIPT:
                yield from self._check_receipt(event)

    def _events(self, found: Seal, before: Link | None) -> list[Event]:
        """What a seal should cover: everything between the seal before and its last event."""
        if not all(map(_is_number, (found.first_event, found.last_event, found.events))):
            return []
        start = before.last_event if before else found.first_event - 1
        enough = (
            min(max(found.events, 0), FEW) + 1
        )  # one too many tells, and a forged last_event must not fetch them all
        return repository.events_between(self._session, self._client, start, found.last_event, limit=enough)

    def _trace(self, found: Seal, before: Link | None) -> Generator[AuditFault, None, list[Event]]:
        """What is wrong with a seal that does not fit; returns the events that are sound."""
        receipt = repository.find_receipt(self._session, self._client, found.number, self._link.last_event)
        if receipt is None:
            yield chain.seal_changed(found, "its hash does not cover its events, and its receipt is gone or changed")
            if before:
                last = found.last_event if _is_number(found.last_event) else before.last_event
                self._link = Link(found.number, found.hash, last)
            return []
        start = before.last_event if before else receipt.events[0][0] - 1
        events = repository.events_between(self._session, self._client, start, receipt.events[-1][0])
        self._link = Link(receipt.number, receipt.hash, receipt.events[-1][0])
        faults = [*chain.event_faults(found, events, receipt), *chain.seal_faults(found, receipt, before)]
        yield from faults or [chain.seal_changed(found, "its sealed_at is not what it was")]
        sound = set(receipt.events)
        return [event for event in events if (event.id, chain.event_digest(event)) in sound]

    def _tail(self) -> Iterator[AuditFault]:
        """Receipts that no seal covers yet are held to the rows they are of."""
        receipts = repository.receipts_after(self._session, self._client, self._link.last_event)
        for event in receipts:
            yield from self._check_receipt(event, closely=True)
        numbers = {receipt.number for event in receipts if (receipt := chain.parse_receipt(event.facts))}
        if self._link.number and self._link.number not in self._told | numbers:
            message = f"the receipt of seal {self._link.number}, the last one, is gone"
            yield self._fault("receipt_removed", self._link.number, message)

    def _check_receipt(self, event: Event, *, closely: bool = False) -> Iterator[AuditFault]:
        receipt = chain.parse_receipt(event.facts)
        if receipt is None:
            yield self._fault("event_changed", None, f"event {event.id}, a receipt, was changed", event.id)
            return
        if receipt.number in self._told:
            return
        made = repository.seal_numbered(self._session, self._client, receipt.number)
        if made is None:
            message = f"seal {receipt.number} is gone: event {event.id} is its receipt"
            yield self._fault("seal_removed", receipt.number, message)
        elif made.hash != receipt.hash:
            message = f"seal {receipt.number} is not the one that event {event.id} is the receipt of: it was made anew"
            yield self._fault("seal_replaced", receipt.number, message)
        elif made.row != receipt.row:
            yield chain.seal_changed(made, "its id is not what it was")
        elif closely and not self._agrees(receipt, made):
            message = f"event {event.id}, the receipt of seal {receipt.number}, was changed"
            yield self._fault("event_changed", receipt.number, message, event.id)

    def _agrees(self, receipt: Receipt, made: Seal) -> bool:
        first, last = receipt.events[0][0], receipt.events[-1][0]
        if (made.first_event, made.last_event, made.events) != (first, last, len(receipt.events)):
            return False
        events = repository.events_between(self._session, self._client, first - 1, last)
        return receipt.events == tuple((event.id, chain.event_digest(event)) for event in events)

    def _fault(self, kind: chain.Kind, seal: int | None, message: str, event: int | None = None) -> AuditFault:
        return AuditFault(client_id=self._client, kind=kind, seal=seal, event=event, message=message)


def _is_number(value: object) -> bool:
    """SQLite takes anything into a column of numbers."""
    return isinstance(value, int)
