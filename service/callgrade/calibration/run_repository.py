"""Calibration runs and what the judge made of each call."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import func, select, update
from sqlmodel import Session

from callgrade.access.principals import Principal
from callgrade.calibration.tables import GOLDEN_CALL
from callgrade.db.tables import BlindLook, CalibrationItem, CalibrationRun
from callgrade.db.tables.core import table_of
from callgrade.domain.errors import UnknownResourceError
from callgrade.reviews.repository import insert_missing

RUN = table_of(CalibrationRun)
ITEM = table_of(CalibrationItem)
LOOK = table_of(BlindLook)
MOST_LISTED = 200


class StoredItem(NamedTuple):
    """`name`: the golden call's id within its set; `scorecard` None where nothing came of it, or it was erased."""

    name: str
    sample: int
    scorecard: str | None
    usage: dict[str, Any]
    model_reported: str | None


def find(session: Session, principal: Principal, run_id: str) -> CalibrationRun:
    """By its id, or by the beginning of it where only one begins so. Raises UnknownResourceError."""
    mine = RUN.c.client_id == principal.client_id
    rows = session.execute(select(CalibrationRun).where(mine, RUN.c.id.startswith(run_id, autoescape=True)).limit(2))
    found = [row[0] for row in rows]
    if len(found) != 1 or not run_id:
        raise UnknownResourceError("there is no such calibration run")
    run: CalibrationRun = found[0]
    return run


def runs(
    session: Session,
    principal: Principal,
    rubric_id: str | None = None,
    limit: int = MOST_LISTED,
    *,
    before: str | None = None,
) -> list[CalibrationRun]:
    """The newest first, and of these those after the run `before`."""
    statement = select(CalibrationRun).where(RUN.c.client_id == principal.client_id)
    if rubric_id is not None:
        statement = statement.where(RUN.c.rubric_id == rubric_id)
    if before is not None:
        statement = statement.where(RUN.c.id < before)
    return list(session.execute(statement.order_by(RUN.c.id.desc()).limit(limit)).scalars())


def unfinished(session: Session, principal: Principal, same: Mapping[str, Any]) -> CalibrationRun | None:
    """The newest run of the same by the same that is not done."""
    statement = select(CalibrationRun).where(RUN.c.client_id == principal.client_id, RUN.c.status != "done")
    for name, value in same.items():
        column = RUN.c[name]
        statement = statement.where(column.is_(None) if value is None else column == value)
    return session.execute(statement.order_by(RUN.c.id.desc()).limit(1)).scalars().first()


def add(session: Session, run: CalibrationRun) -> CalibrationRun:
    session.add(run)
    session.flush()
    return run


def change(session: Session, run_id: str, **values: Any) -> None:
    session.execute(update(RUN).where(RUN.c.id == run_id).values(**values))


def move(session: Session, run_id: str, among: Collection[str], **values: Any) -> bool:
    """As `change`, where the run's status is `among` these; says whether it was."""
    statement = update(RUN).where(RUN.c.id == run_id, RUN.c.status.in_(among)).values(**values)
    result: Any = session.execute(statement)
    return bool(result.rowcount)


def queue_again(session: Session, run_id: str) -> None:
    """A run that ended before it was done waits again; one that is under way goes on."""
    move(session, run_id, ("failed", "cancelled"), status="queued", ended_at=None, error=None)


def how_many_judged(session: Session, run_id: str) -> int:
    statement = select(func.count()).select_from(ITEM).where(ITEM.c.run_id == run_id)
    return int(session.execute(statement).scalar_one())


def newest_paid(session: Session, principal: Principal, rubric_id: str, model: str | None) -> CalibrationRun | None:
    """The newest run that is done, of a rubric by a model, that says what it cost."""
    statement = select(CalibrationRun).where(
        RUN.c.client_id == principal.client_id,
        RUN.c.rubric_id == rubric_id,
        RUN.c.model_asked == model,
        RUN.c.status == "done",
    )
    rows = session.execute(statement.order_by(RUN.c.id.desc()).limit(20)).scalars()
    return next((row for row in rows if row.items and row.usage.get("prompt_tokens")), None)


def graded_blind_by(session: Session, user_id: str | None) -> frozenset[str]:
    """The runs of which somebody has still to grade calls blind."""
    statement = select(LOOK.c.run_id).where(LOOK.c.user_id == user_id, LOOK.c.committed_at.is_(None))
    return frozenset(session.execute(statement).scalars()) if user_id else frozenset()


def add_items(session: Session, rows: Sequence[CalibrationItem]) -> int:
    """Those that are not there yet; says how many."""
    return insert_missing(session, ITEM, [row.model_dump() for row in rows])


def judged(session: Session, run_id: str) -> set[tuple[str, int]]:
    """(the server's id of the golden call, sample) of what is stored."""
    rows = session.execute(select(ITEM.c.golden_call_id, ITEM.c.sample).where(ITEM.c.run_id == run_id))
    return {(row.golden_call_id, row.sample) for row in rows}


def items(session: Session, run_id: str, names: Collection[str] | None = None) -> list[StoredItem]:
    """By name and sample. `names`: of these golden calls alone."""
    columns = (GOLDEN_CALL.c.name, ITEM.c.sample, ITEM.c.scorecard, ITEM.c.usage, ITEM.c.model_reported)
    statement = select(*columns).join(GOLDEN_CALL, GOLDEN_CALL.c.id == ITEM.c.golden_call_id)
    rows = session.execute(statement.where(ITEM.c.run_id == run_id).order_by(GOLDEN_CALL.c.name, ITEM.c.sample))
    return [StoredItem(*row) for row in rows if names is None or row.name in names]
