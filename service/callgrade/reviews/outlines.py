"""The outline of a call's sound, worked out once and kept, so that a page need not read the recording."""

import logging
from typing import Any

from sqlalchemy import select
from sqlmodel import Session

from callgrade.calls import repository as calls
from callgrade.db.session import Database
from callgrade.db.tables import Outline
from callgrade.db.tables.core import table_of
from callgrade.domain.errors import CallgradeError
from callgrade.evaluations.report.sound import Sound, outline
from callgrade.ports import BlobStore
from callgrade.reviews.repository import insert_missing

OUTLINE = table_of(Outline)
LARGEST = 200_000_000
"""Bytes of a recording that are read for its outline: an hour of two channels at 16 kHz and 16 bits is 230 MB."""
_LOG = logging.getLogger(__name__)


def sound_of(database: Database, blobs: BlobStore, call_id: str, src: str) -> Sound | None:
    """The call's sound for a page that plays it from `src`; None without a recording. Its outline is empty where it
    cannot be drawn (not a WAV file, too large): it plays all the same."""
    with database.reading() as session:
        known = _kept(session, call_id)
        recording = None if known else calls.recording(session, call_id)
    if known is not None:
        return Sound(src, known["duration_ms"], tuple(tuple(channel) for channel in known["channels"]))
    if recording is None or not recording.sha256:
        return None
    found = None
    if recording.size <= LARGEST:
        try:
            with blobs.open(recording.sha256) as stream:
                found = outline(stream.read())
        except CallgradeError as error:
            # the words can be reviewed without the sound
            _LOG.warning("the recording of call %s could not be read (%s)", call_id, error.type)
            return None
    length, channels = found or (None, ())
    _keep(database, call_id, {"duration_ms": length, "channels": [list(channel) for channel in channels]})
    return Sound(src, length, channels)


def _kept(session: Session, call_id: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = session.execute(
        select(OUTLINE.c.content).where(OUTLINE.c.call_id == call_id)
    ).scalar_one_or_none()
    return found


def _keep(database: Database, call_id: str, content: dict[str, object]) -> None:
    with database.writing() as session:
        insert_missing(session, OUTLINE, [Outline(call_id=call_id, content=content).model_dump()])
