"""What lists of batches and calls show beside their rows, in the database. Reading only."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import Session

from callgrade.db.tables import Batch
from callgrade.domain.frozen import LocalText
from callgrade.evaluations.chunks import WORKING
from callgrade.evaluations.tables import BATCH, BATCH_FAULT, RUBRIC_VERSION

_ELSEWHERE = BATCH_FAULT.c.error["evaluation_id"].as_string()


def rubric_titles(session: Session) -> dict[str, LocalText]:
    """Of every version by `id@vN`, without reading the rubrics themselves."""
    told = select(RUBRIC_VERSION.c.id, RUBRIC_VERSION.c.version, RUBRIC_VERSION.c.content["title"].label("title"))
    return {f"{row.id}@{row.version}": LocalText(**(row.title or {})) for row in session.execute(told)}


def batches_at_work(session: Session, client_id: str) -> Sequence[Batch]:
    """Those that have not come to an end, the newest first."""
    statement = select(Batch).where(BATCH.c.client_id == client_id, BATCH.c.status.in_(WORKING))
    return session.execute(statement.order_by(BATCH.c.id.desc())).scalars().all()


def faulty_lines(session: Session, batch_id: str, *, limit: int) -> list[tuple[int, str]]:
    """(line, what is wrong with it) of the first lines of a batch that are no calls."""
    statement = (
        select(BATCH_FAULT.c.line, BATCH_FAULT.c.error)
        .where(BATCH_FAULT.c.batch_id == batch_id, _ELSEWHERE.is_(None))
        .order_by(BATCH_FAULT.c.line)
        .limit(limit)
    )
    return [(row.line, str(row.error.get("message", ""))) for row in session.execute(statement)]
