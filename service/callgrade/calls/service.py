"""Calls: handed in, found again, and what was said in them.

All functions work in the caller's session and commit nothing. A call belongs to the client of whoever handed it in;
to everybody else it does not exist.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError
from sqlmodel import Session

from callgrade.access import rows
from callgrade.access.permissions import Scope
from callgrade.access.principals import Principal
from callgrade.calls import repository
from callgrade.calls.metadata import RecordingMetadata, require_storable
from callgrade.calls.repository import CallFilters
from callgrade.db.tables import AwaitedRecording, Call, Recording, TranscriptVersion
from callgrade.db.types import now
from callgrade.domain.calls import Party, Transcript
from callgrade.domain.errors import (
    ConflictError,
    GoneError,
    NotReadyError,
    TranscriptError,
    UnexpectedError,
    UnknownResourceError,
)
from callgrade.ports import BlobStore, StoredBlob

__all__ = ["CallFilters", "Page", "RecordingMetadata"]

CLIENT, RECOGNISER = "client", "recogniser"
WORDS = "callgrade.transcript/1"
ERASED = "callgrade.erased/1"
"""The schema of what stands where words stood: {schema, erased_at, reason}."""


class Page(NamedTuple):
    """`next` goes into the next request as its cursor; None on the last page."""

    items: Sequence[Call]
    next: str | None


def submit_transcript(session: Session, principal: Principal, transcript: Transcript) -> Call:
    """The call, with version 1 of its transcript. The same once more gives the same call, whoever comes first.

    Raises ConflictError, which names the field that differs, for other content under a call id that was used before;
    GoneError where that call was erased; TranscriptError for what cannot be stored.
    """
    columns = call_columns(transcript)
    content, digest = stored_form(transcript)
    made = repository.insert_call(session, principal.client_id, columns)
    if made is not None:
        _add(session, made, 1, CLIENT, content, digest)
        return _made(session, principal, made)
    call = _named(session, principal.client_id, transcript.call_id)
    first = repository.version(session, call.id, 1)
    if first is None or first.origin != CLIENT:
        raise ConflictError("call_id: was used before, for a recording; a call comes in once, as one or the other")
    if first.digest != digest:
        _require_same(first, transcript)
    return call


def submit_recording(
    session: Session, principal: Principal, metadata: RecordingMetadata, blob: StoredBlob, *, blobs: BlobStore
) -> Call:
    """The call, with its recording, which was put into `blobs` before. The same once more gives the same call. A
    recording that was to be fetched, and is not here yet, comes in so as well.

    Raises as submit_transcript does, and NotReadyError where the blob went meanwhile, because the same recording was
    being erased elsewhere: put it again.
    """
    columns = call_columns(metadata)
    customer = metadata.customer.id if metadata.customer else None
    named = {"ended_at": metadata.ended_at, "customer": customer, "file_name": metadata.file_name}
    require_storable({**named, "media_type": metadata.media_type})
    made = repository.insert_call(session, principal.client_id, columns)
    call_id = made or _without_content(session, principal.client_id, metadata, blob)
    if call_id is None:
        return _named(session, principal.client_id, metadata.call_id)
    claim_blob(session, blobs, blob.sha256)
    row = Recording(
        call_id=call_id,
        client_id=principal.client_id,
        sha256=blob.sha256,
        size=blob.size,
        media_type=metadata.media_type,
        file_name=metadata.file_name,
        agent_channel=metadata.agent_channel,
        started_at=metadata.started_at,
        ended_at=metadata.ended_at,
        agent=metadata.agent.id if metadata.agent else None,
        customer=customer,
    )
    repository.add_recording(session, row)
    repository.drop_awaited(session, [call_id])
    return _made(session, principal, call_id)


def claim_blob(session: Session, blobs: BlobStore, sha256: str) -> None:
    """Before a row that refers to a blob is written: from here to the end of the session nobody deletes it.

    Raises NotReadyError where it has just been deleted.
    """
    repository.hold_blob(session, sha256)
    try:
        blobs.open(sha256).close()
    except UnknownResourceError:
        raise NotReadyError("what was just uploaded was being erased elsewhere just then; send it again") from None


def find(session: Session, client_id: str, id_: str) -> Call:
    """Raises UnknownResourceError, for another client's call too, and GoneError, with the reason, for an erased one."""
    return _alive(repository.call(session, client_id, id_))


