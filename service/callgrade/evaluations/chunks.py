"""Batches and their chunks in the database: what is to be worked off, how far it is, and when it ends.

What the lines of a chunk come to is stored by traces.py.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select, update
from sqlmodel import Session

from callgrade.calls import awaiting
from callgrade.db.tables import Batch
from callgrade.db.types import now
from callgrade.domain.errors import ConflictError, UnknownResourceError
from callgrade.evaluations import outbox, releases
from callgrade.evaluations.outbox import BATCH_DONE, Event
from callgrade.evaluations.releases import Choice
from callgrade.evaluations.statuses import OPEN
from callgrade.evaluations.tables import BATCH, BATCH_CHUNK, BATCH_FAULT, EVALUATION

WORKING = ("receiving", "running")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk that is to be worked off. `done` are the lines that have left their trace already; `teams` are those of
    agents whose lines name none, as they are today."""

    batch_id: str
    number: int
    client_id: str
    blob: str
    first_line: int
    lines: int
    choice: Choice
    done: frozenset[int]
    parked: int
    teams: Mapping[str, str] = field(default_factory=dict)

    @property
    def numbers(self) -> range:
        return range(self.first_line, self.first_line + self.lines)


class Progress(NamedTuple):
    """How far a batch is. `total` grows until everything has come in. `faulty` lines were no calls, or no new ones."""

    status: str
    total: int
    proposed: int
    failed: int
    faulty: int
    pending: int


def open_chunk(session: Session, batch_id: str, number: int) -> Chunk | None:
    """None where there is nothing to do any more."""
    row = session.execute(
        select(BATCH, BATCH_CHUNK.c.blob, BATCH_CHUNK.c.first_line, BATCH_CHUNK.c.lines, BATCH_CHUNK.c.parked)
        .join(BATCH_CHUNK, BATCH_CHUNK.c.batch_id == BATCH.c.id)
        .where(BATCH.c.id == batch_id, BATCH_CHUNK.c.number == number)
        .where(BATCH.c.status.in_(WORKING), BATCH_CHUNK.c.status == "queued")
    ).one_or_none()
    if row is None:
        return None
    return Chunk(
        batch_id=batch_id,
        number=number,
        client_id=row.client_id,
        blob=row.blob,
        first_line=row.first_line,
        lines=row.lines,
        choice=_choice(session, row),
        done=_done(session, batch_id, row.first_line, row.lines),
        parked=row.parked,
    )


def is_wanted(session: Session, batch_id: str, number: int) -> bool:
    """Whether the chunk is still to be worked off."""
    return session.execute(_wanted(batch_id, number)).first() is not None


def hold_wanted(session: Session, batch_id: str, number: int) -> bool:
    """The same, and until the session ends its batch is not cancelled."""
    held = _wanted(batch_id, number).with_for_update(read=True, key_share=True, of=BATCH)
    return session.execute(held).first() is not None


def tell_parked(session: Session, batch_id: str, number: int, parked: int) -> None:
    mine = (BATCH_CHUNK.c.batch_id == batch_id, BATCH_CHUNK.c.number == number)
    session.execute(update(BATCH_CHUNK).where(*mine).values(parked=parked))


def finish(session: Session, batch_id: str, number: int) -> None:
    """Marks a chunk done and, with the last piece of work, its batch."""
    # two last chunks that end at once must see each other
    _lock(session, batch_id)
    session.execute(
        update(BATCH_CHUNK)
        .where(BATCH_CHUNK.c.batch_id == batch_id, BATCH_CHUNK.c.number == number, BATCH_CHUNK.c.status == "queued")
        .values(status="done", parked=0)
    )
    _end(session, batch_id)


def received(session: Session, batch_id: str, total: int) -> None:
    """Everything has come in: `total` lines."""
    _lock(session, batch_id)
    session.execute(
        update(BATCH).where(BATCH.c.id == batch_id, BATCH.c.status == "receiving").values(status="running", total=total)
    )
    _end(session, batch_id)


def end(session: Session, batch_id: str) -> None:
    """Marks a batch done where nothing of it is left; to be called in a session of its own, after what ended last has
    been stored. Of several who call it one finds it so."""
    _lock(session, batch_id)
    _end(session, batch_id)


def evaluations_left(session: Session, batch_id: str) -> bool:
    """Whether the machine is still at work on single lines: recordings."""
    return session.execute(_at_work(batch_id).limit(1)).first() is not None


def ended_ones(session: Session, limit: int) -> list[str]:
    """Batches of which nothing is left, and which nobody has marked done: whoever ended the last of it died, or it was
    erased or cancelled."""
    left = select(BATCH_CHUNK.c.number).where(BATCH_CHUNK.c.batch_id == BATCH.c.id, BATCH_CHUNK.c.status == "queued")
    wanted = select(BATCH.c.id).where(BATCH.c.status == "running", ~left.exists(), ~_at_work(BATCH.c.id).exists())
    return list(session.execute(wanted.limit(limit)).scalars())


