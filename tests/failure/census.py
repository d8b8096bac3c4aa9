"""Counting what stands in the database, the engine and the blob store: what is there, and what should not be."""

import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sqlalchemy import ColumnElement, Table, create_engine, func, select, text
from sqlmodel import Session

from callgrade.access import audit
from callgrade.adapters.blobs import FsspecBlobs
from callgrade.db.session import Database
from callgrade.db.tables import IdempotentRequest, Recording
from callgrade.db.tables.core import table_of
from callgrade.engine.queue import LIVE, system_url
from callgrade.evaluations.statuses import OPEN
from callgrade.evaluations.tables import BATCH, BATCH_CHUNK, BATCH_FAULT, CALL, DELIVERY, EVALUATION, SCORECARD

WORKING = ("receiving", "running")


@dataclass(frozen=True)
class Census:
    """`left` names whatever is unfinished, twice there or without an owner, with how much of it; empty when all is
    well."""

    calls: int
    evaluations: dict[str, int]
    """By status."""
    scorecards: int
    batches: dict[str, int]
    """By status."""
    faulty_lines: int
    deliveries: dict[str, int]
    """By status."""
    recordings: int
    """Blobs that recordings refer to."""
    reasons: dict[str, int]
    """Of the failed evaluations, by the error's type."""
    left: dict[str, int] = field(default_factory=dict)


def count(database: Database, folder: Path) -> Census:
    with database.reading() as session:
        found = {
            "calls": _size(session, CALL),
            "evaluations": _by_status(session, EVALUATION),
            "scorecards": _size(session, SCORECARD),
            "batches": _by_status(session, BATCH),
            "faulty_lines": _size(session, BATCH_FAULT),
            "deliveries": _by_status(session, DELIVERY),
            "reasons": _reasons(session),
        }
        left = _left(session)
        heard = _blobs(session, table_of(Recording).c.sha256)
        owned = heard | _blobs(session, BATCH_CHUNK.c.blob)
    blobs = FsspecBlobs(str(folder / "blobs"))
    kept = {blob.sha256 for blob in blobs.kept()}
    left |= {
        "blobs without a row": len(kept - owned),
        "rows without a blob": len(owned - kept),
        "blobs half written": len(list((folder / "blobs/.incoming").glob("*"))),
        **{f"workflows {status}": number for status, number in _workflows(database, folder).items()},
    }
    return Census(**found, recordings=len(kept & heard), left={name: number for name, number in left.items() if number})  # type: ignore[arg-type]


def _left(session: Session) -> dict[str, int]:
    statuses = _by_status(session, EVALUATION)
    requests = table_of(IdempotentRequest)
    open_batches = select(BATCH.c.id).where(BATCH.c.status.in_(WORKING))
    same = (EVALUATION.c.call_id, EVALUATION.c.rubric_digest)
    by_call = select(func.count().label("times")).select_from(EVALUATION).group_by(*same).subquery()
    proposed = EVALUATION.c.status == "proposed"
    carded = select(SCORECARD.c.evaluation_id)
    return {
        "evaluations open": sum(statuses.get(status, 0) for status in OPEN),
        "evaluations twice": _number(session, select(func.count()).where(by_call.c.times > 1)),
        "proposed without a scorecard": _size(session, EVALUATION, proposed, EVALUATION.c.id.not_in(carded)),
        "scorecards not proposed": _size(session, EVALUATION, ~proposed, EVALUATION.c.id.in_(carded)),
        "failed without a reason": statuses.get("failed", 0) - sum(_reasons(session).values()),
        "batches open": _size(session, BATCH, BATCH.c.status.in_(WORKING)),
        "chunks open": _size(
            session, BATCH_CHUNK, BATCH_CHUNK.c.status == "queued", BATCH_CHUNK.c.batch_id.in_(open_batches)
        ),
        "deliveries unsent": _size(session, DELIVERY, DELIVERY.c.status == "waiting"),
        "requests at work": _size(session, requests, requests.c.status.is_(None)),
        "audit faults": len(audit.verify(session)),
    }


def _blobs(session: Session, column: ColumnElement[str]) -> set[str]:
    """That rows refer to."""
    return set(session.execute(select(column).where(column != "")).scalars())


def _reasons(session: Session) -> dict[str, int]:
    errors = session.execute(select(EVALUATION.c.error).where(EVALUATION.c.status == "failed")).scalars()
    return dict(Counter(error["type"] for error in errors if error and error.get("type") and error.get("message")))


def _workflows(database: Database, folder: Path) -> dict[str, int]:
    """What the engine has not brought to a good end."""
    if database.dialect == "sqlite":
        url, table = f"sqlite:///{folder / 'engine.db'}", "workflow_status"
    else:
        url = system_url(database.url.render_as_string(hide_password=False)).replace("://", "+psycopg://", 1)
        table = "dbos.workflow_status"
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            rows = connection.execute(text(f"SELECT status, count(*) FROM {table} GROUP BY status"))
            found = {str(status): int(number) for status, number in rows}
    finally:
        engine.dispose()
    good = ("SUCCESS", "CANCELLED")
    assert set(LIVE).isdisjoint(good)
    return {status: number for status, number in found.items() if status not in good}


def _by_status(session: Session, table: Table) -> dict[str, int]:
    rows = session.execute(select(table.c.status, func.count()).group_by(table.c.status))
    return {str(status): int(number) for status, number in rows}


def _size(session: Session, table: Table, *conditions: object) -> int:
    return _number(session, select(func.count()).select_from(table).where(*conditions))


def _number(session: Session, statement: object) -> int:
    return int(session.execute(statement).scalar_one())  # type: ignore[call-overload]


if __name__ == "__main__":
    # for a place where only a process of its own can look
    print(json.dumps(asdict(count(Database(sys.argv[1]), Path(sys.argv[2])))))
