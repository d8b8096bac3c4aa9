"""Recordings for a browser's player: whole, or the part that it asks for."""

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from callgrade.calls.ranges import Span, pieces, wanted_span
from callgrade.db.tables import Recording
from callgrade.web.dependencies import Desk


def sound_answer(request: Request, desk: Desk, recording: Recording) -> Response:
    """Raises RangeError for a part that the recording does not have."""
    span = wanted_span(request.headers.get("range"), recording.size)
    whole = span or Span(0, recording.size - 1)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Length": str(whole.length),
        "Cache-Control": "private, no-store",
        # what a client sent as sound is never anything that a browser runs
        "X-Content-Type-Options": "nosniff",
    }
    if span is not None:
        headers["Content-Range"] = f"bytes {span.first}-{span.last}/{recording.size}"
    kind = recording.media_type if recording.media_type.startswith(("audio/", "video/")) else "application/octet-stream"
    stream = pieces(desk.blobs.open(recording.sha256), whole)
    return StreamingResponse(stream, 206 if span else 200, media_type=kind, headers=headers)
