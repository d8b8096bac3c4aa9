"""What came in as lines goes when it has been worked off: it holds words, and URLs that open recordings."""

from sqlmodel import Session, col, or_, select
from sqlmodel.sql.expression import Select

from callgrade.calls import erasure_repository
from callgrade.calls.erasure import drop_blob
from callgrade.db.session import Database
from callgrade.db.tables import Batch, BatchChunk
from callgrade.db.tables.batches import KEPT
from callgrade.evaluations.chunks import WORKING
from callgrade.ports import BlobStore

AT_ONCE = 500


def clear_chunk(database: Database, blobs: BlobStore, batch_id: str, number: int) -> bool:
    """Deletes the lines of a chunk that is not worked off any more. False where there is nothing to delete."""
    with database.writing() as session:
        chunk = erasure_repository.held_chunk(session, batch_id, number)
        if chunk is None or not chunk.blob or not _is_over(session, chunk):
            return False
        before, chunk.blob = chunk.blob, ""
        session.add(chunk)
        session.flush()
        drop_blob(session, blobs, before)
    return True


def clear_all(database: Database, blobs: BlobStore) -> int:
    """Those whose worker died before it could, and those of batches that were cancelled or never came in whole. Says
    how many."""
    cleared = 0
    while True:
        with database.reading() as session:
            found = session.exec(_over().limit(AT_ONCE)).all()
        done = sum(clear_chunk(database, blobs, batch_id, number) for batch_id, number in found)
        cleared += done
        if len(found) < AT_ONCE or not done:
            return cleared


def _over() -> Select[str, int]:
    return (
        select(BatchChunk.batch_id, BatchChunk.number)
        .join(Batch, col(Batch.id) == BatchChunk.batch_id)
        .where(KEPT, or_(BatchChunk.status != "queued", ~col(Batch.status).in_(WORKING)))
        .order_by(col(BatchChunk.batch_id), col(BatchChunk.number))
    )


def _is_over(session: Session, chunk: BatchChunk) -> bool:
    batch = session.get(Batch, chunk.batch_id)
    return chunk.status != "queued" or batch is None or batch.status not in WORKING