def find_within(session: Session, principal: Principal, id_: str, scope: Scope = "calls:read") -> Call:
    """As `find`, for a person: a call beyond their reach is unknown. Raises ForbiddenError without the scope."""
    return _alive(repository.call_within(session, rows.calls_within(principal, scope), id_))


def hold(session: Session, client_id: str, id_: str) -> Call:
    """As `find`, and until the session ends the call is neither erased nor given another transcript."""
    return _alive(repository.held_call(session, client_id, id_))


def hold_named(session: Session, client_id: str, call_id: str) -> Call:
    """The same by the client's own id. Raises NotReadyError where it came in at this very moment: ask again."""
    return hold(session, client_id, _named(session, client_id, call_id).id)


def list_page(
    session: Session, client_id: str, filters: CallFilters, cursor: str | None = None, limit: int = 50
) -> Page:
    """The newest first, without the erased ones."""
    rows = repository.page(session, client_id, filters, cursor, limit + 1)
    return Page(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def recording_of(session: Session, call: Call) -> Recording:
    """Raises UnknownResourceError for a call without one, GoneError once it was deleted by the client's policy."""
    found = repository.recording(session, call.id)
    if found is None:
        raise UnknownResourceError("this call has no recording")
    if not found.sha256:
        raise GoneError("the recording of this call was deleted, as the client's retention policy asks")
    return found


def transcript_of(session: Session, call: Call, version: int | None = None) -> Transcript:
    """The newest version, or the one asked for.

    Raises UnknownResourceError where there is none (a recording that waits for the recogniser), GoneError, with the
    reason, where its words were deleted.
    """
    found = repository.version(session, call.id, version)
    if found is None:
        raise UnknownResourceError("this call has no transcript" if version is None else "no such transcript version")
    return parse_stored(found.content)


def transcript_versions(session: Session, call: Call) -> Sequence[TranscriptVersion]:
    """The oldest first; none is ever changed."""
    return repository.versions(session, call.id)


def add_transcript(session: Session, call: Call, transcript: Transcript, origin: str) -> TranscriptVersion:
    """The next version: the recogniser's, or a person's correction (`origin` is then the user's id).

    Whose call it is, when it was and what is known of it stays as it came in; facts may be added. The words of the
    newest version once more are no new version. Raises GoneError where the call was erased meanwhile.
    """
    call = hold(session, call.client_id, call.id)
    content, digest = stored_form(_with_identity(session, call, transcript))
    newest = repository.version(session, call.id)
    if newest is not None and newest.digest == digest:
        return newest
    return _add(session, call.id, newest.version + 1 if newest else 1, origin, content, digest)


def stored_form(transcript: Transcript) -> tuple[str, str]:
    """(content, its SHA-256). Raises TranscriptError for half a character."""
    try:
        content = transcript.model_dump_json(by_alias=True)
        return content, hashlib.sha256(content.encode()).hexdigest()
    except (PydanticSerializationError, UnicodeEncodeError):
        raise TranscriptError("holds half of a pair of characters, which is no text") from None


def parse_stored(content: str) -> Transcript:
    """Raises GoneError where the words were deleted, UnexpectedError for a schema that this callgrade does not know."""
    try:
        return Transcript.model_validate_json(content)
    except ValidationError:
        pass
    document: dict[str, Any] = json.loads(content)
    if document.get("schema") == ERASED:
        raise GoneError(f"the words of this call were deleted: {document['reason']}")
    raise UnexpectedError("a stored transcript has a schema that this version of callgrade does not know")


def call_columns(told: Transcript | RecordingMetadata) -> dict[str, Any]:
    columns = {
        "call_id": told.call_id,
        "channel": told.channel,
        "language": told.language,
        "started_at": told.started_at,
        "agent_id": told.agent and told.agent.id,
        "team": told.agent and told.agent.team,
        "queue": told.queue,
        "facts": told.facts,
    }
    require_storable(columns)
    return columns


def _add(session: Session, call_id: str, version: int, origin: str, content: str, digest: str) -> TranscriptVersion:
    row = TranscriptVersion(call_id=call_id, version=version, origin=origin, digest=digest, content=content)
    row.created_at = now()
    return repository.add_version(session, row)


def _made(session: Session, principal: Principal, id_: str) -> Call:
    call = repository.call(session, principal.client_id, id_)
    assert call is not None
    return call


def _named(session: Session, client_id: str, call_id: str) -> Call:
    call = repository.call_named(session, client_id, call_id)
    if call is None:
        # on PostgreSQL whoever was first may have rolled back since
        raise NotReadyError("the same call was being handed in elsewhere at the same time; send it again")
    return _alive(call)


def _alive(call: Call | None) -> Call:
    if call is None:
        raise UnknownResourceError("there is no such call")
    if call.erased_at is not None:
        raise GoneError(f"this call was erased: {call.erased_because}")
    return call


def _require_same(first: TranscriptVersion, transcript: Transcript) -> None:
    try:
        before = parse_stored(first.content)
    except GoneError:
        raise ConflictError("call_id: was used before, for a call whose words were other ones") from None
    # order of facts and writing of moments apart, which make another digest of the same
    _refuse_other("", _comparable(before), _comparable(transcript))


def _without_content(session: Session, client_id: str, metadata: RecordingMetadata, blob: StoredBlob) -> str | None:
    """The id of the call that is there without its recording, because that was to be fetched; None where the very same
    recording came in before."""
    # held: two who bring it at once must see each other
    call = hold_named(session, client_id, metadata.call_id)
    found = repository.recording(session, call.id)
    if found is None and repository.version(session, call.id) is not None:
        raise ConflictError("call_id: was used before, for a transcript; a call comes in once, as one or the other")
    if found is not None and found.sha256 != blob.sha256:
        raise ConflictError("audio: another recording came in before under this call_id")
    require_same_metadata(call, found, metadata)
    return None if found else call.id


def require_same_metadata(call: Call, known: Recording | AwaitedRecording | None, metadata: RecordingMetadata) -> None:
    """Raises ConflictError that names the field in which a recording's call differs from what came in before."""
    before = {name: getattr(call, name) for name in ("channel", "language", "started_at", "queue", "facts")}
    now_ = {name: getattr(metadata, name) for name in before}
    agent, customer = metadata.agent or Party(), metadata.customer or Party()
    # a team that was not told is the one of its day, whatever the agent's is by now
    before["agent"], now_["agent"] = [call.agent_id, call.team if agent.team else None], [agent.id, agent.team]
    deleted_by_policy = isinstance(known, Recording) and not known.sha256
    if known is not None and not deleted_by_policy:
        before |= {"customer": known.customer, "agent_channel": known.agent_channel}
        now_ |= {"customer": customer.id, "agent_channel": metadata.agent_channel}
        if metadata.ended_at is not None:
            before, now_ = before | {"ended_at": known.ended_at}, now_ | {"ended_at": metadata.ended_at}
    _refuse_other("metadata.", before, now_)


def _refuse_other(where: str, before: dict[str, Any], now_: dict[str, Any]) -> None:
    for name, value in now_.items():
        if _written(before.get(name)) != _written(value):
            raise ConflictError(f"{where}{name}: differs from what came in before under this call_id")


def _comparable(transcript: Transcript) -> dict[str, Any]:
    document = transcript.model_dump(mode="json", by_alias=True)
    return document | {"started_at": transcript.started_at}


def _written(value: Any) -> str:
    """One writing for the same: a moment in UTC, a fact's keys in order."""
    if hasattr(value, "astimezone"):
        return str(value.astimezone(UTC).isoformat())
    return json.dumps(value, sort_keys=True)


def _with_identity(session: Session, call: Call, transcript: Transcript) -> Transcript:
    recording, first = repository.recording(session, call.id), repository.version(session, call.id, 1)
    if recording is not None:
        agent, customer = recording.agent, Party(id=recording.customer) if recording.customer else None
    else:
        # what came in as words has both parties in its first version
        agent, customer = call.agent_id, parse_stored(first.content).customer if first else None
    known = {
        "call_id": call.call_id,
        "channel": call.channel,
        "started_at": call.started_at,
        "agent": Party(id=agent, team=call.team) if agent or call.team else None,
        "customer": customer,
        "queue": call.queue,
        "facts": {**transcript.facts, **call.facts},
    }
    return transcript.model_copy(update=known)
