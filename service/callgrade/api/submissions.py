"""What comes in with POST /v1/calls: a transcript as JSON, or a recording with its metadata as a form."""

import hashlib
import io
import re
from dataclasses import dataclass
from functools import partial
from typing import Annotated, BinaryIO, cast

from fastapi import Depends, Request
from pydantic import ValidationError

from callgrade.adapters.streams import Pull
from callgrade.api.bodies import MalformedBodyError, UnsupportedMediaError
from callgrade.api.dependencies import CallsWriter, Serving
from callgrade.api.multipart import Part, parts_of
from callgrade.api.problems import place
from callgrade.calls.metadata import RecordingMetadata
from callgrade.calls.reading import LARGEST_BYTES, parse_sent
from callgrade.calls.texts import require_whole_json
from callgrade.domain.calls import Transcript
from callgrade.domain.errors import TooLargeError, TranscriptError
from callgrade.ports import BlobStore, StoredBlob

LARGEST_METADATA = 1_000_000
PIECE = 262_144
_HEARABLE = re.compile(r"(audio|video)/[a-z0-9.+-]{1,100}")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f/\\]")


@dataclass(frozen=True)
class Words:
    transcript: Transcript
    digest: str
    """SHA-256 of the body: whether a repeated request is the same."""


@dataclass(frozen=True)
class Sound:
    metadata: RecordingMetadata
    blob: StoredBlob
    digest: str


async def read_submission(request: Request, _: CallsWriter, services: Serving) -> Words | Sound:
    """The key is looked at first: nothing is read of whoever may not hand in calls."""
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/json":
        return await services.uploads.run(request, read_transcript)
    if kind == "multipart/form-data":
        most = services.settings.service.max_upload_mb * 1_000_000
        return await services.uploads.run(request, lambda pull: read_form(pull, content_type, services.blobs, most))
    raise UnsupportedMediaError("send application/json (a transcript) or multipart/form-data (audio and metadata)")


Submission = Annotated[Words | Sound, Depends(read_submission)]


def read_transcript(pull: Pull) -> Words:
    body = _whole(pull, LARGEST_BYTES, "the transcript")
    return Words(parse_sent(body, source="body"), hashlib.sha256(body).hexdigest())


def read_form(pull: Pull, content_type: str, blobs: BlobStore, most: int) -> Sound:
    """The recording goes to the blob store while it comes in. Where the form turns out to be wrong it stays there, as a
    blob that nobody refers to, until those are cleared away."""
    metadata: RecordingMetadata | None = None
    text, blob, audio = b"", None, None
    for part in parts_of(pull, content_type):
        if part.name == "metadata" and metadata is None:
            text = _whole(partial(part.stream.read, PIECE), LARGEST_METADATA, "metadata")
            metadata = _metadata(text)
        elif part.name == "audio" and blob is None:
            blob, audio = blobs.put(cast("BinaryIO", Capped(part.stream, most))), part
        else:
            raise MalformedBodyError("the form has exactly one part `audio` and one part `metadata`")
    if metadata is None or blob is None or audio is None:
        raise MalformedBodyError(f"the form lacks its part `{'audio' if metadata else 'metadata'}`")
    if blob.size == 0:
        raise MalformedBodyError("the part `audio` is empty")
    digest = hashlib.sha256(text + blob.sha256.encode()).hexdigest()
    named = {"file_name": _file_name(audio), "media_type": _media_type(audio)}
    return Sound(metadata.model_copy(update=named), blob, digest)


def _metadata(text: bytes) -> RecordingMetadata:
    require_whole_json(text, source="metadata")
    try:
        return RecordingMetadata.model_validate_json(text)
    except ValidationError as error:
        faults = [f"{place(fault['loc'])}: {fault['msg']}" for fault in error.errors(include_url=False)[:5]]
        raise TranscriptError("; ".join(faults), source="metadata") from None


def _file_name(part: Part) -> str:
    return _UNSEEN.sub("_", part.file_name or "")[-200:]


def _media_type(part: Part) -> str:
    """What a browser may take it for, later: a recording, and never a page."""
    kind = (part.media_type or "").partition(";")[0].strip().lower()
    return kind if _HEARABLE.fullmatch(kind) else "application/octet-stream"


class Capped(io.RawIOBase):
    """A stream that may be so long and no longer. Raises TooLargeError as soon as it is."""

    def __init__(self, stream: BinaryIO, most: int):
        self._stream, self._most, self._seen = stream, most, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        piece = self._stream.read(size if size >= 0 else PIECE)
        self._seen += len(piece)
        if self._seen > self._most:
            raise TooLargeError(f"the recording is larger than the {self._most // 1_000_000} MB that are taken here")
        return piece


def _whole(pull: Pull, most: int, what: str) -> bytes:
    pieces, size = list[bytes](), 0
    while piece := pull():
        pieces.append(piece)
        size += len(piece)
        if size > most:
            raise TooLargeError(f"{what} is larger than the {most // 1_000_000} MB that are taken here")
    return b"".join(pieces)
