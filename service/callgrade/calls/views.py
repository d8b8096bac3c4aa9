"""What is shown beside the rows of calls themselves, for a whole page at once. Reading only."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import func
from sqlmodel import Session, col, select

from callgrade.db.tables import Call, Recording, TranscriptVersion


class Beside(NamedTuple):
    """`transcript_version` is None until there is a transcript."""

    recording: Recording | None
    transcript_version: int | None


def beside(session: Session, calls: Iterable[Call]) -> dict[str, Beside]:
    """By the server's id of the call."""
    ids = [call.id for call in calls]
    recordings = session.exec(select(Recording).where(col(Recording.call_id).in_(ids)))
    found = {row.call_id: row for row in recordings}
    newest = (
        select(TranscriptVersion.call_id, func.max(TranscriptVersion.version))
        .where(col(TranscriptVersion.call_id).in_(ids))
        .group_by(col(TranscriptVersion.call_id))
    )
    versions: dict[str, int] = dict(session.exec(newest).all())
    return {id_: Beside(found.get(id_), versions.get(id_)) for id_ in ids}