def cancel_batch(session: Session, client_id: str, batch_id: str) -> Batch:
    """What is stored stays; what is not will not be. Raises UnknownResourceError, ConflictError where it is done."""
    batch = find_batch(session, client_id, batch_id)
    _lock(session, batch_id)
    session.refresh(batch)
    if batch.status == "done":
        raise ConflictError("the batch is done and cannot be cancelled any more")
    session.execute(
        update(BATCH_CHUNK)
        .where(BATCH_CHUNK.c.batch_id == batch_id, BATCH_CHUNK.c.status == "queued")
        .values(status="cancelled", parked=0)
    )
    session.execute(
        update(EVALUATION)
        .where(EVALUATION.c.batch_id == batch_id, EVALUATION.c.status.in_(OPEN))
        .values(status="cancelled", updated_at=now(), finished_at=now())
    )
    awaiting.drop_unwanted(session, EVALUATION.c.batch_id == batch_id)
    session.execute(
        update(BATCH)
        .where(BATCH.c.id == batch_id, BATCH.c.status.in_(WORKING))
        .values(status="cancelled", finished_at=now())
    )
    session.refresh(batch)
    return batch


def find_batch(session: Session, client_id: str, batch_id: str) -> Batch:
    """Raises UnknownResourceError, for another client's batch too."""
    batch = session.get(Batch, batch_id)
    if batch is None or batch.client_id != client_id:
        raise UnknownResourceError("there is no such batch")
    return batch


def progress(session: Session, batch: Batch) -> Progress:
    """By counting: the lines themselves are the only truth about how many there are."""
    counts: Counter[str] = Counter()
    for status, number in session.execute(
        select(EVALUATION.c.status, func.count()).where(EVALUATION.c.batch_id == batch.id).group_by(EVALUATION.c.status)
    ):
        counts[status] = number
    graded = counts["proposed"] + counts["in_review"] + counts["published"]
    faulty = session.execute(
        select(func.count()).select_from(BATCH_FAULT).where(BATCH_FAULT.c.batch_id == batch.id)
    ).scalar_one()
    pending = max(0, batch.total - graded - counts["failed"] - counts["cancelled"] - faulty)
    return Progress(batch.status, batch.total, graded, counts["failed"], faulty, pending)


def open_chunks(session: Session, limit: int, after: tuple[str, int] = ("", -1)) -> list[tuple[str, int]]:
    """Chunks that are still to be worked off, by batch and number."""
    batch_id, number = after
    later = (BATCH_CHUNK.c.batch_id > batch_id) | (
        (BATCH_CHUNK.c.batch_id == batch_id) & (BATCH_CHUNK.c.number > number)
    )
    rows = session.execute(
        select(BATCH_CHUNK.c.batch_id, BATCH_CHUNK.c.number)
        .join(BATCH, BATCH.c.id == BATCH_CHUNK.c.batch_id)
        .where(BATCH.c.status.in_(WORKING), BATCH_CHUNK.c.status == "queued", later)
        .order_by(BATCH_CHUNK.c.batch_id, BATCH_CHUNK.c.number)
        .limit(limit)
    )
    return [(row.batch_id, row.number) for row in rows]


def _end(session: Session, batch_id: str) -> None:
    """The batch is done when everything has come in, no chunk is left, and no recording under way."""
    left = (
        select(BATCH_CHUNK.c.number)
        .where(BATCH_CHUNK.c.batch_id == batch_id, BATCH_CHUNK.c.status == "queued")
        .exists()
    )
    ended = session.execute(
        update(BATCH)
        .where(BATCH.c.id == batch_id, BATCH.c.status == "running", ~left, ~_at_work(batch_id).exists())
        .values(status="done", finished_at=now())
        .returning(BATCH.c.client_id)
    ).scalar_one_or_none()
    if ended is not None:
        outbox.tell(session, ended, [Event(BATCH_DONE, batch_id, 1, {"batch_id": batch_id})])


def _choice(session: Session, batch: Any) -> Choice:
    reference = f"{batch.rubric_id}@{batch.rubric_version}"
    if batch.releases is None:
        return Choice(releases.choose(session, batch.client_id, reference, at=batch.created_at), {})
    return releases.pinned(session, batch.releases, reference)


def _wanted(batch_id: str, number: int) -> Select[Any]:
    return (
        select(BATCH_CHUNK.c.number)
        .join(BATCH, BATCH.c.id == BATCH_CHUNK.c.batch_id)
        .where(BATCH_CHUNK.c.batch_id == batch_id, BATCH_CHUNK.c.number == number)
        .where(BATCH.c.status.in_(WORKING), BATCH_CHUNK.c.status == "queued")
    )


def _at_work(batch_id: Any) -> Select[Any]:
    return select(EVALUATION.c.id).where(EVALUATION.c.batch_id == batch_id, EVALUATION.c.status.in_(OPEN))


def _lock(session: Session, batch_id: str) -> None:
    session.execute(select(BATCH.c.id).where(BATCH.c.id == batch_id).with_for_update())


def _done(session: Session, batch_id: str, first_line: int, lines: int) -> frozenset[int]:
    found: set[int] = set()
    for table in (EVALUATION, BATCH_FAULT):
        span = table.c.line.between(first_line, first_line + lines - 1)
        found.update(session.execute(select(table.c.line).where(table.c.batch_id == batch_id, span)).scalars())
    return frozenset(found)
