"""What came of a batch: how far it is, and the result of each line, in the order of the lines.

A line whose call was evaluated before, by another line, batch or request, has that evaluation's result. A line that
names a recording is among the results from the beginning, with its evaluation's status.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlmodel import Session

from callgrade.db.session import Database
from callgrade.db.tables import Batch
from callgrade.evaluations.statuses import OPEN
from callgrade.evaluations.tables import BATCH, BATCH_CHUNK, BATCH_FAULT, CALL, EVALUATION, SCORECARD

LINES_A_PAGE = 250
_ELSEWHERE = BATCH_FAULT.c.error["evaluation_id"].as_string()


class Tally(NamedTuple):
    """`proposed`, `failed`, `cancelled` and `pending` add up to `total`. `faulty` of the failed lines were no calls;
    `parked` of those that are pending wait for a model that is down."""

    total: int
    proposed: int
    failed: int
    cancelled: int
    pending: int
    parked: int
    faulty: int


class Line(NamedTuple):
    """`scorecard` as it is stored; `call_id` the client's own, None where the line could not be read that far."""

    line: int
    call_id: str | None
    evaluation_id: str | None
    status: str
    scorecard: str | None
    error: dict[str, Any] | None


def list_batches(session: Session, client_id: str, *, after: str | None, limit: int) -> tuple[Sequence[Batch], bool]:
    """(the newest first, before the id `after`; whether there are more)."""
    statement = select(Batch).where(BATCH.c.client_id == client_id)
    if after is not None:
        statement = statement.where(BATCH.c.id < after)
    rows = session.execute(statement.order_by(BATCH.c.id.desc()).limit(limit + 1)).scalars().all()
    return rows[:limit], len(rows) > limit


def tally(session: Session, batch: Batch) -> Tally:
    """By counting: the lines themselves are the only truth about how many there are."""
    own = select(EVALUATION.c.status, func.count()).where(EVALUATION.c.batch_id == batch.id)
    counts: Counter[str] = Counter()
    for status, count in session.execute(own.group_by(EVALUATION.c.status)):
        counts[status] = count
    faulty = 0
    if batch.faulty:
        elsewhere = (
            select(EVALUATION.c.status, func.count())
            .select_from(BATCH_FAULT)
            .outerjoin(EVALUATION, EVALUATION.c.id == _ELSEWHERE)
            .where(BATCH_FAULT.c.batch_id == batch.id)
            .group_by(EVALUATION.c.status)
        )
        for status, count in session.execute(elsewhere):
            if status is None:
                faulty = count
            else:
                counts[status] += count
    graded = counts["proposed"] + counts["in_review"] + counts["published"]
    failed = counts["failed"] + faulty
    left = max(0, batch.total - graded - failed - counts["cancelled"])
    ended = batch.status in ("cancelled", "incomplete")
    still_open = sum(counts[status] for status in OPEN) if ended else left
    cancelled = counts["cancelled"] + (left - still_open)
    parked = counts["parked"] + (0 if ended else _parked_in_chunks(session, batch.id))
    return Tally(batch.total, graded, failed, cancelled, still_open, min(parked, still_open), faulty)


def _parked_in_chunks(session: Session, batch_id: str) -> int:
    at_work = (BATCH_CHUNK.c.batch_id == batch_id, BATCH_CHUNK.c.status == "queued")
    return int(session.execute(select(func.coalesce(func.sum(BATCH_CHUNK.c.parked), 0)).where(*at_work)).scalar_one())


def lines(database: Database, batch: Batch, after: int = 0) -> Iterator[Line]:
    """Those that have a result by now, in short sessions of their own."""
    while True:
        with database.reading() as session:
            page = _page(session, batch.id, after)
        yield from page
        if len(page) < LINES_A_PAGE:
            return
        after = page[-1].line


def _page(session: Session, batch_id: str, after: int) -> list[Line]:
    graded = session.execute(
        _with_card()
        .where(EVALUATION.c.batch_id == batch_id, EVALUATION.c.line > after)
        .order_by(EVALUATION.c.line)
        .limit(LINES_A_PAGE)
    ).all()
    faults = session.execute(
        select(BATCH_FAULT.c.line, BATCH_FAULT.c.error)
        .where(BATCH_FAULT.c.batch_id == batch_id, BATCH_FAULT.c.line > after)
        .order_by(BATCH_FAULT.c.line)
        .limit(LINES_A_PAGE)
    ).all()
    elsewhere = _elsewhere(session, (fault.error.get("evaluation_id") for fault in faults))
    found = [_line(row.line, row) for row in graded]
    for fault in faults:
        named = elsewhere.get(fault.error.get("evaluation_id", ""))
        found.append(_line(fault.line, named) if named else Line(fault.line, None, None, "failed", None, fault.error))
    return sorted(found)[:LINES_A_PAGE]


def _with_card() -> Any:
    here = (SCORECARD.c.evaluation_id == EVALUATION.c.id) & (SCORECARD.c.attempt == EVALUATION.c.attempt)
    return (
        select(
            EVALUATION.c.id,
            EVALUATION.c.line,
            EVALUATION.c.status,
            EVALUATION.c.error,
            CALL.c.call_id,
            SCORECARD.c.content,
        )
        .join(CALL, CALL.c.id == EVALUATION.c.call_id)
        .outerjoin(SCORECARD, here)
    )


def _elsewhere(session: Session, ids: Iterable[str | None]) -> dict[str, Any]:
    wanted = [id_ for id_ in ids if id_]
    if not wanted:
        return {}
    return {row.id: row for row in session.execute(_with_card().where(EVALUATION.c.id.in_(wanted)))}


def _line(number: int, row: Any) -> Line:
    return Line(number, row.call_id, row.id, row.status, row.content, row.error)
