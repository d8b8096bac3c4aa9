"""The sound of a call for a page: where it plays from, and its outline, which is worked out once and kept."""

import logging

from sqlmodel import Session

from callgrade.calls import repository as calls
from callgrade.db.session import Database
from callgrade.domain.errors import CallgradeError
from callgrade.evaluations import outlines
from callgrade.evaluations.report.sound import Sound, outline
from callgrade.ports import BlobStore

LARGEST = 200_000_000
"""Bytes of a recording that are read for its outline: an hour of two channels at 16 kHz and 16 bits is 230 MB."""
_LOG = logging.getLogger(__name__)


def known_sound(session: Session, call_id: str, src: str) -> Sound | None:
    """The call's sound where its outline is known already; else `sound_of` works it out."""
    known = outlines.kept(session, call_id)
    return None if known is None else Sound(src, *known)


def sound_of(database: Database, blobs: BlobStore, call_id: str, src: str) -> Sound | None:
    """The call's sound for a page that plays it from `src`; None without a recording. Whoever transcribed the recording
    has kept its outline. Of others that of a WAV file is read here, and without one it plays all the same."""
    with database.reading() as session:
        known = known_sound(session, call_id, src)
        recording = None if known else calls.recording(session, call_id)
    if known is not None:
        return known
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
    drawn = found or outlines.UNKNOWN
    with database.writing() as session:
        outlines.keep(session, call_id, drawn)
    return Sound(src, *drawn)
