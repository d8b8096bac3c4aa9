"""Recordings that are still where their clients keep them, in the database: from the URL to the recording stored.

A call comes in once, so its recording is fetched once, whoever asks for it and by whatever URL: a signature changes,
the call does not. All functions work in the caller's session and commit nothing.
"""

import mimetypes
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from callgrade.calls import repository
from callgrade.calls.manifest import ManifestEntry
from callgrade.calls.metadata import require_storable
from callgrade.calls.service import call_columns, claim_blob, hold, hold_named, require_same_metadata
from callgrade.db.scrubbing import overwrite_what_is_deleted
from callgrade.db.tables import AwaitedRecording, Call, Evaluation, Recording
from callgrade.domain.errors import ConflictError, GoneError, UnknownResourceError
from callgrade.ports import BlobStore, StoredBlob

_HEARABLE = re.compile(r"(audio|video)/[a-z0-9.+-]{1,100}")
AT_WORK = ("queued", "transcribing", "judging", "parked")


def submit_url(session: Session, client_id: str, entry: ManifestEntry) -> tuple[Call, str | None]:
    """(the call, what is to be fetched for it). Nothing is where its recording is here, or on its way, or was: the URL
    is not looked at then. A call whose recording could not be fetched before gets this URL.

    Until the session ends the call is not erased. Raises ConflictError, which names the field that differs, for
    another call under a call id that was used before; GoneError where that call was erased; TranscriptError for what
    cannot be stored.
    """
    metadata = entry.metadata
    columns = call_columns(metadata)
    customer = metadata.customer.id if metadata.customer else None
    require_storable({"customer": customer, "file_name": metadata.file_name})
    made = repository.insert_call(session, client_id, columns)
    call = hold(session, client_id, made) if made else hold_named(session, client_id, metadata.call_id)
    if made is None:
        known = repository.recording(session, call.id) or of_call(session, call.id)
        if known is None and repository.version(session, call.id) is not None:
            raise ConflictError("call_id: was used before, for a transcript; a call comes in once, as one or the other")
        require_same_metadata(call, known, metadata)
        if known is not None:
            return call, None
    row = AwaitedRecording(
        call_id=call.id,
        client_id=client_id,
        url=entry.audio_url,
        priority=entry.priority,
        file_name=metadata.file_name,
        agent_channel=metadata.agent_channel,
        ended_at=metadata.ended_at,
        customer=customer,
    )
    session.add(row)
    session.flush()
    return call, row.id


def find(session: Session, id_: str) -> AwaitedRecording | None:
    return session.get(AwaitedRecording, id_)


def of_call(session: Session, call_id: str) -> AwaitedRecording | None:
    return session.exec(select(AwaitedRecording).where(AwaitedRecording.call_id == call_id)).first()


def page(session: Session, after: str, limit: int) -> Sequence[AwaitedRecording]:
    """By id, from behind `after`."""
    wanted = select(AwaitedRecording).where(AwaitedRecording.id > after)
    return session.exec(wanted.order_by(col(AwaitedRecording.id)).limit(limit)).all()


def arrived(session: Session, awaited: AwaitedRecording, blob: StoredBlob, blobs: BlobStore) -> bool:
    """Gives the call its recording, which was put into `blobs` before. False where nobody waits for it any more: it
    came another way, everything about it was cancelled, or the call was erased.

    Raises NotReadyError where the blob went meanwhile: fetch it again.
    """
    try:
        call = hold(session, awaited.client_id, awaited.call_id)
    except (GoneError, UnknownResourceError):
        return False
    # whoever gave it up, or was faster, held the call
    if find(session, awaited.id) is None or repository.recording(session, call.id) is not None:
        return False
    claim_blob(session, blobs, blob.sha256)
    repository.add_recording(session, _recording(call, awaited, blob))
    drop(session, call.id)
    return True


def try_later(session: Session, id_: str, tries: int) -> None:
    """It could not be fetched, for the `tries`-th time."""
    session.execute(update(AwaitedRecording).where(col(AwaitedRecording.id) == id_).values(tries=tries))


def drop(session: Session, call_id: str) -> None:
    overwrite_what_is_deleted(session)
    repository.drop_awaited(session, [call_id])


def drop_unwanted(session: Session, *of: Any) -> None:
    """Those that no evaluation waits for any more, among the calls of the evaluations that `of` names."""
    overwrite_what_is_deleted(session)
    named = select(Evaluation.call_id).where(*of)
    wanted = select(Evaluation.id).where(
        Evaluation.call_id == AwaitedRecording.call_id, col(Evaluation.status).in_(AT_WORK)
    )
    session.execute(
        delete(AwaitedRecording).where(col(AwaitedRecording.call_id).in_(named), ~wanted.exists()),
        execution_options={"synchronize_session": False},
    )


def _recording(call: Call, awaited: AwaitedRecording, blob: StoredBlob) -> Recording:
    # what it says of itself is not believed, and its name is the client's own
    kind = mimetypes.guess_type(awaited.file_name)[0] or ""
    return Recording(
        call_id=call.id,
        client_id=call.client_id,
        sha256=blob.sha256,
        size=blob.size,
        media_type=kind if _HEARABLE.fullmatch(kind) else "application/octet-stream",
        file_name=awaited.file_name,
        agent_channel=awaited.agent_channel,
        started_at=call.started_at,
        ended_at=awaited.ended_at,
        agent=call.agent_id,
        customer=awaited.customer,
    )
